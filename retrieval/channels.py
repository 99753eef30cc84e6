"""Which channels answer a question, and what does each propose?

A channel looks at one kind of evidence, inside the scope only: `lexical` at words, `text` at the meaning of passages,
`visual` at what pictures show, `lookalike` at how pictures look, `read` at the words that stand in the query's picture.
"""

from collections.abc import Sequence

from kb.permissions import segments_in
from retrieval import lexical, spaces, vectors
from retrieval.analysis import query_terms
from retrieval.picture import QueryPicture
from retrieval.query import ParsedQuery
from retrieval.scope import Candidates, Scope

# Channels of the query's words that look at words, and the one that reads the query's picture.
OF_WORDS = frozenset({"lexical", "text"})
READ = "read"
# From this cosine on two pictures are the same one, resized, recompressed or tinted: over 659 photos and screenshots
# the nearest other picture lies above it in less than 5 % of cases, and a recompressed copy at 0.97 on average.
SAME_PICTURE = 0.95
# From here on a picture shows the same thing: a crop of a tenth on each side lies at 0.64, other pictures below 0.85.
SAME_SUBJECT = 0.85
# Terms of a picture's own text that are searched for: the rarest say what it is about, the rest costs time.
READ_TERMS = 24


def by_words(
    query: ParsedQuery, terms: Sequence[lexical.WeightedTerm], scope: Scope, depth: int
) -> list[Candidates]:
    """What the words of `query` find, by each channel that is set up."""
    found = [lexical.find(terms, scope, depth)]
    if not query.text:
        return found
    if text_set := vectors.active_set("text"):
        found.append(vectors.find("text", text_set, spaces.query_vector(query.text), scope, depth))
    seen = spaces.visual_query_vector(query.text)
    if seen is not None and (visual_set := vectors.active_set("visual")):
        found.append(vectors.find("visual", visual_set, seen, scope, depth))
    return found


def by_picture(picture: QueryPicture, scope: Scope, depth: int) -> list[Candidates]:
    """What the pixels of `picture`, and the words in it, find."""
    found = []
    if look_set := vectors.active_set("lookalike"):
        look = spaces.lookalike_encoder().encode_images([picture.image])[0]
        found.append(vectors.find("lookalike", look_set, look, scope, depth))
    seen = spaces.picture_vector(picture.image)
    if seen is not None and (visual_set := vectors.active_set("visual")):
        found.append(vectors.find("visual", visual_set, seen, scope, depth))
    words = _words_of(picture, found, scope)
    rarest = lexical.weigh(query_terms(words), scope.audiences)[:READ_TERMS]
    found.append(_renamed(lexical.find(rarest, scope, depth), READ))
    return found


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
    return Candidates(channel, candidates.items, candidates.is_capped, candidates.attainable)
