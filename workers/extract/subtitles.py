"""What does a subtitle file (SRT, WebVTT) say, and when? Its lines in windows; without times, its paragraphs."""

from workers.extract import text
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, Source
from workers.extract.cues import windows
from workers.extract.media import subtitle_cues

_DEMUXERS = {"text/vtt": "webvtt", "application/x-subrip": "srt"}


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    written = text.read_text(source, assembly)
    speech = windows(subtitle_cues(written, _DEMUXERS[source.media_type]))
    if not speech:
        return text.extract(source)
    return Extraction(speech=speech, warnings=assembly.warnings)
