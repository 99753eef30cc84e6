"""What does a parser return? Plain data without Django: it leaves the child process as JSON."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

# left, top, right, bottom as shares of the page or picture (0 to 1), from the top left corner.
Box = tuple[float, float, float, float]
# Frames in a preview, left to right, evenly spaced in time.
PREVIEW_FRAMES = 10
# What Whisper-family models listen to.
SOUND_RATE_PER_S = 16_000


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A paragraph, heading, list item, table row group or code block, in reading order.

    Consecutive blocks become passages (workers.passages); a heading opens a level of the heading path.
    """

    text: str
    role: Literal["heading", "paragraph", "list", "table", "code", "caption", "note"] = "paragraph"
    level: int = 0  # Of a heading: 1 is the outermost.
    page: int | None = None  # 1-based.


@dataclass(frozen=True, slots=True)
class OcrLine:
    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels found in the file: a rendered page, a figure, the image that the file is, the keyframe of a shot.

    A `preview` is no segment: it shows a whole video at a glance, PREVIEW_FRAMES frames side by side.

    `file` is the name of a PNG, JPEG or WebP that the parser wrote into the scratch folder. A figure that
    only links to another file has no `file` but a `link`: the path or URL as the document spells it.
    """

    role: Literal["page", "figure", "image", "shot", "preview"]
    file: str = ""
    link: str = ""
    page: int | None = None
    box: Box | None = None
    caption: str = ""
    alt_text: str = ""
    context: str = ""  # The words around it: the heading path and the paragraph it stands in.
    ocr: tuple[OcrLine, ...] = ()
    width_px: int | None = None
    height_px: int | None = None
    # Of a shot: when it begins and ends in the recording.
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SpeechLine:
    """Words that are spoken, or shown as subtitles, between two moments of a recording: a passage of its own."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside the file: an attachment, a message of a mailbox, an entry of an archive.

    `path` says where inside, with "/" between folders, and is only ever a name: `file` is the name of the bytes in
    the scratch folder. A member that cannot be had has no `file` but an `error`, a value of
    kb.exceptions.FailureCode, and the others come in all the same.
    """

    path: str
    file: str = ""
    error: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 -- `Warning` is a built-in name.
    code: str  # A value of kb.exceptions.FailureCode.
    message: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one part of a file holds."""

    blocks: tuple[TextBlock, ...] = ()
    pictures: tuple[Picture, ...] = ()
    members: tuple[Member, ...] = ()
    speech: tuple[SpeechLine, ...] = ()
    title: str = ""
    language: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    page_count: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    duration_ms: int | None = None
    frames_per_s: float | None = None
    # Whether there is something to listen to, for a speech model.
    has_sound: bool = False
    # The name of a file in the scratch folder: one channel of 16-bit samples, SOUND_RATE_PER_S of them a second.
    sound: str = ""
    warnings: tuple[Warning_, ...] = ()
    # The number of parts that the whole file has: a long PDF is read in page ranges, a video in time ranges.
    parts: int = 1


class ExtractionError(Exception):
    """The file cannot be read. `code` is a value of kb.exceptions.FailureCode."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, in the child process."""

    path: Path
    name: str  # Its own name, for a title when the content gives none. Never trusted for its type.
    media_type: str  # As found in the content.
    part: int  # From 0.
    scratch: Path  # An empty folder for pictures.


# Reads one part of one file; raises ExtractionError. Runs in a child process with limits, without network.
Extractor = Callable[[Source], Extraction]


class Progress(Protocol):
    """Called by a long extraction with the share done, 0 to 1."""

    def __call__(self, share: float) -> None: ...
