"""What happens in a scan? Everything there is is compared with the last time; what is new comes in, what is gone goes.

Nothing is deleted unless the whole source could be listed, and never most of a large one at once: an empty folder is
more often a share that is not mounted than a decision.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from django.db.models import F
from django.utils import timezone

from kb import audit, library, media_types, sources, uploads
from kb.exceptions import FailureCode, IngestError, KbError, StorageError
from kb.models import Asset, Audience, IngestItem, IngestRun, Outcome, Source, SourceEntry
from workers.connectors.base import Connector, ConnectorError, Entry, EntryError, Known

# When more than half of a source is gone, and it is at least this much, a person is asked first: so many files nobody
# likes to bring back by hand.
GUARDED_FROM = 10
# Files in a row that cannot be read: it is the source that is away, not they.
MOST_UNREADABLE_IN_A_ROW = 20
# Rows of one statement.
_BATCH = 1000
# Of the report: enough to see what kind of problem it is.
_PROBLEMS_KEPT = 20


class ScanStoppedError(KbError):
    """The scan was cancelled. The next one goes on where it stopped."""


@dataclass(slots=True)
class Report:
    """What a scan found, in files."""

    seen: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    unreadable: int = 0
    deleted: int = 0
    # Gone, but kept until somebody says that it is right.
    held: int = 0
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        return asdict(self) | {"problems": self.problems[:_PROBLEMS_KEPT]}


def scan(
    source: Source,
    connector: Connector,
    *,
    may_delete_most: bool = False,
    keep_going: Callable[[], None] = lambda: None,
) -> Report:
    """Scans once. The run, made at the first file that needs one, is then `source.last_run`.

    `keep_going` is called before each file and may raise. Raises ConnectorError when the source cannot be listed, and
    StorageError when files cannot be kept; what came in until then stays, and nothing was deleted.
    """
    work = _Scan(source, connector, keep_going)
    try:
        work.look(connector)
        work.clear_away(may_delete_most)
        return work.report
    finally:
        work.report.problems += connector.problems
        if work.run is not None:
            uploads.seal(work.run)


@dataclass(slots=True)
class _Kept:
    """A row of SourceEntry, as far as a scan needs it: there may be very many."""

    pk: int
    fingerprint: str
    asset_id: int | None
    audience_id: int | None
    # Refused when fewer formats, or others, were supported.
    worth_another_try: bool
    links: list[str]


class _Scan:
    def __init__(self, source: Source, connector: Connector, keep_going: Callable[[], None]) -> None:
        self.source = source
        self.report = Report()
        self.run: IngestRun | None = None
        self._connector = connector
        self._keep_going = keep_going
        self._formats = _formats()
        self._kept = self._load()
        self._folders = dict(source.folders.values_list("folder", "audience"))
        self._audiences = {row.pk: row for row in Audience.objects.filter(pk__in=self._folders.values())}
        self._seen: set[str] = set()
        self._unchanged: list[int] = []
        self._gone: dict[str, _Kept] = {}
        self._unreadable_in_a_row = 0

    def look(self, connector: Connector) -> None:
        """Goes through all that is there."""
        known = {
            uri: Known("" if kept.worth_another_try else kept.fingerprint, kept.links)
            for uri, kept in self._kept.items()
        }
        for entry in connector.entries(known):
            self._keep_going()
            if entry.uri in self._seen:
                continue
            self._seen.add(entry.uri)
            self.report.seen += 1
            kept = self._kept.get(entry.uri)
            if kept and entry.fingerprint and entry.fingerprint == known[entry.uri].fingerprint:
                self._leave_unchanged(entry, kept)
            else:
                self._bring_in(entry, kept)
        self._touch()

    def clear_away(self, may_delete_most: bool) -> None:
        """Deletes what is gone, or counts it as held."""
        self._gone = {
            uri: kept
            for uri, kept in self._kept.items()
            if uri not in self._seen and self._connector.is_gone(uri)
        }
        too_much = len(self._gone) >= GUARDED_FROM and 2 * len(self._gone) > len(self._kept)
        if too_much and not may_delete_most:
            self.report.held = len(self._gone)
            return
        for uri, kept in self._gone.items():
            self._keep_going()
            self._remove(uri, kept)
            self.report.deleted += 1

    def _load(self) -> dict[str, _Kept]:
        rows = SourceEntry.objects.filter(source=self.source).values_list(
            "uri", "pk", "fingerprint", "asset_id", "audience_id", "refused_under", "links"
        )
        return {
            uri: _Kept(pk, fingerprint, asset_id, audience_id, refused not in ("", self._formats), links)
            for uri, pk, fingerprint, asset_id, audience_id, refused, links in rows.iterator()
        }

    def _leave_unchanged(self, entry: Entry, kept: _Kept) -> None:
        self.report.unchanged += 1
        self._unchanged.append(kept.pk)
        readers = self._readers(entry.uri)
        if readers != kept.audience_id:
            self._give_to(kept.asset_id, entry.uri, readers)
            SourceEntry.objects.filter(pk=kept.pk).update(audience=readers)
        if len(self._unchanged) >= _BATCH:
            self._touch()

    def _touch(self) -> None:
        SourceEntry.objects.filter(pk__in=self._unchanged).update(seen_at=timezone.now())
        self._unchanged.clear()

    def _bring_in(self, entry: Entry, kept: _Kept | None) -> None:
        run = self._open_run()
        readers = self._readers(entry.uri)
        # A person's own decision on a file that was there before stays, unless the source's folders say otherwise.
        is_decided = (kept.audience_id if kept else None) == readers
        if kept is not None:
            self._hand_over(kept)
        place = sources.place(self.source, entry.uri)
        try:
            with entry.open() as stream:
                audience = None if is_decided or readers is None else self._audiences[readers]
                item = uploads.receive(run, place, stream, audience=audience)
        except EntryError as error:
            self._note_unreadable(run, place, error)
            return
        self._unreadable_in_a_row = 0
        if item.error_code == FailureCode.STORAGE_UNAVAILABLE:
            raise StorageError(item.error_message)
        asset_id = item.asset_version.asset_id if item.asset_version else kept.asset_id if kept else None
        if item.asset_version and not is_decided:
            self._give_to(asset_id, entry.uri, readers)
        self._count(item, kept)
        SourceEntry.objects.update_or_create(
            source=self.source,
            uri=entry.uri,
            defaults={
                "fingerprint": entry.fingerprint,
                "sha256": item.asset_version.sha256 if item.asset_version else "",
                "asset_id": asset_id,
                "audience_id": readers,
                "refused_under": "" if item.asset_version else self._formats,
                "links": list(entry.links),
                "seen_at": timezone.now(),
            },
        )

    def _note_unreadable(self, run: IngestRun, place: str, error: EntryError) -> None:
        """What is known of it stays as it is, so the next scan tries again."""
        uploads.refuse(run, place, IngestError(FailureCode.SOURCE_UNREADABLE, str(error)))
        self.report.unreadable += 1
        self._unreadable_in_a_row += 1
        if self._unreadable_in_a_row >= MOST_UNREADABLE_IN_A_ROW:
            raise ConnectorError(f"No file can be read any more. The last one said: {error}") from error

    def _count(self, item: IngestItem, kept: _Kept | None) -> None:
        if item.asset_version is None:
            self.report.refused += 1
        elif kept is None:
            self.report.added += 1
        elif item.outcome == Outcome.UNCHANGED:
            self.report.unchanged += 1
        else:
            self.report.changed += 1

    def _open_run(self) -> IngestRun:
        if self.run is None:
            self.run = uploads.start_run(
                self.source.collection, self.source.created_by, source=self.source.name
            )
            self.source.last_run = self.run
            # At once: whoever takes over from a worker that died ends the run that it left open.
            Source.objects.filter(pk=self.source.pk).update(last_run=self.run)
        elif IngestRun.objects.filter(pk=self.run.pk, sealed=True).exists():
            raise ScanStoppedError
        return self.run

    def _readers(self, uri: str) -> int | None:
        return sources.readers_of(self._folders, uri)

    def _give_to(self, asset_id: int | None, uri: str, readers: int | None) -> None:
        """Gives the asset its readers, unless it stands elsewhere and only has the same bytes."""
        place = sources.place(self.source, uri)
        asset = Asset.objects.filter(pk=asset_id, source_uri=place).first() if asset_id else None
        if asset is not None and asset.own_audience_id != readers:
            library.move(asset, None if readers is None else self._audiences[readers])

    def _remove(self, uri: str, kept: _Kept) -> None:
        place = sources.place(self.source, uri)
        asset = Asset.objects.filter(pk=kept.asset_id, source_uri=place).first() if kept.asset_id else None
        if asset is not None and not self._hand_over(kept):
            audit.record(None, "asset.deleted", asset, title=asset.title, source=self.source.pk)
            library.delete_asset(asset)
        SourceEntry.objects.filter(pk=kept.pk).delete()

    def _hand_over(self, kept: _Kept) -> bool:
        """Equal bytes are one asset: when they leave the place that it stands for, it goes on for another one.

        True when somebody else has the asset now.
        """
        row = SourceEntry.objects.select_related("asset", "source").filter(pk=kept.pk).first()
        if row is None or row.asset is None:
            return False
        place = sources.place(self.source, row.uri)
        others = (
            SourceEntry.objects.filter(asset=row.asset, source__collection=F("asset__collection"))
            .exclude(pk=kept.pk)
            .exclude(pk__in=[gone.pk for gone in self._gone.values()])
            .select_related("source", "audience")
        )
        if row.asset.source_uri != place or not others.exists():
            return False
        for other in others.order_by("pk"):
            its_place = sources.place(other.source, other.uri)
            if its_place == place:
                return True
            if uploads.rehome(self._open_run(), row.asset, its_place, other.audience) is not None:
                return True
        # Something else stands at their places: they come in anew.
        others.update(fingerprint="")
        return False


def _formats() -> str:
    return hashlib.sha256("\n".join(sorted(media_types.SUPPORTED)).encode()).hexdigest()[:16]
