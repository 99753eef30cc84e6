"""What does one asset look like? The page or picture found, its words, and what else is in the file."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from kb.models import Asset, Segment, SegmentKind
from kb.permissions import visible_assets, visible_collections
from kb.recordings import is_recording, with_side_cars
from kb.web import addresses, highlight, labels
from kb.web.player import recording

# Passages on one screen of a text without pages: about ten printed pages.
PASSAGES_AROUND = 40
# Figures listed beside a document; further ones are on their pages.
MOST_FIGURES = 60

NUMBER = re.compile(r"[0-9]{1,9}")
Sought = re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of a picture as SVG attributes, in thousandths of its width and height."""

    x: str
    y: str
    width: str
    height: str

    @classmethod
    def of(cls, box: list[float] | tuple[float, ...]) -> "Region":
        left, top, right, bottom = (min(max(float(edge), 0.0), 1.0) * 1000 for edge in box)
        return cls(f"{left:.1f}", f"{top:.1f}", f"{max(right - left, 0):.1f}", f"{max(bottom - top, 0):.1f}")


@require_safe
@login_required
def asset_page(request: HttpRequest, asset_id: int) -> HttpResponse:
    asset = get_object_or_404(visible_assets(request.user).select_related("collection"), pk=asset_id)
    # Of one version only: visible are those that are published.
    segments = with_side_cars(request.user, asset)
    words = request.GET.get("q", "")
    sought = highlight.pattern(words)
    chosen = segments.filter(pk=number).first() if (number := _number(request, "segment")) else None
    context: dict[str, object] = {
        "asset": asset,
        "kind_label": labels.kind(asset.kind),
        "language": labels.language(asset.language) if asset.language else "",
        # Someone who may read this asset alone does not learn the collection's name.
        "collection": visible_collections(request.user).filter(pk=asset.collection_id).first(),
        "content_url": addresses.content(asset.pk),
        "words": words,
        "chosen": chosen,
    }
    if asset.kind == "image":
        context |= _image(segments, sought)
    elif is_recording(asset.media_type):
        context["is_recording"] = True
        context |= recording(request, asset, segments, chosen, sought)
    else:
        context |= _document(request, asset, segments, chosen, sought)
    return render(request, "kb/asset.html", context)


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if NUMBER.fullmatch(value) else None


def _image(segments: QuerySet[Segment], sought: Sought) -> dict[str, object]:
    segment = segments.filter(kind=SegmentKind.IMAGE).first()
    if segment is None:
        return {}
    return {
        "picture": _picture(segment),
        "lines": _lines(segment, sought),
        "caption": highlight.parts(segment.caption, sought),
        "alt_text": highlight.parts(segment.alt_text, sought),
    }


def _picture(segment: Segment) -> dict[str, object]:
    return {
        "url": addresses.picture(segment.pk),
        "width": segment.width_px,
        "height": segment.height_px,
        "alt": segment.alt_text or segment.caption,
    }


def _lines(segment: Segment, sought: Sought) -> list[dict[str, object]]:
    """The words read in a picture, each line with its place."""
    lines = []
    for left, top, right, bottom, text in segment.ocr_lines:
        pieces = highlight.parts(text, sought)
        lines.append(
            {
                "text": text,
                "parts": pieces,
                "matches": any(piece.highlighted for piece in pieces),
                "region": Region.of((left, top, right, bottom)),
            }
        )
    return lines


