"""How well did the searches find what is relevant? Figures from ranked lists, as one JSON-ready object."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kb.permissions import AnyUser
from retrieval.evaluation import mean_reciprocal_rank, ndcg_at_k, recall_at_k
from retrieval.search import SearchRequest, ranked_assets

# As deep as recall@100 looks.
DEPTH = 100
Judgements = Mapping[int, float]


@dataclass(slots=True)
class Ranked:
    """The answers to all queries, in their order, by channel and as ranked by default, and how long each took."""

    channels: dict[str, list[list[int]]] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)


def ask(user: AnyUser, requests: Sequence[SearchRequest], tick: Callable[[], object]) -> Ranked:
    """Sends `requests` through the search service, after a first one that is not counted (it loads the encoder)."""
    ranked = Ranked()
    if requests:
        ranked_assets(user, requests[0], DEPTH)
    for position, request in enumerate(requests):
        began = time.perf_counter()
        answer = ranked_assets(user, request, DEPTH)
        ranked.milliseconds.append((time.perf_counter() - began) * 1000)
        for channel, assets in answer.items():
            # A channel that is silent on some queries still gets a list for each of them.
            ranked.channels.setdefault(channel, [[] for _ in requests])[position] = assets
        tick()
    return ranked


def figures(answers: Sequence[Sequence[int]], judgements: Sequence[Judgements]) -> dict[str, float]:
    """The measures over all queries; `judgements[i]` maps the relevant assets of query i to their grade."""
    relevant = [{asset for asset, grade in judged.items() if grade > 0} for judged in judgements]
    return {
        "ndcg@10": _round(ndcg_at_k(answers, judgements, 10)),
        "mrr": _round(mean_reciprocal_rank(answers, relevant)),
        **{f"recall@{k}": _round(recall_at_k(answers, relevant, k)) for k in (1, 5, 10, 100)},
    }


def summary(ranked: Ranked, judgements: Sequence[Judgements]) -> dict[str, object]:
    """Default ranking on top, each channel below, and the times."""
    empty: list[list[int]] = [[] for _ in judgements]
    return {
        "queries": len(judgements),
        "channels": {name: figures(answers, judgements) for name, answers in sorted(ranked.channels.items())},
        **figures(ranked.channels.get("fused", empty), judgements),
        "p50_ms": _round(float(np.percentile(ranked.milliseconds, 50)), 1),
        "p95_ms": _round(float(np.percentile(ranked.milliseconds, 95)), 1),
    }


def _round(value: float, digits: int = 4) -> float:
    return round(float(value), digits)
