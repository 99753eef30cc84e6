"""The embedded parts in a folder of their own; PostgreSQL's durability is off, since a test's data is thrown away."""

import os
from pathlib import Path

os.environ.setdefault("KB_HOME", str(Path(__file__).resolve().parent.parent.parent / "var" / "test"))

from kb.embedded import Home
from kb.settings.embedded import *  # noqa: F403 - a settings module is its base plus what differs
from kb.settings.embedded import KB_HOME

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Fast: nothing is protected by it.
# Tests of other things call as fast as they can; those of the limits set their own.
KB_RATE_LIMITS = {}
# Static files come from the finders; whitenoise warns about a folder that nobody has filled.
STATIC_ROOT = None
# Each process its own, and empty at its start: no test sees what another one cached.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# One Postgres for all processes of a parallel run; objects and messages are each one's own.
_OWN = Home(KB_HOME.root / os.environ.get("PYTEST_XDIST_WORKER", "main"))
KB_STORAGE = {"backend": "folder", "root": str(_OWN.objects)}
CELERY_BROKER_TRANSPORT_OPTIONS = _OWN.broker_options()
# Looked up when asked for: listing thousands of them would slow each test client's first request.
WHITENOISE_AUTOREFRESH = True
