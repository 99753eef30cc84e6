"""What does a library itself say about its pictures? Captions, alt texts, the paragraphs and words around them, titles,
and the searches after which somebody called them helpful.

Only what one manager may read, of collections that they manage. Pictures are the vectors that the library has
already.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import numpy as np
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from kb.models import Collection, Feedback, Role, Segment, SegmentKind, Vector
from kb.permissions import require_role, visible_assets, visible_segments
from retrieval import spaces, vectors
from retrieval.analysis import detect_language
from retrieval.encoders.base import Encoder, Vectors
from retrieval.encoders.compact_image import CompactEncoder
from retrieval.names import says_something
from retrieval.query import parse
from retrieval.training.alignment import Pairs
from retrieval.training.corpus import CorpusError, Say

# Vectors of 384 numbers: 77 MB. A sample of more teaches a head nothing else.
MOST_PICTURES = 50_000
# The best ones: what follows says less about the picture itself.
MOST_TEXTS = 6
# About what a query encoder reads; a paragraph's first sentences say what its figure is for.
MOST_CHARACTERS = 300
LONGEST_QUERY = 300
AT_ONCE = 512
SHOWN = (SegmentKind.IMAGE, SegmentKind.FIGURE, SegmentKind.SHOT)


@dataclass(slots=True)
class _Picture:
    """One that can be found: its vector's segment, the file it is held out with, and what is said of it."""

    row: int
    group: str
    texts: dict[str, None]


def collect(user: User, collections: Sequence[Collection], *, say: Say = print) -> Pairs:
    """Pictures with words, for `retrieval.training.alignment`.

    Raises what `kb.permissions.require_role` raises unless `user` manages every one of `collections`, and CorpusError
    where fewer than two pairs are found or no encoder reads words about pictures.
    """
    for collection in collections:
        require_role(user, collection, Role.MANAGER)
    encoder = spaces.image_encoder()
    if encoder is None or "text" not in encoder.spec.modalities:
        raise CorpusError(
            "No encoder that puts words and pictures into one space is set: see KB_IMAGE_ENCODER."
        )
    visual_set = vectors.set_of("visual", encoder.spec)
    of = {"collection__in": [collection.pk for collection in collections]}
    shown = visible_segments(user).filter(kind__in=SHOWN, **of)
    embedded = Vector.objects.filter(vector_set=visual_set, segment__in=shown.exclude(picture_key=""))
    ids = list(embedded.order_by("segment_id").values_list("segment_id", flat=True)) if visual_set else []
    if len(ids) > MOST_PICTURES:
        say(f"{len(ids)} pictures: {MOST_PICTURES} of them are used")
        ids = sorted(np.random.default_rng(0).choice(ids, MOST_PICTURES, replace=False).tolist())
    pictures = _pictures(shown, ids)
    _say_of_links(shown, pictures)
    _say_of_speech(user, shown, pictures)
    _say_of_clicks(user, pictures)
    languages = spaces.visual_languages()
    texts: dict[str, int] = {}
    texts_of = [
        [texts.setdefault(text, len(texts)) for text in list(_known(picture.texts, languages))[:MOST_TEXTS]]
        for picture in pictures.values()
    ]
    found = sum(map(len, texts_of))
    say(f"{len(pictures)} pictures, {len(texts)} texts, {found} pairs")
    if found < 2:
        raise CorpusError(
            f"These collections have {found} pairs of a picture and words about it; at least 2 are needed. Give"
            " pictures captions, alt texts or titles, or name more collections with --collection."
        )
    return Pairs(
        pictures=_rows(visual_set.pk if visual_set else 0, ids, encoder.spec.dimensions),
        groups=[picture.group for picture in pictures.values()],
        texts=list(texts),
        texts_of=texts_of,
        vectors=_encoded(list(texts), _words_encoder(encoder), say),
    )


def encoder_of_both() -> Encoder:
    """Of words and pictures, in one space. Raises CorpusError where this site has none."""
    encoder = spaces.image_encoder()
    if encoder is None or "text" not in encoder.spec.modalities:
        raise CorpusError(
            "No encoder that puts words and pictures into one space is set: see KB_IMAGE_ENCODER."
        )
    return encoder


def useful(text: str) -> str:
    """On one line and not too long; empty where it says nothing about any picture, as `IMG_2041` and `Figure 3` do."""
    line = " ".join(text.split())[:MOST_CHARACTERS].strip()
    return line if says_something(line) else ""


def name_of(title: str) -> str:
    """The words of a title, which is often a file's name: `wiring-diagram_v2.png` is `wiring diagram v2`."""
    path = urlsplit(title).path if "://" in title else title
    pure = PurePosixPath(path.replace("\\", "/"))
    stem = pure.stem if re.fullmatch(r"\.[A-Za-z0-9]{2,5}", pure.suffix) else pure.name
    return " ".join(stem.replace("_", " ").replace("-", " ").split())


def _words_encoder(encoder: Encoder) -> Encoder:
    """Whose vectors the head is given, at training as in use (`retrieval.spaces.visual_query_vector`)."""
    return spaces.text_encoder() if isinstance(encoder, CompactEncoder) else encoder


