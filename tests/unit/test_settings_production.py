"""Does production start from the environment alone, and say what is missing?"""

import json
import os
import subprocess
import sys

import pytest

COMPLETE = {
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "search.example.com, kb.example.com",
    "DATABASE_URL": "postgresql://kb:p%40ss@db.example.com:5433/library?sslmode=verify-full",
    "KB_S3_ENDPOINT": "s3.example.com:9000",
    "KB_S3_BUCKET": "library",
    "KB_S3_ACCESS_KEY": "access",
    "KB_S3_SECRET_KEY": "secret",
    "KB_BROKER_URL": "redis://redis.example.com:6379/0",
    "KB_CACHE_URL": "redis://redis.example.com:6379/1",
}


def _start(environment: dict[str, str], expression: str = "None") -> "subprocess.CompletedProcess[str]":
    """A fresh process: settings are read once. Nothing of our own environment is passed on."""
    code = f"import json; from kb.settings import production as settings; print(json.dumps({expression}))"
    return _run(environment, code)


def _run(environment: dict[str, str], code: str) -> "subprocess.CompletedProcess[str]":
    basic = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "kb.settings.production"}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=basic | environment, capture_output=True, text=True, check=False, timeout=60
    )


def _value(environment: dict[str, str], expression: str) -> object:
    result = _start(environment, expression)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_complete_environment_is_taken_over() -> None:
    database, storage, hosts, origins, embedded = _value(  # type: ignore[misc]
        COMPLETE,
        "[settings.DATABASES['default'], settings.KB_STORAGE, settings.ALLOWED_HOSTS,"
        " settings.CSRF_TRUSTED_ORIGINS, settings.KB_EMBEDDED]",
    )
    assert (database["NAME"], database["USER"], database["PASSWORD"]) == ("library", "kb", "p@ss")
    assert (database["HOST"], database["PORT"]) == ("db.example.com", "5433")
    assert database["OPTIONS"] == {"prepare_threshold": None, "sslmode": "verify-full"}
    assert (storage["backend"], storage["endpoint"], storage["secure"]) == ("s3", "s3.example.com:9000", True)
    assert hosts == ["search.example.com", "kb.example.com"]
    assert origins == ["https://search.example.com", "https://kb.example.com"]
    assert embedded is False


@pytest.mark.parametrize("name", [name for name in COMPLETE if name != "DATABASE_URL"])
def test_a_missing_variable_stops_the_start_by_name(name: str) -> None:
    result = _start({key: value for key, value in COMPLETE.items() if key != name})
    assert result.returncode != 0
    assert f"Set {name} in the environment: " in result.stderr


def test_without_a_database_both_ways_to_name_one_are_shown() -> None:
    result = _start({key: value for key, value in COMPLETE.items() if key != "DATABASE_URL"})
    assert "Set KB_DB_NAME" in result.stderr
    assert "or set DATABASE_URL" in result.stderr


def test_the_database_can_be_named_part_by_part() -> None:
    parts = {
        "KB_DB_NAME": "a",
        "KB_DB_USER": "b",
        "KB_DB_PASSWORD": "c",
        "KB_DB_HOST": "d",
        "KB_DB_SSLMODE": "require",
    }
    environment = {key: value for key, value in COMPLETE.items() if key != "DATABASE_URL"} | parts
    database = _value(environment, "settings.DATABASES['default']")
    assert isinstance(database, dict)
    assert [database[key] for key in ("NAME", "USER", "PASSWORD", "HOST")] == ["a", "b", "c", "d"]
    assert database["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://db/kb"),
        ("KB_S3_ENDPOINT", "https://s3.example.com"),
        ("KB_BROKER_URL", "memory://"),
        ("KB_CACHE_URL", "memcached://x"),
        ("KB_HTTPS", "perhaps"),
        ("KB_HSTS_SECONDS", "-1"),
    ],
)
def test_a_value_of_the_wrong_form_is_named_but_not_shown(name: str, value: str) -> None:
    result = _start(COMPLETE | {name: value})
    assert result.returncode != 0
    last_line = result.stderr.strip().splitlines()[-1]
    assert name in last_line
    assert value not in last_line


def test_cookies_and_transport_are_secured_unless_told_otherwise() -> None:
    expression = (
        "[settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS > 0]"
    )
    assert _value(COMPLETE, expression) == [True, True, True]
    plain = "[hasattr(settings, 'SESSION_COOKIE_SECURE'), hasattr(settings, 'SECURE_HSTS_SECONDS')]"
    assert _value(COMPLETE | {"KB_HTTPS": "0"}, plain) == [False, False]


def test_redis_keeps_a_message_longer_than_the_longest_lease() -> None:
    visible_s = _value(COMPLETE, "settings.CELERY_BROKER_TRANSPORT_OPTIONS['visibility_timeout']")
    assert isinstance(visible_s, int)
    assert visible_s >= 600  # Ten leases of a minute.


def test_rabbitmq_can_be_the_broker() -> None:
    url = "amqp://kb:secret@rabbitmq:5672//"
    assert _value(COMPLETE | {"KB_BROKER_URL": url}, "settings.CELERY_BROKER_URL") == url


def test_log_lines_are_json_with_the_bound_request_id() -> None:
    code = """
import django, logging, structlog
django.setup()
structlog.contextvars.bind_contextvars(request_id="r-1")
logging.getLogger("library").warning("from a library")
structlog.get_logger("kb").warning("from us", size_bytes=3)
"""
    result = _run(COMPLETE, code)
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [(line["event"], line["request_id"]) for line in lines] == [
        ("from a library", "r-1"),
        ("from us", "r-1"),
    ]
    assert lines[1]["size_bytes"] == 3
