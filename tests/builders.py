"""How are test files made? Here, byte by byte or with Pillow, so that none is copied from anywhere."""

import hashlib
import io
import struct
import zlib
from collections.abc import Sequence
from random import Random

from PIL import Image, ImageDraw, ImageFont


def picture(
    text: str = "",
    *,
    size: tuple[int, int] = (640, 200),
    file_format: str = "PNG",
    exif: Image.Exif | None = None,
) -> bytes:
    """A white picture with black letters, one line of `text` a row."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(text.splitlines()):
        pen.text((24, 24 + 60 * row), line, fill="black", font=ImageFont.load_default(40))
    out = io.BytesIO()
    image.save(out, file_format, **({"exif": exif} if exif is not None else {}))
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its bytes hold: for all a decoder can know, a bomb."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"\x00" * 10_000))
        + _chunk(b"IEND")
    )


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# (x, y from the bottom, size, text) on an A4 page of 595 by 842 points; bold when the size is negative.
Words = tuple[float, float, float, str]


def pdf(
    pages: Sequence[Sequence[Words]],
    *,
    title: str = "",
    drawing: str = "",
    image: bytes = b"",
    image_box: tuple[float, float, float, float] = (100, 400, 300, 200),
) -> bytes:
    """A PDF of text in Helvetica, or in Song (unembedded, GBK) where it is Chinese.

    `drawing` is PDF drawing code and `image` JPEG bytes shown at `image_box` (x, y, width, height).
    """
    objects: list[bytes] = [b"", b""]
    fonts = (
        b"/F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> "
        b"/F2 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >> "
        b"/F3 << /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /GBK-EUC-H /DescendantFonts [ "
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo "
        b"<< /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor << /Type /FontDescriptor "
        b"/FontName /STSong-Light /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 880 "
        b"/Descent -120 "
        b"/CapHeight 880 /StemV 80 >> >> ] >> "
    )
    kids = []
    for number, words in enumerate(pages):
        code = "\n".join(map(_shown, words)).encode("latin-1")
        resources = b"<< /Font << " + fonts + b">> >>"
        if number == 0 and drawing:
            code += b"\n" + drawing.encode("ascii")
        if number == 0 and image:
            x, y, width, height = image_box
            code += f"\nq {width} 0 0 {height} {x} {y} cm /I1 Do Q".encode("ascii")
            with Image.open(io.BytesIO(image)) as opened:
                size = f"/Width {opened.width} /Height {opened.height}".encode("ascii")
            objects.append(
                b"<< /Type /XObject /Subtype /Image " + size + b" /ColorSpace /DeviceRGB /BitsPerComponent 8 "
                b"/Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream" % (len(image), image)
            )
            resources = b"<< /Font << " + fonts + b">> /XObject << /I1 %d 0 R >> >>" % len(objects)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(code), code))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources %s /Contents %d 0 R >>"
            % (resources, len(objects))
        )
        kids.append(len(objects))
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (
        b" ".join(b"%d 0 R" % kid for kid in kids),
        len(kids),
    )
    trailer = b""
    if title:
        objects.append(b"<< /Title <%s> >>" % (b"\xfe\xff" + title.encode("utf-16-be")).hex().encode())
        trailer = b" /Info %d 0 R" % len(objects)
    return pdf_of(objects, trailer)


def _shown(words: Words) -> str:
    x, y, size, text = words
    font = "F2" if size < 0 else "F1" if text.isascii() else "F3"
    return f"BT /{font} {abs(size)} Tf {x} {y} Td <{text.encode('gbk').hex()}> Tj ET"


def pdf_of(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(
        b"trailer << /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    )
    return out.getvalue()


def pdf_without_pages() -> bytes:
    return pdf([])


def encrypted_pdf(password: bytes = b"secret") -> bytes:
    """One empty page behind a user password: standard security handler 2 (PDF 1.4, section 3.5.2)."""
    padding = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
    padded = (password + padding)[:32]
    owner = _rc4(_md5(padded)[:5], padded)
    permissions, file_id = struct.pack("<i", -4), b"0123456789abcdef"
    user = _rc4(_md5(padded + owner + permissions + file_id)[:5], padding)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>"
        % (owner.hex().encode(), user.hex().encode()),
    ]
    file_hex = file_id.hex().encode()
    return pdf_of(objects, b" /Encrypt 4 0 R /ID [<%s> <%s>]" % (file_hex, file_hex))


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    at = 0
    for index in range(256):
        at = (at + state[index] + key[index % len(key)]) % 256
        state[index], state[at] = state[at], state[index]
    out, one, two = bytearray(), 0, 0
    for byte in data:
        one = (one + 1) % 256
        two = (two + state[one]) % 256
        state[one], state[two] = state[two], state[one]
        out.append(byte ^ state[(state[one] + state[two]) % 256])
    return bytes(out)


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A picture like no other: coloured shapes on a gradient, the same for the same seed at any size."""
    random = Random(seed)
    width, height = size
    top, bottom = ([random.randrange(256) for _ in range(3)] for _ in range(2))
    image = Image.composite(
        Image.new("RGB", size, tuple(top)),
        Image.new("RGB", size, tuple(bottom)),
        Image.linear_gradient("L").resize(size),
    )
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        left, up = random.uniform(-0.1, 0.9), random.uniform(-0.1, 0.9)
        right, down = left + random.uniform(0.05, 0.4), up + random.uniform(0.05, 0.4)
        box = (left * width, up * height, right * width, down * height)
        colour = tuple(random.randrange(256) for _ in range(3))
        shape = random.choice((pen.rectangle, pen.ellipse))
        shape(box, fill=colour)
    return image


def encoded(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()
