"""Which files does `kb ingest PATH...` mean, and what is each called in the collection?"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kb.exceptions import KbError

# Version control keeps its own copies of everything there. Other hidden files are content like any other.
SKIPPED_FOLDERS = {".git", ".hg", ".svn", ".bzr", "CVS"}


class PathError(KbError):
    """The path cannot be brought in."""


@dataclass
class Found:
    """Files as (name in the collection, where it is), in order; and what was passed over on purpose."""

    files: list[tuple[str, Path]] = field(default_factory=list)
    links: int = 0
    special: int = 0
    unreadable_folders: list[tuple[str, str]] = field(default_factory=list)


def find(paths: Sequence[str]) -> Found:
    """Names are relative to the folder that was named; with several folders they begin with the folder's own.

    Links are passed over: they lead out of what was asked for, or in circles.
    """
    found = Found()
    roots = [Path(path) for path in paths]
    for root in roots:
        if not root.exists():
            raise PathError(f"There is no {root}.")
        if root.is_dir():
            prefix = f"{root.resolve().name}/" if len(roots) > 1 else ""
            for path in _walk(root, root, found):
                found.files.append((prefix + path.relative_to(root).as_posix(), path))
        else:
            found.files.append((root.name, root))
    names = [name for name, _ in found.files]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PathError(
            f"Two of the files would both be called {twice!r}. Bring them in one after the other."
        )
    return found


def _walk(folder: Path, root: Path, found: Found) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.unreadable_folders.append((str(folder.relative_to(root)), error.strerror or str(error)))
        return
    for entry in entries:
        if entry.is_symlink():
            found.links += 1
        elif entry.is_dir():
            if entry.name not in SKIPPED_FOLDERS:
                yield from _walk(Path(entry.path), root, found)
        elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            yield Path(entry.path)
        else:
            found.special += 1
