"""Do subtitle lines become windows of the right words at the right time, whatever the file is like?"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import subrip
from workers.extract import subtitles
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.cues import Cue, plain, windows
from workers.extract.media import subtitle_cues

# Words without mark-up; a number alone could be taken for the next cue's.
WORD = st.text(st.sampled_from("abcdefghijklmnop质量泵漏"), min_size=1, max_size=12)
CUE = st.tuples(st.integers(0, 3_600_000), st.integers(1, 9_000), st.lists(WORD, min_size=1, max_size=5))


def read(path: Path, media_type: str, content: bytes) -> Extraction:
    path.write_bytes(content)
    return subtitles.extract(Source(path, path.name, media_type, 0, path.parent))


@given(st.lists(CUE, min_size=1, max_size=20))
def test_every_cue_of_a_written_file_is_read_with_its_times(cues: list[tuple[int, int, list[str]]]) -> None:
    written = [(start / 1000, (start + lasts) / 1000, " ".join(words)) for start, lasts, words in cues]
    read_back = subtitle_cues(subrip(written), "srt")
    # A set: FFmpeg leaves out what is written twice.
    expected = {(start, start + lasts, " ".join(words)) for start, lasts, words in cues}
    assert {(cue.start_ms, cue.end_ms, plain(cue.text)) for cue in read_back} == expected


@given(st.lists(CUE, max_size=40))
def test_windows_are_in_order_hold_every_word_and_are_short(cues: list[tuple[int, int, list[str]]]) -> None:
    lines = windows(Cue(start, start + lasts, " ".join(words)) for start, lasts, words in cues)
    assert [line.start_ms for line in lines] == sorted(line.start_ms for line in lines)
    said = {word for line in lines for word in line.text.split()}
    assert said == {word for _, _, words in cues for word in words}
    # A window takes no cue that begins 15 s after its own beginning; the last one lasts 9 s at most.
    assert all(0 < line.end_ms - line.start_ms < 15_000 + 9_000 for line in lines)
    starts = {start for start, _, _ in cues}
    assert all(line.start_ms in starts for line in lines)


@given(st.text(max_size=300))
def test_any_text_at_all_is_read_without_an_error(text: str) -> None:
    for demuxer in ("srt", "webvtt"):
        windows(subtitle_cues(text, demuxer))


def test_a_pause_ends_a_window_and_a_repeated_line_is_said_once() -> None:
    cues = [
        Cue(0, 1000, "close the valve"),
        Cue(1000, 2000, "close the valve"),
        Cue(9000, 9500, "now open it"),
    ]
    assert [(line.start_ms, line.end_ms, line.text) for line in windows(cues)] == [
        (0, 2000, "close the valve"),
        (9000, 9500, "now open it"),
    ]


def test_mark_up_is_no_speech() -> None:
    assert plain(r"{\an8}<i>Stop</i> the <font color=red>pump</font>\Nnow") == "Stop the pump now"
    assert plain("3 < 4 and 5 > 2") == "3 < 4 and 5 > 2"


@pytest.mark.parametrize(
    ("name", "media_type", "text"),
    [
        ("a.srt", "application/x-subrip", "1\n00:00:01,500 --> 00:00:03,000\n机械密封\n"),
        ("a.vtt", "text/vtt", "WEBVTT\n\n00:01.500 --> 00:03.000\n<v Anna>机械密封\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_both_formats_are_read_in_any_encoding(
    tmp_path: Path, name: str, media_type: str, text: str, encoding: str
) -> None:
    found = read(tmp_path / name, media_type, text.encode(encoding))
    assert [(line.start_ms, line.end_ms, line.text) for line in found.speech] == [(1500, 3000, "机械密封")]


def test_a_subtitle_file_without_times_keeps_its_words(tmp_path: Path) -> None:
    found = read(tmp_path / "a.srt", "application/x-subrip", b"Only notes.\n\nNo times.")
    assert [block.text for block in found.blocks] == ["Only notes.", "No times."]


def test_an_empty_subtitle_file_fails_by_name(tmp_path: Path) -> None:
    with pytest.raises(ExtractionError) as failure:
        read(tmp_path / "a.srt", "application/x-subrip", b" \n")
    assert failure.value.code == "empty_file"
