"""How good is a ranking? The measures of information retrieval, per query, and what a difference is worth.

Conventions are trec_eval's and BEIR's: a grade above zero is relevant, what nobody judged is not, and nDCG's
gain is the grade itself. Each measure returns one number per query, so that means, intervals and tests share
one source.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
# Where recall is looked at: the first hit, what a person sees at a glance, a page.
KS = (1, 5, 10)
# Random numbers held at a time: 8 MB.
_DRAWN_AT_ONCE = 1_000_000


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


def judge_similarities(similarity: npt.NDArray[np.floating], grades: npt.NDArray[np.floating]) -> Judged:
    """Of Q queries that rank N candidates by `similarity` (Q, N), highest first, equal ones by their column.

    `grades` (Q, N) says what each should have found. Raises ValueError as `judge` does.
    """
    if similarity.shape != grades.shape:
        raise ValueError(f"Similarities {similarity.shape} but grades {grades.shape}.")
    positive = np.maximum(grades, 0).astype(np.float64)
    positives = (positive > 0).sum(axis=1)
    if (positives == 0).any():
        raise ValueError(f"Nothing is relevant to query {int(positives.argmin())}: leave it out.")
    order = np.argsort(-similarity, axis=1, kind="stable")
    ideal = -np.sort(-positive, axis=1)[:, : int(positives.max(initial=0))]
    return Judged(np.take_along_axis(positive, order, axis=1), ideal, positives.astype(np.int64))


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


def per_query(judged: Judged, *, any_positive: bool = False) -> dict[str, Numbers]:
    """The values (Q,) that runs keep, by the names that tables print them under; `rank` is `first_rank`.

    `any_positive`: recall@k is `success`, as papers on captions report it (Karpathy & Fei-Fei 2015), not the share
    of all that is relevant.
    """
    found = success if any_positive else recall
    values = {f"recall@{k}": found(judged, k) for k in KS}
    values |= {"mrr": reciprocal_rank(judged), "map": average_precision(judged)}
    values |= {"precision@5": precision(judged, 5), "f1@5": f1(judged, 5), "ndcg@10": ndcg(judged, 10)}
    return values | {"accuracy@1": success(judged, 1), "rank": first_rank(judged)}


def chance(judged: Judged, candidates: int, *, any_positive: bool = False) -> dict[str, Numbers]:
    """What `per_query` gives on average when each query ranks `candidates` things at random; no `rank`."""
    n, p = candidates, judged.positives.astype(np.float64)
    # (Q, n): the chance that none of the first r + 1 is relevant, one factor a rank.
    ranks = np.arange(1, n + 1)
    none_yet = np.cumprod(np.maximum(n - p[:, None] - ranks + 1, 0) / (n - ranks + 1), axis=1)
    # That the first relevant one is at rank r.
    first = np.diff(1 - none_yet, axis=1, prepend=0.0)
    share = p / n
    harmonic = float((1 / ranks).sum())
    pairs = (p - 1) / (n - 1) * (n - harmonic) if n > 1 else np.zeros_like(p)

    def recalled(k: int) -> Numbers:
        k = min(k, n)
        return np.asarray(1 - none_yet[:, k - 1] if any_positive else np.full(len(p), k / n))

    at_most = min(5, n)
    discounts = float((1 / np.log2(ranks[: min(10, n)] + 1)).sum())
    return {f"recall@{k}": recalled(k) for k in KS} | {
        "mrr": np.asarray((first / ranks).sum(axis=1)),
        # Each relevant result counts itself and, in proportion, those above it.
        "map": (harmonic + pairs) / n,
        "precision@5": share * at_most / 5,
        "f1@5": 2 * share * at_most / (5 + p),
        "ndcg@10": judged.ideal.sum(axis=1) / n * discounts / _dcg(judged.ideal, 10),
        "accuracy@1": share,
    }


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
    means = np.concatenate(
        [
            values[random.integers(0, len(values), (some, len(values)))].mean(axis=1)
            for some in _batches(samples, len(values))
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def difference_interval(
    first: Numbers, second: Numbers, *, level: float = 0.95, samples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Bounds of mean(second) - mean(first), for values (Q,) of the same queries: queries are drawn, not values."""
    _same_queries(first, second)
    return bootstrap_interval(second - first, level=level, samples=samples, seed=seed)


def paired_randomisation_test(
    first: Numbers, second: Numbers, *, samples: int = 10_000, seed: int = 0
) -> float:
    """The two-sided p-value of the difference in means between two rankings' values (Q,) on the same queries.

    Fisher's randomisation test, which Smucker, Allan & Carterette 2007 recommend for retrieval: were the two
    alike, each query's pair could as well stand the other way round. The observed labelling is one of the
    samples, so that p is never 0 (Phipson & Smyth 2010).
    """
    _same_queries(first, second)
    difference = first - second
    # Less a hair, so that rounding does not part sums that are equal.
    observed = abs(difference.sum()) - 1e-9
    random = np.random.default_rng(seed)
    as_extreme = 1
    for some in _batches(samples, len(difference)):
        signs = random.integers(0, 2, (some, len(difference)), dtype=np.int8) * np.int8(2) - np.int8(1)
        as_extreme += int((abs(signs @ difference) >= observed).sum())
    return as_extreme / (samples + 1)


def _same_queries(first: Numbers, second: Numbers) -> None:
    if first.shape != second.shape or len(first) == 0:
        raise ValueError(f"Not values of the same queries: shapes {first.shape} and {second.shape}.")


def _batches(samples: int, size: int) -> Iterator[int]:
    """`samples` in parts: a Python step for each would be slow, and all at once need samples x size numbers."""
    most = max(1, _DRAWN_AT_ONCE // size)
    for start in range(0, samples, most):
        yield min(most, samples - start)


def _hits(judged: Judged, k: int) -> Numbers:
    if k < 1:
        raise ValueError("k is at least 1.")
    return np.asarray((judged.gains[:, :k] > 0).sum(axis=1), dtype=np.float64)


def _dcg(gains: Numbers, k: int) -> Numbers:
    cut = gains[:, :k]
    return np.asarray((cut / np.log2(np.arange(2, cut.shape[1] + 2))).sum(axis=1), dtype=np.float64)
