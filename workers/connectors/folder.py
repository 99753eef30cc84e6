"""What is in a folder, local or mounted? Every regular file below it; links are not followed, wherever they lead.

The walk goes from open folder to open folder, so that one who may write there cannot swap a folder for a link
between the look and the reading.
"""

import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from kb.source_settings import FolderSettings
from workers.cli.files import SKIPPED_FOLDERS
from workers.connectors.base import ConnectorError, Entry, EntryError, Known

# File systems keep times in steps of up to two seconds (FAT). What was written within the last step may be written
# again without a trace in time and size, so its bytes are looked at again at the next scan.
SETTLED_NS = 2 * 10**9
# Of SourceEntry.uri.
_LONGEST_URI = 1000


class FolderConnector:
    def __init__(self, settings: FolderSettings) -> None:
        self._root = Path(settings.path)
        self._unread: set[str] = set()
        self.problems: list[str] = []

    def entries(self, known: Mapping[str, Known]) -> Iterator[Entry]:  # noqa: ARG002 - a look costs nothing
        root = self._open_root()
        try:
            yield from self._walk(root, "", time.time_ns())
        finally:
            os.close(root)

    def is_gone(self, uri: str) -> bool:
        return not any(uri == path or uri.startswith(path + "/") for path in self._unread)

    def _open_root(self) -> int:
        try:
            # The path was real when the source was made; a link there now leads to what nobody has allowed.
            if self._root.resolve(strict=True) != self._root:
                raise ConnectorError(f"{self._root} has become a link. Make the source anew.")
            return os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            raise ConnectorError(f"The folder {self._root} cannot be read: {error.strerror}.") from error

    def _walk(self, folder: int, uri: str, now_ns: int) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as found:
                names = sorted(entry.name for entry in found)
        except OSError as error:
            if not uri:
                raise ConnectorError(f"The folder {self._root} cannot be read: {error.strerror}.") from error
            self._pass_over(uri, error.strerror or str(error))
            return
        for name in names:
            below = f"{uri}/{_readable(name)}" if uri else _readable(name)
            if len(below) > _LONGEST_URI:
                self._pass_over(below, f"the path is longer than {_LONGEST_URI} characters")
                continue
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode) and name not in SKIPPED_FOLDERS:
                    child = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                    try:
                        yield from self._walk(child, below, now_ns)
                    finally:
                        os.close(child)
            except FileNotFoundError:
                continue  # Since the names were read: gone, as it would be a moment later.
            except OSError as error:
                self._pass_over(below, error.strerror or str(error))
                continue
            if stat.S_ISREG(status.st_mode):
                yield _entry(below, name, folder, status, now_ns)

    def _pass_over(self, uri: str, reason: str) -> None:
        self._unread.add(uri)
        self.problems.append(f"{uri or '.'}: {reason}")


def _entry(uri: str, name: str, folder: int, status: os.stat_result, now_ns: int) -> Entry:
    settled = abs(now_ns - status.st_mtime_ns) > SETTLED_NS

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        try:
            # Not blocking: a pipe that took the file's place would wait for a writer for ever.
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            raise EntryError(f"The file could not be opened: {error.strerror}.") from error
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise EntryError("It is not a file any more.")
            yield _Readable(file)  # type: ignore[misc]  # the part of BinaryIO that uploads use

    fingerprint = f"{status.st_mtime_ns}-{status.st_size}" if settled else ""
    return Entry(uri, fingerprint, opened, size_bytes=status.st_size)


class _Readable:
    """A file whose failures, on a share that goes away, are its own and not the whole scan's."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise EntryError(f"The file could not be read: {error.strerror}.") from error


def _readable(path: str) -> str:
    """Names that are no UTF-8, from old systems, with their bytes spelled out: the database keeps only text."""
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")
