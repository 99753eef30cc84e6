"""How do files come in through the browser, and how is it going with them?"""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from kb import progress, runs, uploads
from kb.api.base import max_upload_body_bytes
from kb.models import OPEN_RUN_STATES, IngestItem, IngestStep, Outcome, Role, RunState, StepState
from kb.permissions import collections_with_role, visible_assets, visible_runs
from kb.web import addresses, labels
from kb.web.bodies import bounded
from kb.web.forms import UploadForm

# One screen of files: enough to read through, few enough to fetch anew each second.
FILES_A_PAGE = 100
# What someone who comes back to the upload page may want to look after.
RECENT_RUNS = 8
PROBLEMS = (Outcome.FAILED, Outcome.UNSUPPORTED, Outcome.PARTIAL)
# What needs a person first, then what is still moving.
ORDER = Case(
    When(outcome__in=PROBLEMS, then=Value(0)),
    When(outcome=Outcome.PENDING, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@bounded(max_upload_body_bytes)
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def upload_page(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)  # login_required let nobody else through.
    if request.method == "POST":
        form = UploadForm(user, request.POST, request.FILES)
        if form.is_valid():
            run = uploads.start_run(form.cleaned_data["collection"], user)
            try:
                for file in form.cleaned_data["files"]:
                    uploads.receive(run, file.name, file)
            finally:
                # Also when the store fails half-way: a run that is not sealed never ends.
                uploads.seal(run)
            return redirect("run", run_id=run.pk)
    else:
        form = UploadForm(user, initial={"collection": request.GET.get("collection")})
    collections = collections_with_role(user, Role.EDITOR).order_by("name")
    chosen = str(form["collection"].value() or "")
    return render(
        request,
        "kb/upload.html",
        {
            "form": form,
            "collections": [
                {"collection": c, "uploads_url": addresses.uploads(c.pk), "chosen": c.slug == chosen}
                for c in collections
            ],
            "runs": visible_runs(user).select_related("collection", "started_by")[:RECENT_RUNS],
        },
        status=400 if form.errors else 200,
    )


@require_safe
@login_required
def run_page(request: HttpRequest, run_id: int) -> HttpResponse:
    """Where a run stands. The page's script fetches it again when the run has moved, and swaps the part that moves."""
    run = get_object_or_404(visible_runs(request.user).select_related("collection", "started_by"), pk=run_id)
    far = progress.of_run(run)
    outcome = request.GET.get("outcome", "")
    if outcome not in Outcome.values:
        outcome = ""
    items = run.items.select_related("asset_version").annotate(order=ORDER).order_by("order", "id")
    if outcome:
        items = items.filter(outcome=outcome)
    page = Paginator(items, FILES_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "kb/run.html",
        {
            "run": run,
            "running": run.state == RunState.RUNNING,
            "is_open": run.state in OPEN_RUN_STATES,
            "events_url": addresses.run_events(run.pk),
            "actions": [
                {"url": addresses.run_action(run.pk, name), "label": label, "name": name}
                for name, label in labels.RUN_ACTIONS.get(run.state, {}).items()
            ],
            "total": far.total,
            "done": far.ended,
            "percent": round(100 * far.ended / far.total) if far.total else 0,
            "counts": [
                {"outcome": code, "label": label, "n": far.counts[code], "current": code == outcome}
                for code, label in labels.OUTCOMES.items()
                if far.counts[code]
            ],
            "outcome": outcome,
            "elapsed": labels.duration(((run.ended_at or timezone.now()) - run.created_at).total_seconds()),
            "files_per_s": far.files_per_s if run.state == RunState.RUNNING else 0,
            "remaining": labels.duration(far.remaining_s) if far.remaining_s else "",
            "page": page,
            "files": _files(request, list(page.object_list)),
            "retry_url": addresses.retry_failures(run.pk) if far.counts[Outcome.FAILED] else "",
        },
    )


def _files(request: HttpRequest, items: list[IngestItem]) -> list[dict[str, object]]:
    """What the page says of each file. A link only where this person may read the asset."""
    versions = {item.asset_version_id: item.asset_version for item in items if item.asset_version}
    readable = set(
        visible_assets(request.user)
        .filter(pk__in={version.asset_id for version in versions.values()})
        .values_list("pk", flat=True)
    )
    steps: dict[int, list[IngestStep]] = {}
    pending = [item.asset_version_id for item in items if item.outcome == Outcome.PENDING]
    for step in IngestStep.objects.filter(asset_version__in=pending).order_by("id"):
        steps.setdefault(step.asset_version_id, []).append(step)
    again = set(runs.retriable().filter(pk__in=[item.pk for item in items]).values_list("pk", flat=True))
    rows: list[dict[str, object]] = []
    for item in items:
        why, detail = labels.reason(item)
        own = steps.get(item.asset_version_id or 0, [])
        current = next((s for s in own if s.state not in (StepState.DONE, StepState.CANCELLED)), None)
        asset_id = item.asset_version.asset_id if item.asset_version else None
        rows.append(
            {
                "item": item,
                "label": labels.OUTCOMES[item.outcome],
                "reason": why,
                "detail": detail,
                "step": labels.STEPS.get(current.name, "") if current else "",
                "percent": round(100 * current.progress) if current else None,
                "asset_id": asset_id if asset_id in readable else None,
                "retry_url": addresses.retry(item.run_id, item.pk) if item.pk in again else "",
            }
        )
    return rows
