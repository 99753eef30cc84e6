"""Which bytes does a Range header ask for? (RFC 9110, section 14)"""

import re
from dataclasses import dataclass

SINGLE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class UnsatisfiableError(Exception):
    """The range begins behind the end."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    start: int
    stop: int  # Exclusive.

    @property
    def size_bytes(self) -> int:
        return self.stop - self.start


def parse(header: str, size_bytes: int) -> ByteRange | None:
    """The one range asked for; None where the whole is to be sent: no range, several, or nonsense."""
    match = SINGLE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        if int(last) == 0 or size_bytes == 0:
            raise UnsatisfiableError
        return ByteRange(max(0, size_bytes - int(last)), size_bytes)
    if last and int(last) < int(first):
        return None
    if int(first) >= size_bytes:
        raise UnsatisfiableError
    return ByteRange(int(first), min(int(last) + 1, size_bytes) if last else size_bytes)
