"""`kb source`: which places outside does a collection follow, and what did their last scans find?"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.http import Http404

from kb import source_settings, sources
from kb.exceptions import KbError
from kb.models import IngestItem, Outcome, Role, Source, SourceKind, SourceState
from kb.permissions import Principal, require_role
from kb.sources import FolderReaders
from kb.startup import migrate, postgres_running
from workers.cli.ingest import found_or_made, wait
from workers.cli.people import acting_user
from workers.cli.services import services
from workers.connectors import schedule

_NUMBERS = {"max_depth": int, "max_pages": int, "delay_s": float}


class SourceError(KbError):
    """This source cannot be used so."""


def run(arguments: argparse.Namespace) -> int:
    with postgres_running():
        migrate()
        return {"add": _add, "scan": _scan, "list": _list}[arguments.act](arguments)


def _add(arguments: argparse.Namespace) -> int:
    user = acting_user(arguments.user)
    kind, values = _place(arguments.place)
    for assignment in arguments.set:
        name, _, value = assignment.partition("=")
        values[name] = _value(name, value)
    settings = source_settings.parse(kind, values)
    if kind == SourceKind.FOLDER and not Path(arguments.place).is_dir():
        raise SourceError(f"There is no folder {arguments.place}.")
    folders = [_readers(text) for text in arguments.readers]
    collection, _ = found_or_made(arguments.collection, user)
    require_role(user, collection, Role.MANAGER)
    source = sources.make_source(
        user,
        collection,
        name=(arguments.name or _name(kind, values))[:100],
        kind=kind,
        settings=settings,
        schedule_minutes=arguments.every,
        folders=folders,
    )
    print(f"Source {source.pk}, {source.name!r}, of the collection {collection.name!r}.")
    return 0


def _place(place: str) -> tuple[str, dict[str, Any]]:
    if place.startswith(("http://", "https://")):
        return SourceKind.WEBSITE, {"url": place}
    if place.startswith("s3://"):
        parts = urlsplit(place)
        return SourceKind.S3, {"bucket": parts.netloc, "prefix": parts.path.lstrip("/")}
    return SourceKind.FOLDER, {"path": str(Path(place).resolve())}


def _value(name: str, value: str) -> str | int | float | bool:
    try:
        return value not in ("0", "false", "no") if name == "secure" else _NUMBERS.get(name, str)(value)
    except ValueError as error:
        raise SourceError(f"{name} must be a number.") from error


def _name(kind: str, values: dict[str, Any]) -> str:
    if kind == SourceKind.WEBSITE:
        return urlsplit(values["url"]).hostname or "website"
    return values["bucket"] if kind == SourceKind.S3 else Path(values["path"]).name or "files"


def _readers(text: str) -> FolderReaders:
    folder, separator, who = text.rpartition("=")
    if not separator or not who:
        raise SourceError(f"{text!r} is not of the form FOLDER=WHO.")
    return FolderReaders(folder, tuple(_principal(part.strip()) for part in who.split(",")))


def _principal(text: str) -> Principal:
    kind, _, name = text.partition(":")
    user = User.objects.filter(username=name).first() if kind == "user" else None
    group = Group.objects.filter(name=name).first() if kind == "group" else None
    if user is None and group is None and text != "everyone":
        raise SourceError(f"There is no {text!r}: it takes user:NAME, group:NAME or everyone.")
    return Principal(user=user, group=group, everyone=text == "everyone")


def _scan(arguments: argparse.Namespace) -> int:
    user = acting_user(arguments.user)
    source = _find(arguments.source)
    try:
        require_role(user, source.collection, Role.MANAGER)
    except (Http404, PermissionDenied) as error:
        raise SourceError(f"{user.username} does not manage the collection of {source.name!r}.") from error
    with services(arguments.workers) as helpers:
        sources.request_scan(user, source, may_delete_most=arguments.force)
        run_before = source.last_run_id
        report = schedule.run(source.pk)
        source.refresh_from_db()
        if report is None and source.state in (SourceState.WAITING, SourceState.SCANNING):
            print("A worker has taken the scan: see `kb source list`.")
            return 0
        ended = True
        if source.last_run is not None and source.last_run_id != run_before:
            ended = wait(source.last_run, helpers)
            _print_problems(source)
    _print(source)
    went_wrong = source.state in (SourceState.FAILED, SourceState.HELD) or not ended
    return 1 if went_wrong else 0


def _print_problems(source: Source) -> None:
    items = IngestItem.objects.filter(run=source.last_run).exclude(outcome=Outcome.INDEXED)
    for item in items.exclude(error_code=""):
        print(f"{item.path}: {item.outcome}, {item.error_code}: {item.error_message}")


def _find(text: str) -> Source:
    found = Source.objects.select_related("collection", "last_run")
    matches: Sequence[Source] = list(found.filter(name=text)[:2])
    if not matches and text.isdecimal():
        matches = list(found.filter(pk=int(text)))
    if not matches:
        raise SourceError(f"There is no source {text!r}: see `kb source list`.")
    if len(matches) > 1:
        raise SourceError(f"Several collections have a source {text!r}: give its number instead.")
    return matches[0]


def _list(_: argparse.Namespace) -> int:
    for source in Source.objects.select_related("collection").order_by("pk"):
        _print(source)
    return 0


def _print(source: Source) -> None:
    every = f"every {source.schedule_minutes} min" if source.schedule_minutes else "when asked"
    when = f"{source.last_scan_at:%Y-%m-%d %H:%M}" if source.last_scan_at else "never scanned"
    print(
        f"{source.pk:<4} {source.name} ({source.kind}) -> {source.collection.name}, {every}: "
        f"{source.state}, {when}"
    )
    counts = {name: count for name, count in source.report.items() if name != "problems" and count}
    if counts:
        print("     " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    for problem in source.report.get("problems", []):
        print(f"     {problem}")
    if source.error:
        print(f"     {source.error}", file=sys.stderr)
