"""What may a manager do with a source, and what does it say of a file's place and readers?

Callers have checked the role. Each change is recorded in the audit trail, in the same transaction. The scans
themselves are the workers'; here they are only asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings as site_settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from kb import audit, source_settings, uploads
from kb.exceptions import KbError
from kb.models import Audience, Collection, Source, SourceFolder, SourceKind, SourceState
from kb.permissions import Principal, interned_audience
from kb.runs import wake_relay
from kb.source_settings import FolderSettings, Settings, SourceSettingsError


class SourceTakenError(KbError):
    """The collection has a source of this name, or one whose files stand in this folder of it. Choose another."""


class ScanUnderWayError(KbError):
    """A scan of this source is under way. Wait for its end."""


@dataclass(frozen=True, slots=True)
class FolderReaders:
    """Who reads what lies below `folder` of the source."""

    folder: str
    readers: tuple[Principal, ...]


def may_connect(user: User, kind: str) -> bool:
    """Whether `user` may say where a source of this kind is and who reads it.

    A website gives them what anybody gets; folders and buckets hold what this server can read and they may not.
    """
    return kind == SourceKind.WEBSITE or user.has_perm("kb.connect_storage")


def require_allowed_folder(settings: Settings) -> None:
    """Raises SourceSettingsError for a folder outside settings.KB_SOURCE_FOLDERS."""
    if not isinstance(settings, FolderSettings):
        return
    path = Path(settings.path).resolve()
    if not any(path.is_relative_to(Path(root).resolve()) for root in site_settings.KB_SOURCE_FOLDERS):
        raise SourceSettingsError(
            "This folder is not open to sources. The operators can add it to KB_SOURCE_FOLDERS, or make the "
            "source with `kb source add`."
        )


@transaction.atomic
def make_source(
    actor: User,
    collection: Collection,
    *,
    name: str,
    kind: str,
    settings: Settings,
    prefix: str | None = None,
    schedule_minutes: int | None = None,
    folders: Iterable[FolderReaders] = (),
) -> Source:
    """A new source; its first scan is due at once when it has a schedule.

    Raises SourceTakenError, and IngestError for a `prefix` that points outside.
    """
    named = prefix or slugify(name, allow_unicode=True) or "files"
    prefix = "" if kind == SourceKind.WEBSITE else uploads.safe_path(named)
    try:
        with transaction.atomic():
            source = Source.objects.create(
                collection=collection,
                name=name,
                kind=kind,
                settings=source_settings.as_dict(_fixed(settings)),
                prefix=prefix,
                schedule_minutes=schedule_minutes,
                next_scan_at=timezone.now() if schedule_minutes else None,
                created_by=actor,
            )
    except IntegrityError as error:
        raise SourceTakenError from error
    _set_folders(source, folders)
    audit.record(actor, "source.created", source, collection=collection.pk, name=name, kind=kind)
    wake_relay()
    return source


@transaction.atomic
def change_source(
    actor: User,
    source: Source,
    changes: Mapping[str, Any],
    folders: Iterable[FolderReaders] | None = None,
) -> Source:
    """Changes name, settings (parsed), schedule_minutes, and the readers of its folders."""
    for field, value in changes.items():
        if field == "settings":
            value = source_settings.as_dict(_fixed(value))
        setattr(source, field, value)
    fields = list(changes)
    if "schedule_minutes" in changes:
        source.next_scan_at = timezone.now() if source.schedule_minutes else None
        fields.append("next_scan_at")
    try:
        with transaction.atomic():
            source.save(update_fields=fields)
    except IntegrityError as error:
        raise SourceTakenError from error
    if folders is not None:
        _set_folders(source, folders)
    changed = sorted({*changes, *(["folders"] if folders is not None else [])})
    audit.record(actor, "source.changed", source, fields=changed)
    return source


@transaction.atomic
def delete_source(actor: User, source: Source) -> None:
    """The collection stops following it. What came from it stays."""
    audit.record(actor, "source.deleted", source, collection=source.collection_id, name=source.name)
    source.delete()


@transaction.atomic
def request_scan(actor: User, source: Source, *, may_delete_most: bool = False) -> None:
    """Has the source scanned as soon as a worker is free. Raises ScanUnderWayError."""
    asked = (
        Source.objects.filter(pk=source.pk)
        .exclude(state=SourceState.SCANNING)
        .update(
            state=SourceState.WAITING,
            lease_until=timezone.now(),
            lease_token=None,
            may_delete_most=may_delete_most,
        )
    )
    if not asked:
        raise ScanUnderWayError
    audit.record(actor, "source.scan_requested", source, may_delete_most=may_delete_most)
    source.refresh_from_db()
    wake_relay()


def place(source: Source, uri: str) -> str:
    """What a file of the source is called in the collection."""
    return f"{source.prefix}/{uri}" if source.prefix else uri


def readers_of(folders: Mapping[str, int], uri: str) -> int | None:
    """Id of the audience that the deepest folder above `uri` gives it; None: the collection's own readers."""
    found = [folder for folder in folders if _is_below(uri, folder)]
    return folders[max(found, key=len)] if found else None


def _is_below(uri: str, folder: str) -> bool:
    return not folder or uri == folder or uri.startswith(folder + "/")


def _set_folders(source: Source, folders: Iterable[FolderReaders]) -> None:
    by_folder: dict[str, Audience] = {}
    for entry in folders:
        folder = _folder(entry.folder)
        if folder in by_folder:
            raise SourceSettingsError(f"The folder {folder or '/'} is there twice.")
        by_folder[folder] = interned_audience(entry.readers)
    SourceFolder.objects.filter(source=source).delete()
    SourceFolder.objects.bulk_create(
        SourceFolder(source=source, folder=folder, audience=audience)
        for folder, audience in by_folder.items()
    )


def _folder(path: str) -> str:
    """Without slashes at its ends: how folders are kept and compared."""
    return path.strip("/")


def _fixed(settings: Settings) -> Settings:
    """A folder by its real path: a scan refuses one that has become a link to elsewhere since."""
    if isinstance(settings, FolderSettings):
        return FolderSettings(path=str(Path(settings.path).resolve()))
    return settings
