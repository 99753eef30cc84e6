"""Compound files ([MS-CFB]) for tests: small streams in nested storages, as Outlook keeps a message."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

Tree = Mapping[str, "bytes | Tree"]

_SECTOR, _MINI = 512, 64
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_MINI_CUTOFF = 4096


@dataclass
class _Entry:
    name: str
    kind: int
    content: bytes = b""
    child: int = _FREE
    right: int = _FREE
    start: int = _END
    children: list[int] = field(default_factory=list)


def compound(tree: Tree) -> bytes:
    """The file. Siblings hang together as a list to the right, which readers accept as a tree."""
    entries = [_Entry("Root Entry", _ROOT)]
    _add(entries, 0, tree)
    mini, mini_fat, sectors, fat = b"", [], [], []  # type: ignore[var-annotated]

    def keep(content: bytes) -> int:
        start = len(sectors)
        pieces = [content[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(content), _SECTOR)]
        sectors.extend(pieces)
        fat.extend([*range(start + 1, start + len(pieces)), _END])
        return start

    for entry in entries:
        if entry.kind != _STREAM or not entry.content:
            continue
        if len(entry.content) >= _MINI_CUTOFF:
            entry.start = keep(entry.content)
            continue
        entry.start = len(mini_fat)
        count = -(-len(entry.content) // _MINI)
        mini_fat.extend([*range(entry.start + 1, entry.start + count), _END])
        mini += entry.content.ljust(count * _MINI, b"\0")
    if mini:
        entries[0].start, entries[0].content = keep(mini), mini
    mini_fat_start = (
        keep(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(_SECTOR, b"\xff")) if mini_fat else _END
    )
    mini_fat_sectors = -(-4 * len(mini_fat) // _SECTOR)
    directory = keep(b"".join(map(_directory_entry, entries)))
    # The table has to hold its own sectors, too.
    own = 1
    while (len(sectors) + own) * 4 > own * _SECTOR:
        own += 1
    fat_at = list(range(len(sectors), len(sectors) + own))
    fat.extend([_FAT] * own)
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(own * _SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack(
        "<9I", 0, own, directory, 0, _MINI_CUTOFF, mini_fat_start, mini_fat_sectors, _END, 0
    )
    header += struct.pack("<109I", *fat_at, *[_FREE] * (109 - own))
    return header + b"".join(sectors) + table


def _add(entries: list[_Entry], parent: int, tree: Tree) -> None:
    before = None
    for name, content in tree.items():
        number = len(entries)
        is_stream = isinstance(content, bytes)
        entries.append(_Entry(name, _STREAM if is_stream else _STORAGE, content if is_stream else b""))  # type: ignore[arg-type]
        if before is None:
            entries[parent].child = number
        else:
            entries[before].right = number
        before = number
        if not isinstance(content, bytes):
            _add(entries, number, content)


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le") + b"\0\0"
    return (
        name.ljust(64, b"\0")
        + struct.pack("<HBB3I", len(name), entry.kind, 1, _FREE, entry.right, entry.child)
        + bytes(36)
        + struct.pack("<IQ", entry.start, len(entry.content))
    )
