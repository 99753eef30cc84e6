"""How does a manual's Markdown become a PDF? Headings, lists, tables, figures and page breaks."""

import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable
from PIL import Image
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont as EmbeddedFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    ListFlowable,
    ListItem,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)
from reportlab.platypus import Image as Figure

from workers.demo.making.canvas import BLUE, GREY, INK, LINE, NOTO, PALE, SIMPLIFIED, with_few_colours

# A5 with these margins: what lies beside a machine is small. Figure widths are given for a 170 mm column.
COLUMN_MM, SIDE_MM = 120.0, 14.0
# A curve of the font may move by this share of the em when its outlines become quadratic: invisible.
OUTLINE_ERROR = 0.0005


def truetype_subset(path: Path, letters: str) -> BytesIO:
    """The glyphs of `letters` as TrueType: reportlab embeds no PostScript outlines, Noto has no others."""
    face = TTFont(path, fontNumber=SIMPLIFIED, recalcTimestamp=False)
    options = Options(layout_features=[], notdef_outline=True, hinting=False, glyph_names=True)
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GSUB", "GPOS"]
    subsetter = Subsetter(options)
    subsetter.populate(text=letters)
    subsetter.subset(face)
    outlines, error = face.getGlyphSet(), face["head"].unitsPerEm * OUTLINE_ERROR
    glyphs = {}
    for name in face.getGlyphOrder():
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, error, reverse_direction=True))
        glyphs[name] = pen.glyph()
    table = newTable("glyf")
    table.glyphOrder, table.glyphs = face.getGlyphOrder(), glyphs
    face["glyf"], face["loca"] = table, newTable("loca")
    del face["CFF "]
    face["maxp"].tableVersion = 0x00010000
    for name in (
        "maxZones",
        "maxTwilightPoints",
        "maxStorage",
        "maxFunctionDefs",
        "maxInstructionDefs",
        "maxStackElements",
        "maxSizeOfInstructions",
        "maxComponentElements",
        "maxPoints",
        "maxContours",
        "maxCompositePoints",
        "maxCompositeContours",
        "maxComponentDepth",
    ):
        setattr(face["maxp"], name, 1 if name == "maxZones" else 0)
    face["post"].formatType = 3.0
    face.sfntVersion = "\x00\x01\x00\x00"
    file = BytesIO()
    face.save(file)
    file.seek(0)
    return file


def _inline(words: str) -> str:
    words = escape(words)
    words = re.sub(r"\*\*(.+?)\*\*", r'<font name="Bold">\1</font>', words)
    return re.sub(r"`(.+?)`", rf'<font color="{BLUE}">\1</font>', words)


def _figure(caption: str, picture: Image.Image, style: ParagraphStyle, width_mm: float) -> Flowable:
    file = BytesIO()
    with_few_colours(picture).convert("RGB").save(file, "PNG", optimize=True)
    file.seek(0)
    width = width_mm / 170 * COLUMN_MM * mm
    drawn = Figure(file, width, width * picture.height / picture.width)
    return KeepTogether([Spacer(1, 4), drawn, Paragraph(_inline(caption), style), Spacer(1, 6)])


def register_fonts(letters: str) -> None:
    """Makes the fonts `Text` and `Bold` known, once for all documents: reportlab keeps a name."""
    for name, weight in (("Text", "Regular"), ("Bold", "Bold")):
        subset = truetype_subset(NOTO / f"NotoSansCJK-{weight}.ttc", letters + "0123456789 /·•")
        pdfmetrics.registerFont(EmbeddedFont(name, subset))


