"""Where files come from by themselves: folders, buckets and websites that are scanned, and what each scan found."""

from django.conf import settings as site_settings
from django.db import models
from django.db.models import Q

from kb.models.asset import Asset
from kb.models.audience import Audience
from kb.models.collection import Collection
from kb.models.ingest import IngestRun


class SourceKind(models.TextChoices):
    FOLDER = "folder"
    S3 = "s3"
    WEBSITE = "website"


class SourceState(models.TextChoices):
    IDLE = "idle"
    WAITING = "waiting"  # Somebody asked for a scan, or it is time for one; no worker has taken it yet.
    SCANNING = "scanning"  # Leased by a worker.
    FAILED = "failed"  # The last scan could not list everything; `error` says why.
    HELD = (
        "held"  # The last scan missed so much that nothing was deleted: a person must say that it is right.
    )


class Source(models.Model):
    """A place outside whose files a collection follows."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=SourceKind.choices)
    # Of kb.source_settings. No secrets: those are named by environment variable.
    settings = models.JSONField(default=dict)
    # Folder of the collection in which its files stand, so that two sources may both have a readme.txt. Empty for
    # websites, whose files are called by their URL.
    prefix = models.CharField(max_length=200, blank=True)
    # Null: only when somebody asks.
    schedule_minutes = models.PositiveIntegerField(null=True, blank=True)
    created_by = models.ForeignKey(
        site_settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    state = models.CharField(max_length=10, choices=SourceState.choices, default=SourceState.IDLE)
    # While WAITING: when it is sent (again); while SCANNING: when the worker counts as lost.
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    next_scan_at = models.DateTimeField(null=True)
    # Whether the next scan may delete however much is gone.
    may_delete_most = models.BooleanField(default=False)
    last_scan_at = models.DateTimeField(null=True)
    # The last one that brought something in.
    last_run = models.ForeignKey(IngestRun, on_delete=models.SET_NULL, null=True, related_name="+")
    # A sentence that a person can act on; empty when the last scan went well.
    error = models.TextField(blank=True)
    # Counts of the last scan.
    report = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(name="source_name_once", fields=["collection", "name"]),
            models.UniqueConstraint(
                name="source_prefix_once", fields=["collection", "prefix"], condition=~Q(kind="website")
            ),
        ]
        permissions = [("connect_storage", "Can connect folders and buckets that the server reaches")]

    def __str__(self) -> str:
        return self.name


class SourceFolder(models.Model):
    """Who reads what lies below a folder of the source, in place of the collection's readers."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="folders")
    # As the source names it, without slashes at its ends; of a website, the beginning of an URL. Empty: everything.
    folder = models.CharField(max_length=1000, blank=True)
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(name="source_folder_once", fields=["source", "folder"])]

    def __str__(self) -> str:
        return self.folder or "/"


class SourceEntry(models.Model):
    """A file of a source, as it was when it was last brought in."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="entries")
    # Path below the source's root, key below its prefix, or URL.
    uri = models.CharField(max_length=1000)
    # Of time and size, or the ETag: equal means unchanged, so nothing is read. Empty: look at the bytes again.
    fingerprint = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    # Null: refused, or deleted here by hand since; it comes back when the file changes.
    asset = models.ForeignKey(Asset, on_delete=models.SET_NULL, null=True, related_name="source_entries")
    # What the source's folders said of its readers; a person's later decision on the asset stays until they change.
    audience = models.ForeignKey(Audience, on_delete=models.PROTECT, null=True, related_name="+")
    # The formats that were supported when it was refused, as a digest: another one is a reason to try again.
    refused_under = models.CharField(max_length=16, blank=True)
    # Of a web page: its links, which an unchanged page does not send again.
    links = models.JSONField(default=list)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "source entries"
        constraints = [models.UniqueConstraint(name="source_entry_once", fields=["source", "uri"])]

    def __str__(self) -> str:
        return self.uri
