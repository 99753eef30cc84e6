"""What is a renderer, and which are held out of training?"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from retrieval.training.drawings.fonts import Fonts
from retrieval.training.drawings.sheet import Drawing


@dataclass(frozen=True, slots=True)
class Renderer:
    """One family of looks of one kind of picture.

    A renderer that is held out draws a kind that is trained on, by other code: other proportions, furniture and
    colours. So the held-out shards measure whether the kind was learnt, not the program that drew it."""

    name: str
    # The class in English, shared by all renderers of one kind.
    label: str
    # chart, table, diagram, form, slide, map, screenshot, document, drawing or code: wider than the label.
    category: str
    draw: Callable[[Random, Fonts], Drawing]
    held_out: bool = False
    # Relative to the others of its shard.
    weight: float = 1.0
