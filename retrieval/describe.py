"""What does the picture that somebody asks with show? A sentence, from what they may see and from its own words."""

from kb.permissions import segments_in
from retrieval.channels import SAME_SUBJECT
from retrieval.picture import QueryPicture
from retrieval.scope import Candidates, Scope

# A sentence or two: the passages below say the rest.
MAX_CHARACTERS = 240


def describe(picture: QueryPicture, found: tuple[Candidates, ...], scope: Scope) -> str:
    """The caption of the look-alike in the library, else the words that stand in the picture; empty without either."""
    looks = next((item for item in found if item.channel == "lookalike" and item.items), None)
    if looks is not None and looks.items[0].score >= SAME_SUBJECT:
        segment = segments_in(scope.audiences).filter(pk=looks.items[0].segment_id).first()
        told = segment and (segment.caption or segment.alt_text)
        if told:
            return _cut(told)
    return _cut(picture.words())


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 1].rstrip() + "…"
