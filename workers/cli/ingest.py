"""`kb ingest`: files and folders into a collection, with a progress bar until each has its outcome."""

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Sum
from django.http import Http404
from django.utils.text import slugify
from tqdm import tqdm

from kb import uploads
from kb.exceptions import KbError
from kb.models import OPEN_RUN_STATES, Collection, IngestItem, IngestRun, IngestStep, Outcome, Role, RunState
from kb.permissions import Principal, grant, require_role
from kb.startup import migrate, postgres_running
from workers import outbox
from workers.cli.files import Found, find
from workers.cli.people import acting_user
from workers.cli.services import Services, services
from workers.cli.watch import Watch, faults_of_run

# Between two looks at the run: an eye does not see more.
POLL_S = 0.3
# Ten times the longest a step may rest after a failure: nothing has moved for that long, so nothing will.
STUCK_S = 3000


class MayNotIngestError(KbError):
    """You may not add to this collection."""


def run(arguments: argparse.Namespace) -> int:
    found = find(arguments.paths)
    with postgres_running(), services(arguments.workers) as helpers:
        migrate()
        user = acting_user(arguments.user)
        collection, is_new = found_or_made(arguments.collection, user)
        if arguments.everyone:
            grant(collection, Principal(everyone=True), Role.VIEWER)
        elif is_new:
            print(
                f"Made the collection {collection.name!r}. Only {user.username} may read it; use --everyone, "
                "or grant access on the admin page."
            )
        ingest_run = uploads.start_run(collection, user, source=", ".join(arguments.paths))
        watch = Watch(helpers.supervisor) if arguments.check else None
        if watch is not None:
            watch.start()
        try:
            unread = _receive(ingest_run, found, None if arguments.detach else helpers)
        finally:
            uploads.seal(ingest_run)  # Also after Ctrl-C: what came in so far is complete.
        if arguments.detach:
            helpers.leave_running()
            print(f"Run {ingest_run.pk}: {len(found.files) - len(unread)} files are in; see `kb status`.")
            return 1 if unread else 0
        is_stuck = not wait(ingest_run, helpers)
        status = _report(ingest_run, found, unread, is_stuck=is_stuck)
        if watch is not None:
            watch.stop()
            status = max(status, _check(ingest_run, watch))
        return status


def found_or_made(name: str, user: User) -> tuple[Collection, bool]:
    # A name without Latin letters has no slug of its own.
    slug = slugify(name)[:80] or f"collection-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    collection = Collection.objects.filter(slug=slug).first() or Collection.objects.filter(name=name).first()
    if collection is None:
        collection = Collection.objects.create(name=name, slug=slug)
        grant(collection, Principal(user=user), Role.MANAGER)
        return collection, True
    try:
        require_role(user, collection, Role.EDITOR)
    except (Http404, PermissionDenied) as error:
        raise MayNotIngestError(
            f"{user.username} may not add to the collection {name!r}. Name somebody who may with --user."
        ) from error
    return collection, False


def _receive(ingest_run: IngestRun, found: Found, helpers: Services | None) -> list[tuple[str, str]]:
    """Hands each file over; those that could not be opened come back with the reason.

    The helpers begin at the first file that needs them: with its steps, while the others come in.
    """
    unread = list(found.unreadable_folders)
    with tqdm(total=len(found.files), desc="reading", unit="file", disable=None) as bar:
        for name, path in found.files:
            try:
                with Path(path).open("rb") as stream:
                    item = uploads.receive(ingest_run, name, stream)
                if item.outcome == Outcome.PENDING and helpers is not None:
                    helpers.ensure()
            except OSError as error:
                unread.append((name, error.strerror or str(error)))
            bar.update()
    return unread


def wait(ingest_run: IngestRun, helpers: Services) -> bool:
    """Returns when the run has ended; False when nothing moved for so long that it never will."""
    items = IngestItem.objects.filter(run=ingest_run)
    steps = IngestStep.objects.filter(asset_version__items__run=ingest_run)
    moved_at, last = time.monotonic(), None
    with tqdm(total=items.count(), desc="indexing", unit="file", disable=None) as bar:
        while True:
            bar.update(items.exclude(outcome=Outcome.PENDING).count() - bar.n)
            if bar.n == bar.total:
                outbox.end_finished_runs()  # As the relay does, which need not be started for that.
            else:
                helpers.ensure()
            ingest_run.refresh_from_db()
            if ingest_run.state not in OPEN_RUN_STATES:
                return True
            now = tuple(steps.aggregate(Count("pk"), Sum("attempts"), Sum("progress")).values()), bar.n
            if now != last or ingest_run.state == RunState.PAUSED:
                moved_at, last = time.monotonic(), now
            if time.monotonic() - moved_at > STUCK_S:
                return False
            time.sleep(POLL_S)


def _report(ingest_run: IngestRun, found: Found, unread: Sequence[tuple[str, str]], *, is_stuck: bool) -> int:
    items = list(IngestItem.objects.filter(run=ingest_run).select_related("asset_version"))
    outcomes = [outcome for outcome in Outcome if any(item.outcome == outcome for item in items)]
    counts = Counter((_format(item), item.outcome) for item in items)
    width = max([len(form) for form, _ in counts] + [6])
    print(f"{'format':<{width}} " + " ".join(f"{outcome.value:>11}" for outcome in outcomes))
    for form in sorted({form for form, _ in counts}):
        print(f"{form:<{width}} " + " ".join(f"{counts[form, outcome]:>11}" for outcome in outcomes))
    for item in items:
        if item.error_code:
            print(f"{item.path}: {item.outcome}, {item.error_code}: {item.error_message}")
    for name, reason in unread:
        print(f"{name}: not read: {reason}")
    if found.links:
        print(f"{found.links} symbolic links were passed over.")
    if found.special:
        print(f"{found.special} devices, pipes or sockets were passed over.")
    pending = [item for item in items if item.outcome == Outcome.PENDING]
    if is_stuck or pending:
        print(
            f"{len(pending)} files have no outcome: see the log of the relay and the worker.", file=sys.stderr
        )
    return 1 if is_stuck or pending or unread else 0


def _check(ingest_run: IngestRun, watch: Watch) -> int:
    """Whether the run did what it must, whatever is in the files."""
    peaks = ", ".join(
        f"{kind} {size_bytes / 1024**2:,.0f} MB" for kind, size_bytes in sorted(watch.peak_bytes.items())
    )
    print(f"Largest processes: {peaks or 'none was needed'}.")
    faults = [f"{name} died" for name in watch.died] + watch.beyond_caps() + faults_of_run(ingest_run)
    for fault in faults:
        print(f"check: {fault}", file=sys.stderr)
    if not faults:
        print("Check: no worker died, no step is left or was begun again, and no cap was passed.")
    return 1 if faults else 0


def _format(item: IngestItem) -> str:
    if item.asset_version is not None:
        return item.asset_version.media_type
    return PurePosixPath(item.path).suffix.lower() or "(no ending)"
