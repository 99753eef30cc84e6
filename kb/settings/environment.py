"""What does the environment say? Each value is read once, at start, and a wrong one is named with its remedy."""

import os
import re

from django.core.exceptions import ImproperlyConfigured


def required(name: str, remedy: str, *, pattern: str = r".+") -> str:
    """The value. Raises ImproperlyConfigured, without the value itself: it may be a secret."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment: {remedy}.")
    if not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name} in the environment has not the expected form: {remedy}.")
    return value


def optional(name: str) -> str:
    return os.environ.get(name, "")


def names(name: str, remedy: str, *, default: list[str] | None = None) -> list[str]:
    """Comma-separated. Without a default it must name at least one."""
    value = optional(name) if default is not None else required(name, remedy)
    return [part.strip() for part in value.split(",") if part.strip()] or default or []


def flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, "").lower()
    if value not in ("", "0", "1", "false", "true"):
        raise ImproperlyConfigured(f"{name} in the environment must be 1 or 0.")
    return default if value == "" else value in ("1", "true")


def number(name: str, *, default: int) -> int:
    value = os.environ.get(name, "")
    if not re.fullmatch(r"\d*", value):
        raise ImproperlyConfigured(f"{name} in the environment must be a whole number.")
    return int(value) if value else default
