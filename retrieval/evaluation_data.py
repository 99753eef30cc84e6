"""What is to be measured? Readers of test collections: BEIR folders and pictures with captions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class DataError(Exception):
    """The test collection cannot be read."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        super().__init__(f"{path}{'' if line is None else f':{line}'}: {reason}")
        self.path = path
        self.line = line


@dataclass(frozen=True, slots=True)
class Passage:
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class BeirData:
    corpus: dict[str, Passage]
    # Only those that something is relevant to: no measure is defined on the others.
    queries: dict[str, str]
    # By query, by document: the grade.
    qrels: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class CaptionedImage:
    path: Path
    # By language; "captions" where the file does not say which.
    captions: dict[str, tuple[str, ...]]


def read_beir(folder: Path) -> BeirData:
    """`corpus.jsonl`, `queries.jsonl` and `qrels.tsv` (or `qrels/test.tsv`) of `folder`. Raises DataError."""
    corpus: dict[str, Passage] = {}
    for path, line, row in _json_lines(folder / "corpus.jsonl"):
        key = _string(path, line, row, "_id")
        if key in corpus:
            raise DataError(path, line, f"the document {key!r} stands here a second time")
        title = _string(path, line, row, "title") if row.get("title") is not None else ""
        corpus[key] = Passage(title, _string(path, line, row, "text"))
    texts: dict[str, str] = {}
    for path, line, row in _json_lines(folder / "queries.jsonl"):
        key = _string(path, line, row, "_id")
        if key in texts:
            raise DataError(path, line, f"the query {key!r} stands here a second time")
        texts[key] = _string(path, line, row, "text")
    qrels = _read_qrels(folder, texts, corpus)
    if not corpus or not qrels:
        raise DataError(folder, None, "it has no documents, or no query that any document answers")
    return BeirData(corpus, {key: text for key, text in texts.items() if key in qrels}, qrels)


def read_captions(folder: Path) -> list[CaptionedImage]:
    """The rows of `captions.jsonl`: `image`, and `en` and `zh`, or `captions`. Raises DataError."""
    images: list[CaptionedImage] = []
    for path, line, row in _json_lines(folder / "captions.jsonl"):
        name = _string(path, line, row, "image")
        image = (folder / name).resolve()
        if not image.is_relative_to(folder.resolve()):
            raise DataError(path, line, f"the image {name!r} is outside the folder")
        if not image.is_file():
            raise DataError(path, line, f"there is no image {name!r}")
        found = {
            language: _texts(path, line, row, language)
            for language in ("en", "zh", "captions")
            if row.get(language) is not None
        }
        if not any(found.values()):
            raise DataError(path, line, "it has no caption: expected `en`, `zh` or `captions`")
        images.append(CaptionedImage(image, found))
    if not images:
        raise DataError(folder / "captions.jsonl", None, "it has no rows")
    return images


def caption_queries(images: list[CaptionedImage], language: str) -> dict[str, frozenset[Path]]:
    """Each distinct caption in `language`, and all the images it names: any of them is right."""
    found: dict[str, set[Path]] = {}
    for image in images:
        for caption in image.captions.get(language, ()):
            found.setdefault(caption, set()).add(image.path)
    return {caption: frozenset(paths) for caption, paths in found.items()}


def _read_qrels(
    folder: Path, queries: dict[str, str], corpus: dict[str, Passage]
) -> dict[str, dict[str, float]]:
    path = folder / "qrels.tsv"
    if not path.exists():
        path = folder / "qrels" / "test.tsv"
    qrels: dict[str, dict[str, float]] = {}
    for line, text in _lines(path):
        fields = text.split()
        # BEIR: query, document, grade, under a header. TREC: query, iteration, document, grade, without one.
        if len(fields) == 4:
            fields = [fields[0], *fields[2:]]
        if line == 1 and fields and fields[-1].lower() in ("score", "grade", "relevance"):
            continue
        if len(fields) != 3:
            raise DataError(path, line, "expected a query, a document and a grade, parted by tabs")
        query, document, grade_text = fields
        try:
            grade = float(grade_text)
        except ValueError as error:
            raise DataError(path, line, f"the grade {grade_text!r} is no number") from error
        if query not in queries:
            raise DataError(path, line, f"there is no query {query!r}")
        if document not in corpus:
            raise DataError(path, line, f"there is no document {document!r}")
        if grade > 0:
            qrels.setdefault(query, {})[document] = grade
    return qrels


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, numbered from 1."""
    line = 0
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first line.
        with path.open(encoding="utf-8-sig") as stream:
            for line, text in enumerate(stream, start=1):
                if text.strip():
                    yield line, text.strip()
    except OSError as error:
        raise DataError(path, None, error.strerror or "it cannot be read") from error
    except UnicodeDecodeError as error:
        raise DataError(path, line + 1, "it is not UTF-8") from error


def _json_lines(path: Path) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for line, text in _lines(path):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(path, line, "it is not JSON") from error
        if not isinstance(row, dict):
            raise DataError(path, line, "expected a JSON object")
        yield path, line, row


def _string(path: Path, line: int, row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    # Some collections number their documents.
    if field == "_id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or (field in ("_id", "image") and not value):
        raise DataError(path, line, f"expected text in `{field}`")
    return value


def _texts(path: Path, line: int, row: dict[str, Any], field: str) -> tuple[str, ...]:
    value = [row[field]] if isinstance(row[field], str) else row[field]
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise DataError(path, line, f"expected text, or a list of texts, in `{field}`")
    return tuple(text.strip() for text in value if text.strip())
