"""What do operators see of the searches?"""

from collections.abc import Mapping

from prometheus_client import Counter, Histogram

# Around the targets: p50 25 ms and p95 60 ms for words, 60 and 120 for pictures.
SECONDS = (0.005, 0.01, 0.025, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5)

SEARCH_SECONDS = Histogram(
    "kb_search_seconds",
    "Time of a search by kind (words, picture, both) and stage; stage `total` is the whole search.",
    ["kind", "stage"],
    buckets=SECONDS,
)
SEARCHES = Counter(
    "kb_searches_total", "Searches answered, by kind and whether anything was found.", ["kind", "found"]
)


def observe_search(kind: str, stages_ms: Mapping[str, float], *, found: bool) -> None:
    for stage, milliseconds in stages_ms.items():
        SEARCH_SECONDS.labels(kind, stage).observe(milliseconds / 1000)
    # A quantile of the whole cannot be had from those of its parts.
    SEARCH_SECONDS.labels(kind, "total").observe(sum(stages_ms.values()) / 1000)
    SEARCHES.labels(kind, str(found).lower()).inc()
