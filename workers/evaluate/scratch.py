"""Where is an evaluation indexed? In a database and an object folder of its own that go when it is done."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import override_settings
from tqdm import tqdm

from kb.models import Collection, IngestItem, IngestRun, IngestStep, Outcome, Role, StepState
from kb.permissions import Principal, grant
from kb.uploads import receive, seal, start_run
from workers.tasks import run_step


@dataclass(frozen=True, slots=True)
class ScratchLibrary:
    """An empty library with one collection and one user who may read it."""

    collection: Collection
    user: User


@contextmanager
def scratch_library() -> Iterator[ScratchLibrary]:
    """Makes a migrated database beside the configured one and switches to it until the block ends."""
    configured = connection.settings_dict["NAME"]
    tests = connection.settings_dict["TEST"]
    usual = tests["NAME"]
    # Of this process alone: neither another evaluation nor a test run has a database of that name.
    tests["NAME"] = f"{configured}_evaluation_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with tempfile.TemporaryDirectory(prefix="kb-evaluate-") as folder:
            objects = {"backend": "folder", "root": folder}
            with override_settings(KB_STORAGE=objects):
                user = User.objects.create_user("evaluation")
                collection = Collection.objects.create(name="Evaluation", slug="evaluation")
                grant(collection, Principal(user=user), Role.MANAGER)
                yield ScratchLibrary(collection, user)
    finally:
        connection.creation.destroy_test_db(str(configured), verbosity=0)
        tests["NAME"] = usual


def ingest(library: ScratchLibrary, files: dict[str, tuple[Path, str]]) -> dict[str, int]:
    """Brings in `files`, source URI -> (path, title), through the real pipeline; returns asset ids by source URI.

    Raises RuntimeError when a file is not indexed: figures over part of a data set mean nothing.
    """
    run = start_run(library.collection, library.user, source="evaluation")
    for uri, (path, title) in tqdm(files.items(), desc="upload", unit="file", disable=None):
        with path.open("rb") as stream:
            receive(run, uri, stream, title=title)
    seal(run)
    work_off(run)
    items = IngestItem.objects.filter(run=run).select_related("asset_version")
    lost = [
        item for item in items if item.outcome not in {Outcome.INDEXED, Outcome.PARTIAL, Outcome.UNCHANGED}
    ]
    if lost:
        first = lost[0]
        raise RuntimeError(
            f"{len(lost)} files were not indexed, the first is {first.path}: {first.error_message}"
        )
    return {item.path: item.asset_version.asset_id for item in items if item.asset_version is not None}


def work_off(run: IngestRun) -> None:
    """Runs the run's steps in this process, one after the other, until none is ready. No broker is involved."""
    ready = (
        IngestStep.objects.filter(state=StepState.READY, asset_version__items__run=run)
        .distinct()
        .order_by("id")
    )
    with tqdm(desc="index", unit="step", disable=None) as progress:
        while batch := list(ready.values_list("pk", flat=True)[:200]):
            for step_id in batch:
                run_step(step_id)
                progress.update()
