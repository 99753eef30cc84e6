"""How far is an ingest run, how fast is it, and how long will it take?"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from kb.models import IngestRun, Outcome

# The rate is that of the last minute: long enough to smooth over one slow file, short enough to be about now.
RATE_WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Progress:
    # Files by outcome, every outcome named.
    counts: dict[str, int]
    total: int
    ended: int
    files_per_s: float
    # None when it cannot be said: nothing has ended lately, or files may still be added.
    remaining_s: float | None


def of_run(run: IngestRun) -> Progress:
    # order_by(): the model's default ordering would become part of the grouping.
    found = run.items.order_by().values_list("outcome").annotate(Count("pk"))
    counts = {str(outcome): 0 for outcome in Outcome.values} | dict(found)
    total = sum(counts.values())
    pending = counts[Outcome.PENDING]
    until = run.ended_at or timezone.now()
    since = max(run.created_at, until - RATE_WINDOW)
    window_s = (until - since).total_seconds()
    recent = run.items.filter(ended_at__gt=since, ended_at__lte=until).count()
    files_per_s = recent / window_s if window_s > 0 else 0.0
    return Progress(
        counts=counts,
        total=total,
        ended=total - pending,
        files_per_s=files_per_s,
        remaining_s=_remaining_s(pending, files_per_s) if run.sealed else None,
    )


def _remaining_s(pending: int, files_per_s: float) -> float | None:
    if not pending:
        return 0.0
    return pending / files_per_s if files_per_s else None


@dataclass(frozen=True, slots=True)
class Stage:
    """What one part of a step usually costs: `parse` of `extract`, `encode` of `embed` …"""

    step: str
    stage: str
    median_ms: float
    steps: int


# Of the latest steps, so that a run of a million files is asked as quickly as one of a hundred.
_STAGES = """
    SELECT step.name, timing.key, percentile_cont(0.5) WITHIN GROUP (ORDER BY timing.value::float), count(*)
    FROM (
        SELECT name, timings_ms FROM kb_ingeststep
        WHERE state = 'done' AND asset_version_id IN (SELECT asset_version_id FROM kb_ingestitem WHERE run_id = %s)
        ORDER BY ended_at DESC LIMIT 1000
    ) step
    CROSS JOIN LATERAL jsonb_each_text(step.timings_ms) AS timing
    GROUP BY 1, 2 ORDER BY 1, 2
"""


def stages_of_run(run: IngestRun) -> list[Stage]:
    """Where the time of the run's steps goes."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGES, [run.pk])
        return [
            Stage(name, stage, round(median, 1), steps) for name, stage, median, steps in cursor.fetchall()
        ]
