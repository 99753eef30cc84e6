"""Everything from the environment (12-factor): Postgres, S3, Redis or RabbitMQ, and where the site is.

A value that is missing or wrong stops the start with its name and the remedy.
"""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from kb.logging import configuration
from kb.settings.base import *  # noqa: F403 - a settings module is its base plus what differs
from kb.settings.base import BASE_DIR
from kb.settings.environment import flag, names, number, optional, required

KB_EMBEDDED = False
DEBUG = False
SECRET_KEY = required(
    "SECRET_KEY",
    "at least 50 random characters, the same for every process and kept across restarts, "
    'e.g. from: python -c "import secrets; print(secrets.token_urlsafe(50))"',
    pattern=r".{50,}",
)

# Where the site is.
ALLOWED_HOSTS = names(
    "ALLOWED_HOSTS", "the host names people use, separated by commas, e.g. search.example.com"
)
CSRF_TRUSTED_ORIGINS = names(
    "CSRF_TRUSTED_ORIGINS",
    "their origins, e.g. https://search.example.com",
    default=[f"https://{h}" for h in ALLOWED_HOSTS],
)
if KB_HTTPS := flag("KB_HTTPS", default=True):
    SECURE_SSL_REDIRECT = flag("KB_SSL_REDIRECT", default=True)
    # Probes come from the cluster without TLS and without a known host.
    SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = number("KB_HSTS_SECONDS", default=31_536_000)  # A year, as preload lists ask for.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = flag(
        "KB_HSTS_SUBDOMAINS", default=False
    )  # Others' hosts are not ours to bind.
if flag("KB_BEHIND_PROXY", default=True):
    # The proxy must set this header itself and drop a client's own.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


def _database() -> dict[str, object]:
    """DATABASE_URL, or KB_DB_NAME with _HOST, _PORT, _USER, _PASSWORD and _SSLMODE."""
    options: dict[str, object] = {
        "prepare_threshold": None
    }  # A plan made under other planner settings would stay.
    entry: dict[str, object] = {
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": options,
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
    }
    if optional("DATABASE_URL"):
        parts = urlsplit(
            required(
                "DATABASE_URL",
                "e.g. postgresql://user:password@host:5432/kb",
                pattern=r"postgres(ql)?://.+/.+",
            )
        )
        options.update(parse_qsl(parts.query))
        return entry | {
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
        }
    if sslmode := optional("KB_DB_SSLMODE"):
        options["sslmode"] = sslmode
    remedy = "or set DATABASE_URL, e.g. postgresql://user:password@host:5432/kb"
    return entry | {
        "NAME": required("KB_DB_NAME", remedy),
        "USER": required("KB_DB_USER", remedy),
        "PASSWORD": optional("KB_DB_PASSWORD"),
        "HOST": required("KB_DB_HOST", remedy),
        "PORT": optional("KB_DB_PORT"),
    }


DATABASES = {"default": _database()}

KB_STORAGE = {
    "backend": "s3",
    "endpoint": required("KB_S3_ENDPOINT", "host:port of the S3 server, without a scheme", pattern=r"[^/]+"),
    "bucket": required("KB_S3_BUCKET", "the bucket of this installation; it is made where missing"),
    "access_key": required("KB_S3_ACCESS_KEY", "a key that may read, write and list the bucket"),
    "secret_key": required("KB_S3_SECRET_KEY", "the secret of KB_S3_ACCESS_KEY"),
    "secure": flag("KB_S3_SECURE", default=True),
    "region": optional("KB_S3_REGION"),
}
KB_MODELS_DIR = Path(optional("KB_MODELS_DIR") or BASE_DIR / "var" / "models")

# Longer than any step's lease: Redis gives an unacknowledged message to another worker after that, and a step that
# runs then is found taken. One hour is Redis's own default in kombu, sixty times the lease.
KB_REDIS_VISIBILITY_TIMEOUT_S = number("KB_REDIS_VISIBILITY_TIMEOUT_S", default=3600)
CELERY_BROKER_URL = required(
    "KB_BROKER_URL",
    "e.g. redis://redis:6379/0 or amqp://user:password@rabbitmq:5672//",
    pattern=r"(rediss?|amqps?)://.+",
)
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": KB_REDIS_VISIBILITY_TIMEOUT_S}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": required(
            "KB_CACHE_URL",
            "a Redis whose content may be lost, e.g. redis://redis:6379/1",
            pattern=r"rediss?://.+",
        ),
        "KEY_PREFIX": "kb",
    }
}

STATIC_ROOT = Path(optional("KB_STATIC_ROOT") or BASE_DIR / "var" / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOGGING = configuration(as_json=True, level=optional("KB_LOG_LEVEL") or "INFO")
