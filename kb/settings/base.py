"""Settings that every mode shares. Modes differ in where Postgres, objects and the broker are, not in code."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "kb",
    "retrieval",
    "workers",
]

MIDDLEWARE = [
    # Outermost: every other middleware's log lines carry the id, and its time counts.
    "kb.logging.RequestIdMiddleware",
    "kb.middleware.ProbeMiddleware",
    "kb.middleware.RequestTimeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "kb.urls"
WSGI_APPLICATION = "kb.wsgi.application"
ASGI_APPLICATION = "kb.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "search"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "media-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "kb.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "kb.api.authentication.TokenHasScope",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["kb.api.throttling.PrincipalThrottle"],
    # No OPTIONS: the schema says more, and says it once.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "kb.api.errors.handle_exception",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Knowledge base API",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    # Not to the public: like everything here, for those who are signed in.
    "SERVE_PERMISSIONS": [
        "rest_framework.permissions.IsAuthenticated",
        "kb.api.authentication.TokenHasScope",
    ],
    # Fields of requests and of answers differ (read-only, required), so they get components of their own.
    "COMPONENT_SPLIT_REQUEST": True,
    # Two fields are called `kind`.
    "ENUM_NAME_OVERRIDES": {"SourceKindEnum": "kb.models.source.SourceKind"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "kb.api.docs.describe_errors",
    ],
}

# Celery. Results are rows in Postgres (IngestStep), so the broker keeps none.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # The reconciler re-readies lost steps and counts attempts itself.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Workers take no commands over the broker: stopping them is the supervisor's work, their state is in Postgres, and it
# would cost every broker a broadcast queue.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# Each may come twice, or never: what they start is asked of rows under their locks. The relay asks too, which is
# what embedded mode, without a beat, lives on.
CELERY_BEAT_SCHEDULE = {
    "start due scans": {
        "task": "workers.tasks.start_due_scans",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "tidy uploads": {
        "task": "workers.tasks.tidy_uploads",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
}

# One upload's largest size. Streams to storage, so it bounds disk, not memory.
KB_MAX_UPLOAD_BYTES = int(os.environ.get("KB_MAX_UPLOAD_BYTES", 1024**3))
# What a search may carry: a longer question is a pasted document, and gets a clear answer.
KB_MAX_QUERY_CHARACTERS = 2000
KB_MAX_QUERY_PICTURE_BYTES = 20 * 1024**2
# Calls of one person or one token, by kind of view (kb.api.throttling); a kind that is left out is unlimited.
KB_RATE_LIMITS = {
    # A page loads its thumbnails at once, some 50 small requests.
    "api": os.environ.get("KB_API_RATE", "200/s"),
    # Faster than anyone types, with search as you type; slow enough that one script leaves room for others.
    "search": os.environ.get("KB_SEARCH_RATE", "20/s"),
    # A folder of thousands of files, one request each, must get through.
    "upload": os.environ.get("KB_UPLOAD_RATE", "50/s"),
}
# Lets a Prometheus on another machine read /metrics; empty: only this machine may.
KB_METRICS_TOKEN = os.environ.get("KB_METRICS_TOKEN", "")
# Where a worker answers Prometheus; port 0: nowhere. It needs no token, so another machine's way there is the site's
# to limit.
KB_WORKER_METRICS_PORT = int(os.environ.get("KB_WORKER_METRICS_PORT", 0))
KB_WORKER_METRICS_ADDRESS = os.environ.get("KB_WORKER_METRICS_ADDRESS", "127.0.0.1")
# One request may bring a folder. Django's 100 is meant for forms; these are counted before they are read.
DATA_UPLOAD_MAX_NUMBER_FILES = 1000
# A path for each file, and a few more.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
# Folders of the server below which managers with the permission kb.connect_storage may make sources, separated by
# colons. None: only `kb source add` makes folder sources.
KB_SOURCE_FOLDERS = [folder for folder in os.environ.get("KB_SOURCE_FOLDERS", "").split(":") if folder]
# Host names of the intranet that website sources may reach though their addresses are private, separated by commas.
KB_ALLOWED_PRIVATE_HOSTS = [
    host for host in os.environ.get("KB_ALLOWED_PRIVATE_HOSTS", "").replace(" ", "").split(",") if host
]
# Ports that websites are fetched from, besides 80 and 443.
KB_FETCH_PORTS = [int(port) for port in os.environ.get("KB_FETCH_PORTS", "").split(",") if port.strip()]
# The encoders in use: embedded, recommended or custom (retrieval/encoders/profiles.py).
KB_PROFILE = os.environ.get("KB_PROFILE", "embedded")
# Of profile `custom`: transformers names or local paths; empty: no such encoder.
KB_TEXT_ENCODER = os.environ.get("KB_TEXT_ENCODER", "")
KB_IMAGE_ENCODER = os.environ.get("KB_IMAGE_ENCODER", "")
# A learned fusion of words and pixels, a file trained for the image encoder above; empty: their weighted mean.
KB_FUSION = os.environ.get("KB_FUSION", "")
# A Whisper-family model, transformers name or local path, that writes down what is said in videos and sound files;
# empty: none. Needs the `models` extra.
KB_SPEECH_MODEL = os.environ.get("KB_SPEECH_MODEL", "")
