"""What weighs how much in a ranking? A site's defaults, and what a collection may say against them.

They are here and not beside the arithmetic in retrieval/rank.py, so that a collection refuses settings that make no
sense when they are written, not when somebody searches.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

Method = Literal["convex", "rrf"]


class RankingSettingsError(ValueError):
    """The ranking settings are not valid."""


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """A collection overrides single fields (`Collection.ranking`), for searches inside it alone."""

    # Convex combination by default: it keeps how much better a hit is, which ranks throw away.
    method: Method = "convex"
    lexical_weight: float = 0.6
    text_weight: float = 0.4
    # What a picture shows is told by a small encoder, and counts beside what somebody wrote: at its surest it
    # gives a picture a third of what a text gets that has all words of the query.
    visual_weight: float = 0.2
    # Of a channel of meaning when its encoder does not know the query's language. Not nothing: names, numbers and
    # loan words still meet.
    foreign_text_weight: float = 0.05
    # Of the text channel for Chinese: pairs of characters find there what words find nowhere else, and meaning has
    # less to add. Enough to bring up an English page, which no Chinese word finds.
    chinese_text_weight: float = 0.15
    # Cormack et al. found 60 near the best on every collection they tried, and the choice not to matter much.
    rrf_k: float = 60.0
    # What further matching segments can add to an asset's best one, at most, as a share of it: enough to part
    # near equals, too little for many weak pages to beat one good page.
    segments_bonus: float = 0.1

    def __post_init__(self) -> None:
        if self.method not in ("convex", "rrf"):
            raise RankingSettingsError(f"The ranking method is convex or rrf, not {self.method!r}.")
        for name in _NUMBERS:
            value = getattr(self, name)
            # A bool is an int, but True is no weight; a NaN is below nothing and would pass any comparison.
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1000:
                raise RankingSettingsError(f"`{name}` is a number from 0 to 1000, not {value!r}.")

    def overridden(self, overrides: object) -> "RankingSettings":
        """These settings with the fields that the mapping `overrides` names. Raises RankingSettingsError."""
        if not isinstance(overrides, Mapping):
            raise RankingSettingsError("Ranking settings are a JSON object, {} for the site's own.")
        known = [field.name for field in fields(self)]
        for name in overrides:
            if name not in known:
                raise RankingSettingsError(
                    f"There is no ranking setting {name!r}. There are: {', '.join(known)}."
                )
        return replace(self, **overrides)  # __post_init__ checks the values.

    def weights(
        self,
        channels: Iterable[str],
        *,
        language: str = "",
        text_languages: frozenset[str] | None = None,
        visual_languages: frozenset[str] | None = None,
    ) -> dict[str, float]:
        """The weight of each of `channels` (lexical, text, visual) for a query in `language`; together 1.

        `text_languages` are those that the text encoder knows, `visual_languages` those in which words find pictures;
        None: all. A query whose language is not clear counts as known: a bare name reads alike in most.
        """
        given = {"lexical": self.lexical_weight, "text": self.text_weight, "visual": self.visual_weight}
        for channel, known in (("text", text_languages), ("visual", visual_languages)):
            if known is not None and language and language not in known:
                given[channel] = min(given[channel], self.foreign_text_weight)
        if language == "zh":
            given["text"] = min(given["text"], self.chinese_text_weight)
        chosen = {channel: given[channel] for channel in sorted(channels)}
        total = sum(chosen.values())
        # All chosen channels at 0 cannot rank; they then count alike.
        return {c: (w / total if total > 0 else 1 / len(chosen)) for c, w in chosen.items()}


_NUMBERS = tuple(field.name for field in fields(RankingSettings) if field.name != "method")
