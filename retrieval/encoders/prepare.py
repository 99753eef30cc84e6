"""Which form of an encoder serves on this host? The fastest that still agrees with the float32 reference.

A source (one of minilm, dual, sentence) exports its float32 graphs; each is quantised, timed and judged, and
the winner kept in the models folder under a manifest. Serving then needs ONNX Runtime and nothing else.
"""

import contextlib
import fcntl
import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from retrieval.encoders.base import EncoderError
from retrieval.encoders.manifest import (
    MANIFEST,
    TOKENIZER,
    Candidate,
    Prepared,
    Source,
    digest,
    file_sha256,
    folder_name,
    read,
)
from retrieval.encoders.measure import ImageTrial, Say, TextTrial, measured


def prepared(source: Source, models_dir: Path, *, again: bool = False, say: Say | None = None) -> Prepared:
    """What was prepared before, else prepared now; by one process, while others wait. Raises EncoderError."""
    folder = models_dir / folder_name(source)
    found = None if again else read(folder)
    if found:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            found = None if again else read(folder)
            return found or _prepare(source, folder, say or (lambda _line: None))
    except OSError as error:
        raise EncoderError(
            f"{source.name} cannot be prepared in {folder}: {error}. Make the folder writable, or run"
            " `manage.py prepare_models` where it is."
        ) from error


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One holder on this host; the kernel lets go when the process dies."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _prepare(source: Source, folder: Path, say: Say) -> Prepared:
    with tempfile.TemporaryDirectory(dir=folder, prefix="draft-") as draft_name:
        draft = Path(draft_name)
        say(f"{source.name}: exporting")
        exported = source.export(draft)
        candidates: list[Candidate] = []
        if exported.text:
            text_trial = partial(TextTrial, tokenizer=draft / TOKENIZER, part=exported.text)
            candidates += measured("text", draft / "text.onnx", text_trial, say)
        if exported.image:
            image_trial = partial(ImageTrial, part=exported.image)
            candidates += measured("image", draft / "image.onnx", image_trial, say)
        made = Prepared(
            folder=folder,
            name=source.name,
            fingerprint=digest({"content": exported.content_sha256, "recipe": dict(source.recipe)}),
            dimensions=exported.dimensions,
            text=exported.text,
            image=exported.image,
            tokenizer_sha256=file_sha256(draft / TOKENIZER) if exported.text else "",
            candidates=tuple(candidates),
        )
        _publish(made, draft)
    return made


def _publish(made: Prepared, draft: Path) -> None:
    """The manifest moves last: whoever reads it finds all files of it, whole."""
    names = {candidate.file for candidate in made.candidates if candidate.kept}
    if made.text:
        names.add(TOKENIZER)
    for name in names:
        (draft / name).replace(made.folder / name)
    (draft / MANIFEST).write_text(json.dumps(made.manifest(), indent=1))
    (draft / MANIFEST).replace(made.folder / MANIFEST)
    for old in made.folder.glob("*.onnx"):
        if old.name not in names:
            old.unlink()
