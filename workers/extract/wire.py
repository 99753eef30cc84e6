"""How does an Extraction cross the border of the child process? As JSON, believed only in its shape."""

import dataclasses
import math
import re
from typing import Any, cast, get_args, get_type_hints

from workers.extract import limits
from workers.extract.base import (
    Box,
    Extraction,
    Member,
    OcrLine,
    Picture,
    SpeechLine,
    TextBlock,
    Warning_,
)

# In the scratch folder: the child's answer, and what it printed.
RESULT_FILE = ".result.json"
LOG_FILE = ".log"
# What a converter's process ends with when it could not be kept from the network.
NOT_CONFINED = 71
# What Postgres refuses (NUL), what no reader sees, and halves of surrogate pairs, which UTF-8 cannot spell.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# A plain name in the scratch folder; no dot first, so that the runner's own files can never be named.
_PICTURE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.(png|jpg|webp)")
_MEMBER_NAME = re.compile(r"m[0-9]{1,6}\.bin")
_SOUND_NAME = re.compile(r"[a-z0-9]{1,20}\.pcm")
# The longest line (alt text, caption, name, path, metadata value) that anybody reads.
_MAX_LINE = 2000
_MAX_METADATA = 50
_BLOCK_ROLES = frozenset(get_args(get_type_hints(TextBlock)["role"]))
_PICTURE_ROLES = frozenset(get_args(get_type_hints(Picture)["role"]))


class MalformedError(ValueError):
    """The answer of the child process has the wrong shape."""


def encode(extraction: Extraction) -> dict[str, Any]:
    return dataclasses.asdict(extraction)


def decode(value: object) -> Extraction:
    """The Extraction in `value`, cleaned and capped. Raises MalformedError, whatever `value` is."""
    raw = _mapping(value)
    return Extraction(
        blocks=tuple(_block(item) for item in _items(raw, "blocks", limits.MAX_BLOCKS)),
        pictures=tuple(_picture(item) for item in _items(raw, "pictures", limits.DEFAULT.scratch_files)),
        members=tuple(_member(item) for item in _items(raw, "members", limits.DEFAULT.scratch_files)),
        speech=tuple(_speech(item) for item in _items(raw, "speech", limits.MAX_SPEECH_LINES)),
        title=_line(raw.get("title", "")),
        language=_line(raw.get("language", ""))[:8],
        metadata={
            _line(key): _line(item)
            for key, item in list(_mapping(raw.get("metadata", {})).items())[:_MAX_METADATA]
        },
        page_count=_count(raw.get("page_count")),
        width_px=_count(raw.get("width_px")),
        height_px=_count(raw.get("height_px")),
        duration_ms=_count(raw.get("duration_ms")),
        frames_per_s=_rate(raw.get("frames_per_s")),
        has_sound=raw.get("has_sound") is True,
        sound=_sound(raw.get("sound", "")),
        warnings=tuple(
            Warning_(code=_line(item.get("code")), message=_line(item.get("message")))
            for item in map(_mapping, _items(raw, "warnings", limits.MAX_WARNINGS))
        ),
        parts=_count(raw.get("parts")) or 1,
    )


def _block(value: object) -> TextBlock:
    raw = _mapping(value)
    role = raw.get("role")
    if role not in _BLOCK_ROLES:
        raise MalformedError("role")
    return TextBlock(
        text=_text(raw.get("text")),
        role=cast(Any, role),
        level=_count(raw.get("level")) or 0,
        page=_count(raw.get("page")),
    )


def _picture(value: object) -> Picture:
    raw = _mapping(value)
    role, file = raw.get("role"), raw.get("file")
    if role not in _PICTURE_ROLES:
        raise MalformedError("role")
    if not isinstance(file, str) or (file and not _PICTURE_NAME.fullmatch(file)):
        raise MalformedError("file")
    return Picture(
        role=cast(Any, role),
        file=file,
        link=_line(raw.get("link")),
        page=_count(raw.get("page")),
        box=None if raw.get("box") is None else _box(raw["box"]),
        caption=_line(raw.get("caption")),
        alt_text=_line(raw.get("alt_text")),
        context=_line(raw.get("context")),
        ocr=tuple(
            OcrLine(text=_line(item.get("text")), box=_box(item.get("box")))
            for item in map(_mapping, _items(raw, "ocr", limits.MAX_OCR_LINES))
        ),
        width_px=_count(raw.get("width_px")),
        height_px=_count(raw.get("height_px")),
        start_ms=_count(raw.get("start_ms")),
        end_ms=_count(raw.get("end_ms")),
    )


def _member(value: object) -> Member:
    raw = _mapping(value)
    file, error = raw.get("file"), _line(raw.get("error"))
    if not isinstance(file, str) or (file and not _MEMBER_NAME.fullmatch(file)):
        raise MalformedError("file")
    if bool(file) == bool(error):
        raise MalformedError("member")
    return Member(path=_line(raw.get("path")), file=file, error=error, message=_line(raw.get("message")))


def _speech(value: object) -> SpeechLine:
    raw = _mapping(value)
    start_ms, end_ms = _count(raw.get("start_ms")), _count(raw.get("end_ms"))
    if start_ms is None or end_ms is None or end_ms < start_ms:
        raise MalformedError("time span expected")
    return SpeechLine(_text(raw.get("text")), start_ms, end_ms)


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError("object expected")
    return value


def _items(raw: dict[str, Any], key: str, most: int) -> list[Any]:
    value = raw.get(key, [])
    if not isinstance(value, list) or len(value) > most:
        raise MalformedError(key)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise MalformedError("text expected")
    return _UNPRINTABLE.sub("", value)


def _line(value: object) -> str:
    return _text(value)[:_MAX_LINE]


def _count(value: object) -> int | None:
    if value is None:
        return None
    # bool is an int to Python; two billion is what the database's integer holds.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise MalformedError("count expected")
    return value


def _rate(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not math.isfinite(value) or not 0 < value < 1_000_000:
        raise MalformedError("rate expected")
    return float(value)


def _sound(value: object) -> str:
    if not isinstance(value, str) or (value and not _SOUND_NAME.fullmatch(value)):
        raise MalformedError("sound")
    return value


def _box(value: object) -> Box:
    if not isinstance(value, list) or len(value) != 4:
        raise MalformedError("box expected")
    if not all(isinstance(edge, int | float) and math.isfinite(edge) for edge in value):
        raise MalformedError("box expected")
    left, top, right, bottom = (min(1.0, max(0.0, float(edge))) for edge in value)
    return (left, top, right, bottom)
