"""How is a parser run on untrusted bytes? In a child process that has little, and whose answer is checked.

`extract` is the only way in. It hands the job to a template process (workers/extract/__main__.py), which
forks a child with limits for it, and turns every way in which that can end into an Extraction or an
IngestError.
"""

import atexit
import contextlib
import dataclasses
import errno
import json
import logging
import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from kb import media_types
from kb.exceptions import FailureCode, IngestError
from workers import conversion
from workers.extract import limits as caps
from workers.extract import registry, wire
from workers.extract.base import SOUND_RATE_PER_S, Extraction
from workers.extract.limits import Limits, limits_of
from workers.extract.wire import LOG_FILE, RESULT_FILE

logger = logging.getLogger(__name__)

# Loading the OCR models takes one second on an idle core; a template that is silent this long after the
# child's own time is over is lost.
_TEMPLATE_SLACK_S = 60.0
# What the child may see of the environment: nothing here is a secret, and no library downloads or multiplies
# threads.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_PASSED_ON = ("KB_OCR_THREADS", "LD_LIBRARY_PATH", "TZ")
# A child that dies with this share of its address space resident died of memory, whatever the signal says:
# libraries in C abort or trap when an allocation fails.
_MEMORY_SHARE = 0.5
_MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff", "webp": b"RIFF"}


def extract(
    path: Path,
    *,
    name: str,
    media_type: str,
    part: int,
    scratch: Path,
    limits: Limits | None = None,
) -> Extraction:
    """Read part `part` of the file at `path`; its pictures are then files in `scratch`, an empty folder.

    Raises IngestError with the reason when the file cannot be read, whatever it did to its parser.
    """
    if media_type == media_types.EMPTY:
        raise IngestError(FailureCode.EMPTY_FILE)
    target = registry.CONVERTED.get(media_type)
    if target is not None:
        return _extract_converted(path, name, media_type, target, part, scratch, limits)
    parser = registry.PARSERS.get(media_type)
    if parser is None:
        raise IngestError(
            FailureCode.NOT_SUPPORTED,
            f"{media_types.describe(media_type)}: this format is not supported yet.",
        )
    return _extract(parser, path, name, media_type, part, scratch, limits)


def listen(path: Path, *, media_type: str, part: int, scratch: Path) -> Path:
    """The sound of one time range of a recording: a file of 16-bit samples in `scratch`. Raises IngestError."""
    found = _extract(registry.LISTENER, path, "", media_type, part, scratch, None)
    if not found.sound:
        raise IngestError(FailureCode.PARSER_CRASHED)
    return scratch / found.sound


def _extract_converted(
    path: Path, name: str, media_type: str, target: str, part: int, scratch: Path, limits: Limits | None
) -> Extraction:
    with tempfile.TemporaryDirectory(prefix="kb-convert-") as folder:
        file = conversion.converted(path, name=name, target=target, folder=Path(folder), run=_run)
        if file is None:
            return _extract(registry.EXPLAINER, path, name, media_type, part, scratch, limits)
        return _extract(registry.PARSERS[target], file, name, target, part, scratch, limits)


def _extract(
    parser: str, path: Path, name: str, media_type: str, part: int, scratch: Path, limits: Limits | None
) -> Extraction:
    limits = limits or limits_of(media_type)
    scratch.mkdir(parents=True, exist_ok=True)
    job = {
        "parser": parser,
        "source": {
            "path": str(path.resolve()),
            "name": name,
            "media_type": media_type,
            "part": part,
            "scratch": str(scratch.resolve()),
        },
        "limits": dataclasses.asdict(limits),
    }
    try:
        # A template that holds the OCR models takes 20 ms to fork, one without them 5: text has its own.
        kind = "text" if media_type.startswith("text/") else "pixels"
        reply = _run(job, kind=kind, wall_s=limits.wall_s)
        return _outcome(reply, scratch, limits, name=name)
    finally:
        for file in (RESULT_FILE, LOG_FILE):
            (scratch / file).unlink(missing_ok=True)


def _outcome(reply: dict[str, Any], scratch: Path, limits: Limits, *, name: str) -> Extraction:
    """The answer in `scratch`, given how the child ended."""
    if "broken" in reply:
        logger.error("The parser for %s cannot be loaded: %s", name, reply["broken"])
        raise IngestError(FailureCode.INTERNAL)
    if reply["verdict"]:
        raise IngestError(FailureCode(reply["verdict"]))
    if reply["status"] != 0:
        logger.warning("The parser of %s ended with %d: %s", name, reply["status"], _log_tail(scratch))
        raise IngestError(_code_of_end(reply["status"], reply["max_rss_bytes"], limits))
    try:
        answer = json.loads(_read(scratch / RESULT_FILE, most=limits.result_bytes))
        if "error" in answer:
            code, message = FailureCode(answer["error"]["code"]), str(answer["error"]["message"])[:500]
            extraction = None
        else:
            extraction = wire.decode(answer["extraction"])
            for picture in extraction.pictures:
                if picture.file:
                    _check_picture(scratch / picture.file, limits)
            for member in extraction.members:
                if member.file:
                    _check_file(scratch / member.file, limits)
                elif member.error:
                    FailureCode(member.error)
            if extraction.sound:
                _check_sound(scratch / extraction.sound)
    # The child was taken over or broke: the answer is missing, a link, no JSON, or of another shape.
    # RecursionError is what a million opening brackets give.
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        logger.warning("The parser of %s gave no valid answer: %r; %s", name, error, _log_tail(scratch))
        raise IngestError(FailureCode.PARSER_CRASHED) from error
    if extraction is None:
        if code is FailureCode.PARSER_CRASHED:
            logger.warning("The parser of %s failed: %s", name, _log_tail(scratch))
        raise IngestError(code, message or None)
    return extraction


