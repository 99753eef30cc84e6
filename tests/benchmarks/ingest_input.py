"""What is brought in to measure ingest: the demo library again and again, one byte different each time; or a folder."""

import io
import shutil
import zipfile
from pathlib import Path

from workers.demo.examples import LIBRARY

_SENTENCES = (
    "The impeller of the turbine pump is made of bronze.",
    "Check the barrier fluid before each start and note its level.",
    "A worn seal face leaks; replace both faces together.",
    "The controller raises alarm E-41 when the suction pressure falls.",
    "Torque the casing bolts crosswise in three passes.",
)
_IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".bmp"}
_VIDEOS = {".mp4", ".mov", ".mkv", ".webm", ".avi"}
_ZIPPED = {".docx", ".pptx", ".xlsx", ".odt", ".odp", ".ods", ".epub", ".zip"}


def library(folder: Path, copies: int) -> dict[str, list[Path]]:
    """The demo library's files by kind, each in `copies` versions that differ in bytes and show the same."""
    groups: dict[str, list[Path]] = {"pdfs": [], "documents": [], "images": [], "videos": []}
    for source in sorted(LIBRARY.rglob("*")):
        if not source.is_file():
            continue
        for copy in range(copies):
            target = folder / f"copy-{copy}" / source.relative_to(LIBRARY)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(varied(source.read_bytes(), source.suffix.lower(), f"Copy {copy}"))
            groups[_group(source.suffix.lower())].append(target)
    return {name: files for name, files in groups.items() if files}


def _group(suffix: str) -> str:
    if suffix in _IMAGES:
        return "images"
    if suffix in _VIDEOS:
        return "videos"
    return "pdfs" if suffix == ".pdf" else "documents"


def varied(content: bytes, suffix: str, mark: str) -> bytes:
    """The same file to its readers, with other bytes: an addition that the format passes over."""
    said = mark.encode()
    if suffix in (".mp4", ".mov"):
        return content + (8 + len(said)).to_bytes(4, "big") + b"free" + said
    if suffix in (".mkv", ".webm"):
        return content + b"\xec" + bytes([0x80 | len(said)]) + said  # EBML Void.
    if suffix in _ZIPPED:
        buffer = io.BytesIO(content)
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.comment = said
        return buffer.getvalue()
    if suffix in _IMAGES | _VIDEOS:
        return content + said  # Behind the picture's end.
    if suffix == ".pdf":
        return content + b"\n% " + said + b"\n"
    if suffix in (".html", ".htm", ".xml", ".svg"):
        return content + b"\n<!-- " + said + b" -->\n"
    return content + b"\n\n" + said + b".\n"


def text_pdfs(folder: Path, count: int) -> list[Path]:
    """PDFs of one page of text each and nothing else, as an office program's smallest."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        path = folder / f"sheet-{number}.pdf"
        path.write_bytes(_text_pdf(number))
        made.append(path)
    return made


def _text_pdf(number: int) -> bytes:
    lines = [
        f"Sheet {number}",
        *(f"{_SENTENCES[(number + at) % len(_SENTENCES)]} ({at})" for at in range(40)),
    ]
    text = "BT /F1 11 Tf 14 TL 60 790 Td " + " ".join(f"({_escaped(line)}) Tj T*" for line in lines) + " ET"
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for index, body in enumerate(bodies, start=1):
        places.append(len(made))
        made += f"{index} 0 obj\n{body}\nendobj\n".encode()
    entries = "".join(f"{place:010} 00000 n \n" for place in places)
    table = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{entries}"
    end = f"trailer\n<< /Size {len(places) + 1} /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n"
    return made + table.encode() + end.encode()


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def folder(source: Path, target: Path) -> list[Path]:
    """The files of a folder, copied, so that what is measured is not the disk they happen to lie on."""
    shutil.copytree(source, target, symlinks=True)
    return sorted(path for path in target.rglob("*") if path.is_file() and not path.is_symlink())
