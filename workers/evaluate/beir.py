"""How well are passages found by questions? A BEIR folder, one text file a document."""

from pathlib import Path

from tqdm import tqdm

from retrieval.evaluation_data import read_beir
from retrieval.search import SearchRequest
from workers.evaluate.report import Judgements, ask, summary
from workers.evaluate.scratch import ingest, scratch_library


def evaluate_beir(folder: Path, work: Path) -> dict[str, object]:
    """Figures for the queries of `folder` that have judgements. `work`: an empty folder for the files."""
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
        query_id for query_id in data.queries if any(grade > 0 for grade in data.qrels[query_id].values())
    ]
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
    return {"dataset": folder.resolve().name, "documents": len(asset_of), **summary(ranked, judgements)}
