"""Inside what may a statement look? The readable audiences first, then what the person filtered by.

Every statement of a search takes its WHERE clause from here, so none can forget the audiences.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kb.recordings import is_recording
from retrieval.encoders.base import CosineRange


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that a search may touch. Empty `audiences` match nothing; an empty filter does not restrict."""

    audiences: tuple[int, ...]
    kinds: tuple[str, ...] = ()
    collections: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    after: date | None = None
    before: date | None = None
    # Lexemes that must stand nowhere in the asset, as far as this person can see it.
    excluded_lexemes: tuple[int, ...] = ()
    # Assets in which a phrase stands that the person excluded.
    excluded_assets: tuple[int, ...] = ()
    # Only these segments: those in which the phrases of the query were found.
    segments: tuple[int, ...] | None = None
    # A filter names nothing that exists for this person: nothing matches.
    is_empty: bool = False
    # The collections that a filter names and that do not exist for this person, to say so.
    unknown_collections: tuple[str, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """True when more than the audiences restricts."""
        return bool(self._asset_conditions()[0] or self.segments is not None or self.is_empty)

    def where(self, alias: str) -> tuple[str, dict[str, Any]]:
        """The condition, and its parameters, for a table that has `audience_id` and `segment_id`."""
        conditions = [f"{alias}.audience_id = ANY(%(audiences)s)"]
        parameters: dict[str, Any] = {"audiences": list(self.audiences)}
        if self.is_empty:
            conditions.append("FALSE")
        if self.segments is not None:
            conditions.append(f"{alias}.segment_id = ANY(%(segments)s)")
            parameters["segments"] = list(self.segments)
        asset_conditions, asset_parameters = self._asset_conditions(with_side_cars=True)
        if asset_conditions:
            of_assets = "SELECT s.id FROM kb_asset a JOIN kb_segment s ON s.asset_id = a.id WHERE "
            readable = ["a.audience_id = ANY(%(audiences)s)", *asset_conditions]
            conditions.append(f"{alias}.segment_id IN ({of_assets}{' AND '.join(readable)})")
        return " AND ".join(conditions), parameters | asset_parameters

    def where_asset(self) -> tuple[str, dict[str, Any]]:
        """The condition, and its parameters, for kb_asset under the alias `a`."""
        conditions, parameters = self._asset_conditions()
        conditions.insert(0, "a.audience_id = ANY(%(audiences)s)")
        if self.is_empty:
            conditions.append("FALSE")
        return " AND ".join(conditions), parameters | {"audiences": list(self.audiences)}

    def allows(self, media_type: str, kind: str) -> bool:
        """Whether an asset of this type passes the filters by type: asked when a hit is shown as another's."""
        return (not self.kinds or kind in self.kinds) and (
            not self.media_types or media_type in self.media_types
        )

    def _asset_conditions(self, *, with_side_cars: bool = False) -> tuple[list[str], dict[str, Any]]:
        """For rows of the assets that pass the filters; with side-cars, also of those that may count for one that does.

        What a subtitle file says counts for its recording: whether that one passes, `allows` tells afterwards.
        """
        conditions: list[str] = []
        parameters: dict[str, Any] = {}
        speaks = " OR s.kind = 'speech'" if with_side_cars else ""
        if self.kinds:
            # The kind is the media type's first word; whatever is neither picture nor video is a document.
            of_video = speaks if "video" in self.kinds else ""
            conditions.append(
                "((CASE split_part(a.media_type, '/', 1) WHEN 'image' THEN 'image' WHEN 'video' THEN 'video'"
                f" ELSE 'document' END) = ANY(%(kinds)s){of_video})"
            )
            parameters["kinds"] = list(self.kinds)
        if self.media_types:
            of_recording = speaks if any(is_recording(media_type) for media_type in self.media_types) else ""
            conditions.append(f"(a.media_type = ANY(%(media_types)s){of_recording})")
            parameters["media_types"] = list(self.media_types)
        for column, name, values in (
            ("a.collection_id", "collections", self.collections),
            ("a.language", "languages", self.languages),
        ):
            if values:
                conditions.append(f"{column} = ANY(%({name})s)")
                parameters[name] = list(values)
        if self.after:
            conditions.append("a.updated_at >= %(after)s")
            parameters["after"] = self.after
        if self.before:
            conditions.append("a.updated_at < %(before)s")
            parameters["before"] = self.before
        if self.excluded_assets:
            conditions.append("NOT a.id = ANY(%(excluded_assets)s)")
            parameters["excluded_assets"] = list(self.excluded_assets)
        if self.excluded_lexemes:
            conditions.append(
                "NOT EXISTS (SELECT 1 FROM kb_segmentwords x JOIN kb_segment xs ON xs.id = x.segment_id"
                " WHERE xs.asset_id = a.id AND x.audience_id = ANY(%(audiences)s)"
                " AND x.terms && %(excluded_lexemes)s::int[])"
            )
            parameters["excluded_lexemes"] = list(self.excluded_lexemes)
        return conditions, parameters


@dataclass(frozen=True, slots=True)
class Candidate:
    """A segment that one channel proposes."""

    segment_id: int
    score: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """What one channel proposes, best first. `is_capped`: there may be more than the channel was asked for."""

    channel: str
    items: tuple[Candidate, ...] = field(default=())
    is_capped: bool = False
    # The largest score that any text could have had for this query: for calibration (lexical only).
    attainable: float = 0.0
    # Where the encoder's cosines lie, for the same end; None where they lie as its channel's usually do.
    cosines: CosineRange | None = None
