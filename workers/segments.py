"""How does what a parser found become segments? Passages, pages, figures and pictures, in reading order."""

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from kb.models import AssetVersion, Segment, SegmentKind
from retrieval.analysis import detect_language
from retrieval.names import says_something
from workers.extract.base import Extraction, Picture, SpeechLine
from workers.extract.cues import Cue, windows
from workers.passages import Passage, passages
from workers.pictures import StoredPicture

# Segments of what was heard in part n have this part and n: the part's shots and subtitles are written by others.
TRANSCRIPT_PARTS = 2_000_000
# Of a heading in Segment.heading_path.
_LONGEST_HEADING = 300
_LONGEST_URI = 1000


def from_extraction(
    version: AssetVersion, part: int, extraction: Extraction, stored: Mapping[int, StoredPicture]
) -> list[Segment]:
    """Unsaved segments of one part; `stored` says where the pixels of `extraction.pictures[i]` are."""
    found = [_of_passage(passage) for passage in passages(extraction.blocks)]
    found += [_of_speech(line) for line in extraction.speech]
    for number, picture in enumerate(extraction.pictures):
        if picture.role == "preview":
            continue
        segment = _of_picture(picture, stored.get(number), version.asset.source_uri)
        if segment is not None:
            found.append(segment)
    # Stable: on one page the passages come first, then its pictures; in a recording what is said comes first.
    found.sort(key=lambda segment: (segment.page or 0, segment.start_ms or 0))
    return _placed(version, part, found)


def of_speech(
    version: AssetVersion, part: int, lines: Sequence[SpeechLine], *, offset_ms: int
) -> list[Segment]:
    """Unsaved segments of the words heard in one part, which begins at `offset_ms`, in windows as subtitles are."""
    cues = [Cue(line.start_ms + offset_ms, line.end_ms + offset_ms, line.text) for line in lines]
    return _placed(version, part, [_of_speech(line) for line in windows(cues)])


def _placed(version: AssetVersion, part: int, found: list[Segment]) -> list[Segment]:
    """`found` as rows of the version, in this order."""
    for ordinal, segment in enumerate(found):
        segment.asset_id = version.asset_id
        segment.collection_id = version.asset.collection_id
        segment.version = version.number
        segment.part = part
        segment.ordinal = ordinal
        segment.language = detect_language(segment.searchable_text)
    return found


def nameless(version: AssetVersion) -> Segment:
    """What stands for a file in which nothing was found: it is found by its title and name."""
    return Segment(
        asset_id=version.asset_id,
        collection_id=version.asset.collection_id,
        version=version.number,
        kind=SegmentKind.TEXT,
        ordinal=0,
    )


def own_words(segment: Segment) -> str:
    """The words that are the segment's own, under the headings it stands below."""
    text = segment.searchable_text.strip()
    return "\n".join([*segment.heading_path, text]) if text else ""


def readable_name(source_uri: str) -> str:
    """The words of a file's name: `wiring-diagram_v2.png` is `wiring diagram v2`."""
    stem = PurePosixPath(urlsplit(source_uri).path if "://" in source_uri else source_uri).stem
    return " ".join(unquote(stem).replace("_", " ").replace("-", " ").split())


def telling_name(source_uri: str) -> str:
    """`readable_name`, or nothing where a camera counted: thousands of `IMG 2034` would lie together in a space of
    meanings."""
    name = readable_name(source_uri)
    return name if says_something(name) else ""


def linked_uri(source_uri: str, link: str) -> str:
    """The source_uri of the file that `link` in the file at `source_uri` names; empty when it is none of ours.

    A link from the root becomes a path without its leading slash: where the root is, is known at query time only.
    """
    if "://" in source_uri:
        joined = urljoin(source_uri, link)
        return joined[:_LONGEST_URI] if urlsplit(joined).scheme in ("http", "https") else ""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    path = unquote(parts.path)
    joined = path.lstrip("/") if path.startswith("/") else posixpath.join(posixpath.dirname(source_uri), path)
    normal = posixpath.normpath(joined)
    if normal in (".", "..") or normal.startswith("../") or len(normal) > _LONGEST_URI:
        return ""
    return _clean(normal)


def _of_passage(passage: Passage) -> Segment:
    return Segment(
        kind=SegmentKind.TEXT,
        text=_clean(passage.text),
        heading_path=[_clean(heading)[:_LONGEST_HEADING] for heading in passage.heading_path],
        page=passage.page,
        char_start=passage.char_start,
        char_end=passage.char_end,
    )


def _of_speech(line: SpeechLine) -> Segment:
    return Segment(
        kind=SegmentKind.SPEECH, text=_clean(line.text), start_ms=line.start_ms, end_ms=line.end_ms
    )


def _of_picture(picture: Picture, stored: StoredPicture | None, source_uri: str) -> Segment | None:
    """None for a figure of which there is nothing to see and nothing to say."""
    uri = linked_uri(source_uri, picture.link) if picture.link else ""
    segment = Segment(
        kind=SegmentKind(picture.role),
        page=picture.page,
        start_ms=picture.start_ms,
        end_ms=picture.end_ms,
        box=list(picture.box) if picture.box else None,
        text=_clean(picture.context),
        caption=_clean(picture.caption),
        alt_text=_clean(picture.alt_text),
        ocr_text=_clean("\n".join(line.text for line in picture.ocr)),
        ocr_lines=[[*line.box, _clean(line.text)] for line in picture.ocr],
        picture_key=stored.picture_key if stored else "",
        thumbnail_key=stored.thumbnail_key if stored else "",
        width_px=stored.width_px if stored else picture.width_px,
        height_px=stored.height_px if stored else picture.height_px,
        picture_uri=uri,
    )
    says = segment.caption or segment.alt_text or segment.ocr_text
    return segment if stored or uri or says else None


def _clean(text: str) -> str:
    """Without what Postgres cannot keep: NUL, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
