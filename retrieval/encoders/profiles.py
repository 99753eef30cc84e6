"""Which encoders does a site use? A profile names them; its options fill in what it leaves open."""

from dataclasses import dataclass

from retrieval.encoders.base import EncoderError
from retrieval.encoders.compact_image import NAME as COMPACT
from retrieval.encoders.compact_image import CompactSource
from retrieval.encoders.dual import DualSource
from retrieval.encoders.manifest import Source
from retrieval.encoders.minilm import NAME as EMBEDDED_TEXT
from retrieval.encoders.minilm import MiniLmSource
from retrieval.encoders.sentence import SentenceSource
from retrieval.encoders.student import BilingualSource

# Of the hub, for profile `recommended`: small enough for a CPU, and both read about a hundred languages,
# Chinese and English among them. The prompts are what the sentence encoder's authors trained it with.
RECOMMENDED_IMAGE = "google/siglip2-base-patch16-224"
RECOMMENDED_TEXT = "intfloat/multilingual-e5-small"
# KB_IMAGE_ENCODER says so where pictures shall not be found by what they show.
NO_IMAGE = "none"
# Families that expect prompts without saying so in their files: a part of the name, and the prompts.
KNOWN_PROMPTS = {"e5-": ("query: ", "passage: ")}


@dataclass(frozen=True, slots=True)
class Encoders:
    """What to load: a text encoder always; an image encoder where one is configured."""

    text: Source | BilingualSource
    image: Source | CompactSource | None

    @property
    def sources(self) -> list[Source]:
        """All that has to be prepared; the compact image encoder is served as it comes."""
        texts: list[Source] = (
            [self.text.teacher, self.text.student] if isinstance(self.text, BilingualSource) else [self.text]
        )
        if self.image is None or isinstance(self.image, CompactSource):
            return texts
        return [*texts, self.image]


def encoders(profile: str, *, text: str = "", image: str = "") -> Encoders:
    """`text`, `image`: transformers names or local folders; `compact` and `none` are images' too.

    Raises EncoderError for a contradiction.
    """
    match profile:
        case "embedded":
            _refuse(profile, "KB_TEXT_ENCODER", text)
            return Encoders(BilingualSource(), _image(image) if image else _shipped())
        case "recommended":
            _refuse(profile, "KB_TEXT_ENCODER", text)
            _refuse(profile, "KB_IMAGE_ENCODER", image)
            return Encoders(_sentence(RECOMMENDED_TEXT), DualSource(RECOMMENDED_IMAGE))
        case "custom":
            if not text:
                raise EncoderError(
                    f"Profile custom needs KB_TEXT_ENCODER: a hub name, a folder, or {EMBEDDED_TEXT}."
                )
            return Encoders(_sentence(text), _image(image) if image else None)
        case _:
            raise EncoderError(f"There is no profile {profile!r}: use embedded, recommended or custom.")


def _sentence(name: str) -> Source:
    if name == EMBEDDED_TEXT:
        return MiniLmSource()
    for part, (query, passage) in KNOWN_PROMPTS.items():
        if part in name.rpartition("/")[2]:
            return SentenceSource(name, query_prompt=query, passage_prompt=passage)
    return SentenceSource(name)


def _shipped() -> CompactSource | None:
    """None in an installation without its files: words still find pictures by the words in and about them."""
    source = CompactSource()
    return source if source.is_there else None


def _image(name: str) -> Source | CompactSource | None:
    if name == COMPACT:
        return CompactSource()
    return None if name == NO_IMAGE else DualSource(name)


def _refuse(profile: str, setting: str, value: str) -> None:
    """A setting that changes nothing is a mistake that would be found late."""
    if value:
        raise EncoderError(f"{setting} is not read by profile {profile}: use KB_PROFILE=custom, or unset it.")
