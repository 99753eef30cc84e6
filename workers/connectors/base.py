"""What must a place outside be able to do so that a collection can follow it?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from kb.exceptions import KbError


class ConnectorError(KbError):
    """The source did not answer as a whole. Nothing was deleted."""


class EntryError(KbError):
    """This file of the source could not be read."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the last scan kept of a file."""

    fingerprint: str
    links: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the source, now."""

    # Path below the source's root, key below its prefix, or URL.
    uri: str
    # Equal to that of the last scan: unchanged. Empty: unknown, so the bytes decide.
    fingerprint: str
    # The bytes. To be called before the next entry is asked for; it and its stream raise EntryError.
    open: Callable[[], AbstractContextManager[BinaryIO]]
    # Where a page leads, to be known at the next scan.
    links: Sequence[str] = ()
    size_bytes: int | None = None


class Connector(Protocol):
    """One source, for the length of one scan."""

    # Files and folders that were passed over, and why: a line each, for a person.
    problems: list[str]

    def entries(self, known: Mapping[str, Known]) -> Iterator[Entry]:
        """Each file there is, in any order; what `known` says of an URI spares asking for it again.

        Raises ConnectorError when the source does not answer: what was given until then is right, but not all.
        """

    def is_gone(self, uri: str) -> bool:
        """Whether a file that `entries`, at its end, has not given does not exist any more.

        False where the connector could not look.
        """
