"""What does a command say where torch is not installed? It trains or exports, and serving needs none of that."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

OURS = ("kb", "retrieval", "workers")


@contextmanager
def models_extra() -> Iterator[None]:
    """Around the imports of torch and of what needs it. Raises CommandError with the remedy."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith(OURS):
            raise
        raise CommandError(
            f"This needs {error.name}: install it with `pip install -e '.[models]'`."
        ) from error
