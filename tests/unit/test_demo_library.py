"""Is the demo's library complete, small and readable, and do its examples fit it?"""

import io
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from retrieval.results import Facet, Hit, SearchResult
from workers.demo.examples import EXAMPLES, LIBRARY, Example, Expected
from workers.demo.judge import complaints
from workers.demo.make_library import FILM, PDFS, PICTURES, SILENT_FILM
from workers.demo.people import COLLECTIONS, PEOPLE

FILES = sorted(path for path in LIBRARY.rglob("*") if path.is_file())
SLUGS = {1: "handbook", 2: "engineering", 3: "finance"}


def test_the_library_is_small_and_has_no_empty_file() -> None:
    assert len(FILES) >= 40
    assert sum(path.stat().st_size for path in FILES) < 8 * 1024**2
    assert all(path.stat().st_size > 200 for path in FILES)


def test_each_collection_is_a_folder_and_each_folder_a_collection() -> None:
    assert {path.name for path in LIBRARY.iterdir()} == {collection.slug for collection in COLLECTIONS}


def test_every_format_of_the_first_slice_is_there() -> None:
    assert {path.suffix for path in FILES} == {
        ".md",
        ".rst",
        ".html",
        ".pdf",
        ".png",
        ".jpg",
        ".webp",
        ".mp4",
        ".srt",
    }


def test_what_is_generated_is_committed() -> None:
    assert all((LIBRARY / name).is_file() for name in (*PICTURES, *PDFS, FILM, SILENT_FILM))


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix in (".png", ".jpg", ".webp")], ids=str
)
def test_a_picture_decodes_and_is_large_enough_to_read(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()
        assert min(picture.size) >= 400


@pytest.mark.parametrize("name", PDFS)
def test_every_page_of_a_pdf_has_text_and_no_letter_is_missing(name: str) -> None:
    with pypdfium2.PdfDocument(LIBRARY / name) as document:
        for number in range(len(document)):
            text = document[number].get_textpage().get_text_range()
            assert len(text) > 150
            assert not {"�", "￾", "\x00"} & set(text)
            if any("一" <= letter <= "龥" for letter in Path(name).stem):
                assert sum("一" <= letter <= "龥" for letter in text) > 100


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix in (".md", ".html", ".rst")], ids=str)
def test_pictures_that_a_text_links_to_are_there(path: Path) -> None:
    for part in path.read_text(encoding="utf-8").replace('src="', "](").split("](")[1:]:
        link = part.split(")")[0].split('"')[0]
        assert (path.parent / link).is_file(), link


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_speaks_of_people_files_and_pages_that_exist(example: Example) -> None:
    assert example.user in {person.username for person in PEOPLE}
    assert example.words or example.picture
    assert example.expected or example.never
    for wanted in example.expected:
        path = LIBRARY / wanted.path
        assert path.is_file()
        if wanted.page is not None:
            with pypdfium2.PdfDocument(path) as document:
                assert wanted.page <= len(document)
    assert all((LIBRARY / name).exists() for name in example.never)


def test_the_examples_cover_every_kind_of_search_and_everyone() -> None:
    assert len(EXAMPLES) >= 14
    assert {example.user for example in EXAMPLES} == {person.username for person in PEOPLE}
    assert any(example.picture and not example.words for example in EXAMPLES)
    assert any(example.picture and example.words for example in EXAMPLES)
    same_words = [example for example in EXAMPLES if example.words.startswith("salary bands")]
    assert {example.user for example in same_words} == {person.username for person in PEOPLE}


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.picture], ids=lambda example: example.name
)
def test_a_query_picture_is_another_file_than_the_one_it_is_made_from(example: Example) -> None:
    content = example.query_picture()
    assert content is not None
    assert example.picture is not None
    assert content != (LIBRARY / example.picture.path).read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "JPEG"


def hit(path: str, *, page: int | None = None, kind: str = "document") -> Hit:
    slug, source_uri = path.split("/", 1)
    number = next(number for number, name in SLUGS.items() if name == slug)
    return Hit(
        asset_id=1,
        kind=kind,
        title="",
        media_type="",
        language="",
        collection_id=number,
        collection_name=slug,
        source_uri=source_uri,
        updated_at="",
        segment_id=1,
        segment_kind="text",
        page=page,
        start_ms=None,
        heading_path=(),
        box=None,
        snippet=(),
        thumbnail_url="",
        content_url="",
        score=1.0,
        channels=(),
    )


def judged(example: Example, *hits: Hit, facets: tuple[Facet, ...] = ()) -> list[str]:
    return complaints(example, SearchResult(hits, len(hits), False, facets), SLUGS)


def test_the_right_file_in_its_place_on_its_page_is_no_complaint() -> None:
    example = Example("", "anna", "x", expected=(Expected("engineering/m.pdf", page=7, within=2),))
    assert judged(example, hit("handbook/a.md"), hit("engineering/m.pdf", page=7)) == []


@pytest.mark.parametrize(
    "hits",
    [
        (),
        (hit("handbook/m.pdf", page=7),),
        (hit("engineering/m.pdf", page=6),),
        (hit("handbook/a.md"), hit("engineering/m.pdf", page=7)),
    ],
    ids=["nothing", "other collection", "other page", "too far down"],
)
def test_a_missing_file_is_a_complaint(hits: tuple[Hit, ...]) -> None:
    example = Example("", "anna", "x", expected=(Expected("engineering/m.pdf", page=7),))
    assert len(judged(example, *hits)) == 1


def test_what_must_not_be_seen_is_a_complaint_as_a_hit_and_as_a_facet() -> None:
    example = Example("", "chen", "x", never=("finance",))
    assert judged(example, hit("handbook/a.md")) == []
    assert len(judged(example, hit("handbook/a.md"), hit("finance/salary.md"))) == 1
    assert len(judged(example, facets=(Facet("collection", "finance", "Finance", 1),))) == 1


def test_a_hit_that_a_filter_excludes_is_a_complaint() -> None:
    example = Example("", "anna", "x kind:image", never=("finance",), only_kind="image")
    assert judged(example, hit("handbook/a.png", kind="image")) == []
    assert len(judged(example, hit("handbook/a.md"))) == 1
