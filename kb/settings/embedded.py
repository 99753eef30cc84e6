"""One machine, no services: Postgres from its wheel, objects in a folder, the broker in another."""

import os
from pathlib import Path

from kb.embedded import Home
from kb.logging import configuration
from kb.settings.base import *  # noqa: F403 - a settings module is its base plus what differs
from kb.settings.base import BASE_DIR

KB_EMBEDDED = True
KB_HOME = Home(Path(os.environ.get("KB_HOME", BASE_DIR / "var")))

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
SECRET_KEY = KB_HOME.secret_key()
DATABASES = {"default": KB_HOME.database()}
KB_STORAGE = {"backend": "folder", "root": str(KB_HOME.objects)}
KB_MODELS_DIR = KB_HOME.models

CELERY_BROKER_URL = "filesystem://localhost"  # Of which only the scheme counts; without a host kombu warns.
CELERY_BROKER_TRANSPORT = "kb.broker:FolderTransport"
CELERY_BROKER_TRANSPORT_OPTIONS = KB_HOME.broker_options()
# The folder is looked into ten times a second: a worker process has the next files at hand meanwhile.
CELERY_WORKER_PREFETCH_MULTIPLIER = 4

# Files in a folder, not memory: the web process and the workers share what is cached.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(KB_HOME.cache),
        # Few: each write lists the folder, which at 3,000 files takes longer than an encoding (10 ms).
        "OPTIONS": {"MAX_ENTRIES": 500},
    }
}
STATIC_ROOT: Path | None = KB_HOME.static
WHITENOISE_USE_FINDERS = True
LOGGING = configuration(as_json=False, level=os.environ.get("KB_LOG_LEVEL", "INFO"))
