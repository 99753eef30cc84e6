"""Are a recording's moments found by what is seen, read and said, also by what stands beside it, and by nobody else?"""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from kb import library
from kb.models import Asset, AssetState, AssetVersion, Collection, IngestStep, Role, Segment, StepName, Video
from kb.permissions import Principal, grant, interned_audience
from kb.recordings import recording_uris
from kb.storage import FolderStorage
from retrieval.results import Hit
from retrieval.search import SearchRequest, search
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
from tests.recordings import Scene, make_sound, make_video, subrip
from workers import checks
from workers.extract import speech
from workers.extract.base import SpeechLine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("picture_encoder", "storage")]

SCENES = [Scene(4, "darkred", "VALVE 17"), Scene(4, "darkgreen", "OPEN")]
SPOKEN = subrip([(1.0, 3.0, "Tighten the gland nut"), (6.5, 7.5, "Now start the motor")])
CHINESE = subrip([(6.5, 7.5, "现在启动电机")])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_video(tmp_path_factory.mktemp("film") / "talk.mp4", SCENES).read_bytes()


@pytest.fixture
def reader(collection: Collection) -> User:
    user = User.objects.create_user("reader", password="a password of tests")
    grant(collection, Principal(user=user), Role.VIEWER)
    return user


def hits(user: User, words: str) -> list[tuple[str, str, int | None]]:
    found = search(user, SearchRequest(words=words)).hits
    return [(hit.source_uri, hit.segment_kind, hit.start_ms) for hit in found]


def first(user: User, words: str) -> Hit:
    return search(user, SearchRequest(words=words)).hits[0]


def test_a_video_is_found_at_the_second_of_the_words_on_screen(
    collection: Collection, reader: User, film: bytes
) -> None:
    run = bring_in(collection, {"talk.mp4": film})
    assert outcomes(run) == {"talk.mp4": "indexed"}
    assert hits(reader, '"OPEN"') == [("talk.mp4", "shot", 4000)]
    video = Video.objects.get()
    assert (video.width_px, video.height_px, video.duration_ms, video.frames_per_s) == (320, 180, 8000, 10.0)
    assert (video.state, video.kind) == (AssetState.READY, "video")
    assert_statistics_are_right()
    assert_parts_agree()


@pytest.mark.parametrize("order", [("talk.mp4", "talk.en.srt"), ("talk.en.srt", "talk.mp4")])
def test_side_car_subtitles_find_the_video_whichever_comes_first(
    collection: Collection, reader: User, film: bytes, order: tuple[str, str]
) -> None:
    files: dict[str, bytes | str] = {"talk.mp4": film, "talk.en.srt": SPOKEN}
    for name in order:
        bring_in(collection, {name: files[name]})
    assert hits(reader, '"gland nut"') == [("talk.mp4", "speech", 1000)]
    hit = first(reader, '"start the motor" kind:video')
    assert (hit.kind, hit.title, hit.segment_kind, hit.start_ms) == ("video", "talk.mp4", "speech", 6500)
    # What is seen at that second, not the video's cover.
    shot = Segment.objects.get(kind="shot", start_ms=4000)
    assert hit.thumbnail_url == f"/api/segments/{shot.pk}/thumbnail"
    assert hits(reader, '"gland nut" type:mp4') == [("talk.mp4", "speech", 1000)]


def test_both_languages_beside_a_video_in_a_folder_are_its_own(
    collection: Collection, reader: User, film: bytes
) -> None:
    bring_in(
        collection,
        {
            "a/talk.mp4": film,
            "a/talk.zh.srt": CHINESE,
            "a/talk.srt": SPOKEN,
            "b/talk.srt": "1\n00:00:01,000 --> 00:00:02,000\nElsewhere\n",
        },
    )
    assert hits(reader, '"启动电机"') == [("a/talk.mp4", "speech", 6500)]
    assert hits(reader, '"gland nut"') == [("a/talk.mp4", "speech", 1000)]
    assert hits(reader, "elsewhere") == [("b/talk.srt", "speech", 1000)]


def test_a_changed_side_car_replaces_its_words_and_a_deleted_one_takes_them_away(
    collection: Collection, reader: User, film: bytes
) -> None:
    bring_in(collection, {"talk.mp4": film, "talk.srt": SPOKEN})
    bring_in(collection, {"talk.srt": subrip([(2.0, 3.0, "Loosen the lantern ring")])})
    assert hits(reader, '"gland nut"') == []
    assert hits(reader, '"lantern ring"') == [("talk.mp4", "speech", 2000)]
    library.delete_asset(Asset.objects.get(source_uri="talk.srt"))
    assert hits(reader, '"lantern ring"') == []
    assert_statistics_are_right()
    assert_parts_agree()


