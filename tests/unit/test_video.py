"""Are the scenes, words and facts of a video found, at their times, part by part, whatever the file is like?"""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from kb import media_types
from tests.recordings import THREE_SCENES, Scene, make_sound, make_video
from workers.extract import audio, frames, limits, media, ocr, sound, video, wire
from workers.extract.base import PREVIEW_FRAMES, SOUND_RATE_PER_S, Extraction, ExtractionError, Source

TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
}
SOUND_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
}


def source(path: Path, part: int = 0) -> Source:
    scratch = path.parent / f"{path.name}-{part}"
    scratch.mkdir(exist_ok=True)
    media_type = TYPES.get(path.suffix[1:]) or SOUND_TYPES[path.suffix[1:]]
    return Source(path, path.name, media_type, part, scratch)


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares the seconds that reading takes, where no words are looked for."""
    monkeypatch.setattr(ocr, "read_lines", lambda _image: ())


def read(path: Path, part: int = 0) -> Extraction:
    return video.extract(source(path, part))


def shots(*extractions: Extraction) -> list[tuple[int, int]]:
    return [
        (picture.start_ms or 0, picture.end_ms or 0)
        for extraction in extractions
        for picture in extraction.pictures
        if picture.role == "shot"
    ]


def on_screen(extraction: Extraction) -> list[str]:
    return [
        " ".join(line.text for line in picture.ocr)
        for picture in extraction.pictures
        if picture.role == "shot"
    ]


@pytest.mark.parametrize("extension", ["mp4", "mov", "mkv", "webm"])
def test_scenes_words_and_facts_are_found_in_every_container(tmp_path: Path, extension: str) -> None:
    found = read(make_video(tmp_path / f"a.{extension}", title="Valves", sound=True))
    assert shots(found) == [(0, 4000), (4000, 9000), (9000, 12000)]
    assert on_screen(found) == ["VALVE 17", "OPEN", "CLOSED"]
    assert (found.title, found.width_px, found.height_px) == ("Valves", 320, 180)
    assert (found.frames_per_s, found.parts, found.warnings) == (10.0, 1, ())
    assert found.duration_ms == pytest.approx(12_000, abs=50)
    assert found.has_sound
    assert wire.decode(json.loads(json.dumps(wire.encode(found)))) == found


@pytest.mark.usefixtures("unread")
def test_cuts_are_found_in_an_old_avi(tmp_path: Path) -> None:
    found = read(make_video(tmp_path / "a.avi"))
    # Its poor keyframes may add a cut, never hide one.
    assert {0, 4000, 9000} <= {start for start, _ in shots(found)}


@pytest.mark.parametrize(
    ("extension", "codec"), [("mp4", "mov_text"), ("mkv", "subrip"), ("mkv", "ass"), ("webm", "webvtt")]
)
@pytest.mark.usefixtures("unread")
def test_a_subtitle_track_is_read_with_its_times(tmp_path: Path, extension: str, codec: str) -> None:
    lines = [(0.5, 2.0, "Close the valve"), (8.0, 9.5, "关闭阀门")]
    found = read(make_video(tmp_path / f"a.{extension}", subtitles=lines, subtitle_codec=codec))
    assert [(line.start_ms, line.end_ms, line.text) for line in found.speech] == [
        (500, 2000, "Close the valve"),
        (8000, 9500, "关闭阀门"),
    ]


def test_slides_that_differ_in_their_text_only_are_shots_of_their_own(tmp_path: Path) -> None:
    class Slide(Scene):
        def picture(self, size: tuple[int, int]) -> Image.Image:
            return super().picture(size).point(lambda value: 255 - value)

    scenes = [Slide(3, "black", "AGENDA"), Slide(3, "black", "BUDGET"), Slide(3, "black", "BUDGET 2027")]
    found = read(make_video(tmp_path / "a.mp4", scenes, size=(640, 360)))
    assert shots(found) == [(0, 3000), (3000, 6000), (6000, 9000)]
    assert [words.split()[-1] for words in on_screen(found)] == ["AGENDA", "BUDGET", "2027"]


@pytest.mark.usefixtures("unread")
def test_a_long_still_is_cut_at_the_ceiling_and_a_flash_is_no_shot(tmp_path: Path) -> None:
    scenes = [Scene(65, "darkred"), Scene(0.4, "white"), Scene(5, "navy")]
    spans = shots(read(make_video(tmp_path / "a.mp4", scenes, size=(64, 48))))
    assert [start for start, _ in spans[:3]] == [0, 30_000, 60_000]
    assert all(1000 <= end - start <= 30_000 for start, end in spans)
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]


@pytest.mark.usefixtures("unread")
def test_what_is_black_from_beginning_to_end_is_no_shot_unless_nothing_else_is_there(tmp_path: Path) -> None:
    class Black(Scene):
        def picture(self, size: tuple[int, int]) -> Image.Image:
            return Image.new("RGB", size, "black")

    fades = [Black(2, ""), Scene(4, "darkgreen"), Black(2, "")]
    assert shots(read(make_video(tmp_path / "fades.mp4", fades))) == [(2000, 6000)]
    assert shots(read(make_video(tmp_path / "black.mp4", [Black(3, "")]))) == [(0, 3000)]


@pytest.mark.parametrize("extension", ["mp4", "mkv", "webm"])
@pytest.mark.usefixtures("unread")
def test_parts_together_are_the_whole(
    tmp_path: Path, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = [
        Scene(3, "darkred"),
        Scene(3, "darkgreen"),
        Scene(4, "navy"),
        Scene(5, "purple"),
        Scene(3, "teal"),
    ]
    lines = [(1.0, 2.0, "one"), (7.0, 8.0, "two"), (16.0, 17.0, "three")]
    codec = {"mp4": "mov_text", "mkv": "subrip", "webm": "webvtt"}[extension]
    path = make_video(
        tmp_path / f"a.{extension}", scenes, subtitles=lines, subtitle_codec=codec, size=(64, 48)
    )
    whole = read(path)
    monkeypatch.setattr(limits, "SECONDS_PER_PART", 6)
    first = read(path)
    parts = [first, *(read(path, part) for part in range(1, first.parts))]
    assert first.parts == 3
    # 0 3 | 6 10 | 12 15 18: the parts' own edges, and every cut of the whole in just one of them.
    assert shots(*parts) == [
        (0, 3000),
        (3000, 6000),
        (6000, 10000),
        (10000, 12000),
        (12000, 15000),
        (15000, 18000),
    ]
    assert {start for start, _ in shots(whole)} <= {start for start, _ in shots(*parts)}
    assert first.speech == whole.speech
    assert not any(part.speech for part in parts[1:])
    assert not any(part.warnings for part in parts)


@pytest.mark.usefixtures("unread")
def test_the_preview_shows_frames_from_all_over_the_video_side_by_side(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", keyframe_every=5)
    found = read(path)
    (preview,) = [picture for picture in found.pictures if picture.role == "preview"]
    with Image.open(source(path).scratch / preview.file) as strip:
        width = strip.width // PREVIEW_FRAMES
        colours = [
            strip.convert("RGB").getpixel((x * width + width - 10, strip.height - 5)) for x in range(10)
        ]
    # Of 12 s, red until 4, green until 9, blue from then: cells stand at 0.6, 1.8, 3.0, 4.2 … 11.4 s.
    strongest = [int(np.argmax(colour)) for colour in colours]  # type: ignore[arg-type]
    assert strongest == [0] * 3 + [1] * 4 + [2] * 3


@pytest.mark.usefixtures("unread")
def test_a_turned_video_is_shown_upright(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [Scene(2, "darkred")])
    data = bytearray(path.read_bytes())
    # The matrix of the track header, after its versions, times, ids, layers: a quarter turn clockwise.
    at = data.index(b"tkhd") + 4 + 40
    matrix = (0, 1 << 16, 0, -(1 << 16), 0, 0, 180 << 16, 0, 1 << 30)
    data[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)
    found = read(path)
    assert (found.width_px, found.height_px) == (180, 320)
    with Image.open(source(path).scratch / found.pictures[0].file) as image:
        assert image.size == (180, 320)
        # The white box of the upper left corner is in the upper right one now.
        assert min(image.convert("RGB").getpixel((150, 30))) > 200  # type: ignore[type-var]
        assert min(image.convert("RGB").getpixel((30, 30))) < 100  # type: ignore[type-var]


def failure(path: Path) -> str:
    with pytest.raises(ExtractionError) as caught:
        read(path)
    return caught.value.code


@pytest.mark.usefixtures("unread")
def test_a_file_cut_off_before_its_index_is_corrupt(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:2000])
    assert failure(path) == "corrupt"


@pytest.mark.usefixtures("unread")
def test_a_file_cut_off_in_the_middle_keeps_its_beginning_and_says_so(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.7)])
    found = read(path)
    assert shots(found)[0][0] == 0
    assert "media_damaged" in {warning.code for warning in found.warnings}


@pytest.mark.usefixtures("unread")
def test_an_empty_file_and_noise_fail_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert failure(tmp_path / "empty.mp4") == "empty_file"
    for extension in TYPES:
        path = tmp_path / f"noise.{extension}"
        path.write_bytes(np.random.default_rng(7).bytes(5000))
        assert failure(path) == "corrupt"


@pytest.mark.usefixtures("unread")
def test_a_video_of_zero_frames_fails_or_warns_by_name(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [Scene(1, "navy")])
    data = path.read_bytes()
    # The first cluster of frames, and all after it, is gone.
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])
    assert failure(path) == "corrupt"
    path = make_video(tmp_path / "a.mp4", [Scene(1, "navy")])
    data = path.read_bytes()
    # Every frame is there, and none of them can be decoded.
    at = data.index(b"mdat") + 4
    path.write_bytes(
        data[:at] + bytes(len(data[at : data.index(b"moov") - 4])) + data[data.index(b"moov") - 4 :]
    )
    found = read(path)
    assert shots(found) == []
    assert "media_damaged" in {warning.code for warning in found.warnings}


@pytest.mark.usefixtures("unread")
def test_a_header_that_lies_about_the_duration_makes_no_thousand_parts(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [Scene(2, "navy")])
    data = bytearray(path.read_bytes())
    for box, offset in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        at = data.index(box) + 4 + offset
        data[at : at + 4] = struct.pack(">I", 2_000_000_000)
    path.write_bytes(data)
    found = read(path)
    assert found.parts == 1
    assert found.duration_ms == pytest.approx(2000, abs=50)


@pytest.mark.usefixtures("unread")
def test_damaged_frames_cost_themselves_only(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", keyframe_every=10)
    data = bytearray(path.read_bytes())
    # In the media data, which begins the file: everything between two thirds and three quarters of it.
    for index in range(len(data) * 5 // 10, len(data) * 6 // 10):
        data[index] ^= 0x5A
    path.write_bytes(data)
    found = read(path)
    assert shots(found)[0][0] == 0
    assert shots(found)[-1][1] == 12_000


@pytest.mark.usefixtures("unread")
def test_too_large_frames_are_refused_by_their_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4")
    monkeypatch.setattr(limits, "MAX_FRAME_PIXELS", 320 * 180 - 1)
    assert failure(path) == "too_many_pixels"


@pytest.mark.usefixtures("unread")
def test_a_recording_longer_than_the_cap_is_read_up_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_RECORDING_S", 6)
    monkeypatch.setattr(limits, "SECONDS_PER_PART", 3)
    found = read(make_video(tmp_path / "a.mp4", size=(64, 48)))
    assert found.parts == 2
    assert [warning.code for warning in found.warnings] == ["recording_capped"]


@pytest.mark.usefixtures("unread")
def test_heavy_videos_are_looked_at_by_keyframes_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_DECODED_PIXELS_PER_S", 1000)
    path = make_video(tmp_path / "a.mp4", size=(64, 48))
    with media.opened(source(path)) as container:
        stream = media.pictures_of(container)
        frames.prepare(stream)
        times = [frame.time_ms for frame in frames.sampled(container, stream, 0, 12_000, frames.Reading())]
    # Every 25th frame of ten a second, and one at each cut.
    assert times == [0, 2500, 4000, 6500, 9000, 11500]
    assert {0, 4000, 9000} <= {start for start, _ in shots(read(path))}


@pytest.mark.parametrize("extension", list(SOUND_TYPES))
@pytest.mark.usefixtures("unread")
def test_a_sound_file_says_its_tags_and_its_length(tmp_path: Path, extension: str) -> None:
    path = make_sound(tmp_path / f"a.{extension}", title="Stand-up", artist="Liu Yang")
    found = audio.extract(source(path))
    assert found.duration_ms == pytest.approx(2000, abs=80)
    assert found.has_sound
    assert media_types.detect(path, path.name) == media_types.Detected(SOUND_TYPES[extension], True)
    if extension != "wav":  # Its tags have other names.
        assert found.title == "Stand-up"
        assert [block.text for block in found.blocks] == ["Liu Yang"]


@pytest.mark.usefixtures("unread")
def test_bare_aac_behind_a_tag_is_read_as_aac(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "bare.aac"), "w", format="adts") as container:
        stream = container.add_stream("aac", rate=48_000)
        stream.codec_context.layout = "mono"
        for begin in range(0, 48_000, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 48_000, begin
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    # ID3v2.4 without a frame, then 300 bytes of padding: 2 << 7 | 44.
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x2c" + bytes(300)
    path = tmp_path / "tagged.aac"
    path.write_bytes(tag + (tmp_path / "bare.aac").read_bytes())
    found = audio.extract(Source(path, path.name, "audio/mpeg", 0, tmp_path))
    assert found.has_sound
    assert found.duration_ms == pytest.approx(1000, abs=100)


@pytest.mark.usefixtures("unread")
def test_a_last_packet_that_states_a_length_below_zero_adds_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_sound(tmp_path / "a.ogg")
    real = media.time_s

    def stated(packet: Any, ticks: int | None) -> float | None:
        # What FFmpeg makes of -64 samples: 32 bits without a sign.
        return real(packet, 2**32 - 64) if ticks and ticks == packet.duration else real(packet, ticks)

    monkeypatch.setattr(media, "time_s", stated)
    found = audio.extract(source(path))
    assert found.duration_ms == pytest.approx(2000, abs=80)
    assert not found.warnings


@pytest.mark.parametrize("extension", ["wav", "mp3", "m4a"])
@pytest.mark.usefixtures("unread")
def test_the_sound_of_the_parts_is_the_sound_of_the_whole(
    tmp_path: Path, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_sound(tmp_path / f"a.{extension}", 7.0)
    whole = samples(path, 0)
    assert len(whole) == pytest.approx(7 * SOUND_RATE_PER_S, abs=SOUND_RATE_PER_S // 10)
    monkeypatch.setattr(limits, "SECONDS_PER_PART", 3)
    parts = [samples(path, part) for part in range(3)]
    assert [len(part) // SOUND_RATE_PER_S for part in parts] == [3, 3, 1] or len(
        parts[2]
    ) > 0.9 * SOUND_RATE_PER_S
    # The tone is as loud in every second of the parts as of the whole: nothing is missing, nothing twice.
    joined = np.concatenate(parts).astype(float)
    # Each part may end in the rest of a packet of the codec.
    assert len(joined) == pytest.approx(len(whole), abs=SOUND_RATE_PER_S // 20)
    assert loudness(joined) == pytest.approx(loudness(whole.astype(float)), rel=0.05)


def samples(path: Path, part: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    of_part = source(path, part)
    found = sound.extract(of_part)
    return np.fromfile(of_part.scratch / found.sound, dtype="<i2")


def loudness(heard: Sequence[float]) -> list[float]:
    seconds = np.array_split(np.asarray(heard), 7)
    return [float(np.sqrt(np.mean(second**2))) for second in seconds]


@pytest.mark.usefixtures("unread")
def test_types_are_told_by_content(tmp_path: Path) -> None:
    for extension, media_type in TYPES.items():
        path = make_video(tmp_path / f"a.{extension}", [Scene(0.5, "navy")])
        assert media_types.detect(path, "x.bin").media_type == media_type
        assert media_type in media_types.SUPPORTED
    assert THREE_SCENES[0].words == "VALVE 17"
