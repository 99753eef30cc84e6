"""How well did the searches find what is relevant? Figures from ranked lists, as one JSON-ready object."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kb.exceptions import QueryError
from kb.permissions import AnyUser
from retrieval import evaluation
from retrieval.search import SearchRequest, ranked_assets, search

# As deep as recall@100 looks.
DEPTH = 100
KS = (1, 5, 10, 100)
Judgements = Mapping[Hashable, float]


@dataclass(slots=True)
class Ranked:
    """The answers to all queries, in their order, by channel and as ranked by default, and how long each took."""

    channels: dict[str, list[list[int]]] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)


def ask(user: AnyUser, requests: Sequence[SearchRequest], tick: Callable[[], object]) -> Ranked:
    """Sends `requests` through the search service, after a first one that is not counted (it loads the encoder).

    The time is that of a search as the page and the API answer it; the rankings are asked for apart.
    """
    ranked = Ranked()
    if requests:
        ranked_assets(user, requests[0], DEPTH)
    for position, request in enumerate(requests):
        tick()
        began = time.perf_counter()
        try:
            search(user, request)
        except QueryError:
            continue  # Data sets hold a few empty questions; a search that is refused finds nothing.
        ranked.milliseconds.append((time.perf_counter() - began) * 1000)
        answer = ranked_assets(user, request, DEPTH)
        for channel, assets in answer.items():
            # A channel that is silent on some queries still gets a list for each of them.
            ranked.channels.setdefault(channel, [[] for _ in requests])[position] = assets
    return ranked


def summary(
    ranked: Ranked, judgements: Sequence[Judgements], *, any_positive: bool = False
) -> dict[str, object]:
    """Default ranking on top, each channel below, and the times.

    `any_positive`: recall@k is the share of queries with any relevant result among the first k, as papers on
    captions report it (Karpathy & Fei-Fei 2015), not the share of all that is relevant.
    """
    recall = evaluation.success if any_positive else evaluation.recall
    empty: list[list[int]] = [[] for _ in judgements]

    def figures(answers: Sequence[Sequence[int]]) -> dict[str, float]:
        judged = evaluation.judge(answers, judgements)
        means = evaluation.summary(judged)
        recalls = {f"recall@{k}": float(recall(judged, k).mean()) for k in KS}
        kept = {name: means[name] for name in ("ndcg@10", "mrr", "map")} | recalls
        return {name: round(value, 4) for name, value in kept.items()}

    times = np.asarray(ranked.milliseconds)
    return {
        "queries": len(judgements),
        "channels": {name: figures(answers) for name, answers in sorted(ranked.channels.items())},
        **figures(ranked.channels.get("fused", empty)),
        "p50_ms": round(float(np.percentile(times, 50)), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
    }
