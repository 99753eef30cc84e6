"""Which of a container's entries come in with this part, under which names, and when is it a bomb?

Every part walks the same entries in the same order, so that all parts agree on who takes which; a part unpacks
only its own.
"""

import errno
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Protocol

from workers.extract import limits
from workers.extract.assemble import Assembly
from workers.extract.base import ExtractionError, Member, Source

_CHUNK_BYTES = 256 * 1024
# What Windows and macOS leave in folders; nobody put it there, nobody looks for it.
_JUNK = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_DRIVE = re.compile(r"[A-Za-z]:")


# A system's backup has thousands of links; a few say enough.
_MOST_SKIPS_TOLD = 5


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Guarded:
    """A stream whose bytes are counted, and whose library's errors are the file's: it is damaged."""

    def __init__(
        self,
        content: Readable,
        damage: tuple[type[Exception], ...],
        count: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._content = content
        self._damage = damage
        self._count = count

    def read(self, size: int, /) -> bytes:
        try:
            chunk = self._content.read(size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EFBIG):
                raise
            raise ExtractionError("corrupt") from error
        except self._damage as error:
            raise ExtractionError("corrupt") from error
        self._count(len(chunk))
        return chunk


class BombError(ExtractionError):
    """It unpacks to more than anybody wants."""

    def __init__(self, message: str) -> None:
        super().__init__("output_limit", message)


def safe_name(name: str) -> str | None:
    """The name below the archive's own root; None when it points outside of it."""
    name = _CONTROL.sub("_", name)
    if "/" not in name:
        name = name.replace("\\", "/")  # Written on Windows by a program that did not know better.
    parts = name.split("/")
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in re.split(r"[/\\]", name):
        return None
    return "/".join(part for part in parts if part not in ("", ".")) or None


class Unpacking:
    """Takes in the entries of one container, in their order."""

    def __init__(self, source: Source, assembly: Assembly) -> None:
        self._part = source.part
        self._scratch = source.scratch
        self._packed_bytes = source.path.stat().st_size
        self._assembly = assembly
        self._members: list[Member] = []
        self._names: dict[str, int] = {}
        self._files = 0
        self._entries = 0
        self._capped = False
        self._skipped = 0
        self._at_part = 0
        self._in_part = 0
        self._bytes_in_part = 0
        self._declared_bytes = 0
        self._unpacked_bytes = 0

    def count(self, size_bytes: int) -> None:
        """Bytes that came out of a decompressor, wanted or not. Raises BombError."""
        self._unpacked_bytes += size_bytes
        self._refuse_bomb(self._unpacked_bytes)

    def offer(
        self, name: str, size_bytes: int, unpack: Callable[[], Readable], *, most_bytes: int | None = None
    ) -> None:
        """A file of the container, whose bytes are read when it is this part's. Raises BombError.

        `most_bytes` where the container does not state a size.
        """
        if (path := self._claim(name, size_bytes)) is not None:
            try:
                file = self._store(unpack(), size_bytes if most_bytes is None else most_bytes)
            except ExtractionError as error:
                if isinstance(error, BombError):
                    raise
                self._members.append(Member(path, error=error.code, message=error.message))
            else:
                self._members.append(Member(path, file=file))

    def take(self, name: str, size_bytes: int) -> tuple[str, str] | None:
        """For a container that hands out bytes itself: the path, and the file to write, when it is this part's."""
        path = self._claim(name, size_bytes)
        return None if path is None else (path, self._next_file())

    def took(self, path: str, file: str) -> None:
        self._members.append(Member(path, file=file))

    def lost(self, path: str, code: str) -> None:
        self._members.append(Member(path, error=code))

    def fail(self, name: str, code: str, message: str = "") -> None:
        """An entry that cannot be had, and why."""
        if (path := self._claim(name, 0)) is not None:
            self._members.append(Member(path, error=code, message=message))

    def skip(self, name: str, why: str) -> None:
        """An entry that is none of a file's business: a link, a device, a path outside."""
        self._skipped += 1
        shown = _CONTROL.sub("_", name)[:100]
        if self._skipped <= _MOST_SKIPS_TOLD:
            self.warn("unsafe_member", f"“{shown}” was left out: {why}.")
        elif self._skipped == _MOST_SKIPS_TOLD + 1:
            self.warn("unsafe_member", "")

    def warn(self, code: str, message: str) -> None:
        if self._part == 0:
            self._assembly.warn(code, message)

    @property
    def members(self) -> tuple[Member, ...]:
        """Those of this part."""
        return tuple(self._members)

    @property
    def names(self) -> list[str]:
        """Of all entries up to here, those of other parts too."""
        return list(self._names)

    @property
    def parts(self) -> int:
        return self._at_part + 1

    @property
    def full(self) -> bool:
        """Whether no further entry can be this part's: a later part need not read on."""
        return self._capped or (self._part > 0 and self._at_part > self._part)

    @property
    def only_error(self) -> Member | None:
        """The one entry there is, when it failed."""
        return self._members[0] if self._entries == 1 and self._members and self._members[0].error else None

    def _claim(self, name: str, size_bytes: int) -> str | None:
        """The path under which this part takes the entry in; None when it does not."""
        path = safe_name(name)
        if path is None:
            self.skip(name, "its path points outside of the archive")
            return None
        if _JUNK.search(path):
            return None
        if self._entries >= limits.MAX_MEMBERS:
            self._capped = True
            self.warn("members_capped", "")
            return None
        self._entries += 1
        path = self._unique(path)
        self._declared_bytes += size_bytes
        self._refuse_bomb(self._declared_bytes)
        fits = self._bytes_in_part + size_bytes <= limits.MEMBER_BYTES_PER_PART
        if self._in_part and (self._in_part >= limits.MEMBERS_PER_PART or not fits):
            self._at_part += 1
            self._in_part = self._bytes_in_part = 0
        self._in_part += 1
        self._bytes_in_part += size_bytes
        if len(path) > limits.MAX_MEMBER_NAME:
            if self._at_part == self._part:
                message = f"Its name is longer than {limits.MAX_MEMBER_NAME} characters."
                self._members.append(Member(path[:100], error="unsafe_path", message=message))
            return None
        if size_bytes > limits.MAX_ARCHIVE_FILE_BYTES:
            if self._at_part == self._part:
                self._members.append(Member(path, error="too_large"))
            return None
        return path if self._at_part == self._part else None

    def _unique(self, path: str) -> str:
        """A container may hold two files of one name: the second becomes `name (2)`."""
        seen = self._names.get(path, 0)
        self._names[path] = seen + 1
        if not seen:
            return path
        name = PurePosixPath(path)
        return self._unique(str(name.with_name(f"{name.stem} ({seen + 1}){name.suffix}")))

    def _store(self, content: Readable, most_bytes: int) -> str:
        file = self._next_file()
        left = most_bytes
        try:
            with (self._scratch / file).open("xb") as target:
                while chunk := content.read(_CHUNK_BYTES):
                    left -= len(chunk)
                    if left < 0:
                        # More than it said: whatever the parts were planned by is untrue.
                        raise BombError(
                            "A file in the archive unpacks to more than it states, or than the limit."
                        )
                    target.write(chunk)
        except ExtractionError:
            (self._scratch / file).unlink()
            raise
        return file

    def _next_file(self) -> str:
        self._files += 1
        return f"m{self._files:06}.bin"

    def _refuse_bomb(self, size_bytes: int) -> None:
        if size_bytes > limits.MAX_ARCHIVE_BYTES:
            gib = limits.MAX_ARCHIVE_BYTES / 1024**3
            raise BombError(
                f"The archive unpacks to more than {gib:.0f} GB. Unpack it and upload what is needed."
            )
        if size_bytes > max(limits.MIN_BOMB_BYTES, limits.MAX_RATIO * self._packed_bytes):
            raise BombError("The archive unpacks to far more than it can reasonably hold.")
