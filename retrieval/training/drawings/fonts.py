"""Which fonts are there to draw with, and which of them can write Chinese?

Fonts are read from folders, never shipped: the usual ones of Linux, macOS and Windows, and the caller's own."""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

# Where systems keep fonts; folders that do not exist are passed over.
FONT_FOLDERS: tuple[Path, ...] = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.fonts"),
    Path("~/.local/share/fonts"),
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
    Path("~/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}
# Parts of file names, since a font's own tables seldom say any of this.
_MONO = ("mono", "consola", "courier", "menlo", "code", "inconsolata", "cousine")
_SERIF = ("serif", "times", "georgia", "song", "simsun", "ming", "tinos", "garamond", "uming")
_HAND = ("hand", "script", "comic", "kai", "caveat", "kristi", "femkeklaver", "breip", "humor", "xingkai")
_BOLD = ("bold", "heavy", "black", "-bd", "medium")
_NOT_TEXT = (
    "symbol",
    "dingbat",
    "emoji",
    "opens___",
    "mathtex",
    "icon",
    "fallback",
    "awesome",
    "notosanssign",
)
_SLANTED = ("italic", "oblique", "-it.", "thin", "extralight", "hairline")
_ALL_TEXT_EN = "AaBbGgMmQqXxZz0189?%-,."
# Letters, then common simplified characters; a font that lacks one of them draws boxes instead.
_ALL_TEXT_ZH = "销售额请签财务部检查订单图表"


class FontsMissingError(Exception):
    """No usable font was found."""


@dataclass(frozen=True, slots=True)
class Face:
    path: str
    # The number of a face in a collection file.
    index: int
    kind: str  # sans, serif, mono or hand
    bold: bool


@dataclass(frozen=True, slots=True)
class Fonts:
    """The faces by language, kind and weight, always in the same order for the same files."""

    english: tuple[Face, ...]
    chinese: tuple[Face, ...]

    def choose(self, language: str, kind: str, bold: bool) -> Sequence[Face]:
        """The faces nearest to what is asked: kind matters more than weight, and any face is better than none."""
        faces = self.chinese if language == "zh" else self.english
        same_kind = [face for face in faces if face.kind == kind] or list(faces)
        return [face for face in same_kind if face.bold == bold] or same_kind


def find_fonts(folders: Iterable[Path] = (), *, defaults: bool = True) -> Fonts:
    """Raises FontsMissingError, in words for whoever runs the command, when either language cannot be written."""
    places = [*folders, *(FONT_FOLDERS if defaults else ())]
    english: list[Face] = []
    chinese: list[Face] = []
    for path in _files(places):
        name = path.name.lower()
        if any(part in name for part in (*_NOT_TEXT, *_SLANTED)):
            continue
        face = Face(str(path), _simplified(path), _kind(name), any(part in name for part in _BOLD))
        if not _writes(face, _ALL_TEXT_EN):
            continue
        (chinese if _writes(face, _ALL_TEXT_ZH) else english).append(face)
    searched = ", ".join(str(place) for place in places)
    if not chinese:
        raise FontsMissingError(
            f"No font that writes Chinese was found in {searched}. Install one (Noto Sans CJK, for example: the "
            "package fonts-noto-cjk on Debian), or name its folder with --fonts."
        )
    return Fonts(tuple(english or chinese), tuple(chinese))


def _files(places: Iterable[Path]) -> Iterator[Path]:
    seen: set[str] = set()
    for place in places:
        for folder, inner, names in os.walk(place.expanduser()):
            inner.sort()
            for name in sorted(names):
                # By name: one font installed in two places is one font.
                if Path(name).suffix.lower() in _SUFFIXES and name not in seen:
                    seen.add(name)
                    yield Path(folder) / name


def _kind(name: str) -> str:
    for kind, parts in (("mono", _MONO), ("hand", _HAND), ("serif", _SERIF)):
        if any(part in name for part in parts) and not (kind == "serif" and "sans" in name):
            return kind
    return "sans"


def _simplified(path: Path) -> int:
    """Collections of CJK fonts hold a face for each country: the one for Simplified Chinese, if it says so."""
    if path.suffix.lower() not in {".ttc", ".otc"}:
        return 0
    with path.open("rb") as stream:
        head = stream.read(12)
    if len(head) < 12:
        return 0
    tag, _version, count = struct.unpack(">4sII", head)
    # A damaged file may claim any number of faces; none has more than a few dozen.
    if tag != b"ttcf" or count > 99:
        return 0
    for index in range(count):
        try:
            family = ImageFont.truetype(str(path), 10, index=index).getname()[0] or ""
        except OSError:
            continue
        if family.endswith((" SC", " CN")) or " SC " in family:
            return index
    return 0


def _writes(face: Face, text: str) -> bool:
    """Whether each character has a shape of its own: not that of a character which no font has."""
    try:
        font = ImageFont.truetype(face.path, 16, index=face.index, layout_engine=ImageFont.Layout.BASIC)
        missing = bytes(font.getmask("\U000fffff"))
        shapes = [bytes(font.getmask(character)) for character in text]
    except OSError:
        return False
    return all(shape and shape != missing for shape in shapes) and len(set(shapes)) > len(text) // 2


@lru_cache(maxsize=4096)
def loaded(face: Face, size_px: int) -> ImageFont.FreeTypeFont:
    # The basic layout: neither language needs shaping, and it is several times faster.
    return ImageFont.truetype(face.path, size_px, index=face.index, layout_engine=ImageFont.Layout.BASIC)
