"""How does a person judge a run? A page of its own: the tables, and queries that hit and missed, with pictures."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from django.template.loader import render_to_string
from PIL import Image

from retrieval.encoders.pictures import upright_rgb
from retrieval.evaluation_runs import Comparison
from workers.evaluate.outcome import Example, Outcome, Shown

# The longer side of a picture in the page: told apart at a glance, and some 8 kB each.
SIDE_PX = 200
QUALITY = 80


@dataclass(frozen=True, slots=True)
class Tile:
    """A text or a picture as the page shows it."""

    text: str
    source: str
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    query: Tile
    found: tuple[Tile, ...]
    right: Tile
    rank: int | None


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    cards: tuple[Card, ...]


def write_report(outcome: Outcome, path: Path) -> None:
    """Everything is in the one file: it can be sent on."""
    groups = [
        Group(
            f"{section}: {'hits' if is_hit else 'misses'}",
            tuple(
                _card(example)
                for example in outcome.examples
                if (example.section, example.is_hit) == (section, is_hit)
            ),
        )
        for section in dict.fromkeys(example.section for example in outcome.examples)
        for is_hit in (True, False)
    ]
    context = {
        "run": outcome.run,
        "tables": outcome.tables,
        "groups": [group for group in groups if group.cards],
    }
    path.write_text(render_to_string("workers/evaluation.html", context), encoding="utf-8")


def write_comparison(names: tuple[str, str], found: Comparison, path: Path) -> None:
    context = {"names": names, "comparison": found}
    path.write_text(render_to_string("workers/comparison.html", context), encoding="utf-8")


def _card(example: Example) -> Card:
    found = tuple(_tile(shown, is_right=is_right) for shown, is_right in example.found)
    return Card(_tile(example.query), found, _tile(example.right, is_right=True), example.rank)


def _tile(shown: Shown, *, is_right: bool = False) -> Tile:
    return Tile(shown.text, "" if shown.picture is None else _data_uri(shown.picture), is_right)


def _data_uri(picture: bytes) -> str:
    image = upright_rgb(Image.open(io.BytesIO(picture)))
    image.thumbnail((SIDE_PX, SIDE_PX))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
