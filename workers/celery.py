"""Which Celery application do workers run, and what does a worker process do when it starts?"""

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_ready
from kombu import Queue

from kb.children import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings.embedded")

# `extract` runs parsers (CPU), `embed` encoders (CPU or GPU), `default` everything short. A site scales each alone.
QUEUES = ("extract", "embed", "default")

app = Celery("kb")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Direct queues without exchanges to declare: a message's address is the queue's name, which a broker that lost
# everything does not have to be told again.
app.conf.task_queues = [Queue(name, routing_key=name) for name in QUEUES]
app.autodiscover_tasks(["workers"])


@setup_logging.connect
def _configure_logging(**_: Any) -> None:
    """Django's LOGGING, which setup() has applied, stays as it is: connecting here keeps Celery from replacing it."""


@worker_ready.connect
def _serve_metrics(**_: Any) -> None:
    """The parent of the worker processes answers for them: they share PROMETHEUS_MULTIPROC_DIR."""
    from django.conf import settings

    from workers import metrics

    if settings.KB_WORKER_METRICS_PORT:
        metrics.serve(settings.KB_WORKER_METRICS_PORT, settings.KB_WORKER_METRICS_ADDRESS)


@worker_process_init.connect
def _leave_parent_behind(**_: Any) -> None:
    """A forked child must not speak on its parent's database connections; models load later, at first use.

    Nothing loads an encoder in the parent: its threads and GPU context would not survive the fork.
    """
    from django.db import connections

    # Else the heartbeat of a killed worker's child would keep its step from being taken back.
    if (request := die_with_parent(signal.SIGKILL, parent=os.getppid())) is not None:
        request()

    for connection in connections.all(initialized_only=True):
        # Not close(): that would say goodbye to the server on the socket that the parent still uses.
        connection.connection = None
