"""Do the metrics that the alerts and the dashboard rest on get to Prometheus?"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import RequestFactory
from prometheus_client import REGISTRY

from kb import health
from retrieval.metrics import observe_search


def _value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_readiness_is_a_metric_of_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise health.NotReadyError("on purpose")

    monkeypatch.setattr(health, "CHECKS", (("sound", lambda: None), ("broken", fails)))
    health.readyz(RequestFactory().get("/readyz"))
    assert _value("kb_ready", part="sound") == 1
    assert REGISTRY.get_sample_value("kb_ready", {"part": "broken"}) == 0


def test_the_whole_search_is_a_stage_of_its_own() -> None:
    before_s = _value("kb_search_seconds_sum", kind="both", stage="total")
    observe_search("both", {"retrieve": 30.0, "rank": 12.5}, found=True)
    # 30 ms and 12.5 ms.
    assert _value("kb_search_seconds_sum", kind="both", stage="total") - before_s == pytest.approx(0.0425)


def test_a_worker_answers_for_the_processes_that_it_started(tmp_path: Path) -> None:
    code = """
import os, sys, urllib.request
import django
django.setup()
from celery.signals import worker_ready
from workers import metrics
child = os.fork()
if child == 0:
    metrics.STEPS.labels(step="extract", outcome="done").inc(3)
    os._exit(0)
os.waitpid(child, 0)
worker_ready.send(None)
address = f"http://127.0.0.1:{os.environ['KB_WORKER_METRICS_PORT']}/metrics"
print(urllib.request.urlopen(address, timeout=10).read().decode())
"""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "kb.settings.test",
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
            "KB_WORKER_METRICS_PORT": str(port),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert 'kb_ingest_steps_total{outcome="done",step="extract"} 3.0' in result.stdout, result.stderr
