"""What does a recording look like? A player at the moment sought, its scenes, and what is said when."""

import re
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from kb.api.files import PLAYABLE_TYPES
from kb.models import Asset, Segment, SegmentKind
from kb.web import addresses, highlight, labels

# Beyond this the page is slower than the search for a moment.
MOST_LINES = 3000
MOST_SCENES = 1500
MOMENT = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")


def recording(
    request: HttpRequest,
    asset: Asset,
    segments: QuerySet[Segment],
    chosen: Segment | None,
    sought: re.Pattern[str] | None,
) -> dict[str, object]:
    """`segments` are the recording's and its side-cars'."""
    at_ms = _asked_ms(request)
    if at_ms is None:
        at_ms = chosen.start_ms if chosen and chosen.start_ms is not None else None
    shots = list(segments.filter(kind=SegmentKind.SHOT).order_by("start_ms", "pk")[:MOST_SCENES])
    lines = list(segments.filter(kind=SegmentKind.SPEECH).order_by("start_ms", "asset_id", "pk")[:MOST_LINES])
    words = request.GET.get("q", "")
    poster = next((shot for shot in shots if shot.picture_key), None)
    stream = addresses.stream(asset.pk) if asset.media_type in PLAYABLE_TYPES else ""
    current = _current(shots, at_ms)
    return {
        "is_video": asset.kind == "video",
        # The fragment makes players without a script begin there, too.
        "stream_url": f"{stream}#t={labels.seconds(at_ms)}" if stream and at_ms else stream,
        "at": labels.seconds(at_ms) if at_ms is not None else "",
        "poster": addresses.picture(poster.pk) if poster and at_ms is None else "",
        "shots": [_scene(asset, shot, words, sought, current) for shot in shots],
        "spoken": [_line(asset, line, words, sought, chosen) for line in lines],
        "texts": segments.filter(kind=SegmentKind.TEXT).order_by(
            F("page").asc(nulls_first=True), "part", "ordinal"
        ),
        "covers": [
            addresses.thumbnail(pk)
            for pk in segments.filter(kind=SegmentKind.FIGURE)
            .exclude(thumbnail_key="")
            .values_list("pk", flat=True)
        ],
    }


def _asked_ms(request: HttpRequest) -> int | None:
    value = request.GET.get("t", "")
    return int(Decimal(value) * 1000) if MOMENT.fullmatch(value) else None


def _current(shots: list[Segment], at_ms: int | None) -> int | None:
    """The shot that is seen at that moment."""
    if at_ms is None:
        return None
    before = [shot.pk for shot in shots if shot.start_ms is not None and shot.start_ms <= at_ms]
    return before[-1] if before else None


def _scene(
    asset: Asset, shot: Segment, words: str, sought: re.Pattern[str] | None, current: int | None
) -> dict[str, object]:
    read = " ".join(shot.ocr_text.split())
    return _moment(asset, shot, words) | {
        "thumbnail": addresses.thumbnail(shot.pk) if shot.thumbnail_key else "",
        "parts": highlight.parts(read, sought),
        "current": shot.pk == current,
    }


def _line(
    asset: Asset,
    line: Segment,
    words: str,
    sought: re.Pattern[str] | None,
    chosen: Segment | None,
) -> dict[str, object]:
    return _moment(asset, line, words) | {
        "language": line.language,
        "parts": highlight.parts(line.text, sought),
        "chosen": chosen is not None and line.pk == chosen.pk,
    }


def _moment(asset: Asset, segment: Segment, words: str) -> dict[str, object]:
    seconds = labels.seconds(segment.start_ms or 0)
    query = {"t": seconds} | ({"q": words} if words else {})
    return {
        "seconds": seconds,
        "end": labels.seconds(segment.end_ms or 0),
        "label": labels.moment(segment.start_ms or 0),
        "url": f"{reverse('asset', args=[asset.pk])}?{urlencode(query)}",
    }
