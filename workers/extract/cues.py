"""How do short subtitle lines become passages? Joined to windows of a few lines, and freed of what is not speech."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from workers.extract import limits
from workers.extract.base import SpeechLine

# A window is a sentence or two: enough to be understood alone, short enough that its start is the moment meant.
_WINDOW_MS = 15_000
# A pause this long ends a thought.
_PAUSE_MS = 2_000
# No line stays longer on screen; a wrong end would make one window of a whole film.
_LONGEST_CUE_MS = 60_000
# What mark-up decoders leave behind: tags of HTML and WebVTT, and override blocks of ASS.
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|\{\\[^{}]{0,200}\}")


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle."""

    start_ms: int
    end_ms: int
    text: str


def plain(text: str) -> str:
    """The words of a subtitle, on one line."""
    return " ".join(_TAGS.sub("", text.replace("\\N", "\n").replace("\\h", " ")).split())


def windows(cues: Iterable[Cue]) -> tuple[SpeechLine, ...]:
    """The cues in order of time, joined. A line that rolls up and so is shown again is said once."""
    found: list[SpeechLine] = []
    held: list[Cue] = []
    for cue in sorted(_tidy(cues), key=lambda cue: (cue.start_ms, cue.end_ms)):
        if held and _ends_before(held, cue):
            found.append(_joined(held))
            held = []
        held.append(cue)
    if held:
        found.append(_joined(held))
    return tuple(found[: limits.MAX_SPEECH_LINES])


def _tidy(cues: Iterable[Cue]) -> Iterable[Cue]:
    for cue in cues:
        text = plain(cue.text)
        if text and cue.start_ms >= 0:
            yield Cue(cue.start_ms, min(max(cue.end_ms, cue.start_ms), cue.start_ms + _LONGEST_CUE_MS), text)


def _ends_before(held: list[Cue], cue: Cue) -> bool:
    latest_ms = max(other.end_ms for other in held)
    return cue.start_ms - held[0].start_ms >= _WINDOW_MS or cue.start_ms - latest_ms >= _PAUSE_MS


def _joined(held: list[Cue]) -> SpeechLine:
    texts: list[str] = []
    for cue in held:
        if cue.text not in texts[-2:]:
            texts.append(cue.text)
    return SpeechLine("\n".join(texts), held[0].start_ms, max(cue.end_ms for cue in held))