def typeset(source: str, figures: Mapping[str, Image.Image], target: Path) -> None:
    """Sets the Markdown `source` as the PDF `target`. `![caption](name 120)` places figures[name].

    `register_fonts` must have been called with every letter of it. Same source, same bytes: no clock and no
    random identifier gets into the file.
    """
    chinese = sum(ord(letter) > 0x2E80 for letter in source) > len(source) * 0.2

    def style(size: float, lead: float, **more: object) -> ParagraphStyle:
        settings: dict[str, object] = {
            "fontName": "Text",
            "fontSize": size,
            "leading": lead,
            "textColor": HexColor(INK),
            "wordWrap": "CJK" if chinese else None,
            **more,
        }
        return ParagraphStyle("style", **settings)

    body = style(9.5, 14.5, spaceAfter=6)
    heads = {
        1: style(19, 26, fontName="Bold", spaceAfter=10),
        2: style(13.5, 20, fontName="Bold", spaceBefore=10, spaceAfter=8, textColor=HexColor(BLUE)),
        3: style(10.5, 16, fontName="Bold", spaceBefore=8, spaceAfter=4),
    }
    caption = style(8, 11.5, textColor=HexColor(GREY), alignment=1)
    cell, head_cell = style(8.5, 12.5), style(8.5, 12.5, fontName="Bold")
    story: list[Flowable] = []
    title, footer = "", ""
    for block in re.split(r"\n\s*\n", source.strip()):
        lines = block.strip().splitlines()
        first = lines[0]
        if match := re.match(r"(#{1,3}) (.+)", first):
            level, words = len(match[1]), match[2]
            title = title or words
            story.append(Paragraph(_inline(words), heads[level]))
        elif first.startswith("footer: "):
            footer = first.removeprefix("footer: ")
        elif first == "---":
            story.append(PageBreak())
        elif match := re.match(r"!\[(.+)\]\((\S+) (\d+)\)", first):
            story.append(_figure(match[1], figures[match[2]], caption, float(match[3])))
        elif first.startswith("|"):
            rows = [[entry.strip() for entry in line.split("|")[1:-1]] for line in lines if "---" not in line]
            cells = [
                [Paragraph(_inline(entry), head_cell if number == 0 else cell) for entry in row]
                for number, row in enumerate(rows)
            ]
            longest = [
                max(min(sum(2 if ord(c) > 0x2E80 else 1 for c in row[column]), 60) for row in rows) + 3
                for column in range(len(rows[0]))
            ]
            widths = [COLUMN_MM * mm * length / sum(longest) for length in longest]
            ruled = TableStyle(
                [
                    ("GRID", (0, 0), (-1, -1), 0.5, HexColor(LINE)),
                    ("BACKGROUND", (0, 0), (-1, 0), HexColor(PALE)),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
                ]
            )
            story += [Table(cells, widths, style=ruled, repeatRows=1), Spacer(1, 8)]
        elif re.match(r"(-|\d+\.) ", first):
            numbered = first[0].isdigit()
            items = [ListItem(Paragraph(_inline(re.sub(r"^(-|\d+\.) ", "", line)), body)) for line in lines]
            story.append(
                ListFlowable(
                    items,
                    bulletType="1" if numbered else "bullet",
                    start=None if numbered else "•",
                    bulletFontName="Text",
                    bulletFontSize=9.5,
                    leftIndent=16,
                )
            )
        else:
            story.append(Paragraph(_inline(("" if chinese else " ").join(lines)), body))

    def furniture(page: Canvas, document: BaseDocTemplate) -> None:
        page.saveState()
        page.setStrokeColor(HexColor(BLUE))
        page.setLineWidth(2)
        page.line(SIDE_MM * mm, 199 * mm, (SIDE_MM + COLUMN_MM) * mm, 199 * mm)
        page.setFont("Text", 7)
        page.setFillColor(HexColor(GREY))
        page.drawString(SIDE_MM * mm, 9 * mm, footer)
        page.drawRightString((SIDE_MM + COLUMN_MM) * mm, 9 * mm, str(document.page))
        page.restoreState()

    document = BaseDocTemplate(
        str(target),
        pagesize=A5,
        title=title,
        author="Halden Pumps",
        lang="zh-CN" if chinese else "en",
        invariant=1,
    )
    frame = Frame(SIDE_MM * mm, 17 * mm, COLUMN_MM * mm, 178 * mm, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=furniture))
    document.build(story)
