"""What does a PDF say and show? Ten pages at a time: their text, their pictures, their figures."""

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from workers.extract import layout, limits, ocr, pdf_figures, pdf_text
from workers.extract.assemble import Assembly
from workers.extract.base import Extraction, ExtractionError, OcrLine, Picture, Source
from workers.extract.layout import Line, Paragraph

warm = ocr.warm

# Titles that a program wrote and nobody read.
_EMPTY_TITLE = re.compile(
    r"\s*(?:untitled|unnamed|document|title|no title|slide \d+|powerpoint presentation|无标题|"
    r".*\.(?:docx?|indd|qxd|pptx?|xlsx?|pdf|tex|dvi|rtf|txt|odt|html?))?\s*",
    re.IGNORECASE,
)
_PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel)\s*-\s*", re.IGNORECASE)
# Running heads and page numbers: the same words in the outer tenth of at least three pages.
_MARGIN_SHARE = 0.1
_MIN_REPEATS = 3
_JPEG_QUALITY = (
    80  # Pages go by the thousand: JPEG is written four times as fast as WebP, and letters stay clean.
)
_SMALLEST_SIDE_PT = 0.1


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    height: float
    lines: tuple[Line, ...]
    picture: Picture
    page: pdfium.PdfPage


def extract(source: Source) -> Extraction:
    document = _opened(source)
    count = len(document)
    if count == 0:
        raise ExtractionError("no_pages")
    readable = min(count, limits.MAX_PAGES)
    assembly = Assembly(source.scratch)
    if count > readable and source.part == 0:
        assembly.warn("pages_capped", f"Only the first {readable} of {count} pages are searchable.")
    first = source.part * limits.PAGES_PER_PART
    pages = []
    for index in range(first, min(first + limits.PAGES_PER_PART, readable)):
        try:
            pages.append(_read(document, index, source))
        except pdfium.PdfiumError:
            assembly.warn(
                "page_unreadable", f"Page {index + 1} could not be read; the others are searchable."
            )
    if not pages and count <= limits.PAGES_PER_PART:
        raise ExtractionError("corrupt")
    _assemble(pages, assembly)
    metadata = document.get_metadata_dict(skip_empty=True)
    if source.part == 0:
        assembly.title = _title(metadata.get("Title", "")) or assembly.title
    if not pages:
        return Extraction(parts=_parts(readable), page_count=count, warnings=assembly.warnings)
    return dataclasses.replace(
        assembly.finish([page.picture for page in pages]),
        metadata={
            key.lower(): metadata[key] for key in ("Author", "Subject", "Keywords") if metadata.get(key)
        },
        page_count=count,
        parts=_parts(readable),
    )


