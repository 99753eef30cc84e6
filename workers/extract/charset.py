"""Which characters do these bytes spell? UTF-8 before all, then Chinese, then what statistics suggest."""

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

_BOMS = (  # The four-byte ones first: UTF-32-LE begins with the mark of UTF-16-LE.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Enough to know a language by; charset-normalizer tries dozens of encodings on it.
_SAMPLE_BYTES = 64 * 1024
# Valid multi-byte sequences for each invalid one, above which damaged UTF-8 is still UTF-8.
_VALID_PER_INVALID = 2
# The most frequent characters of written Chinese, simplified: about a quarter of any text. What EUC-KR, EUC-
# JP or Big5 bytes give when misread as GB18030 has next to none of them.
_COMMON_HANZI = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会可公司请在"
)
_MIN_COMMON_SHARE = 0.03
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str
    guessed: bool  # Neither stated nor proven by validity.
    replaced: bool  # Some bytes spelled nothing.


def decode(data: bytes, *, stated: str = "") -> Decoded:
    """The text of `data`; never raises. `stated` is what the file says of its own encoding, a hint only."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _lenient(data, encoding, guessed=False)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", guessed=False, replaced=False)
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.reason == "unexpected end of data":
            # Cut in the middle of a character, by a cap or a lost tail.
            return _lenient(data, "utf-8", guessed=False)
    if stated and (found := _strict(data, stated)) is not None:
        return Decoded(found, stated, guessed=False, replaced=False)
    if _mostly_utf8(data):
        return _lenient(data, "utf-8", guessed=False)
    if (found := _chinese(data)) is not None:
        return Decoded(found, "gb18030", guessed=True, replaced="\ufffd" in found)
    best = from_bytes(data[:_SAMPLE_BYTES]).best()
    if best is not None and _plausible(str(best)):
        return _lenient(data, best.encoding, guessed=True)
    return _lenient(data, "utf-8", guessed=False)


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        codec = codecs.lookup(encoding)
        # Not every codec makes text: `hex` and `zlib` are names that a page may state, too.
        return data.decode(codec.name) if codec._is_text_encoding else None
    except (LookupError, UnicodeError):
        return None


def _lenient(data: bytes, encoding: str, *, guessed: bool) -> Decoded:
    text = data.decode(encoding, errors="replace")
    return Decoded(text, encoding, guessed=guessed, replaced="\ufffd" in text)


def _mostly_utf8(data: bytes) -> bool:
    valid = len(_UTF8_SEQUENCE.findall(data))
    rest = _UTF8_SEQUENCE.sub(b"", data)
    invalid = sum(byte >= 0x80 for byte in rest)
    return valid > _VALID_PER_INVALID * invalid


def _chinese(data: bytes) -> str | None:
    """The text as GB18030 when it reads as Chinese, else None. A few damaged bytes are borne."""
    text = data.decode("gb18030", errors="replace")
    wide = [character for character in text[:_SAMPLE_BYTES] if character > "\x7f"]
    # Level 1 of GB 2312, 3,755 characters, is 99 % of Chinese text; other encodings' bytes fall all over the
    # plane.
    usual = sum(_usual(character) for character in wide)
    common = sum(character in _COMMON_HANZI for character in wide)
    damaged = text.count("\ufffd")
    if not wide or usual < 0.8 * len(wide) or damaged > 0.02 * len(wide):
        return None
    # Half a dozen characters need not hold a common one.
    return (
        text if common >= _MIN_COMMON_SHARE * len(wide) or (len(wide) < 30 and usual == len(wide)) else None
    )


def _usual(character: str) -> bool:
    if character in "，。、；：？！“”‘’（）《》【】—…·　％０１２３４５６７８９":
        return True
    try:
        lead = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return False
    return 0xB0 <= lead <= 0xD7


def _plausible(text: str) -> bool:
    """Whether the guess gave words: a single-byte encoding makes something of any bytes."""
    wide = [character for character in text if character > "\x7f"]
    return sum(character.isalpha() for character in wide) >= 0.6 * len(wide)
