"""How do the tests ask, and what do they put in?"""

import numpy as np
from django.contrib.auth.models import User
from PIL import Image

from kb.models import Asset, Collection, VectorSet
from retrieval import search, spaces
from retrieval.results import SearchResult
from retrieval.search import SearchRequest
from tests.builders import encoded, scene
from tests.library import Passage, an_asset


def ask(user: User, words: str = "", **request: object) -> SearchResult:
    return search.search(user, SearchRequest(words, **request))  # type: ignore[arg-type]


def titles(result: SearchResult) -> list[str]:
    return [hit.title for hit in result.hits]


def found(user: User, words: str = "", **request: object) -> list[str]:
    return titles(ask(user, words, **request))


def look(image: Image.Image) -> np.ndarray:
    return spaces.lookalike_encoder().encode_images([image])[0]


def a_picture(
    collection: Collection, looks: VectorSet, seed: int, *, words: str = "", title: str = ""
) -> Asset:
    """An image asset of scene `seed`, at scenes/`seed`.png."""
    passage = Passage(kind="image", ocr_text=words, vectors=((looks, look(scene(seed))),))
    uri = f"scenes/{seed}.png"
    return an_asset(collection, [passage], title=title or f"scene {seed}", uri=uri, media_type="image/png")


def thumbnail_of(seed: int) -> bytes:
    return encoded(scene(seed).resize((160, 120)), "JPEG", quality=85)


def a_document_showing(collection: Collection, uri: str, words: str, **options: object) -> Asset:
    figure = Passage(words, kind="figure", picture_uri=uri)
    return an_asset(collection, ["Introduction.", figure], title="document", **options)  # type: ignore[arg-type]