def _parts(pages: int) -> int:
    return -(-pages // limits.PAGES_PER_PART)


def _opened(source: Source) -> pdfium.PdfDocument:
    if source.path.stat().st_size == 0:
        raise ExtractionError("empty_file")
    try:
        document = pdfium.PdfDocument(source.path)
    except pdfium.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise ExtractionError("encrypted") from error
        # What pdfium says of a sound file with an empty page tree: it failed, and nothing is wrong.
        raise ExtractionError("no_pages" if error.err_code == raw.FPDF_ERR_SUCCESS else "corrupt") from error
    document.init_forms()  # So that what people filled in is drawn, too.
    return document


def _read(document: pdfium.PdfDocument, index: int, source: Source) -> _Page:
    """One page's lines and picture. Raises PdfiumError when the page is beyond reading."""
    page = document[index]
    width, height = page.get_size()
    if min(width, height) < _SMALLEST_SIDE_PT:
        raise pdfium.PdfiumError("The page has no area.")
    lines = tuple(pdf_text.lines(page, index + 1))
    image = _render(page, limits.MAX_PAGE_SIDE_PX)
    scanned: tuple[OcrLine, ...] = ()
    if not lines and not _blank(image):
        scanned = ocr.read_lines(image)
        lines = tuple(_line(line, width, height, index + 1) for line in scanned)
    name = f"page-{index + 1:05}.jpg"
    image.save(source.scratch / name, "JPEG", quality=_JPEG_QUALITY)
    picture = Picture(
        "page", file=name, page=index + 1, ocr=scanned, width_px=image.width, height_px=image.height
    )
    return _Page(index + 1, height, lines, picture, page)


def _render(
    page: pdfium.PdfPage, side_px: int, box: tuple[float, float, float, float] = (0, 0, 1, 1)
) -> Image.Image:
    """The page, or the part of it in `box`, with `side_px` as its longest side."""
    width, height = page.get_size()
    left, top, right, bottom = box
    scale = side_px / max(width * (right - left), height * (bottom - top))
    crop = (left * width, (1 - bottom) * height, (1 - right) * width, top * height)
    # A page of one by ten thousand points: each side has at least a pixel.
    if min(width * (right - left), height * (bottom - top)) * scale < 1:
        raise pdfium.PdfiumError("The page is a line.")
    image: Image.Image = page.render(scale=scale, crop=crop, rev_byteorder=True).to_pil()
    return image.convert("RGB")


def _blank(image: Image.Image) -> bool:
    return all(low == high for low, high in cast("tuple[tuple[int, int], ...]", image.getextrema()))


def _line(line: OcrLine, width: float, height: float, number: int) -> Line:
    left, top, right, bottom = line.box
    return Line(
        line.text,
        left * width,
        top * height,
        right * width,
        bottom * height,
        # Boxes of the detector are drawn a fifth wider than the letters.
        size=(bottom - top) * height * 0.8,
        page=number,
    )


def _assemble(pages: Sequence[_Page], assembly: Assembly) -> None:
    repeated = _repeated(pages)
    body = layout.body_size(line for page in pages for line in page.lines)
    for page in pages:
        lines = [line for line in page.lines if _marginal(line, page) not in repeated]
        paragraphs = list(layout.paragraphs(lines))
        figures = pdf_figures.find(page.page, paragraphs) if not page.picture.ocr else []
        captions = {figure.caption for figure in figures}
        labels = pdf_figures.labels(page.page, figures, paragraphs)
        for index, paragraph in enumerate(paragraphs):
            for figure in figures:
                if figure.after == index:
                    _add_figure(figure, page, assembly)
            if index not in labels:
                _add(paragraph, body, page, assembly, is_caption=paragraph.text in captions)
        for figure in figures:
            if figure.after >= len(paragraphs):
                _add_figure(figure, page, assembly)
        # Words inside a figure: found, but in nobody's way in the text.
        assembly.add(" ".join(paragraphs[index].text for index in sorted(labels)), "note", page=page.number)


def _add(paragraph: Paragraph, body: float, page: _Page, assembly: Assembly, *, is_caption: bool) -> None:
    # Sizes of scanned lines vary by a quarter with their letters: no headings are told from them.
    level = 0 if is_caption or page.picture.ocr else layout.heading_level(paragraph, body)
    if not level:
        assembly.add(paragraph.text, "caption" if is_caption else "paragraph", page=page.number)
        return
    if not assembly.title and page.number == 1:
        assembly.title = paragraph.text
    assembly.heading(paragraph.text, level, page=page.number)


def _add_figure(figure: pdf_figures.Figure, page: _Page, assembly: Assembly) -> None:
    if assembly.figures >= limits.MAX_FIGURES:
        return
    left, top, right, bottom = figure.box
    width, height = page.page.get_size()
    # Twice the page picture's resolution: what is small on the page is legible in the figure.
    share = max((right - left) * width, (bottom - top) * height) / max(width, height)
    try:
        image = _render(
            page.page, min(limits.MAX_PAGE_SIDE_PX, round(2 * share * limits.MAX_PAGE_SIDE_PX)), figure.box
        )
    except pdfium.PdfiumError:
        assembly.warn("figure_unreadable", "")
        return
    if min(image.size) < limits.MIN_FIGURE_SIDE_PX or _blank(image):
        return
    name = f"figure-{page.number:05}-{assembly.figures + 1:03}.jpg"
    image.save(assembly.scratch / name, "JPEG", quality=_JPEG_QUALITY)
    assembly.figure(
        Picture(
            "figure",
            file=name,
            page=page.number,
            box=figure.box,
            caption=figure.caption,
            ocr=ocr.read_lines(image) if assembly.figures < limits.MAX_OCR_FIGURES else (),
            width_px=image.width,
            height_px=image.height,
        )
    )


def _marginal(line: Line, page: _Page) -> str:
    """What a running head says, its numbers aside; "" for a line that stands in the text."""
    if _MARGIN_SHARE * page.height < line.top and line.bottom < (1 - _MARGIN_SHARE) * page.height:
        return ""
    return re.sub(r"\d+", "#", line.text)


def _repeated(pages: Sequence[_Page]) -> frozenset[str]:
    seen = Counter(
        words for page in pages for words in {_marginal(line, page) for line in page.lines} if words
    )
    return frozenset(words for words, times in seen.items() if times >= _MIN_REPEATS)


def _title(stated: str) -> str:
    title = _PROGRAM.sub("", stated.replace("\x00", "")).strip()
    if _EMPTY_TITLE.fullmatch(title) or len(title) > 300:
        return ""
    return title if any(letter.isalpha() for letter in title) else ""