def _code_of_end(status: int, max_rss_bytes: int, limits: Limits) -> FailureCode:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGXCPU:
        return FailureCode.TIME_LIMIT
    if number == signal.SIGXFSZ:
        return FailureCode.OUTPUT_LIMIT
    if max_rss_bytes > _MEMORY_SHARE * limits.memory_bytes:
        return FailureCode.MEMORY_LIMIT
    return FailureCode.PARSER_CRASHED


def _read(path: Path, *, most: int) -> bytes:
    """The bytes of a plain file. Raises OSError for anything else, IngestError for more than `most` bytes."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "not a plain file")
        if facts.st_size > most:
            raise IngestError(FailureCode.OUTPUT_LIMIT)
        return file.read(most)


def _check_picture(path: Path, limits: Limits) -> None:
    _check_file(path, limits)
    with path.open("rb") as file:
        if not file.read(16).startswith(_MAGIC[path.suffix[1:]]):
            raise ValueError("not the picture that its name says")


def _check_file(path: Path, limits: Limits) -> None:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        raise OSError(errno.EINVAL, "not a plain file")
    if facts.st_size > limits.file_bytes:
        raise IngestError(FailureCode.OUTPUT_LIMIT)


def _check_sound(path: Path) -> None:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1 or facts.st_size % 2:
        raise OSError(errno.EINVAL, "not a file of samples")
    if facts.st_size > 2 * SOUND_RATE_PER_S * caps.SECONDS_PER_PART:
        raise IngestError(FailureCode.OUTPUT_LIMIT)


def _log_tail(scratch: Path) -> str:
    try:
        with os.fdopen(
            os.open(scratch / LOG_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb"
        ) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            file.seek(max(0, size_bytes - caps.LOG_TAIL_BYTES))
            return file.read(caps.LOG_TAIL_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return "(no log)"


class _LostError(Exception):
    """The template process is gone or silent."""


class _Template:
    """A running workers.extract process: one job at a time."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parent.parent
        environment = _ENVIRONMENT | {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        self.used = False
        # -P: no module is ever found in the current folder. Own session: the worker's Ctrl-C is not its end.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-m", "workers.extract"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment | {"PYTHONPATH": str(root)},
            cwd="/",
            start_new_session=True,
        )

    def run(self, job: dict[str, Any], *, wall_s: float) -> dict[str, Any]:
        """How the child of this job ended. Raises _LostError."""
        self.used = True
        assert self._process.stdin is not None  # noqa: S101 -- pipes both; for the type checker.
        assert self._process.stdout is not None  # noqa: S101
        deadline = time.monotonic() + wall_s + _TEMPLATE_SLACK_S
        try:
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise _LostError from error
        line = b""
        while not line.endswith(b"\n"):
            left_s = deadline - time.monotonic()
            poll = select.poll()  # Unlike select, not limited to descriptors below 1024.
            poll.register(self._process.stdout, select.POLLIN)
            if left_s <= 0 or not poll.poll(left_s * 1000):
                raise _LostError
            chunk = os.read(self._process.stdout.fileno(), 65536)
            if not chunk:
                raise _LostError
            line += chunk
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        """End it and, through it, its child."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):  # What was not sent before it died.
                    pipe.close()
        try:
            # It ends by itself when its input closes, and takes its child along.
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Pool:
    """Templates of this process that wait for work: one of a kind, more while several threads ask at once."""

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self._lock = threading.Lock()
        self._idle: dict[str, _Template] = {}

    def run(self, job: dict[str, Any], *, kind: str, wall_s: float) -> dict[str, Any]:
        while True:
            with self._lock:
                template = self._idle.pop(kind, None)
            template = template or _Template()
            reused = template.used
            try:
                reply = template.run(job, wall_s=wall_s)
            except _LostError as error:
                template.close()
                # A template found dead may have died of anything; one started for this job died of this job.
                if reused:
                    continue
                raise IngestError(FailureCode.PARSER_CRASHED) from error
            except BaseException:
                # Interrupted between question and answer: the next job must not read this one's reply.
                template.close()
                raise
            with self._lock:
                kept = self._idle.setdefault(kind, template) is template
            if not kept:
                template.close()
            return reply

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, {}
        for template in idle.values():
            template.close()


_pool: _Pool | None = None
_pool_lock = threading.Lock()


def _run(job: dict[str, Any], *, kind: str, wall_s: float) -> dict[str, Any]:
    global _pool
    with _pool_lock:
        # A worker that forked must not share the pipes of its parent.
        if _pool is None or _pool.process_id != os.getpid():
            _pool = _Pool()
    return _pool.run(job, kind=kind, wall_s=wall_s)


@atexit.register
def close() -> None:
    """End the waiting template processes of this process. The next job starts one again."""
    if _pool is not None and _pool.process_id == os.getpid():
        _pool.close()
