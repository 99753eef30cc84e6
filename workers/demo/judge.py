"""Did a search of the demo answer as it must? Compares hits and facets with what the example says."""

from retrieval.results import Hit, SearchResult
from workers.demo.examples import Example, Expected


def path_of(hit: Hit, slugs: dict[int, str]) -> str:
    """The hit's file as the examples name it: collection's slug, then the path inside the collection."""
    return f"{slugs[hit.collection_id]}/{hit.source_uri}"


def complaints(example: Example, result: SearchResult, slugs: dict[int, str]) -> list[str]:
    """What is wrong with `result`; empty when all is as `example` says. `slugs` are of all collections."""
    paths = [path_of(hit, slugs) for hit in result.hits]
    found = [_missing(wanted, result, paths) for wanted in example.expected]
    for path, hit in zip(paths, result.hits, strict=True):
        collection = path.split("/", 1)[0]
        if {path, collection} & set(example.never):
            found.append(f"{path} must not be seen")
        if example.only_kind not in ("", hit.kind) or example.only_collection not in ("", collection):
            found.append(f"{path} does not pass the filter")
    for facet in result.facets:
        if facet.field == "collection" and facet.value in example.never:
            found.append(f"the facet {facet.value} must not be seen")
    return [complaint for complaint in found if complaint]


def _is_then(wanted: Expected, hit: Hit) -> bool:
    if wanted.second is None:
        return True
    return hit.start_ms is not None and abs(hit.start_ms / 1000 - wanted.second) <= 1


def _missing(wanted: Expected, result: SearchResult, paths: list[str]) -> str:
    for hit, path in list(zip(result.hits, paths, strict=True))[: wanted.within]:
        if path == wanted.path and wanted.page in (None, hit.page) and _is_then(wanted, hit):
            return ""
    where = f"{wanted.path}{f', page {wanted.page}' if wanted.page else ''}"
    if wanted.second is not None:
        where += f", second {wanted.second:g}"
    if wanted.path not in paths:
        return f"{where} is not among the hits"
    rank = paths.index(wanted.path) + 1
    page = result.hits[rank - 1].page
    return f"{where} is not among the first {wanted.within}: number {rank}{f', page {page}' if page else ''}"
