"""Which encoders does a site use? A profile names them; its options fill in what it leaves open."""

from dataclasses import dataclass

from retrieval.encoders.base import EncoderError
from retrieval.encoders.manifest import Source
from retrieval.encoders.minilm import NAME as EMBEDDED_TEXT
from retrieval.encoders.minilm import MiniLmSource

# Of the hub, for profile `recommended`: small enough for a CPU, and both read about a hundred languages, Chinese
# and English among them.
RECOMMENDED_IMAGE = "google/siglip2-base-patch16-224"
RECOMMENDED_TEXT = "intfloat/multilingual-e5-small"


@dataclass(frozen=True, slots=True)
class Encoders:
    """What to load: a text encoder always; an image encoder where one is configured."""

    text: Source
    image: Source | None


def encoders(profile: str, *, text: str = "", image: str = "") -> Encoders:
    """`text`, `image`: transformers names or local folders. Raises EncoderError for what contradicts itself."""
    match profile:
        case "embedded":
            _unused(profile, "KB_TEXT_ENCODER", text)
            return Encoders(MiniLmSource(), None)
        case _:
            raise EncoderError(
                f"There is no profile {profile!r}: embedded, recommended and custom are known."
            )


def _unused(profile: str, setting: str, value: str) -> None:
    """A setting that changes nothing is a mistake that would be found late."""
    if value:
        raise EncoderError(
            f"{setting} is not read by profile {profile}: use KB_PROFILE=custom, or leave it out."
        )
