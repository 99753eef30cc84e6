"""How are office files for tests made? With the libraries that write them, and by hand where those would not."""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

import docx
import openpyxl
import pptx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from odf import draw, opendocument, presentation, style, svg, table, text
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches


def picture(colour: str = "steelblue", size: tuple[int, int] = (120, 90)) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    out.seek(0)
    return out


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Pump manual"
    document.core_properties.author = "Ines"
    document.add_heading("Seals", 1)
    document.add_paragraph("The seal is replaced every season.")
    document.add_heading("Tools", 2)
    document.add_paragraph("Torque wrench", style="List Bullet")
    rows = [["Model", "Pressure"], ["P-200", "6 bar"], ["P-300", "9 bar"]]
    grid = document.add_table(rows=3, cols=2)
    for row, cells in zip(grid.rows, rows, strict=True):
        for cell, words in zip(row.cells, cells, strict=True):
            cell.text = words
    document.add_picture(picture())
    shape = next(iter(document.element.body.iter("{*}docPr")))
    shape.set("descr", "Cross-section of the seal")
    document.add_paragraph("Figure 1: The seal from the side", style="Caption")
    body = document.element.body
    for markup in (
        "<w:sdt {}><w:sdtContent><w:p><w:r><w:t>In a content control.</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        "<w:p {}><w:ins><w:r><w:t>Inserted</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>Deleted</w:delText></w:r></w:del></w:p>",
        "<w:p {}><w:r><w:pict>"
        "<w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>",
    ):
        body.insert(len(body) - 1, parse_xml(markup.format(nsdecls("w"))))
    document.sections[0].header.paragraphs[0].text = "Confidential draft"
    document.add_comment(document.paragraphs[1].runs, text="Check the interval.", author="Liu")
    return _saved(document)


def slides() -> bytes:
    show = pptx.Presentation()
    first = show.slides.add_slide(show.slide_layouts[1])
    first.shapes.title.text = "Results"
    first.placeholders[1].text = "Revenue grew"
    first.notes_slide.notes_text_frame.text = "Mention the new plant."
    second = show.slides.add_slide(show.slide_layouts[6])
    grid = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for at, words in enumerate(["Region", "Sales", "North", "12"]):
        grid.cell(at // 2, at % 2).text = words
    image = second.shapes.add_picture(picture(), Inches(1), Inches(3))
    image._element.nvPicPr.cNvPr.set("descr", "The plant from the air")
    data = CategoryChartData()
    data.categories = ["Spring", "Autumn"]
    data.add_series("Pumps sold", (3, 5))
    chart = second.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(2), data
    ).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Seasons compared"
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "Inside a group"
    return _saved(show)


def workbook(rows: int = 2) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    sheet.append(["Price list 2026"])
    sheet.append([])
    sheet.append(["Part", "Price", "Discount"])
    for number in range(rows):
        sheet.append([f"Gasket {number}", 12.5, 0.05])
        sheet.cell(sheet.max_row, 3).number_format = "0%"
    sheet["B4"].comment = Comment("Agreed with the supplier.", "Ines")
    sheet.add_image(SheetImage(picture()), "E2")
    other = book.create_sheet("Contacts")
    other.append(["Name", "City"])
    other.append(["Ola", "Halden"])
    return _saved(book)


def large_workbook(rows: int) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Readings")
    sheet.append(["Sensor", "Value"])
    for number in range(rows):
        sheet.append([f"S{number % 7}", number])
    return _saved(book)


def open_text() -> bytes:
    document = opendocument.OpenDocumentText()
    document.text.addElement(text.H(outlinelevel=1, text="Maintenance"))
    document.text.addElement(text.P(text="Oil is changed in May."))
    items = text.List()
    item = text.ListItem()
    item.addElement(text.P(text="Drain first"))
    items.addElement(item)
    document.text.addElement(items)
    document.text.addElement(_open_table([["Oil", "Litres"], ["ISO 46", "12"]]))
    place = document.addPicture("shown.png", "image/png", picture().getvalue())
    frame = draw.Frame(width="4cm", height="3cm")
    frame.addElement(draw.Image(href=place))
    frame.addElement(svg.Desc(text="The oil gauge"))
    paragraph = text.P()
    paragraph.addElement(frame)
    document.text.addElement(paragraph)
    return _written(document)


