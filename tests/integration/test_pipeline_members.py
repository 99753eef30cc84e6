"""Do the files inside a file come in as assets of their own, and come and go with the file they are inside of?"""

import io
import tarfile
import zipfile
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.utils import timezone

from kb import library, retention, runs
from kb.exceptions import StorageError
from kb.models import Asset, AssetVersion, Collection, IngestItem, IngestStep
from kb.permissions import Principal, interned_audience
from kb.storage import FolderStorage
from tests.integration.ingest import (
    assert_parts_agree,
    assert_statistics_are_right,
    bring_in,
    codes,
    live_steps,
    outcomes,
    rows,
    upload,
    work_off,
)
from tests.library import a_user
from workers import checks, outbox, pipeline, unpack
from workers.extract import limits

pytestmark = pytest.mark.usefixtures("hash_encoder", "storage")


def a_zip(files: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A fixed time: the same files give the same bytes.
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def a_message(subject: str, body: str, *attachments: tuple[str, bytes]) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "Ana <ana@example.org>", "bo@example.org"
    message.set_content(body)
    for name, content in attachments:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def uris() -> list[str]:
    return sorted(Asset.objects.values_list("source_uri", flat=True))


def asset_at(source_uri: str) -> Asset:
    return Asset.objects.get(source_uri=source_uri)


def words_of(asset: Asset) -> str:
    return " ".join(text for (text,) in rows("SELECT text FROM kb_segment WHERE asset_id = %s", asset.pk))


def test_files_in_an_archive_in_a_message_are_assets_with_a_path(collection: Collection) -> None:
    inner = a_zip({"plans/tower.txt": "the tower has nine floors", "cost.txt": "it costs a lot"})
    run = bring_in(
        collection, {"mail/offer.eml": a_message("The offer", "See attached.", ("all.zip", inner))}
    )
    assert outcomes(run) == {
        "mail/offer.eml": "indexed",
        "mail/offer.eml!/all.zip": "indexed",
        "mail/offer.eml!/all.zip!/plans/tower.txt": "indexed",
        "mail/offer.eml!/all.zip!/cost.txt": "indexed",
    }
    assert run.state == "done"
    tower = asset_at("mail/offer.eml!/all.zip!/plans/tower.txt")
    assert tower.parent == asset_at("mail/offer.eml!/all.zip")
    assert tower.parent is not None
    assert tower.parent.parent == asset_at("mail/offer.eml")
    assert "nine floors" in words_of(tower)
    assert_statistics_are_right()
    assert_parts_agree()


def test_one_bad_member_never_harms_the_others(collection: Collection) -> None:
    run = bring_in(
        collection,
        {
            "all.zip": a_zip(
                {
                    "bad.pdf": b"%PDF-1.7 not really",
                    "good.txt": "a good line",
                    "odd.bin": b"\x7fELF" * 50,
                    "no.txt": "",
                }
            )
        },
    )
    assert outcomes(run) == {
        "all.zip": "indexed",
        "all.zip!/bad.pdf": "failed",
        "all.zip!/good.txt": "indexed",
        "all.zip!/odd.bin": "unsupported",
        "all.zip!/no.txt": "failed",
    }
    assert codes(run)["all.zip!/no.txt"] == "empty_file"


def test_a_step_that_runs_twice_brings_in_once(collection: Collection) -> None:
    run = upload(collection, {"all.zip": a_zip({"a.txt": "first", "b.exe": b"\x7fELF" * 50})})
    (step,) = outbox.claim()
    lease = outbox.take(step.pk)
    assert lease is not None
    pipeline.extract(lease)
    # As if the worker had died just before its end, with the members in already.
    IngestStep.objects.filter(pk=step.pk).update(state="ready", lease_token=None)
    work_off()
    assert sorted(outcomes(run)) == ["all.zip", "all.zip!/a.txt", "all.zip!/b.exe"]
    assert IngestItem.objects.filter(run=run).count() == 3
    assert AssetVersion.objects.count() == 2
    assert live_steps() == 0


def test_a_new_version_of_the_archive_changes_keeps_and_removes_members(collection: Collection) -> None:
    bring_in(
        collection, {"all.zip": a_zip({"same.txt": "stays", "gone.txt": "goes", "new.txt": "old words"})}
    )
    same = asset_at("all.zip!/same.txt")
    run = bring_in(
        collection, {"all.zip": a_zip({"same.txt": "stays", "new.txt": "new words", "more.txt": "more"})}
    )
    assert outcomes(run) == {
        "all.zip": "indexed",
        "all.zip!/same.txt": "unchanged",
        "all.zip!/new.txt": "indexed",
        "all.zip!/more.txt": "indexed",
    }
    assert uris() == ["all.zip", "all.zip!/more.txt", "all.zip!/new.txt", "all.zip!/same.txt"]
    assert asset_at("all.zip!/same.txt").pk == same.pk
    assert words_of(asset_at("all.zip!/new.txt")) == "new words"
    assert_statistics_are_right()
    assert_parts_agree()


def test_members_that_may_still_be_there_are_kept(collection: Collection) -> None:
    """Of a damaged archive nobody knows what it holds."""

    def packed(files: dict[str, bytes]) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return out.getvalue()

    whole = packed({"a.txt": b"alpha " * 200, "b.txt": b"beta " * 200})
    bring_in(collection, {"all.tar": whole})
    run = bring_in(collection, {"all.tar": whole[:2000]})
    assert outcomes(run)["all.tar"] == "partial"
    assert codes(run)["all.tar"] == "corrupt"
    assert "all.tar!/b.txt" in uris()


def test_deleting_the_archive_deletes_what_is_inside(
    collection: Collection, storage: FolderStorage, django_capture_on_commit_callbacks
) -> None:  # type: ignore[no-untyped-def]
    bring_in(
        collection,
        {
            "all.zip": a_zip({"in.zip": a_zip({"deep.txt": "deep words"}), "a.txt": "a words"}),
            "own.txt": "own words",
        },
    )
    with django_capture_on_commit_callbacks(execute=True):
        library.delete_asset(asset_at("all.zip"))
    assert uris() == ["own.txt"]
    assert rows(
        "SELECT count(*) FROM kb_segment s JOIN kb_asset a ON a.id = s.asset_id WHERE a.source_uri <> 'own.txt'"
    ) == [(0,)]
    assert list(checks.check(storage)) == []
    assert_statistics_are_right()


def test_members_have_the_readers_of_their_archive_and_follow_it(collection: Collection) -> None:
    few = interned_audience([Principal(user=a_user("ana"))])
    others = interned_audience([Principal(user=a_user("bo"))])
    bring_in(collection, {"all.zip": a_zip({"in.zip": a_zip({"deep.txt": "deep words"})})}, audience=few)
    assert {asset.audience_id for asset in Asset.objects.all()} == {few.pk}
    library.move(asset_at("all.zip"), others)
    assert {(asset.audience_id, asset.own_audience_id) for asset in Asset.objects.all()} == {
        (others.pk, others.pk)
    }
    assert rows("SELECT DISTINCT audience_id FROM kb_segmentwords") == [(others.pk,)]
    assert_statistics_are_right()
    assert_parts_agree()
    library.move(asset_at("all.zip"), None)
    assert {asset.audience_id for asset in Asset.objects.all()} == {collection.audience_id}


def test_a_new_version_with_other_readers_takes_unchanged_members_along(collection: Collection) -> None:
    few = interned_audience([Principal(user=a_user("ana"))])
    bring_in(collection, {"all.zip": a_zip({"a.txt": "first", "b.txt": "second"})})
    bring_in(
        collection, {"all.zip": a_zip({"a.txt": "first", "b.txt": "changed", "c.txt": "third"})}, audience=few
    )
    assert {asset.audience_id for asset in Asset.objects.all()} == {few.pk}
    assert_statistics_are_right()
    assert_parts_agree()


def test_the_same_bytes_are_one_asset_inside_one_archive_and_two_in_two(collection: Collection) -> None:
    run = bring_in(
        collection,
        {
            "one.zip": a_zip({"a.txt": "same", "b.txt": "same"}),
            "two.zip": a_zip({"c.txt": "same"}),
            "d.txt": "same",
        },
    )
    assert outcomes(run)["one.zip!/b.txt"] == "unchanged"
    assert uris() == ["d.txt", "one.zip", "one.zip!/a.txt", "two.zip", "two.zip!/c.txt"]


def test_nothing_is_uploaded_over_a_file_inside_a_file(collection: Collection) -> None:
    bring_in(collection, {"all.zip": a_zip({"a.txt": "inside"})})
    run = bring_in(collection, {"all.zip!/a.txt": "outside"})
    assert codes(run) == {"all.zip!/a.txt": "unsafe_path"}
    assert words_of(asset_at("all.zip!/a.txt")) == "inside"
    run = bring_in(collection, {"b.zip!/a.txt": "outside", "b.zip": a_zip({"a.txt": "inside too"})})
    assert codes(run)["b.zip!/a.txt"] in ("", "unsafe_path")
    assert words_of(asset_at("b.zip!/a.txt")) == "outside"


def test_messages_nested_fifty_deep_end_at_the_cap(collection: Collection) -> None:
    message = EmailMessage()
    message["Subject"] = "level 50"
    message.set_content("the innermost text")
    for level in range(49, 0, -1):
        outer = EmailMessage()
        outer["Subject"] = f"level {level}"
        outer.set_content(f"text of level {level}")
        outer.add_attachment(message)
        message = outer
    run = bring_in(collection, {"deep.eml": message.as_bytes()})
    found = outcomes(run)
    assert len(found) == 1 + limits.MAX_DEPTH
    deepest = max(found, key=len)
    assert found.pop(deepest) == "partial"
    assert set(found.values()) == {"indexed"}
    assert codes(run)[deepest] == "nested_too_deep"


def test_an_archive_that_holds_itself_ends(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quine archive unpacks to its own bytes, for ever."""
    content = a_zip({"r.zip": "x"})
    run = upload(collection, {"r.zip": content})
    found = unpack._found

    def itself(member, scratch):  # type: ignore[no-untyped-def]
        (scratch / member.file).write_bytes(content)
        return found(member, scratch)

    monkeypatch.setattr(unpack, "_found", itself)
    work_off()
    assert outcomes(run) == {"r.zip": "indexed", "r.zip!/r.zip": "unchanged"}


def test_a_tree_of_archives_stops_at_its_budget(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flat caps hold in each archive; this one holds over all of them together."""
    monkeypatch.setattr(unpack, "_BUDGET", unpack.Budget(depth=5, files=6, size_bytes=10**6))
    leaves = {
        f"{number}.zip": a_zip({f"{number}-{leaf}.txt": f"words {number} {leaf}" for leaf in range(4)})
        for number in range(4)
    }
    run = bring_in(collection, {"tree.zip": a_zip(leaves)})  # type: ignore[arg-type]
    assert Asset.objects.filter(parent__isnull=False).count() == 6
    assert "members_capped" in codes(run).values()
    assert run.state == "done"


def test_cancelling_and_retrying_the_run_loses_nothing(collection: Collection) -> None:
    run = upload(collection, {"all.zip": a_zip({"a.txt": "first", "b.txt": "second"})})
    (step,) = outbox.claim()
    lease = outbox.take(step.pk)
    assert lease is not None
    pipeline.extract(lease)
    runs.cancel(run)
    assert set(outcomes(run).values()) == {"cancelled"}
    for item in IngestItem.objects.filter(run=run).order_by("pk"):
        assert runs.retry(item)
    work_off()
    run.refresh_from_db()
    assert set(outcomes(run).values()) == {"indexed"}
    assert run.state == "done"


def test_a_store_that_is_away_is_asked_again(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, settings
) -> None:  # type: ignore[no-untyped-def]
    settings.KB_BACKOFF_S = 0.0
    run = upload(collection, {"all.zip": a_zip({"a.txt": "first"})})
    failures = iter([StorageError("away")])
    put = unpack.members.uploads.put_object

    def flaky(received):  # type: ignore[no-untyped-def]
        for failure in failures:
            raise failure
        put(received)

    monkeypatch.setattr("kb.uploads.put_object", flaky)
    work_off()
    work_off()
    assert outcomes(run) == {"all.zip": "indexed", "all.zip!/a.txt": "indexed"}


def test_members_move_to_another_collection_with_their_archive_only(collection: Collection) -> None:
    other = Collection.objects.create(name="Other", slug="other")
    bring_in(collection, {"all.zip": a_zip({"a.txt": "inside words"})})
    with pytest.raises(library.InsideFileError):
        library.move_to_collection(asset_at("all.zip!/a.txt"), other)
    library.move_to_collection(asset_at("all.zip"), other)
    assert {(asset.collection_id, asset.audience_id) for asset in Asset.objects.all()} == {
        (other.pk, other.audience_id)
    }
    assert rows("SELECT DISTINCT collection_id, audience_id FROM kb_vector") == [
        (other.pk, other.audience_id)
    ]
    assert_statistics_are_right()
    assert_parts_agree()
    run = bring_in(other, {"all.zip": a_zip({"b.txt": "other words"})})
    assert outcomes(run) == {"all.zip": "indexed", "all.zip!/b.txt": "indexed"}
    assert uris() == ["all.zip", "all.zip!/b.txt"]


def test_members_expire_with_their_archive_and_not_by_themselves(collection: Collection) -> None:
    Collection.objects.filter(pk=collection.pk).update(retention_days=30)
    bring_in(collection, {"all.zip": a_zip({"a.txt": "inside words"})})
    long_ago = timezone.now() - timedelta(days=31)
    AssetVersion.objects.filter(asset=asset_at("all.zip!/a.txt")).update(created_at=long_ago)
    assert retention.sweep(10) == 0
    AssetVersion.objects.filter(asset=asset_at("all.zip")).update(created_at=long_ago)
    assert retention.sweep(10) == 1
    assert uris() == []
