"""For processes that a test starts: its own database, storage and broker, handed over in the environment."""

import json
import os

from kb.settings.test import *  # noqa: F403 - a settings module is its base plus what differs
from kb.settings.test import CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES

_given = json.loads(os.environ["KB_TEST_PROCESS"])

DATABASES["default"]["NAME"] = _given["database"]
KB_STORAGE = {"backend": "folder", "root": _given["objects"]}
CELERY_BROKER_TRANSPORT_OPTIONS.update(
    data_folder_in=_given["messages"], data_folder_out=_given["messages"], control_folder=_given["control"]
)
# Seconds instead of a minute, so that a test sees a lost worker's lease run out. Heartbeats come each third of it.
KB_LEASE_S = 6
KB_SENT_LEASE_S = 3
KB_BACKOFF_S = 0.1
