"""Which head moves words to pictures at this site? The one that was trained on its own library, where there is one.

KB_MODELS_DIR/alignment holds every head that was ever activated, and `active.json`, which names the one that serves and
remembers the one before it. The file is replaced at once, so a reader sees the old head or the new one.
"""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from retrieval.encoders.base import CosineRange, EncoderError, EncoderSpec
from retrieval.encoders.text_head import TextHead, read_head, write_head

log = logging.getLogger(__name__)

FOLDER, ACTIVE = "alignment", "active.json"
REMEDY = "Train it again with manage.py train_alignment, or go back with --undo."
REMOVE = "Remove the file: the encoder's own head serves then, and manage.py train_alignment makes another."


@dataclass(frozen=True, slots=True)
class SiteHead:
    """`words`: where cosines of queries through it with pictures lie."""

    revision: str
    head: TextHead
    words: CosineRange


def active_head(models_dir: Path, spec: EncoderSpec) -> SiteHead | None:
    """The one that serves with the encoder of `spec`. Raises EncoderError for one that cannot be read.

    Asks the file system at each call, so that a running process follows a change: a `stat` costs microseconds.
    """
    path = models_dir / FOLDER / ACTIVE
    try:
        stat = path.stat()
    except OSError:
        return None
    return _read(path, spec, stat.st_mtime_ns, stat.st_ino)


def record(models_dir: Path) -> dict[str, Any] | None:
    """What `activate` wrote last: revision, encoder, facts. Raises EncoderError where it cannot be read."""
    path = models_dir / FOLDER / ACTIVE
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EncoderError(f"{path} cannot be read ({error}). {REMOVE}") from error
    return found


def activate(
    models_dir: Path, spec: EncoderSpec, head: TextHead, words: CosineRange, facts: dict[str, Any]
) -> str:
    """Keeps `head` and lets it serve with the encoder of `spec`; what served before is kept. Gives its revision.

    `facts`: JSON values that say where it came from.
    """
    folder = models_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    before = record(models_dir)
    draft = folder / "head.draft"
    write_head(draft, head)
    revision = hashlib.sha256(draft.read_bytes() + spec.key.encode()).hexdigest()[:12]
    draft.replace(folder / f"{revision}.safetensors")
    _replace(
        folder / ACTIVE,
        {
            "revision": revision,
            "encoder": spec.key,
            "words": asdict(words),
            "facts": facts,
            "before": before,
        },
    )
    return revision


def undo(models_dir: Path) -> dict[str, Any]:
    """Lets the head before the active one serve again, or the encoder's own. Gives what was undone.

    Raises EncoderError where there is nothing to undo.
    """
    active = record(models_dir)
    if active is None:
        raise EncoderError("No head is active that was trained here: there is nothing to undo.")
    path = models_dir / FOLDER / ACTIVE
    if active["before"] is None:
        path.unlink()
    else:
        _replace(path, active["before"])
    return active


def _replace(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


@lru_cache(maxsize=4)
def _read(path: Path, spec: EncoderSpec, _mtime_ns: int, _inode: int) -> SiteHead | None:
    """Once for each state of the file."""
    try:
        active = json.loads(path.read_text(encoding="utf-8"))
        revision, encoder, words = active["revision"], active["encoder"], CosineRange(**active["words"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{path} cannot be read ({error}). {REMOVE}") from error
    if encoder != spec.key:
        log.warning("The head of %s is for %s and not for %s: train it again.", path, encoder, spec.key)
        return None
    head = read_head(path.with_name(f"{revision}.safetensors"), spec.dimensions, remedy=REMEDY)
    return SiteHead(revision, head, words)
