"""How good is a ranking? The measures of information retrieval, per query, and what a difference is worth.

Conventions are trec_eval's and BEIR's: a grade above zero is relevant, what nobody judged is not, and nDCG's
gain is the grade itself. Each measure returns one number per query, so that means, intervals and tests share
one source.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Rankings of Q queries, the longest R long, with their judgements filled in."""

    # (Q, R): gains[i, j] is the grade of what query i has at rank j + 1; 0 beyond its end.
    gains: Numbers
    # (Q, P): each query's grades above zero, highest first, then zeros.
    ideal: Numbers
    # (Q,): how many results are relevant, found or not.
    positives: npt.NDArray[np.int64]


def judge(rankings: Sequence[Sequence[Hashable]], grades: Sequence[Mapping[Hashable, float]]) -> Judged:
    """`rankings[i]` is what query i found, best first; `grades[i]` says what it should have found.

    Raises ValueError for a ranking with repeats, which would count a find twice, and for a query to which
    nothing is relevant, for which no measure is defined.
    """
    if len(rankings) != len(grades):
        raise ValueError(f"{len(rankings)} rankings but judgements for {len(grades)} queries.")
    positive = [{key: grade for key, grade in row.items() if grade > 0} for row in grades]
    for index, (ranking, row) in enumerate(zip(rankings, positive, strict=True)):
        if len(set(ranking)) != len(ranking):
            raise ValueError(f"The ranking of query {index} names a result twice.")
        if not row:
            raise ValueError(f"Nothing is relevant to query {index}: leave it out.")
    gains = np.zeros((len(rankings), max(map(len, rankings), default=0)))
    ideal = np.zeros((len(rankings), max(map(len, positive), default=0)))
    for index, (ranking, row) in enumerate(zip(rankings, positive, strict=True)):
        gains[index, : len(ranking)] = [row.get(key, 0.0) for key in ranking]
        ideal[index, : len(row)] = sorted(row.values(), reverse=True)
    return Judged(gains, ideal, np.array([len(row) for row in positive], dtype=np.int64))


def recall(judged: Judged, k: int) -> Numbers:
    """(Q,): the share of all relevant results that is among the first k."""
    return _hits(judged, k) / judged.positives


def precision(judged: Judged, k: int) -> Numbers:
    """(Q,): the share of the first k that is relevant. A shorter ranking is not rewarded: k divides."""
    return _hits(judged, k) / k


def f1(judged: Judged, k: int) -> Numbers:
    """(Q,): the harmonic mean of precision and recall at k, which is 2 hits / (k + positives)."""
    return 2 * _hits(judged, k) / (k + judged.positives)


def success(judged: Judged, k: int) -> Numbers:
    """(Q,): 1 where any of the first k is relevant. For k = 1, accuracy@1; of captions, papers' R@k."""
    return np.minimum(_hits(judged, k), 1.0)


def reciprocal_rank(judged: Judged, k: int | None = None) -> Numbers:
    """(Q,): 1 / rank of the first relevant result, 0 when there is none within k. Its mean is MRR."""
    ranks = first_rank(judged)
    return np.where(ranks <= (np.inf if k is None else k), 1 / ranks, 0.0)


def first_rank(judged: Judged) -> Numbers:
    """(Q,): the rank of the first relevant result, from 1; infinity when none was found."""
    relevant = judged.gains > 0
    if relevant.shape[1] == 0:
        return np.full(len(relevant), np.inf)
    return np.where(relevant.any(axis=1), relevant.argmax(axis=1) + 1.0, np.inf)


def median_rank(judged: Judged) -> float:
    """Of `first_rank`. Infinite when more than half of the queries found nothing."""
    if len(judged.gains) == 0:
        return float("nan")
    # Not numpy's median: the mean of two middle ranks, one of them infinite, would warn in some versions.
    ranks = np.sort(first_rank(judged))
    low, high = float(ranks[(len(ranks) - 1) // 2]), float(ranks[len(ranks) // 2])
    return (low + high) / 2


def average_precision(judged: Judged) -> Numbers:
    """(Q,): the mean over all relevant results of the precision at each one's rank, 0 for those not found.
    Its mean is MAP (Manning, Raghavan & Schütze 2008, section 8.4)."""
    relevant = judged.gains > 0
    at_rank = np.cumsum(relevant, axis=1) / np.arange(1, relevant.shape[1] + 1)
    return np.asarray((at_rank * relevant).sum(axis=1) / judged.positives, dtype=np.float64)


def ndcg(judged: Judged, k: int) -> Numbers:
    """(Q,): DCG of the first k over that of the best possible first k, DCG = sum of grade / log2(rank + 1).

    Järvelin & Kekäläinen 2002, with trec_eval's linear gain.
    """
    return _dcg(judged.gains, k) / _dcg(judged.ideal, k)


def summary(judged: Judged) -> dict[str, float]:
    """The means that every evaluation prints, by the names it prints them under."""
    if len(judged.gains) == 0:
        raise ValueError("There is no query to measure.")
    means = {"ndcg@10": ndcg(judged, 10), "mrr": reciprocal_rank(judged), "map": average_precision(judged)}
    means |= {f"recall@{k}": recall(judged, k) for k in (1, 5, 10, 100)}
    means |= {f"success@{k}": success(judged, k) for k in (1, 5, 10)}
    return {name: float(values.mean()) for name, values in means.items()}


def bootstrap_interval(
    values: Numbers, *, level: float = 0.95, samples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Bounds that hold the mean of `values` (Q,) with probability `level`: the percentile bootstrap over
    queries.

    Efron & Tibshirani 1993, section 13.3.
    """
    if len(values) == 0:
        raise ValueError("There is no value to draw from.")
    random = np.random.default_rng(seed)
    # One sample at a time: all at once would need samples x Q numbers.
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(samples)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_randomisation_test(
    first: Numbers, second: Numbers, *, samples: int = 10_000, seed: int = 0
) -> float:
    """The two-sided p-value of the difference in means between two rankings' values (Q,) on the same queries.

    Fisher's randomisation test, which Smucker, Allan & Carterette 2007 recommend for retrieval: were the two
    alike, each query's pair could as well stand the other way round. The observed labelling is one of the
    samples, so that p is never 0 (Phipson & Smyth 2010).
    """
    if first.shape != second.shape or len(first) == 0:
        raise ValueError(f"Not values of the same queries: shapes {first.shape} and {second.shape}.")
    difference = first - second
    # Less a hair, so that rounding does not part sums that are equal.
    observed = abs(difference.sum()) - 1e-9
    random = np.random.default_rng(seed)
    as_extreme = 1
    for _ in range(samples):
        signs = random.integers(0, 2, len(difference)) * 2 - 1
        as_extreme += int(abs(float((signs * difference).sum())) >= observed)
    return as_extreme / (samples + 1)


def _hits(judged: Judged, k: int) -> Numbers:
    if k < 1:
        raise ValueError("k is at least 1.")
    return np.asarray((judged.gains[:, :k] > 0).sum(axis=1), dtype=np.float64)


def _dcg(gains: Numbers, k: int) -> Numbers:
    cut = gains[:, :k]
    return np.asarray((cut / np.log2(np.arange(2, cut.shape[1] + 2))).sum(axis=1), dtype=np.float64)
