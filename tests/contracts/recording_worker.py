"""The project's own Celery application on the broker that the environment names, with one task that leaves a trace."""

import json
import os
from pathlib import Path

from workers.celery import app

app.conf.update(json.loads(os.environ["TEST_BROKER"]))


@app.task(name="tests.record")
def record(path: str, line: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{line}\n")
