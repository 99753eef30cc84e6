"""Is a file searchable exactly as it is, once, for its readers only, and gone when it is deleted?"""

import io
import threading

import docx
import numpy as np
import pytest
from django.db import connection

from kb import library, uploads
from kb.models import (
    Asset,
    AssetState,
    AssetVersion,
    Audience,
    Collection,
    Document,
    IngestItem,
    IngestStep,
    Outcome,
    RunState,
    Segment,
    StagedVector,
    VectorSet,
)
from kb.storage import FolderStorage
from tests.integration.ingest import (
    HashEncoder,
    assert_parts_agree,
    assert_statistics_are_right,
    bring_in,
    codes,
    found,
    live_steps,
    outcomes,
    rows,
    upload,
    work_off,
)
from workers import index, pipeline, tasks
from workers.extract.base import Extraction, Picture, TextBlock
from workers.extract.base import Warning_ as ExtractionWarning

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hash_encoder", "storage")]

PUMP = "The pump drains the cellar.\n\nThe pump stops by itself."
BOILER = "The boiler heats the house."


def test_a_published_file_is_found_by_its_words_and_counts_are_those_of_a_recount(
    collection: Collection,
) -> None:
    run = bring_in(collection, {"pump.txt": PUMP, "boiler.txt": BOILER})
    assert outcomes(run) == {"pump.txt": "indexed", "boiler.txt": "indexed"}
    assert run.state == RunState.DONE
    assert found("drains") == {"pump.txt"}
    assert found("boiler") == {"boiler.txt"}
    asset = Asset.objects.get(source_uri="pump.txt")
    assert (asset.state, asset.version, asset.size_bytes) == (AssetState.READY, 1, len(PUMP))
    assert Document.objects.filter(pk=asset.pk).exists()
    assert set(Segment.objects.values_list("audience", flat=True)) == {collection.audience_id}
    assert rows("SELECT count(*) FROM kb_vector") == [(Segment.objects.count(),)]
    assert not StagedVector.objects.exists()
    assert_statistics_are_right()
    assert_parts_agree()


def test_a_word_is_found_by_the_file_name_though_the_text_does_not_say_it(collection: Collection) -> None:
    bring_in(collection, {"manuals/cellar-drainage.txt": BOILER})
    assert found("drainage") == {"manuals/cellar-drainage.txt"}


def test_impacts_and_terms_of_a_segment_name_the_same_lexemes(collection: Collection) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    for terms, impacts in rows("SELECT terms, impacts::text FROM kb_segmentwords"):
        inside = str(impacts).split("}")[0].strip("{")
        assert [int(pair.split(":")[0]) for pair in inside.split(",")] == terms


def test_a_vector_is_what_the_encoder_says_of_the_segments_words(
    collection: Collection, hash_encoder: HashEncoder
) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    kept = dict(rows("SELECT segment_id, embedding::text FROM kb_vector"))
    assert kept
    for segment in Segment.objects.all():
        expected = hash_encoder.encode_texts(["\n".join([*segment.heading_path, segment.searchable_text])])[0]
        given = np.array([float(x) for x in str(kept[segment.pk]).strip("[]").split(",")])
        np.testing.assert_allclose(given, expected, atol=1e-3)  # Half precision keeps three digits.


