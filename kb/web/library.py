"""What is there for me to search? Collections, what they hold for this person, and their role in each."""

from django.contrib.auth.decorators import login_required
from django.db.models import Case, CharField, Count, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kb.models import Role
from kb.permissions import role_in, visible_assets, visible_collections
from kb.web import labels

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
