"""Every unit of ingest work and how it went. The rows are the outbox: the broker may lose everything."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from kb.models.asset import AssetVersion
from kb.models.collection import Collection


class RunState(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class IngestRun(models.Model):
    """One upload or one scan: a set of files brought in together."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="runs")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    source = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.RUNNING)
    # False while files may still be added: such a run does not end.
    sealed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"run {self.pk}"


class Outcome(models.TextChoices):
    """How a file ended. Every file of a finished run has one other than `pending`."""

    PENDING = "pending"
    INDEXED = "indexed"
    PARTIAL = "partial"  # Searchable, with a warning.
    UNCHANGED = "unchanged"  # These bytes are in the collection already.
    UNSUPPORTED = "unsupported"
    FAILED = "failed"
    CANCELLED = "cancelled"


class IngestItem(models.Model):
    """One file of a run."""

    run = models.ForeignKey(IngestRun, on_delete=models.CASCADE, related_name="items")
    path = models.CharField(max_length=1000)
    asset_version = models.ForeignKey(
        AssetVersion, on_delete=models.SET_NULL, null=True, related_name="items"
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.PENDING)
    # A value of kb.exceptions.FailureCode, empty when nothing went wrong.
    error_code = models.CharField(max_length=40, blank=True)
    # A sentence that a person can act on.
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(name="item_outcome", fields=["run", "outcome"])]

    def __str__(self) -> str:
        return f"{self.path}: {self.outcome}"


class StepName(models.TextChoices):
    EXTRACT = "extract"
    TRANSCRIBE = "transcribe"
    EMBED = "embed"
    INDEX = "index"


class StepState(models.TextChoices):
    READY = "ready"  # May be sent.
    SENT = "sent"  # With the broker; sent again when nobody takes it in time.
    RUNNING = "running"  # Leased by a worker.
    DONE = "done"
    DEAD = "dead"  # Failed for good, by name.
    CANCELLED = "cancelled"


class IngestStep(models.Model):
    """One short piece of work on one asset version. What must wait for others is inserted when they are done."""

    asset_version = models.ForeignKey(AssetVersion, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=10, choices=StepName.choices)
    # Which page range, time range or chunk of segments; 0 for the first or only one.
    part = models.PositiveIntegerField(default=0)
    encoder_revision = models.CharField(max_length=200, blank=True)
    arguments = models.JSONField(default=dict)

    state = models.CharField(max_length=10, choices=StepState.choices, default=StepState.READY)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Not sent before this moment: now, or later after a failure that may pass.
    ready_at = models.DateTimeField(auto_now_add=True)
    # While SENT or RUNNING: when the reconciler may take it back.
    lease_until = models.DateTimeField(null=True)
    # Who holds the lease; a worker whose token is not here any more has lost the step and must write nothing.
    lease_token = models.UUIDField(null=True)
    # 0 to 1.
    progress = models.FloatField(default=0)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Milliseconds by stage.
    timings_ms = models.JSONField(default=dict)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                name="step_once", fields=["asset_version", "name", "part", "encoder_revision"]
            ),
        ]
        indexes = [
            models.Index(name="step_ready", fields=["ready_at"], condition=Q(state=StepState.READY)),
            models.Index(
                name="step_leased",
                fields=["lease_until"],
                condition=Q(state__in=[StepState.SENT, StepState.RUNNING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.part} of version {self.asset_version_id}: {self.state}"