def test_a_side_car_without_its_video_is_a_document_with_its_words(
    collection: Collection, reader: User
) -> None:
    run = bring_in(collection, {"talk.srt": SPOKEN})
    assert outcomes(run) == {"talk.srt": "indexed"}
    assert hits(reader, '"gland nut"') == [("talk.srt", "speech", 1000)]
    assert hits(reader, '"gland nut" kind:document') == [("talk.srt", "speech", 1000)]
    assert hits(reader, '"gland nut" kind:video') == []


def test_a_side_car_of_other_readers_says_nothing_to_the_videos_readers(
    collection: Collection, reader: User, film: bytes
) -> None:
    insider = User.objects.create_user("insider", password="a password of tests")
    grant(collection, Principal(user=insider), Role.VIEWER)
    bring_in(collection, {"talk.mp4": film})
    bring_in(collection, {"talk.srt": SPOKEN}, audience=interned_audience([Principal(user=insider)]))
    assert hits(reader, '"gland nut"') == []
    assert hits(reader, '"gland nut" kind:video') == []
    assert hits(insider, '"gland nut"') == [("talk.mp4", "speech", 1000)]
    # Nor the other way round: who may read the words only learns of no video.
    library.move(Asset.objects.get(source_uri="talk.mp4"), interned_audience([Principal(user=reader)]))
    assert hits(insider, '"gland nut"') == [("talk.srt", "speech", 1000)]
    assert hits(insider, '"gland nut" kind:video') == []
    assert hits(reader, '"gland nut"') == []
    client = Client()
    client.force_login(reader)
    video = Asset.objects.get(source_uri="talk.mp4")
    assert b"gland nut" not in client.get(f"/assets/{video.pk}/").content
    kinds = {row["kind"] for row in client.get(f"/api/assets/{video.pk}/segments/").json()["results"]}
    assert kinds == {"shot"}


def test_the_page_of_a_video_plays_it_at_the_moment_found(
    collection: Collection, reader: User, film: bytes
) -> None:
    bring_in(collection, {"talk.mp4": film, "talk.srt": SPOKEN})
    client = Client()
    client.force_login(reader)
    results = client.get("/", {"q": '"start the motor"'}).content.decode()
    video = Asset.objects.get(source_uri="talk.mp4")
    assert f"/assets/{video.pk}/?" in results
    assert "t=6.5" in results
    page = client.get(f"/assets/{video.pk}/", {"t": "6.5", "q": "motor"}).content.decode()
    assert f'src="/api/assets/{video.pk}/stream#t=6.5"' in page
    assert 'data-at="6.5"' in page
    assert "<mark>motor</mark>" in page
    assert 'data-seconds="4"' in page
    assert "<script>" not in page
    answer = client.get(f"/api/assets/{video.pk}/stream", headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer["Content-Type"]) == (206, "video/mp4")
    assert (answer["Content-Disposition"], answer["X-Content-Type-Options"]) == ("inline", "nosniff")
    assert b"".join(answer) == film[10:20]  # type: ignore[arg-type]
    strip = client.get(f"/api/assets/{video.pk}/preview")
    assert (strip.status_code, strip["Content-Type"]) == (200, "image/webp")
    assert b"".join(strip)  # type: ignore[arg-type]
    subtitle = Asset.objects.get(source_uri="talk.srt")
    assert client.get(f"/api/assets/{subtitle.pk}/stream").status_code == 404
    assert client.get(f"/api/assets/{subtitle.pk}/preview").status_code == 404
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", password="a password of tests"))
    for what in ("stream", "preview"):
        assert stranger.get(f"/api/assets/{video.pk}/{what}").status_code == 404


def test_parts_of_a_long_video_are_steps_of_their_own(
    collection: Collection, reader: User, film: bytes, monkeypatch: pytest.MonkeyPatch, storage: FolderStorage
) -> None:
    # In this process: a child would have the limits of the code.
    in_this_process(monkeypatch, seconds_per_part=3)
    bring_in(collection, {"talk.mp4": film})
    assert IngestStep.objects.filter(name=StepName.EXTRACT).count() == 3
    spans = Segment.objects.filter(kind="shot").order_by("start_ms").values_list("part", "start_ms", "end_ms")
    assert list(spans) == [(0, 0, 3000), (1, 3000, 4000), (1, 4000, 6000), (2, 6000, 8000)]
    assert Video.objects.get().duration_ms == 8000
    assert list(checks.check(storage)) == []


def in_this_process(monkeypatch: pytest.MonkeyPatch, *, seconds_per_part: int) -> None:
    from workers import pipeline
    from workers.extract import limits, sound, video
    from workers.extract.base import Extraction, Source

    def extract(path: Path, *, name: str, media_type: str, part: int, scratch: Path) -> Extraction:
        scratch.mkdir(exist_ok=True)
        return video.extract(Source(path, name, media_type, part, scratch))

    def listen(path: Path, *, media_type: str, part: int, scratch: Path) -> Path:
        scratch.mkdir(exist_ok=True)
        return scratch / sound.extract(Source(path, "", media_type, part, scratch)).sound

    monkeypatch.setattr(limits, "SECONDS_PER_PART", seconds_per_part)
    monkeypatch.setattr(pipeline.sandbox, "extract", extract)
    monkeypatch.setattr(pipeline.sandbox, "listen", listen)


