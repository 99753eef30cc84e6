"""How is a query answered? parse, permit, retrieve, rank, render: read here first."""

from dataclasses import dataclass

from kb.permissions import AnyUser
from retrieval.results import SearchResult


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a person asks: words, a picture, or both, and which page of the answer they want."""

    words: str = ""
    # The bytes of an image file, as uploaded.
    picture: bytes | None = None
    page: int = 1
    page_size: int = 10
    # Weight of the words against the picture when both are given, 0 to 1.
    text_weight: float = 0.5


def search(user: AnyUser, request: SearchRequest) -> SearchResult:
    """The page of hits that `user` may see for `request`. Raises QueryError for what cannot be asked."""
    raise NotImplementedError
