"""How do several channels' findings become one ranking of assets?

Pure arithmetic. Nothing here looks at the best or the worst hit of a result to scale the others by: a score
depends on the query and on the segment alone, so that what a person may not see changes nothing of what they
do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb.ranking import RankingSettings, RankingSettingsError


@dataclass(frozen=True, slots=True)
class Calibration:
    """An affine map of an encoder's cosines onto 0 to 1, measured once per encoder.

    `floor`: the cosine of texts that have nothing to do with each other; `ceiling`: of a question and a
    passage that answers it squarely. Encoders differ: 0.3 is much for one and nothing for another.
    """

    floor: float
    ceiling: float

    def __post_init__(self) -> None:
        if not -1 <= self.floor < self.ceiling <= 1:
            raise RankingSettingsError(f"No calibration: floor {self.floor}, ceiling {self.ceiling}.")

    def __call__(self, cosine: float) -> float:
        """min(1, max(0, (cosine - floor) / (ceiling - floor)))."""
        return _clip((cosine - self.floor) / (self.ceiling - self.floor))


def attainable(idf: Iterable[float], saturation: float) -> float:
    """The score that no text can exceed for query terms of these weights: sum of idf x saturation.

    `saturation` is the bound of the term frequency part: k1 + 1 where that is tf (k1 + 1) / (tf + K), else 1.
    Take the terms that nothing visible holds in as well, at the idf of a document frequency of 0: they are
    part of what was asked.
    """
    return saturation * sum(weight for weight in idf if weight > 0)


def calibrated_lexical(scores: Mapping[int, float], maximum: float) -> dict[int, float]:
    """BM25 scores by segment, onto 0 to 1 by what the query could attain: score / maximum, clipped.

    Bruch, Gai & Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval", section 4: the
    theoretical bounds of a score function normalise as well as the observed ones, and do not move with the
    result.
    """
    if maximum <= 0:
        return dict.fromkeys(scores, 0.0)
    return {segment: _clip(score / maximum) for segment, score in scores.items()}


@dataclass(frozen=True, slots=True)
class Fused:
    """A segment's score, and what each channel gave to it: `score` is the sum of `shares`."""

    score: float
    shares: Mapping[str, float]


def convex_combination(
    channels: Mapping[str, Mapping[int, float]], weights: Mapping[str, float]
) -> dict[int, Fused]:
    """score(d) = sum over channels c of weight(c) x calibrated score of d in c, by segment.

    Bruch, Gai & Ingber 2023, equation 2, for any number of channels. A channel that did not find a segment
    gives it 0, the lower bound of calibrated scores.
    """
    return _fuse(channels, weights, {name: dict(scores) for name, scores in channels.items()})


def reciprocal_rank_fusion(
    channels: Mapping[str, Mapping[int, float]], weights: Mapping[str, float], *, k: float = 60.0
) -> dict[int, Fused]:
    """score(d) = sum over channels c of weight(c) / (k + rank of d in c), by segment; ranks count from 1.

    Cormack, Clarke & Büttcher 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
    Learning Methods", with weights. Equal scores share the better rank, so that no order of rows decides.
    """
    return _fuse(
        channels, weights, {c: {d: 1 / (k + r) for d, r in ranks(s).items()} for c, s in channels.items()}
    )


def ranks(scores: Mapping[int, float]) -> dict[int, int]:
    """The rank of each segment by score, from 1, best first; equal scores share the better rank."""
    found: dict[int, int] = {}
    previous, rank = None, 0
    for position, (segment, score) in enumerate(ordered(scores), start=1):
        if score != previous:
            previous, rank = score, position
        found[segment] = rank
    return found


def fuse(
    settings: RankingSettings, channels: Mapping[str, Mapping[int, float]], weights: Mapping[str, float]
) -> dict[int, Fused]:
    """Calibrated scores by channel and segment, as `settings.method` has it."""
    if settings.method == "rrf":
        return reciprocal_rank_fusion(channels, weights, k=settings.rrf_k)
    return convex_combination(channels, weights)


@dataclass(frozen=True, slots=True)
class Group:
    asset_id: int
    score: float
    segment_ids: tuple[int, ...]  # Best first; ties by id.


def group_by_asset(
    scores: Mapping[int, float], asset_of: Mapping[int, int], *, bonus: float = 0.1
) -> list[Group]:
    """Segments' scores as a ranking of assets: highest score first, equal ones by asset id.

    score(asset) = best x (1 + bonus x (1 - 2^-m)), where m is the sum of the other segments' scores, each as
    a share of the best. The best segment leads; the rest adds less and less and never more than `bonus`, so
    that a long document does not win by its length.
    """
    by_asset: dict[int, list[tuple[int, float]]] = {}
    for segment, score in ordered(scores):
        by_asset.setdefault(asset_of[segment], []).append((segment, score))
    groups = []
    for asset, found in by_asset.items():
        best = found[0][1]
        others = sum(score for _, score in found[1:] if score > 0) / best if best > 0 else 0.0
        score = best * (1 + bonus * (1 - 2.0**-others))
        groups.append(Group(asset, score, tuple(segment for segment, _ in found)))
    return sorted(groups, key=lambda group: (-group.score, group.asset_id))


def ordered(scores: Mapping[int, float]) -> Sequence[tuple[int, float]]:
    """Ids with their scores, highest first, equal ones by id."""
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def _fuse(
    channels: Mapping[str, Mapping[int, float]],
    weights: Mapping[str, float],
    values: Mapping[str, Mapping[int, float]],
) -> dict[int, Fused]:
    missing = sorted(set(channels) - set(weights))
    if missing:
        raise RankingSettingsError(f"No weight for channel {missing[0]!r}.")
    shares: dict[int, dict[str, float]] = {}
    # In order of their names: sums of floats depend on the order of addition.
    for channel in sorted(channels):
        for segment, value in values[channel].items():
            shares.setdefault(segment, {})[channel] = weights[channel] * value
    return {segment: Fused(sum(given.values()), given) for segment, given in shares.items()}


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))
