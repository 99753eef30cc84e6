"""What goes in while everything is killed? Small files, of each of which it is known what must come out."""

import io
import random
import zlib
from dataclasses import dataclass

from PIL import Image

# Shares of the kinds, in the order in which a file's number decides. Mostly plain text: what is tried here is the
# keeping of promises, not the parsers, and a picture's letters take a second to read.
PICTURES_PERCENT = 3
BROKEN_PERCENT = 4
HTML_PERCENT = 10
MARKDOWN_PERCENT = 15

_WORDS = (
    "pump",
    "valve",
    "bearing",
    "seal",
    "gasket",
    "impeller",
    "casing",
    "shaft",
    "motor",
    "coupling",
    "flange",
)


@dataclass(frozen=True, slots=True)
class File:
    path: str
    content: bytes
    # A word that no other file has; empty: nothing of the file may become searchable.
    marker: str
    # Refused at the door or by its parser, with this code; empty: it must become searchable.
    failure: str = ""
    is_picture: bool = False


def make(number: int, seed: int) -> File:
    """The file of that number: the same for the same seed."""
    chance = random.Random(f"{seed} {number}")
    share = chance.randrange(100)
    marker = f"qx{number}zk"
    folder = f"folder{number % 7}"
    if share < PICTURES_PERCENT:
        return File(f"{folder}/{marker}.png", _picture(chance), marker, is_picture=True)
    share -= PICTURES_PERCENT
    if share < BROKEN_PERCENT:
        return _broken(f"{folder}/{marker}", number, chance)
    share -= BROKEN_PERCENT
    paragraphs = [" ".join(chance.choices(_WORDS, k=30)) for _ in range(chance.randint(1, 3))]
    paragraphs[0] += f" {marker}"
    if share < HTML_PERCENT:
        body = "".join(f"<p>{paragraph}.</p>" for paragraph in paragraphs)
        text = f"<!doctype html><html><head><title>Sheet {number}</title></head><body>{body}</body></html>"
        return File(f"{folder}/sheet-{number}.html", text.encode(), marker)
    share -= HTML_PERCENT
    if share < MARKDOWN_PERCENT:
        text = f"# Note {number}\n\n" + "\n\n".join(f"{paragraph}." for paragraph in paragraphs)
        return File(f"{folder}/note-{number}.md", text.encode(), marker)
    return File(f"{folder}/memo-{number}.txt", "\n\n".join(f"{p}." for p in paragraphs).encode(), marker)


def _picture(chance: random.Random) -> bytes:
    image = Image.frombytes("RGB", (24, 16), chance.randbytes(24 * 16 * 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _broken(stem: str, number: int, chance: random.Random) -> File:
    """Empty, a picture whose pixels are missing, or what no parser is there for; each with bytes of its own."""
    kind = number % 3
    if kind == 0:
        return File(f"{stem}.txt", b"", "", failure="empty_file")
    if kind == 1:
        whole = _picture(chance)
        header = whole[: whole.index(b"IDAT") - 4]
        damaged = zlib.compress(chance.randbytes(40))[:20]
        chunk = len(damaged).to_bytes(4, "big") + b"IDAT" + damaged + bytes(4)
        return File(f"{stem}.png", header + chunk, "", failure="corrupt")
    # The header of an executable.
    return File(f"{stem}.exe", b"MZ" + chance.randbytes(600), "", failure="format_not_supported")