def open_slides() -> bytes:
    show = opendocument.OpenDocumentPresentation()
    layout = style.PageLayout(name="L")
    show.automaticstyles.addElement(layout)
    master = style.MasterPage(name="M", pagelayoutname=layout)
    show.masterstyles.addElement(master)
    for title, words in (("Opening", "Good morning"), ("Closing", "Thank you")):
        page = draw.Page(masterpagename=master)
        for kind, said in (("title", title), ("outline", words)):
            frame = draw.Frame(width="10cm", height="2cm", **{"class": kind})
            box = draw.TextBox()
            box.addElement(text.P(text=said))
            frame.addElement(box)
            page.addElement(frame)
        notes = presentation.Notes()
        frame = draw.Frame(width="10cm", height="2cm")
        box = draw.TextBox()
        box.addElement(text.P(text=f"Notes on {title}"))
        frame.addElement(box)
        notes.addElement(frame)
        page.addElement(notes)
        show.presentation.addElement(page)
    return _written(show)


def open_sheets(rows: Sequence[Sequence[str]], name: str = "Stock") -> bytes:
    document = opendocument.OpenDocumentSpreadsheet()
    document.spreadsheet.addElement(_open_table(rows, name))
    document.spreadsheet.addElement(_open_table([["Only", "Here"], ["a", "b"]], "Second"))
    return _written(document)


def book() -> bytes:
    chapter = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>{}</h1><p>{}</p>'
        '<img src="../art/plate.png" alt="{}"/></body></html>'
    )
    return zipped(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            b'<rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": b'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            b"<metadata><dc:title>Sea tales</dc:title><dc:creator>Ola</dc:creator><dc:language>en-GB</dc:language>"
            b'</metadata><manifest><item id="b" href="text/two.xhtml" media-type="application/xhtml+xml"/>'
            b'<item id="a" href="text/one.xhtml" media-type="application/xhtml+xml"/></manifest>'
            b'<spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
            "OPS/text/one.xhtml": chapter.format("Storm", "The ship sank.", "A ship in a storm").encode(),
            "OPS/text/two.xhtml": chapter.format("Calm", "They were saved.", "").encode(),
            "OPS/art/plate.png": picture().getvalue(),
        }
    )


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            stored = name == "mimetype"
            archive.writestr(name, data, zipfile.ZIP_STORED if stored else None)
    return out.getvalue()


def changed(package: bytes, changes: Mapping[str, bytes]) -> bytes:
    """The package with some members replaced or added."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return zipped({name: archive.read(name) for name in archive.namelist()} | dict(changes))


def renamed_type(package: bytes, old: str, new: str) -> bytes:
    """The package with another content type of its main part."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        types = archive.read("[Content_Types].xml")
    assert old.encode() in types
    return changed(package, {"[Content_Types].xml": types.replace(old.encode(), new.encode())})


def compound(names: Sequence[str]) -> bytes:
    """An OLE2 file ([MS-CFB]) whose root has empty streams of these names."""
    end, free, fat = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    sectors = -(-(len(names) + 1) // 4)
    chain = [fat, *range(2, sectors + 1), end]
    table_ = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    entries = [_entry("Root Entry", 5, child=1 if names else free)]
    for number, name in enumerate(names, start=1):
        entries.append(_entry(name, 2, right=number + 1 if number < len(names) else free))
    directory = b"".join(entries)
    return header + table_ + directory.ljust(sectors * 512, b"\x00")


def _entry(name: str, kind: int, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF) -> bytes:
    packed = name.encode("utf-16-le") + b"\x00\x00"
    return (
        packed.ljust(64, b"\x00")
        + struct.pack("<HBBIII", len(packed), kind, 1, 0xFFFFFFFF, right, child)
        + bytes(36)
        + struct.pack("<IQ", 0xFFFFFFFE, 0)
    )


def _open_table(rows: Sequence[Sequence[str]], name: str = "T") -> table.Table:
    grid = table.Table(name=name)
    for row in rows:
        line = table.TableRow()
        for words in row:
            cell = table.TableCell(valuetype="string")
            cell.addElement(text.P(text=words))
            line.addElement(cell)
        grid.addElement(line)
    return grid


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


def _written(document: opendocument.OpenDocument) -> bytes:
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()