def test_the_first_set_of_a_modality_is_active_and_a_second_encoders_is_built_beside_it(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    other = HashEncoder("another")
    monkeypatch.setattr("retrieval.spaces.text_encoder", lambda: other)
    bring_in(collection, {"boiler.txt": BOILER})
    assert dict(VectorSet.objects.values_list("encoder", "state")) == {
        "hash": "active",
        "another": "building",
    }


def test_new_bytes_at_the_same_place_replace_the_old_version(
    collection: Collection, storage: FolderStorage, django_capture_on_commit_callbacks: object
) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    old_key = Asset.objects.get().object_key
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        run = bring_in(collection, {"pump.txt": "A turbine now."})
    asset = Asset.objects.get()
    assert outcomes(run) == {"pump.txt": "indexed"}
    assert (asset.version, asset.sha256) == (2, AssetVersion.objects.get().sha256)
    assert found("turbine") == {"pump.txt"}
    assert found("drains") == set()
    assert storage.exists(asset.object_key)
    assert not storage.exists(old_key)
    assert_statistics_are_right()
    assert_parts_agree()


def test_until_a_new_version_is_published_readers_have_the_old_one(collection: Collection) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    upload(collection, {"pump.txt": "A turbine now."})
    assert found("drains") == {"pump.txt"}
    assert found("turbine") == set()
    work_off()
    assert found("turbine") == {"pump.txt"}


def test_a_version_that_comes_too_late_gives_way_to_the_newer_one(collection: Collection) -> None:
    first = upload(collection, {"pump.txt": PUMP})
    late = list(IngestStep.objects.values_list("pk", flat=True))
    upload(collection, {"pump.txt": "A turbine now."})
    IngestStep.objects.filter(pk__in=late).update(state="running")
    work_off()
    IngestStep.objects.filter(pk__in=late).update(state="ready")
    work_off()
    assert outcomes(first) == {"pump.txt": "cancelled"}
    assert found("turbine") == {"pump.txt"}
    assert found("drains") == set()
    assert live_steps() == 0
    assert_statistics_are_right()


def test_bytes_that_are_there_already_are_unchanged_wherever_they_come_from(collection: Collection) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    run = bring_in(collection, {"pump.txt": PUMP, "copy/of/pump.txt": PUMP})
    assert outcomes(run) == {"pump.txt": "unchanged", "copy/of/pump.txt": "unchanged"}
    assert Asset.objects.count() == 1
    assert AssetVersion.objects.count() == 1
    assert run.state == RunState.DONE


def test_equal_bytes_in_another_collection_are_another_asset(collection: Collection) -> None:
    other = Collection.objects.create(name="Other", slug="other")
    bring_in(collection, {"pump.txt": PUMP})
    assert outcomes(bring_in(other, {"pump.txt": PUMP})) == {"pump.txt": "indexed"}
    assert Asset.objects.count() == 2


def test_what_failed_before_is_read_again_when_it_is_uploaded_again(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(pipeline.sandbox, "extract", _raise_corrupt)
        run = bring_in(collection, {"pump.txt": PUMP})
    assert outcomes(run) == {"pump.txt": "failed"}
    assert codes(run) == {"pump.txt": "corrupt"}
    assert Asset.objects.get().state == AssetState.FAILED
    assert outcomes(bring_in(collection, {"pump.txt": PUMP})) == {"pump.txt": "indexed"}
    assert Asset.objects.get().state == AssetState.READY


def _raise_corrupt(*args: object, **options: object) -> Extraction:
    from kb.exceptions import FailureCode, IngestError

    raise IngestError(FailureCode.CORRUPT)


def test_deleting_an_asset_leaves_nothing_of_it(
    collection: Collection, storage: FolderStorage, django_capture_on_commit_callbacks: object
) -> None:
    bring_in(collection, {"pump.txt": PUMP, "boiler.txt": BOILER})
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        library.delete_asset(Asset.objects.get(source_uri="pump.txt"))
    kept = Asset.objects.get()
    assert kept.source_uri == "boiler.txt"
    assert list(storage.keys()) == [kept.object_key]
    assert set(Segment.objects.values_list("asset", flat=True)) == {kept.pk}
    assert rows("SELECT count(*) FROM kb_vector") == [(1,)]
    assert found("drains") == set()
    assert_statistics_are_right()


def test_deleting_a_file_whose_bytes_another_asset_has_keeps_the_object(
    collection: Collection, storage: FolderStorage, django_capture_on_commit_callbacks: object
) -> None:
    other = Collection.objects.create(name="Other", slug="other")
    bring_in(collection, {"pump.txt": PUMP})
    bring_in(other, {"pump.txt": PUMP})
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        library.delete_asset(Asset.objects.get(collection=collection))
    assert storage.exists(Asset.objects.get().object_key)


def test_deleting_an_asset_in_the_middle_of_its_work_ends_its_run(collection: Collection) -> None:
    run = upload(collection, {"pump.txt": PUMP})
    step = IngestStep.objects.get()
    library.delete_asset(Asset.objects.get())
    tasks.run_step(step.pk)
    work_off()
    run.refresh_from_db()
    assert outcomes(run) == {"pump.txt": "cancelled"}
    assert run.state == RunState.DONE


def test_moving_an_asset_takes_its_words_vectors_and_statistics_to_the_new_readers(
    collection: Collection,
) -> None:
    bring_in(collection, {"pump.txt": PUMP, "boiler.txt": BOILER})
    asset = Asset.objects.get(source_uri="pump.txt")
    audience = Audience.objects.create()
    library.move(asset, audience)
    for table in ("kb_segmentwords", "kb_vector"):
        found_audiences = rows(
            f"SELECT DISTINCT t.audience_id FROM {table} t JOIN kb_segment s ON s.id = t.segment_id"  # noqa: S608 - literals
            " WHERE s.asset_id = %s",
            asset.pk,
        )
        assert found_audiences == [(audience.pk,)]
    assert_statistics_are_right()
    assert_parts_agree()
    library.move(asset, None)
    assert Asset.objects.filter(audience=collection.audience_id).count() == 2
    assert_statistics_are_right()
    assert_parts_agree()


def test_a_new_version_with_other_readers_changes_them_only_when_it_is_published(
    collection: Collection,
) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    audience = Audience.objects.create()
    upload(collection, {"pump.txt": "A turbine now."}, audience=audience)
    assert Asset.objects.get().audience_id == collection.audience_id
    work_off()
    assert Asset.objects.get().audience_id == audience.pk
    assert_statistics_are_right()
    assert_parts_agree()


def test_running_every_step_twice_has_the_effect_of_once(collection: Collection) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    before = _everything()
    for name in ("extract", "embed", "index"):
        for step in IngestStep.objects.filter(name=name):
            IngestStep.objects.filter(pk=step.pk).update(state="sent")
            tasks.run_step(step.pk)
            tasks.run_step(step.pk)  # The second message finds nothing to do.
    work_off()
    assert _everything() == before
    assert live_steps() == 0
    assert_statistics_are_right()
    assert_parts_agree()


def _everything() -> list[list[tuple[object, ...]]]:
    """All that a reader can meet, without the ids that a repetition may change."""
    return [
        rows(
            "SELECT asset_id, version, part, ordinal, s.kind, text, s.audience_id, cardinality(terms)"
            " FROM kb_segment s LEFT JOIN kb_segmentwords w ON w.segment_id = s.id ORDER BY 1, 2, 3, 4"
        ),
        rows("SELECT vector_set_id, audience_id, embedding::text FROM kb_vector ORDER BY 1, 2, 3"),
        rows("SELECT name, part, state FROM kb_ingeststep ORDER BY 1, 2"),
        rows("SELECT outcome FROM kb_ingestitem ORDER BY id"),
    ]


def test_publishing_a_version_again_changes_nothing(collection: Collection) -> None:
    bring_in(collection, {"pump.txt": PUMP})
    before = _everything()
    assert index.publish(AssetVersion.objects.get())
    assert _everything() == before
    assert_statistics_are_right()


def test_a_long_document_is_read_in_parts_and_its_bad_part_is_a_warning(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*args: object, part: int, **options: object) -> Extraction:
        if part == 2:
            _raise_corrupt()
        block = TextBlock(f"Words of part {part}.", page=part + 1)
        return Extraction(blocks=(block,), parts=4, page_count=4, title="A long report")

    monkeypatch.setattr(pipeline.sandbox, "extract", read)
    run = bring_in(collection, {"long.txt": "stands for a long document"})
    assert outcomes(run) == {"long.txt": "partial"}
    assert codes(run) == {"long.txt": "corrupt"}
    assert [s.page for s in Segment.objects.order_by("part")] == [1, 2, 4]
    assert Document.objects.get().page_count == 4
    assert Asset.objects.get().title == "A long report"
    assert Asset.objects.get().state == AssetState.PARTIAL


def test_many_segments_are_embedded_in_chunks(collection: Collection) -> None:
    text = "\n\n".join(f"Paragraph {number} is about {'word ' * 200}." for number in range(130))
    bring_in(collection, {"long.txt": text})
    segments = Segment.objects.filter(asset__source_uri="long.txt").count()
    assert segments > 64
    chunks = IngestStep.objects.filter(name="embed", asset_version__asset__source_uri="long.txt").count()
    assert chunks == -(-segments // 64)
    assert rows("SELECT count(*) FROM kb_vector") == [(Segment.objects.count(),)]


def test_a_file_without_words_is_found_by_its_title_and_says_that_it_has_none(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.sandbox, "extract", lambda *_, **__: Extraction())
    run = bring_in(collection, {"cellar-plan.txt": "unread"}, title="Drainage")
    assert outcomes(run) == {"cellar-plan.txt": "partial"}
    assert codes(run) == {"cellar-plan.txt": "no_content"}
    assert found("drainage") == found("cellar") == {"cellar-plan.txt"}
    assert rows("SELECT count(*) FROM kb_vector") == [(1,)]


def test_a_warning_of_the_parser_is_the_items_reason_and_the_file_is_searchable(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Extraction(
        blocks=(TextBlock("Some words."),), warnings=(ExtractionWarning("pages_capped", "Too long."),)
    )
    monkeypatch.setattr(pipeline.sandbox, "extract", lambda *_, **__: said)
    run = bring_in(collection, {"long.txt": "text"})
    item = IngestItem.objects.get(run=run)
    assert (item.outcome, item.error_code, item.error_message) == (
        Outcome.PARTIAL,
        "pages_capped",
        "Too long.",
    )
    assert found("words") == {"long.txt"}


def test_a_linked_figure_points_at_the_place_of_the_other_file(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [
        "../img/pump%20a.png",
        "/shared/logo.png?v=2",
        "../../../outside.png",
        "https://example.org/x.png",
    ]
    said = Extraction(
        blocks=(TextBlock("See the figures."),),
        pictures=tuple(Picture("figure", link=link, alt_text=link) for link in links),
    )
    monkeypatch.setattr(pipeline.sandbox, "extract", lambda *_, **__: said)
    bring_in(collection, {"docs/guide/page.txt": "text"})
    uris = [s.picture_uri for s in Segment.objects.filter(kind="figure").order_by("ordinal")]
    assert uris == ["docs/img/pump a.png", "shared/logo.png", "", ""]


def test_text_that_postgres_cannot_keep_is_cleaned(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Extraction(blocks=(TextBlock("Nul\x00byte and half\ud800pair."),), title="T\x00itle")
    monkeypatch.setattr(pipeline.sandbox, "extract", lambda *_, **__: said)
    assert outcomes(bring_in(collection, {"odd.txt": "text"})) == {"odd.txt": "indexed"}
    assert Segment.objects.get().text == "Nulbyte and half?pair."


@pytest.mark.django_db(transaction=True)
def test_two_uploads_of_equal_bytes_at_once_make_one_asset(collection: Collection) -> None:
    run = uploads.start_run(collection, None)
    together = threading.Barrier(4)

    def receive(number: int) -> None:
        try:
            together.wait(timeout=10)
            # Two at one place, two at another.
            uploads.receive(run, f"place-{number % 2}.txt", io.BytesIO(PUMP.encode()))
        finally:
            connection.close()

    threads = [threading.Thread(target=receive, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    uploads.seal(run)
    work_off()
    assert Asset.objects.count() == 1
    # All four waited for the one version: its bytes were new to each of them.
    assert list(IngestItem.objects.values_list("outcome", flat=True)) == ["indexed"] * 4
    assert_statistics_are_right()


def test_a_document_with_nothing_in_it_is_found_by_its_name(collection: Collection) -> None:
    blank = io.BytesIO()
    docx.Document().save(blank)
    run = bring_in(collection, {"leave-form.docx": blank.getvalue(), "void.json": "{}"})
    assert outcomes(run) == {"leave-form.docx": "partial", "void.json": "partial"}
    assert set(codes(run).values()) == {"no_content"}
    assert found("leave") == {"leave-form.docx"}
