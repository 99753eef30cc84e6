"""How well are passages found by questions? A BEIR folder, one text file a document."""

from pathlib import Path

from tqdm import tqdm

from retrieval.evaluation_data import DataError, Passage, read_beir
from retrieval.evaluation_runs import Run
from retrieval.languages import detect_language
from retrieval.search import SearchRequest
from workers.evaluate.examples import examples
from workers.evaluate.outcome import Outcome, Shown
from workers.evaluate.report import Judgements, ask, measured
from workers.evaluate.scratch import ingest, scratch_library
from workers.evaluate.site import site

# Of a document, in a report: enough to tell what it is about.
SHOWN_CHARACTERS = 160


def evaluate_beir(folder: Path, work: Path, *, language: str = "") -> Outcome:
    """Of the queries of `folder` that have judgements. `work`: an empty folder for the files.

    `language` (ISO 639-1): of queries in it alone, as it is told by their letters and words. Raises DataError.
    """
    data = read_beir(folder)
    files: dict[str, tuple[Path, str]] = {}
    document_of: dict[str, str] = {}
    for number, (document_id, document) in enumerate(data.corpus.items()):
        # A data set's ids may hold what a path may not.
        uri = f"{number:07}.txt"
        text = document.text.strip() or document.title.strip()
        if not text:
            continue  # Nothing could find it, and ingest refuses an empty file.
        (work / uri).write_text(text, encoding="utf-8")
        files[uri] = (work / uri, document.title)
        document_of[uri] = document_id
    judged = [
        query_id
        for query_id, text in data.queries.items()
        if any(grade > 0 for grade in data.qrels[query_id].values())
        and (not language or detect_language(text) == language)
    ]
    if not judged:
        raise DataError(folder / "queries.jsonl", None, f"none of the queries is in {language!r}")
    with scratch_library() as library:
        asset_of = {document_of[uri]: asset for uri, asset in ingest(library, files).items()}
        requests = [SearchRequest(words=data.queries[query_id]) for query_id in judged]
        with tqdm(total=len(requests), desc="search", unit="query", disable=None) as progress:
            ranked = ask(library.user, requests, progress.update)
    # A relevant document that has no words stays among what should have been found, under its own id.
    judgements: list[Judgements] = [
        {asset_of.get(key, key): float(grade) for key, grade in data.qrels[query_id].items()}
        for query_id in judged
    ]
    name = folder.resolve().name
    answer = measured(
        ranked,
        judgements,
        title=f"{name}, question → document{language and f', {language}'}",
        keys=judged,
        candidates=len(asset_of),
    )
    document_at = {asset: document_id for document_id, asset in asset_of.items()}
    shown = examples(
        "Question → document",
        ranked.rankings(len(judged)),
        judgements,
        lambda index: Shown(data.queries[judged[index]]),
        lambda key: Shown(_text(data.corpus[document_at.get(key, key)])),
    )
    figures = {"dataset": name, "documents": len(asset_of), **site(), **answer.figures}
    if language:
        figures["queries_language"] = language
    sections = {f"question_to_document/{channel}": found for channel, found in answer.sections.items()}
    return Outcome(Run("beir", name, site(), sections), figures, [answer.table], shown)


def _text(document: Passage) -> str:
    text = " ".join(f"{document.title} {document.text}".split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
