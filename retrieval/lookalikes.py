"""Which pictures in the library look like the query's, or are shown in it, or have it cut out of them?

First the whole picture is looked up. Where that does not settle it, the pictures inside the query are looked up too (it
may be a screenshot, or have borders), and each is laid over the descriptors of what came up (it may be a cut).
"""

from PIL import Image

from retrieval import spaces, vectors
from retrieval.encoders.alignment import Cut
from retrieval.encoders.inner_pictures import inner_pictures
from retrieval.scope import Candidate, Candidates, Scope

CHANNEL = "lookalike"
# From this cosine on two pictures are the same one, resized, recompressed or tinted: over 659 photos and screenshots
# the nearest other picture lies above it in less than 5 % of cases, and a recompressed copy at 0.97 on average.
SAME_PICTURE = 0.95
# The best of hundreds of places counts, so that unrelated pictures fit this much better than they are alike.
FIT_BONUS = 0.13
# Pictures that a cut is laid over. A cut's own picture is among the nearest 200 of 674 in 99 of 100 cases.
LAID_OVER = 200
# Parts of the query that are looked up, and those laid over: each costs a statement, and tens of milliseconds.
MOST_LAID = 3


def find(image: Image.Image, scope: Scope, limit: int) -> Candidates | None:
    """The `limit` likest pictures in `scope`; None while the library has no descriptors."""
    looks = spaces.lookalike_encoder()
    vector_set = vectors.set_of(CHANNEL, looks.spec)
    if vector_set is None:
        return None
    whole = vectors.find(CHANNEL, vector_set, looks.encode_images([image])[0], scope, limit)
    if not whole.items or whole.items[0].score >= SAME_PICTURE:
        return whole
    best = {item.segment_id: item.score for item in whole.items}
    shown = inner_pictures(image)
    for row in looks.encode_images(shown):
        for item in vectors.find(CHANNEL, vector_set, row, scope, limit).items:
            best[item.segment_id] = max(item.score, best.get(item.segment_id, -1.0))
    if max(best.values()) < SAME_PICTURE:
        nearest = sorted(best, key=lambda segment: (-best[segment], segment))[: LAID_OVER * (1 + bool(shown))]
        ids, rows = vectors.stored(vector_set, nearest, scope)
        for part in [image, *shown][:MOST_LAID]:
            for segment, fit in zip(ids, (Cut(part).fit(rows) - FIT_BONUS).tolist(), strict=True):
                best[segment] = max(fit, best[segment])
    items = [Candidate(segment, score) for segment, score in best.items()]
    items.sort(key=lambda item: (-item.score, item.segment_id))
    return Candidates(CHANNEL, tuple(items[:limit]), len(items) >= limit)
