"""The embedded installation with leases of seconds, and Redis as its broker where KB_CHAOS_BROKER names one."""

import os
from pathlib import Path

from kb.settings.embedded import *  # noqa: F403 - a settings module is its base plus what differs
from kb.settings.embedded import CELERY_BROKER_TRANSPORT, CELERY_BROKER_TRANSPORT_OPTIONS, CELERY_BROKER_URL

if broker := os.environ.get("KB_CHAOS_BROKER"):
    CELERY_BROKER_URL = broker
    CELERY_BROKER_TRANSPORT = "redis"
    # Of kb.settings.production.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}

# Models that another installation has prepared already.
if models := os.environ.get("KB_CHAOS_MODELS"):
    KB_MODELS_DIR = Path(models)

# Seconds instead of a minute, a minute and a day: else a run of some minutes would mostly wait.
KB_LEASE_S = 6
KB_SENT_LEASE_S = 5
KB_BACKOFF_S = 0.2
KB_ABANDONED_RUN_S = 20