def _pictures(shown: QuerySet[Segment], ids: Sequence[int]) -> dict[int, _Picture]:
    """By the id of their segment, in the order of `ids`."""
    pictures: dict[int, _Picture] = {}
    row_of = {segment_id: row for row, segment_id in enumerate(ids)}
    for start in range(0, len(ids), AT_ONCE):
        batch = shown.filter(pk__in=ids[start : start + AT_ONCE]).select_related("asset").order_by("pk")
        for segment in batch:
            pictures[segment.pk] = _Picture(
                row_of[segment.pk],
                # The same bytes in two places are held out together.
                segment.asset.sha256,
                _told(segment, name_of(segment.asset.title)),
            )
    return pictures


def _told(segment: Segment, title: str) -> dict[str, None]:
    """The best first: what was written about this picture, the words around it, and the name of its file."""
    said = (segment.caption, segment.alt_text, *_around(segment.text), title)
    return {text: None for text in map(useful, said) if text}


def _around(context: str) -> Iterator[str]:
    """The paragraphs, the longest first: the headings above them are shorter, and shared by more pictures."""
    yield from sorted(context.splitlines(), key=len, reverse=True)[:2]


def _say_of_links(shown: QuerySet[Segment], pictures: dict[int, _Picture]) -> None:
    """What a document says of a picture that it shows and that is a file of its own."""
    links = shown.filter(kind=SegmentKind.FIGURE, picture_key="").exclude(picture_uri="").order_by("pk")
    told: dict[tuple[int, str], list[Segment]] = defaultdict(list)
    for segment in links:
        told[segment.collection_id, segment.picture_uri].append(segment)
    files = shown.filter(kind=SegmentKind.IMAGE, asset__source_uri__in={uri for _, uri in told})
    for pk, collection_id, uri in files.values_list("pk", "collection_id", "asset__source_uri"):
        if pk in pictures:
            for segment in told[collection_id, uri]:
                # Before the file's own name, which `_told` put last.
                pictures[pk].texts = {**_told(segment, ""), **pictures[pk].texts}


def _say_of_speech(user: User, shown: QuerySet[Segment], pictures: dict[int, _Picture]) -> None:
    """What is said while a shot is seen."""
    shots = shown.filter(kind=SegmentKind.SHOT, start_ms__isnull=False, end_ms__isnull=False)
    for pk, asset_id, start_ms, end_ms in shots.values_list("pk", "asset_id", "start_ms", "end_ms"):
        if pk not in pictures:
            continue
        lines = visible_segments(user).filter(
            Q(start_ms__lt=end_ms) & Q(end_ms__gt=start_ms), asset_id=asset_id, kind=SegmentKind.SPEECH
        )
        said = useful(" ".join(lines.order_by("start_ms").values_list("text", flat=True)[:4]))
        if said:
            pictures[pk].texts[said] = None


def _say_of_clicks(user: User, pictures: dict[int, _Picture]) -> None:
    """The words of searches, of files with one picture: of others nobody knows which of them was meant."""
    of_asset: dict[int, list[int]] = defaultdict(list)
    for pk, asset_id in visible_segments(user).filter(pk__in=pictures).values_list("pk", "asset_id"):
        of_asset[asset_id].append(pk)
    alone = {asset_id: pks[0] for asset_id, pks in of_asset.items() if len(pks) == 1}
    readable = visible_assets(user).filter(pk__in=alone)
    told = Feedback.objects.filter(asset__in=readable, helpful=True, query__has_picture=False)
    counted = Counter(told.values_list("asset_id", "query__words"))
    for (asset_id, words), _count in counted.most_common():
        text = useful(parse(words, max_characters=LONGEST_QUERY).text)
        picture = pictures[alone[asset_id]]
        if text:
            # Whoever searches says it as the next one will.
            picture.texts = {text: None, **picture.texts}


def _known(texts: Iterable[str], languages: frozenset[str] | None) -> Iterator[str]:
    """Those that the text encoder reads. A line too short to tell stays."""
    for text in texts:
        if languages is None or detect_language(text) in (*languages, ""):
            yield text


def _rows(vector_set: int, ids: Sequence[int], dimensions: int) -> Vectors:
    rows = np.zeros((len(ids), dimensions), dtype=np.float32)
    row_of = {segment_id: row for row, segment_id in enumerate(ids)}
    for start in range(0, len(ids), AT_ONCE):
        found = Vector.objects.filter(vector_set=vector_set, segment__in=ids[start : start + AT_ONCE])
        for segment_id, embedding in found.values_list("segment_id", "embedding"):
            rows[row_of[segment_id]] = embedding
    return rows


def _encoded(texts: Sequence[str], encoder: Encoder, say: Say) -> Vectors:
    rows = np.zeros((len(texts), encoder.spec.dimensions), dtype=np.float32)
    for start in range(0, len(texts), AT_ONCE):
        batch = texts[start : start + AT_ONCE]
        rows[start : start + len(batch)] = encoder.encode_texts(batch, query=True)
        say(f"texts encoded: {start + len(batch)} of {len(texts)}")
    return rows
