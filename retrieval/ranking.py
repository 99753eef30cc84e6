"""How do channels' proposals for segments become a ranking of assets with the reasons attached?"""

from collections.abc import Collection as Members
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.ranking import RankingSettings
from retrieval.rank import Calibration, Fused, calibrated_lexical, fuse, group_by_asset
from retrieval.results import ChannelScore
from retrieval.scope import Candidates

# Where unrelated and equal pairs lie: for `text` all-MiniLM-L6-v2's questions and passages, for `visual` the narrow
# range of CLIP-like encoders between words and pictures (the compact encoder brings its own, `Candidates.cosines`), for
# `lookalike` retrieval/encoders/lookalike.py's.
CALIBRATIONS = {
    "text": Calibration(0.0, 1.0),
    "visual": Calibration(0.05, 0.4),
    "lookalike": Calibration(0.5, 0.97),
}
# Every vector is near to every other to some degree. What a channel scores below this, calibrated, is no match: it
# adds to what others found, but brings up nothing by itself. Questions and unrelated passages lie below a cosine of
# 0.2 with all-MiniLM-L6-v2; unrelated pictures below 0.6 with the look-alike descriptor.
MATCHES_FROM = {"text": 0.2, "visual": 0.3, "lookalike": 0.25}
# A channel that counts less than this, since it hardly knows the question's language, brings up nothing either.
PROPOSES_FROM_WEIGHT = 0.1
# A picture's own channels: how it looks finds the same picture again, what is written in it finds its subject.
# What a small encoder sees in it, in pictures and in what passages say, comes after both.
PICTURE_WEIGHTS = {"lookalike": 0.6, "visual": 0.1, "described": 0.1, "read": 0.4}


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a candidate segment belongs: the asset it counts for, and the place in it."""

    segment_id: int
    asset_id: int
    page: int | None = None
    start_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RankedAsset:
    """An asset with its matching segments, best first, and what each channel said of the best one."""

    asset_id: int
    score: float
    segments: tuple[Placed, ...]
    channels: tuple[ChannelScore, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposals:
    """What one side of a question, its words or its picture, brought up, and how much that side counts."""

    channels: tuple[Candidates, ...]
    weights: Mapping[str, float]


def of_words(
    channels: Sequence[Candidates],
    settings: RankingSettings,
    *,
    share: float,
    language: str,
    text_languages: frozenset[str] | None,
    visual_languages: frozenset[str] | None = None,
) -> Proposals:
    names = [candidates.channel for candidates in channels]
    if names == ["newest"]:
        return Proposals(tuple(channels), {"newest": share})
    weights = settings.weights(
        names, language=language, text_languages=text_languages, visual_languages=visual_languages
    )
    return Proposals(tuple(channels), {channel: share * weight for channel, weight in weights.items()})


def of_picture(channels: Sequence[Candidates], *, share: float) -> Proposals:
    total = sum(PICTURE_WEIGHTS[candidates.channel] for candidates in channels)
    weights = {candidates.channel: PICTURE_WEIGHTS[candidates.channel] / total for candidates in channels}
    return Proposals(tuple(channels), {channel: share * weight for channel, weight in weights.items()})


def rank(
    sides: Sequence[Proposals], places: Mapping[int, Placed], settings: RankingSettings
) -> list[RankedAsset]:
    """Assets, best first, ties by id. Segments that are not in `places` are left out."""
    scores: dict[str, dict[int, float]] = {}
    weights: dict[str, float] = {}
    raw: dict[str, dict[int, tuple[int, float]]] = {}
    proposing: set[str] = set()
    floors: dict[str, float] = {}
    for number, side in enumerate(sides):
        for candidates in side.channels:
            # Words and picture may both have a `visual` channel.
            key = f"{candidates.channel}/{number}"
            calibrated = _calibrated(candidates)
            floors[key] = _matches_from(candidates)
            scores[key] = {segment: score for segment, score in calibrated.items() if segment in places}
            weights[key] = side.weights[candidates.channel]
            # Within its side: how much the words count against the picture is no word on what the words match.
            if weights[key] >= PROPOSES_FROM_WEIGHT * sum(side.weights.values()):
                proposing.add(key)
            raw[key] = {
                item.segment_id: (position, item.score)
                for position, item in enumerate(candidates.items, start=1)
            }
    matched = _matched(scores, proposing, floors)
    scores = {
        key: {segment: by[segment] for segment in by if segment in matched} for key, by in scores.items()
    }
    fused = fuse(settings, scores, weights)
    groups = group_by_asset(
        {segment: found.score for segment, found in fused.items()},
        {segment: place.asset_id for segment, place in places.items()},
        bonus=settings.segments_bonus,
    )
    return [
        RankedAsset(
            group.asset_id,
            group.score,
            tuple(places[segment] for segment in group.segment_ids),
            _reasons(group.segment_ids[0], fused[group.segment_ids[0]], raw),
        )
        for group in groups
    ]


def _matched(
    scores: Mapping[str, Mapping[int, float]], proposing: Members[str], floors: Mapping[str, float]
) -> set[int]:
    """The segments that some channel, asked alone, would show."""
    matched: set[int] = set()
    for key, by in scores.items():
        floor = floors[key]
        if key in proposing or len(scores) == 1:
            matched |= {segment for segment, score in by.items() if score >= floor and score > 0}
    return matched


def _calibrated(candidates: Candidates) -> dict[int, float]:
    """Scores between 0 and 1 by bounds of the query and the encoder, never by the other results."""
    scores = {item.segment_id: item.score for item in candidates.items}
    calibration = _calibration(candidates)
    if calibration is None:
        return calibrated_lexical(scores, candidates.attainable)
    return {segment: calibration(score) for segment, score in scores.items()}


def _calibration(candidates: Candidates) -> Calibration | None:
    cosines = candidates.cosines
    return Calibration(cosines.low, cosines.high) if cosines else CALIBRATIONS.get(candidates.channel)


def _matches_from(candidates: Candidates) -> float:
    """The calibrated score from which on the channel brings something up by itself."""
    calibration = _calibration(candidates)
    if calibration and candidates.cosines:
        return calibration(candidates.cosines.matches_from)
    return MATCHES_FROM.get(candidates.channel, 0.0)


def _reasons(
    segment: int, fused: Fused, raw: Mapping[str, Mapping[int, tuple[int, float]]]
) -> tuple[ChannelScore, ...]:
    # What added nothing is no reason: every vector is near to every other to some degree.
    counted = {key: share for key, share in fused.shares.items() if share > 0}
    shares = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ChannelScore(key.split("/")[0], *raw[key][segment], share) for key, share in shares)
