"""What is there to train or be judged on? Lines of translated texts; broken ones are named and left out."""

import gzip
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.evaluation_data import DataError


@dataclass(frozen=True, slots=True)
class Pair:
    """`zh` says what `en` says."""

    zh: str
    en: str
    source: str = ""


Warn = Callable[[str], object]


def read_pairs(path: Path, warn: Warn) -> list[Pair]:
    """JSON lines with `zh`, `en` and where known `source`; gzip where the name ends in .gz.

    `warn` is told of each line that is no pair. Raises DataError when the file cannot be read or holds no pair.
    """
    found = list(_pairs(path, warn))
    if not found:
        raise DataError(path, None, "it holds no pair: each line is an object with `zh` and `en`")
    return found


def read_all(paths: Sequence[Path], warn: Warn, *, sources: Collection[str] | None = None) -> list[Pair]:
    """The pairs of several files; of `sources` alone where given. Raises DataError, also for an unknown source."""
    found = [pair for path in paths for pair in read_pairs(path, warn)]
    if sources is None:
        return found
    present = {pair.source for pair in found}
    missing = set(sources) - present
    if missing:
        raise DataError(
            paths[0],
            None,
            f"no pair is of {', '.join(sorted(missing))}; there are {', '.join(sorted(present))}",
        )
    return [pair for pair in found if pair.source in sources]


def _pairs(path: Path, warn: Warn) -> Iterator[Pair]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    fields = json.loads(line)
                    zh, en = str(fields["zh"]).strip(), str(fields["en"]).strip()
                    pair = Pair(zh, en, str(fields.get("source") or ""))
                except (ValueError, KeyError, TypeError, AttributeError):
                    warn(f"{path}:{number}: no pair, left out.")
                    continue
                if not (zh and en):
                    warn(f"{path}:{number}: one side is empty, left out.")
                    continue
                yield pair
    except (OSError, EOFError) as error:
        raise DataError(path, None, f"it cannot be read: {error}") from error
