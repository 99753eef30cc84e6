"""What does an RTF file say? striprtf gives the words; headings are marked before, title and pictures taken beside."""

import re
from typing import Any

from striprtf.striprtf import rtf_to_text

from workers.extract import figures, limits, ocr
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, Source

warm = ocr.warm

# Put before a heading's words, as RTF spells a character: from the private use area, where no text has any.
_MARK = 0xF8E0
_MARKED = re.compile(f"([{chr(_MARK + 1)}-{chr(_MARK + 9)}])")
# {\s1 ... heading 1;} in the stylesheet names the paragraphs that have \s1.
_HEADING_STYLE = re.compile(
    r"\{(?:\\\*)?\\s(\d{1,5})\b[^{};]{0,1000}?\bheading (\d)[^{};]{0,100};\}", re.IGNORECASE
)
_STYLE_SHEET = re.compile(r"\{\\stylesheet\b")
# A paragraph's style or outline level stands among its properties.
_PROPERTY = re.compile(r"\\(?:s(\d{1,5})|outlinelevel(\d))(?![\d])[ ]?")
# `\\*` marks a group that readers may pass over, and stands at its beginning. Inside one it means nothing; striprtf
# would drop the rest of the group.
_STRAY = re.compile(r"\\\\|\{\s*\\\*|\\\*")
_TITLE = re.compile(r"\{\\title ([^{}]{1,2000})\}")
_PICTURE = re.compile(r"\{\\pict\b")
_BLIP = re.compile(r"\\(pngblip|jpegblip)\b")
_HEX = re.compile(r"[\s}]([0-9a-fA-F\s]{64,})\}")


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    with source.path.open("rb") as file:
        data = file.read(limits.MAX_RTF_BYTES + 1)
    if len(data) > limits.MAX_RTF_BYTES:
        raise ExtractionError("output_limit")
    # RTF is ASCII; bytes above it are in the code page that the file states, and striprtf looks that up.
    text = _STRAY.sub(_without_stray, data.decode("latin-1").replace("\x00", ""))
    found = _TITLE.search(text)
    if found:
        assembly.title = _plain("{\\rtf1 " + found[1] + "}").strip()
    for paragraph in _plain(_mark_headings(text)).split("\n"):
        marked = _MARKED.search(paragraph)
        words = _MARKED.sub("", paragraph)
        if marked:
            assembly.heading(words, ord(marked[1]) - _MARK)
        elif words.count("|") > 1:
            assembly.add(" | ".join(cell.strip() for cell in words.split("|") if cell.strip()), "table")
        else:
            assembly.add(words)
    _add_pictures(text, assembly)
    return assembly.finish()


def _without_stray(found: re.Match[str]) -> str:
    return "" if found[0] == r"\*" else found[0]


def _plain(text: str) -> str:
    convert: Any = rtf_to_text  # Not annotated.
    return str(convert(text, errors="replace"))


def _mark_headings(text: str) -> str:
    start = _STYLE_SHEET.search(text)
    levels = {style: int(level) for style, level in _HEADING_STYLE.findall(text)} if start else {}

    def mark(found: re.Match[str]) -> str:
        level = levels.get(found[1], 0) if found[1] else int(found[2]) + 1
        # \uN with its replacement: signed sixteen bits.
        return found[0] + (f"\\u{_MARK + level - 65536}?" if 1 <= level <= 9 else "")

    return _PROPERTY.sub(mark, text)


def _add_pictures(text: str, assembly: Assembly) -> None:
    for start in _PICTURE.finditer(text):
        # The properties of a picture are short; its bytes follow them as hexadecimal digits.
        blip = _BLIP.search(text, start.end(), start.end() + 4000)
        digits = _HEX.search(text, blip.end()) if blip else None
        if digits:
            figures.add_bytes(bytes.fromhex(_even(digits[1])), assembly=assembly)


def _even(digits: str) -> str:
    packed = "".join(digits.split())
    return packed[: len(packed) // 2 * 2]
