"""How well did the searches find what is relevant? Sections, a table and figures from ranked lists."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kb.exceptions import QueryError
from kb.permissions import AnyUser
from retrieval import evaluation
from retrieval.evaluation_runs import Section
from retrieval.search import WITHOUT_PIXELS, SearchRequest, ranked_assets, search
from workers.evaluate.outcome import Row, Table, rounded, row

# As deep as recall@100 looks.
DEPTH = 100
DEFAULT = "fused"
Judgements = Mapping[Hashable, float]
# What the tables call a ranking; a channel's own name says enough otherwise.
NAMES = {DEFAULT: "default", WITHOUT_PIXELS: "words in and about the files only"}


@dataclass(slots=True)
class Ranked:
    """The answers to all queries, in their order, by channel and as ranked by default, and how long each took."""

    channels: dict[str, list[list[int]]] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)

    def rankings(self, queries: int) -> list[list[int]]:
        """As people get them: a list for each of `queries`, empty where none found anything."""
        return self.channels.get(DEFAULT) or [[] for _ in range(queries)]


@dataclass(frozen=True, slots=True)
class Measured:
    """What `measured` made of the answers to one set of queries."""

    figures: dict[str, object]
    sections: dict[str, Section]
    table: Table


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


def measured(
    ranked: Ranked,
    judgements: Sequence[Judgements],
    *,
    title: str,
    keys: Sequence[str],
    candidates: int,
    any_positive: bool = False,
) -> Measured:
    """Default ranking on top of the figures, each channel below, and the times; the table begins with chance.

    `keys` name the queries in a saved run. `candidates`: how many things could be found. `any_positive`: see
    `evaluation.per_query`.
    """
    empty: list[list[int]] = [[] for _ in judgements]
    sections: dict[str, Section] = {}
    figures: dict[str, dict[str, float | None]] = {}
    recalled = evaluation.success if any_positive else evaluation.recall
    for name, answers in sorted((ranked.channels or {DEFAULT: empty}).items()):
        judged = evaluation.judge(answers, judgements)
        section = Section(tuple(keys), evaluation.per_query(judged, any_positive=any_positive))
        sections[name] = section
        figures[name] = rounded(section.means() | {"recall@100": float(recalled(judged, 100).mean())})
    by_chance = {
        name: float(values.mean())
        for name, values in evaluation.chance(
            evaluation.judge(empty, judgements), candidates, any_positive=any_positive
        ).items()
    }
    named = {name: NAMES.get(name, f"{name} alone") for name in sections}
    # From nothing to everything.
    order = sorted(sections, key=lambda name: (name == DEFAULT, name != WITHOUT_PIXELS, name))
    rows = [Row("chance", by_chance), *(row(named[name], sections[name]) for name in order)]
    times = np.asarray(ranked.milliseconds or [0.0])
    return Measured(
        {
            "queries": len(judgements),
            "candidates": candidates,
            "channels": figures,
            **figures[DEFAULT],
            "chance": rounded(by_chance),
            "p50_ms": round(float(np.percentile(times, 50)), 1),
            "p95_ms": round(float(np.percentile(times, 95)), 1),
        },
        sections,
        Table(f"{title}: {len(judgements)} queries, {candidates} candidates", tuple(rows)),
    )
