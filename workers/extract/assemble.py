"""How do headings, paragraphs and figures become an Extraction? The part that all formats share."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from workers.extract import limits
from workers.extract.base import Extraction, ExtractionError, Picture, TextBlock, Warning_

_SPACES = re.compile(r"[ \t\f\v\xa0]+")
_BREAKS = re.compile(r" ?\n ?")
# Of a neighbouring paragraph in a figure's context: two or three sentences name what is shown.
_CONTEXT_CHARACTERS = 400

Role = Literal["heading", "paragraph", "list", "table", "code", "caption", "note"]


def tidy(text: str) -> str:
    """One paragraph's text with runs of blanks as one; line ends stay."""
    return _BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()


def one_line(text: str) -> str:
    return " ".join(text.split())


class Assembly:
    """Collects what a parser finds, in reading order, within the caps."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self._blocks: list[TextBlock] = []
        self._figures: list[tuple[Picture, int, tuple[str, ...]]] = []
        self._headings: list[tuple[int, str]] = []
        self._links: set[tuple[str, str]] = set()
        self._characters = 0
        self._warnings: dict[tuple[str, str], Warning_] = {}
        self.title = ""
        # The bytes of a picture by its link, for a format that carries its pictures with it; None for any other.
        self.carried: Callable[[str], bytes | None] = lambda _: None

    @property
    def figures(self) -> int:
        return len(self._figures)

    @property
    def empty(self) -> bool:
        return not self._blocks and not self._figures

    def heading(self, text: str, level: int, page: int | None = None) -> None:
        text = one_line(text)
        if not text:
            return
        self._headings = [(above, words) for above, words in self._headings if above < level]
        self._headings.append((level, text))
        self._append(TextBlock(text, role="heading", level=level, page=page))

    def add(self, text: str, role: Role = "paragraph", page: int | None = None) -> None:
        """A block that is no heading. Code keeps its indentation."""
        text = text.strip("\n").rstrip() if role == "code" else tidy(text)
        if text.strip():
            self._append(TextBlock(text, role=role, page=page))

    def figure(self, picture: Picture) -> None:
        """A figure that stands here. A linked one counts once: an icon may stand in every row of a table."""
        key = (picture.link, picture.alt_text)
        if picture.link and key in self._links:
            return
        self._links.add(key)
        if len(self._figures) >= limits.MAX_FIGURES:
            self.warn("figure_unreadable", f"Only the first {limits.MAX_FIGURES} figures are searchable.")
            return
        self._figures.append((picture, len(self._blocks), tuple(words for _, words in self._headings)))

    def warn(self, code: str, message: str) -> None:
        if len(self._warnings) < limits.MAX_WARNINGS:
            self._warnings.setdefault((code, message), Warning_(code, message))

    @property
    def warnings(self) -> tuple[Warning_, ...]:
        return tuple(self._warnings.values())

    def finish(self, pictures: Sequence[Picture] = ()) -> Extraction:
        """All of it, `pictures` before the figures. A form or a template may have nothing: it is found by its name.

        Raises ExtractionError where damage was met and nothing is left: its words exist and would be missed.
        """
        if self.empty and not pictures and any(code == "corrupt" for code, _ in self._warnings):
            raise ExtractionError("corrupt")
        return Extraction(
            blocks=tuple(self._blocks),
            pictures=(*pictures, *(self._with_context(*figure) for figure in self._figures)),
            title=one_line(self.title)[:500],
            warnings=self.warnings,
        )

    def _append(self, block: TextBlock) -> None:
        room = limits.MAX_TEXT_CHARACTERS - self._characters
        if room <= 0 or len(self._blocks) >= limits.MAX_BLOCKS:
            self.warn("text_capped", "")
            return
        if len(block.text) > room:
            block = dataclasses.replace(block, text=block.text[:room])
            self.warn("text_capped", "")
        self._characters += len(block.text)
        self._blocks.append(block)

    def _with_context(self, picture: Picture, at: int, headings: tuple[str, ...]) -> Picture:
        """The figure with the words around it: its headings, the paragraph before and the one after."""
        if picture.context:
            return picture
        before = next((block for block in reversed(self._blocks[max(0, at - 3) : at]) if _tells(block)), None)
        after = next((block for block in self._blocks[at : at + 3] if _tells(block)), None)
        parts = [" > ".join(headings)]
        if before and (at == 0 or self._blocks[at - 1].role != "heading"):
            parts.append(before.text[-_CONTEXT_CHARACTERS:])
        if after and self._blocks[at].role != "heading":
            parts.append(after.text[:_CONTEXT_CHARACTERS])
        return dataclasses.replace(picture, context="\n".join(part for part in parts if part))


def _tells(block: TextBlock) -> bool:
    return block.role in {"paragraph", "list", "note", "table"}
