"""Is every file indexed exactly once though each kind of process is killed? The short form of `make soak`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

# A minute where nothing else runs; the rest is for machines on which much else does.
DEADLINE_S = 600


@pytest.mark.parametrize("broker", ["redis", "folder"])
def test_nothing_is_lost_doubled_or_stuck(broker: str, tmp_path: Path) -> None:
    if broker == "redis" and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    # Of the folder broker less: all but the flush is the same code.
    files, kills = (60, 6) if broker == "redis" else (20, 2)
    arguments = ["--files", str(files), "--kills", str(kills), "--seed", "4"]
    result = subprocess.run(
        [
            *(sys.executable, "-m", "tests.acceptance.chaos", *arguments),
            *(["--folder-broker"] if broker == "folder" else []),
        ],
        env=os.environ | {"KB_CHAOS_MODELS": str(settings.KB_MODELS_DIR), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert result.stdout, result.stderr
    verdict = json.loads(result.stdout.splitlines()[-1])
    assert verdict["examples"] == []
    assert (verdict["lost"], verdict["doubled"], verdict["stuck"], verdict["wrong"]) == (0, 0, 0, 0)
    assert (verdict["files"], verdict["kills"], verdict["flushes"]) == (files, kills, 1)
    assert verdict["passed"]
    assert result.returncode == 0
