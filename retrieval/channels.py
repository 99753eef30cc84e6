"""Which channels answer a question, and what does each propose?

A channel looks at one kind of evidence, inside the scope only: `lexical` at words, `text` at the meaning of passages,
`visual` at what pictures show, `described` at passages that say what the query's picture shows, `lookalike` at how
pictures look, `read` at the words that stand in the query's picture.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from kb.permissions import segments_in
from retrieval import fused, lexical, lookalikes, spaces, vectors
from retrieval.analysis import query_terms
from retrieval.encoders.base import Vectors
from retrieval.lookalikes import SAME_PICTURE
from retrieval.picture import QueryPicture
from retrieval.query import ParsedQuery
from retrieval.scope import Candidate, Candidates, Scope

# Channels of the query's words that look at words, and the one that reads the query's picture.
OF_WORDS = frozenset({"lexical", "text"})
READ, DESCRIBED = "read", "described"
# From here on a picture shows the same thing: a crop of a tenth on each side lies at 0.64, other pictures below 0.85.
SAME_SUBJECT = 0.85
# Terms of a picture's own text that are searched for: the rarest say what it is about, the rest costs time.
READ_TERMS = 24


def by_words(
    query: ParsedQuery, terms: Sequence[lexical.WeightedTerm], scope: Scope, depth: int
) -> list[Candidates]:
    """What the words of `query` find, by each channel that is set up."""
    known = {term.text for term in terms}
    unknown = sum(term not in known for term in query.terms)
    found = [lexical.find(terms, scope, depth, unknown=unknown)]
    if not query.text:
        return found
    if text_set := vectors.set_of("text", spaces.text_encoder().spec):
        found.append(vectors.find("text", text_set, spaces.query_vector(query.text), scope, depth))
    seen = spaces.visual_query_vector(query.text)
    return found if seen is None else [*found, *_visual_by_words(seen, scope, depth)]


def by_picture(picture: QueryPicture, scope: Scope, depth: int) -> list[Candidates]:
    """What the pixels of `picture`, and the words in it, find."""
    found = []
    alike = lookalikes.find(picture.image, scope, depth)
    if alike is not None:
        found.append(alike)
    seen = spaces.picture_vector(picture.image)
    if seen is not None:
        found += _visual(seen, "pictures", scope, depth)
        found += _described(seen, scope, depth)
    words = _words_of(picture, found, scope)
    rarest = lexical.weigh(query_terms(words), scope.audiences)[:READ_TERMS]
    found.append(_renamed(lexical.find(rarest, scope, depth), READ))
    return found


def _visual_by_words(seen: Vectors, scope: Scope, depth: int) -> list[Candidates]:
    """By the fused vectors of a site that has learned to make them, else by pixels."""
    encoder = spaces.image_encoder()
    fusion = encoder and fused.serving_fusion(encoder)
    fused_set = encoder and fusion and vectors.set_of("fused", fused.fused_spec(encoder, fusion))
    if not fusion or not fused_set:
        return _visual(seen, "words", scope, depth)
    return [replace(vectors.find("visual", fused_set, seen, scope, depth), cosines=fusion.words)]


def _visual(seen: Vectors, side: Literal["words", "pictures"], scope: Scope, depth: int) -> list[Candidates]:
    """What shows what the query says or shows; nothing while the library has no vectors of the encoder."""
    encoder = spaces.image_encoder()
    visual_set = encoder and vectors.set_of("visual", encoder.spec)
    if not visual_set:
        return []
    return [
        replace(vectors.find("visual", visual_set, seen, scope, depth), cosines=spaces.visual_range(side))
    ]


def _described(seen: Vectors, scope: Scope, depth: int) -> list[Candidates]:
    """The passages that lie nearest to the picture once their words are moved to where pictures of them lie.

    The nearest to first order are looked up, and only they are moved: no second vector of each passage is kept.
    """
    head = spaces.passage_head()
    text_set = head and vectors.set_of("text", spaces.text_encoder().spec)
    if not head or not text_set:
        return []
    nearest = vectors.find(DESCRIBED, text_set, head.asks_for(seen), scope, depth)
    segments, rows = vectors.stored(text_set, [item.segment_id for item in nearest.items], scope)
    cosines = (head(rows) @ seen).tolist() if segments else []
    items = [Candidate(segment, cosine) for segment, cosine in zip(segments, cosines, strict=True)]
    items.sort(key=lambda item: (-item.score, item.segment_id))
    return [replace(nearest, items=tuple(items), cosines=spaces.visual_range("passages"))]


def _words_of(picture: QueryPicture, found: Sequence[Candidates], scope: Scope) -> str:
    """The text in the picture: as indexed, when this person's library has this very picture, else read now."""
    for candidates in found:
        if (
            candidates.channel == "lookalike"
            and candidates.items
            and candidates.items[0].score >= SAME_PICTURE
        ):
            same = segments_in(scope.audiences).filter(pk=candidates.items[0].segment_id)
            # No row: deleted since the channel answered.
            return same.values_list("ocr_text", flat=True).first() or ""
    return picture.words()


def _renamed(candidates: Candidates, channel: str) -> Candidates:
    return replace(candidates, channel=channel)