def _document(
    request: HttpRequest, asset: Asset, segments: QuerySet[Segment], chosen: Segment | None, sought: Sought
) -> dict[str, object]:
    pages = {s.page: s for s in segments.filter(kind=SegmentKind.PAGE, page__isnull=False).order_by("page")}
    page = _number(request, "page") or (chosen.page if chosen else None)
    if pages and page not in pages:
        page = min(number for number in pages if number is not None)
    # A subtitle file on its own has spoken words only.
    texts = segments.filter(kind__in=(SegmentKind.TEXT, SegmentKind.SPEECH)).order_by("part", "ordinal")
    context: dict[str, object] = {"figures": _figures(request, asset, segments, chosen)}
    if not pages:
        return context | _passages_around(request, texts, chosen, sought)
    shown = pages[page]
    numbers = [number for number in pages if number is not None]
    at = numbers.index(page or 0)
    boxes = segments.filter(kind=SegmentKind.FIGURE, page=page, box__isnull=False)
    return context | {
        "page": page,
        "previous_page": numbers[at - 1] if at else None,
        "next_page": numbers[at + 1] if at + 1 < len(numbers) else None,
        "pages": [
            {"number": number, "thumbnail": addresses.thumbnail(segment.pk), "current": number == page}
            for number, segment in pages.items()
        ],
        "picture": _picture(shown),
        "lines": _lines(shown, sought),
        "regions": [
            {"region": Region.of(figure.box), "chosen": chosen is not None and figure.pk == chosen.pk}
            for figure in boxes
            if figure.box
        ],
        "passages": _passages(texts.filter(page=page), chosen, sought),
    }


def _passages_around(
    request: HttpRequest, texts: QuerySet[Segment], chosen: Segment | None, sought: Sought
) -> dict[str, object]:
    """A window on a text that has no pages: around the passage that was found, or from `from` on."""
    keys = list(texts.values_list("pk", flat=True))
    start = _number(request, "from") or 0
    if chosen is not None and chosen.pk in keys and "from" not in request.GET:
        start = max(keys.index(chosen.pk) - PASSAGES_AROUND // 4, 0)
    start = min(start, max(len(keys) - 1, 0))
    end = start + PASSAGES_AROUND
    return {
        "passages": _passages(texts.filter(pk__in=keys[start:end]), chosen, sought),
        "previous_from": max(start - PASSAGES_AROUND, 0) if start else None,
        "next_from": end if end < len(keys) else None,
    }


def _passages(texts: QuerySet[Segment], chosen: Segment | None, sought: Sought) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = []
    heading: list[str] = []
    for segment in texts:
        shown.append(
            {
                "segment": segment,
                # Each heading once, not above every passage below it.
                "heading": segment.heading_path if segment.heading_path != heading else [],
                "moment": "" if segment.start_ms is None else labels.moment(segment.start_ms),
                "parts": highlight.parts(segment.text, sought),
                "chosen": chosen is not None and segment.pk == chosen.pk,
            }
        )
        heading = segment.heading_path
    return shown


def _figures(
    request: HttpRequest, asset: Asset, segments: QuerySet[Segment], chosen: Segment | None
) -> list[dict[str, object]]:
    """The document's figures. One that is a file of its own shows only to those who may read that file."""
    figures = list(
        segments.filter(kind=SegmentKind.FIGURE).exclude(Q(picture_key="") & Q(picture_uri=""))[:MOST_FIGURES]
    )
    linked = {
        other.source_uri: other
        for other in visible_assets(request.user).filter(
            collection=asset.collection_id,
            version__gt=0,
            media_type__startswith="image/",
            source_uri__in=[figure.picture_uri for figure in figures if not figure.picture_key],
        )
    }
    rows: list[dict[str, object]] = []
    for figure in figures:
        other = linked.get(figure.picture_uri)
        if not figure.picture_key and other is None:
            continue
        query = urlencode({"segment": figure.pk} | ({"page": figure.page} if figure.page else {}))
        here = f"{reverse('asset', args=[asset.pk])}?{query}"
        rows.append(
            {
                "thumbnail": addresses.thumbnail(figure.pk),
                "label": figure.caption or figure.alt_text or labels.place(figure.page, None),
                "url": here if other is None else reverse("asset", args=[other.pk]),
                "chosen": chosen is not None and figure.pk == chosen.pk,
                "page": figure.page,
            }
        )
    return rows
