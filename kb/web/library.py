"""What is there for me to search? Collections, what they hold for this person, and their role in each."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Case, CharField, Count, F, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from kb.models import Role
from kb.permissions import role_in, visible_assets, visible_collections, visible_segments
from kb.web import addresses, labels

# A shelf of twelve rows of five on a wide screen.
ASSETS_A_PAGE = 60

# The same rule as Asset.kind, for the database to count by.
KIND = Case(
    When(media_type__startswith="image/", then=Value("image")),
    When(media_type__startswith="video/", then=Value("video")),
    default=Value("document"),
    output_field=CharField(),
)


@require_safe
@login_required
def collections_page(request: HttpRequest) -> HttpResponse:
    user = request.user
    counts: dict[int, dict[str, int]] = {}
    searchable = visible_assets(user).filter(version__gt=0).order_by()
    for row in searchable.annotate(sort=KIND).values("collection_id", "sort").annotate(n=Count("id")):
        counts.setdefault(row["collection_id"], {})[row["sort"]] = row["n"]
    rows = []
    for collection in visible_collections(user):
        role = role_in(user, collection)
        mine = counts.get(collection.pk, {})
        rows.append(
            {
                "collection": collection,
                "role": labels.ROLES[role] if role else "",
                "may_upload": role is not None and role >= Role.EDITOR,
                "counts": [(sort, labels.kind(sort), mine[sort]) for sort in labels.KINDS if mine.get(sort)],
                "total": sum(mine.values()),
            }
        )
    return render(request, "kb/collections.html", {"rows": rows})


@require_safe
@login_required
def collection_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What this person may read of one collection, by title."""
    collection = get_object_or_404(visible_collections(request.user), slug=slug)
    assets = visible_assets(request.user).filter(collection=collection, version__gt=0).order_by("title", "pk")
    page = Paginator(assets, ASSETS_A_PAGE).get_page(request.GET.get("page"))
    covers = (
        visible_segments(request.user)
        .filter(asset__in=[asset.pk for asset in page])
        .exclude(thumbnail_key="")
        .order_by("asset_id", F("page").asc(nulls_last=True), "part", "ordinal")
        .distinct("asset_id")
    )
    thumbnails = {segment.asset_id: addresses.thumbnail(segment.pk) for segment in covers}
    return render(
        request,
        "kb/collection.html",
        {
            "collection": collection,
            "page": page,
            "assets": [
                {
                    "asset": asset,
                    "kind_label": labels.kind(asset.kind),
                    "thumbnail": thumbnails.get(asset.pk, ""),
                }
                for asset in page
            ],
        },
    )
