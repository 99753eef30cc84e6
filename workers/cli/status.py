"""`kb status`: what runs, what is in the library, how the last runs went."""

import argparse
from typing import Any

from django.conf import settings
from django.db.models import Count

from kb.models import Asset, Collection, IngestItem, IngestRun, IngestStep, Segment
from kb.postgres import EmbeddedPostgres
from kb.startup import migrate, postgres_running
from kb.supervisor import running

# Enough to see what is going on, few enough for one screen.
RUNS_SHOWN = 5


def run(_: argparse.Namespace) -> int:
    if settings.KB_EMBEDDED:
        _print_processes()
    with postgres_running():
        if settings.KB_EMBEDDED:
            migrate()
        _print_library()
        _print_runs()
    return 0


def _print_processes() -> None:
    """Looked at before anything is started for this command's own sake."""
    pid = EmbeddedPostgres(settings.KB_HOME).pid()
    facts = running(settings.KB_HOME)
    print(f"home      {settings.KB_HOME.root}")
    print(f"postgres  {'not running' if pid is None else f'process {pid}'}")
    if facts is None:
        print("services  not running (kb up)")
        return
    page = f", http://127.0.0.1:{facts['port']}/" if facts.get("port") else ""
    print(f"services  process {facts.get('pid')}, {facts.get('workers')} workers{page}")


def _print_library() -> None:
    segments = Segment.objects.filter(audience__isnull=False).count()
    print(
        f"library   {Collection.objects.count()} collections, {Asset.objects.count()} assets, {segments} segments"
    )
    print(f"          {_counted(Asset.objects.values_list('state').annotate(Count('pk')))}")
    print(f"steps     {_counted(IngestStep.objects.order_by().values_list('state').annotate(Count('pk')))}")


def _print_runs() -> None:
    for found in IngestRun.objects.select_related("collection")[:RUNS_SHOWN]:
        outcomes = (
            IngestItem.objects.filter(run=found).order_by().values_list("outcome").annotate(Count("pk"))
        )
        when = f"{found.created_at:%Y-%m-%d %H:%M}"
        print(f"run {found.pk:<5} {when}  {found.state:<9} {found.collection.name}: {_counted(outcomes)}")


def _counted(rows: Any) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(rows)) or "none"