def test_a_new_version_and_a_deletion_leave_no_object_behind(
    collection: Collection, film: bytes, storage: FolderStorage, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        bring_in(collection, {"talk.mp4": film})
    assert list(checks.check(storage)) == []
    old = set(storage.keys())
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        bring_in(collection, {"talk.mp4": film + b"\0" * 8})
    assert not old & set(storage.keys())
    assert list(checks.check(storage)) == []
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        library.delete_asset(Asset.objects.get())
    assert list(storage.keys()) == []


def test_what_is_said_is_written_down_where_a_model_is_configured(
    collection: Collection, reader: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.KB_SPEECH_MODEL = "a model"
    in_this_process(monkeypatch, seconds_per_part=3)
    heard: list[int] = []

    def transcribe(file: Path, model: str) -> list[SpeechLine]:
        heard.append(file.stat().st_size)
        return [SpeechLine(f"sentence number {'abc'[len(heard) - 1]}", 500, 1500)]

    monkeypatch.setattr(speech, "transcribe", transcribe)
    film = make_video(tmp_path / "talk.mp4", SCENES, sound=True).read_bytes()
    run = bring_in(collection, {"talk.mp4": film})
    assert outcomes(run) == {"talk.mp4": "indexed"}
    assert len(heard) == 3
    spoken = Segment.objects.filter(kind="speech").order_by("start_ms")
    assert list(spoken.values_list("text", "start_ms", "end_ms")) == [
        ("sentence number a", 500, 1500),
        ("sentence number b", 3500, 4500),
        ("sentence number c", 6500, 7500),
    ]
    assert hits(reader, '"number b"') == [("talk.mp4", "speech", 3500)]
    assert live_steps() == 0
    assert rows("SELECT count(*) FROM kb_stagedvector") == [(0,)]


def test_a_sound_file_is_a_document_that_plays(collection: Collection, reader: User, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "memo.mp3": make_sound(
            tmp_path / "memo.mp3", title="Morning briefing", artist="Liu Yang"
        ).read_bytes(),
        "memo.srt": subrip([(0.5, 1.5, "The crane is out of order")]),
        "noise.wav": make_sound(tmp_path / "noise.wav").read_bytes(),
    }
    run = bring_in(collection, files)
    assert set(outcomes(run).values()) == {"indexed"}, codes(run)
    assert hits(reader, '"Liu Yang"')[0][0] == "memo.mp3"
    assert hits(reader, "crane") == [("memo.mp3", "speech", 500)]
    asset = Asset.objects.get(source_uri="memo.mp3")
    assert (asset.kind, asset.title) == ("document", "Morning briefing")
    client = Client()
    client.force_login(reader)
    page = client.get(f"/assets/{asset.pk}/", {"t": "0.5"}).content.decode()
    assert "<audio" in page
    assert "crane is out of order" in page


def test_a_truncated_video_and_one_that_is_none_end_by_name(collection: Collection, film: bytes) -> None:
    run = bring_in(collection, {"cut.mp4": film[:1500], "lie.mp4": b"\0\0\0\x18ftypisom" + b"\x07" * 3000})
    assert outcomes(run) == {"cut.mp4": "failed", "lie.mp4": "failed"}
    assert set(codes(run).values()) == {"corrupt"}
    assert live_steps() == 0


def test_a_video_that_waits_is_not_shown_for_the_words_beside_it(
    collection: Collection, reader: User, film: bytes
) -> None:
    bring_in(collection, {"talk.srt": SPOKEN})
    upload(collection, {"talk.mp4": film})
    assert hits(reader, '"gland nut"') == [("talk.srt", "speech", 1000)]
    work_off()
    assert hits(reader, '"gland nut"') == [("talk.mp4", "speech", 1000)]


def test_the_bytes_of_a_video_with_side_car_are_read_once(collection: Collection, film: bytes) -> None:
    bring_in(collection, {"talk.mp4": film})
    bring_in(collection, {"talk.srt": SPOKEN})
    assert AssetVersion.objects.filter(asset__source_uri="talk.mp4").count() == 1


def test_names_decide_which_recording_a_side_car_belongs_to() -> None:
    assert recording_uris("a/talk.srt")[0] == "a/talk.mp4"
    assert "a/talk.mp4" in recording_uris("a/talk.zh-Hans.vtt")
    assert "a/talk.en.mp4" in recording_uris("a/talk.en.srt")
    assert "a/talk.mp4" in recording_uris("a/talk.en.forced.srt")
    assert "a/talk.mp3" in recording_uris("a/talk.SRT")
    assert "a/talk.mp4" not in recording_uris("a/talk.version2.srt")
    assert "talk.mp4" not in recording_uris("a/talk.srt")
    assert recording_uris("a/talk.txt") == []
