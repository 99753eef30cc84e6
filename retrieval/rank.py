"""In which order? Channels' proposals for segments become one ranking of assets. Pure arithmetic.

A segment's score is a convex combination of calibrated channel scores (Bruch, Gai & Ingber 2023, "An Analysis of
Fusion Functions for Hybrid Retrieval"), calibrated against bounds that depend on the query and the encoder alone,
never on the other results: what is hidden or absent moves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from kb.exceptions import KbError
from retrieval.results import ChannelScore
from retrieval.scope import Candidates


class RankingSettingsError(KbError):
    """A ranking setting is not known or not a number between 0 and 1."""


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """Weights of the channels. Chosen on English and Chinese test collections: docs/decisions/0003-ranking.md."""

    lexical: float = 0.5
    text: float = 0.5
    visual: float = 0.5
    # For questions in languages that the text encoder does not know: all-MiniLM-L6-v2 has no Chinese.
    text_foreign: float = 0.0
    # A picture's channels: how it looks finds the same picture again, what is written in it finds its subject.
    lookalike: float = 0.6
    read: float = 0.4

    def overridden(self, by: Mapping[str, object]) -> "RankingSettings":
        """These settings with those of `by` in their place. Raises RankingSettingsError, naming the wrong one."""
        known = {item.name for item in fields(self)}
        for name, value in by.items():
            if name not in known:
                raise RankingSettingsError(f"{name!r} is no ranking setting; there are {', '.join(sorted(known))}.")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise RankingSettingsError(f"The ranking setting {name!r} must be a number between 0 and 1.")
        return replace(self, **{name: float(value) for name, value in by.items()})  # type: ignore[arg-type]

    def weights(self, *, foreign: bool, text_weight: float) -> dict[str, float]:
        """Weight by channel. `text_weight`: share of the words against the picture, 0 to 1."""
        picture_weight = 1 - text_weight
        return {
            "lexical": text_weight * self.lexical,
            "text": text_weight * (self.text_foreign if foreign else self.text),
            "visual": self.visual,
            "lookalike": picture_weight * self.lookalike,
            "read": picture_weight * self.read,
        }


# Cosines below the first count nothing and above the second everything: where unrelated and equal pairs lie. For
# `text` all-MiniLM-L6-v2 on Cranfield, for `visual` CLIP's narrow range, for `lookalike` see retrieval.channels.
COSINE_RANGE = {"text": (0.1, 0.9), "visual": (0.05, 0.4), "lookalike": (0.5, 0.97)}


def calibrate(candidates: Candidates) -> dict[int, float]:
    """Score by segment between 0 and 1, the same in every channel: 1 is as good as it can be.

    Lexical scores are divided by what the best thinkable text would get for this query.
    """
    if candidates.channel in COSINE_RANGE:
        low, high = COSINE_RANGE[candidates.channel]
        return {item.segment_id: min(1.0, max(0.0, (item.score - low) / (high - low))) for item in candidates.items}
    bound = candidates.attainable
    return {item.segment_id: min(1.0, item.score / bound) if bound > 0 else 0.0 for item in candidates.items}


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a candidate segment belongs: the asset it counts for, and the place in it."""

    segment_id: int
    asset_id: int
    page: int | None = None
    start_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RankedAsset:
    """An asset with its matching segments, best first."""

    asset_id: int
    score: float
    segments: tuple[Placed, ...]
    # The channels that proposed the best segment.
    channels: tuple[ChannelScore, ...] = field(default=())


# A second matching segment adds this share of its own score, a third the square of it, and so on: a document that
# speaks of the subject throughout comes before one that mentions it once, but never before a clearly better passage.
FURTHER_SEGMENTS_SHARE = 0.05


def rank(
    channels: Sequence[Candidates], places: Mapping[int, Placed], weights: Mapping[str, float]
) -> list[RankedAsset]:
    """Assets by descending score, ties by asset id. Segments that `places` does not have are left out."""
    scores: dict[int, float] = {}
    shares: dict[int, list[ChannelScore]] = {}
    for candidates in channels:
        calibrated = calibrate(candidates)
        weight = weights.get(candidates.channel, 0.0)
        for position, item in enumerate(candidates.items, start=1):
            if item.segment_id not in places:
                continue
            share = weight * calibrated[item.segment_id]
            scores[item.segment_id] = scores.get(item.segment_id, 0.0) + share
            shares.setdefault(item.segment_id, []).append(
                ChannelScore(candidates.channel, position, item.score, share)
            )
    by_asset: dict[int, list[int]] = {}
    for segment_id in sorted(scores, key=lambda key: (-scores[key], key)):
        by_asset.setdefault(places[segment_id].asset_id, []).append(segment_id)
    ranked = [
        RankedAsset(
            asset_id,
            _asset_score(scores[segment_id] for segment_id in segment_ids),
            tuple(places[segment_id] for segment_id in segment_ids),
            tuple(sorted(shares[segment_ids[0]], key=lambda share: -share.share)),
        )
        for asset_id, segment_ids in by_asset.items()
    ]
    return sorted(ranked, key=lambda item: (-item.score, item.asset_id))


def _asset_score(scores: Iterable[float]) -> float:
    """`scores`: those of one asset's segments, best first."""
    return sum(score * FURTHER_SEGMENTS_SHARE**position for position, score in enumerate(scores))


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]], *, k: int = 60) -> list[int]:
    """Ids by the sum of 1 / (k + rank) over `rankings` (Cormack, Clarke & Buettcher 2009), ties by id."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for position, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (k + position)
    return sorted(scores, key=lambda key: (-scores[key], key))
