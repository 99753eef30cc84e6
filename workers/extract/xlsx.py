"""What does an Excel workbook say? Its sheets row by row, with comments, pictures and the words of charts.

openpyxl reads the cells, as a stream; pictures and comments, which it leaves out when streaming, come from the package.
"""

import dataclasses
import datetime
import io
import traceback
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import openpyxl
from lxml import etree
from openpyxl.utils.exceptions import InvalidFileException

from workers.extract import drawings, limits, markup, ocr, zipped
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.ooxml import Package
from workers.extract.sheets import Sheets
from workers.extract.zipped import Zipped

warm = ocr.warm

# ISO/IEC 29500-1 and 29500-4 have these names for the same.
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_VOCABULARIES = (
    (_STRICT, b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
)
# What openpyxl raises on a damaged workbook: it checks little, so a missing part is a KeyError, a wrong value a
# ValueError or TypeError, and an element out of place an AttributeError or IndexError.
_DAMAGE = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    SyntaxError,
    OSError,
    EOFError,
    zipfile.BadZipFile,
    etree.LxmlError,
    InvalidFileException,
)


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    with zipped.opened(source.path) as archive:
        package = Package(archive)
        properties = package.properties()
        assembly.title = properties.title
        parts = _sheet_parts(package)
        with _transitional(source, archive) as file:
            try:
                workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            except _DAMAGE as error:
                traceback.print_exc()
                raise ExtractionError("corrupt") from error
            names = workbook.sheetnames[: limits.MAX_SHEETS]
            if len(workbook.sheetnames) > len(names):
                assembly.warn("pages_capped", "")
            sheets = Sheets(assembly)
            for number, name in enumerate(names, start=1):
                _add_sheet(workbook, name, number, sheets, assembly)
                if name in parts:
                    _add_rest(package, parts[name], number, assembly)
    extraction = assembly.finish()
    return dataclasses.replace(
        extraction, language=properties.language, metadata=properties.metadata, page_count=len(names)
    )


@contextmanager
def _transitional(source: Source, archive: Zipped) -> Iterator[IO[bytes]]:
    """The file as openpyxl knows it: the strict form, which it finds empty, has other names for its vocabularies."""
    main = archive.read(Package(archive).main)
    if _STRICT not in main[:4096]:
        with source.path.open("rb") as file:
            yield file
        return
    renamed = io.BytesIO()
    with zipfile.ZipFile(renamed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for name in archive.members:
            if name.lower().endswith((".xml", ".rels")):
                data = archive.read(name)
                for strict, transitional in _VOCABULARIES:
                    data = data.replace(strict, transitional)
                copy.writestr(name, data)
    yield renamed


def _add_sheet(workbook: Any, name: str, number: int, sheets: Sheets, assembly: Assembly) -> None:
    sheet = workbook[name]
    if not hasattr(sheet, "iter_rows"):  # A sheet that is one chart.
        assembly.heading(name, 1, number)
        return
    try:
        # The stated extent is often wrong, and openpyxl would stop at it or fill up to it.
        sheet.reset_dimensions()
        sheets.add(name, number, _rows(sheet))
    except _DAMAGE:
        traceback.print_exc()
        assembly.warn("page_unreadable", f"The sheet {name} could not be read in full.")


def _rows(sheet: Any) -> Iterator[Sequence[str]]:
    for row in sheet.iter_rows():
        yield [_shown(cell) for cell in row[: limits.MAX_COLUMNS]]


def _shown(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, float | int):
        if "%" in str(cell.number_format):
            return f"{value * 100:.10g}%"
        # Ten digits: beyond them stand the rounding errors of binary fractions. Whole numbers keep all of theirs.
        return f"{value:.10g}" if isinstance(value, float) and not value.is_integer() else str(int(value))
    return str(value)


def _sheet_parts(package: Package) -> dict[str, str]:
    """The part of each sheet by its name."""
    main = package.main
    relations = package.relations(main)
    sheets = markup.child(package.tree(main), "sheets")
    found = {}
    for sheet in () if sheets is None else sheets:
        identifier = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        if identifier in relations:
            found[sheet.get("name") or ""] = relations[identifier].target
    return found


def _add_rest(package: Package, part: str, number: int, assembly: Assembly) -> None:
    """What is on a sheet besides its cells."""
    for relation in package.relations(part).values():
        if relation.external:
            continue
        if relation.kind in {"comments", "threadedComment"}:
            root = package.optional_tree(relation.target)
            for comment in () if root is None else markup.descendants(root, "comment", "threadedComment"):
                words = "".join(item.text or "" for item in markup.descendants(comment, "t", "text"))
                cell = markup.attribute(comment, "ref")
                assembly.add(f"{cell}: {words.strip()}" if words.strip() else "", "note", number)
        elif relation.kind in {"drawing", "chartsheet"}:
            root = package.optional_tree(relation.target)
            if root is None:
                continue
            for paragraph in markup.descendants(root, "p"):
                assembly.add(
                    "".join(item.text or "" for item in markup.descendants(paragraph, "t")), page=number
                )
            drawings.add(root, relation.target, package=package, assembly=assembly, page=number)
