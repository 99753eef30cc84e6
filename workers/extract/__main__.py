"""How are parsers kept away from everything else? A template process forks one limited child for each job.

The template never reads an untrusted byte. It loads a parser's modules and models once, so that a job costs a
fork and not a start-up, and a job that crashes, leaks or is taken over ends with its child: no two files ever
share a process. docs/decisions/0003-parser-child.md weighs this against the alternatives.

Speaks JSON lines with workers.sandbox: a job on standard input, how the child ended on standard output. The
child's own answer is a file in the scratch folder.
"""

import ctypes
import errno
import faulthandler
import gc
import importlib
import json
import os
import re
import resource
import select
import signal
import stat
import sys
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from workers.extract.base import ExtractionError, Source
from workers.extract.confinement import keep_to, refuse_network
from workers.extract.wire import LOG_FILE, NOT_CONFINED, RESULT_FILE, encode

# How often the scratch folder is measured: a disk at 1 GB/s writes a quarter of a gigabyte in between.
_LOOK_S = 0.25
# How often an idle template looks whether its worker still lives: a forked sibling may hold the pipe open.
_IDLE_S = 5.0
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
# Audit events by which Python starts programs.
_NO_PROGRAMS = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
}
# How libraries written in C and C++ say that an allocation failed.
_NO_MEMORY = re.compile(
    r"insufficient memory|bad[_ ]alloc|failed to allocate|out of memory|cannot allocate", re.IGNORECASE
)


def main() -> None:
    """Serve jobs until standard input closes or the worker is gone."""
    # Python 3.12 and later: importing ONNX Runtime starts a thread of its own, which waits for work that sessions of
    # one thread never give it. Nothing here runs in a second thread when a job is forked, so no lock is held.
    warnings.filterwarnings("ignore", r".*multi-threaded, use of fork\(\)", DeprecationWarning)
    jobs, replies = os.dup(0), os.dup(1)
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(2, 1)  # A library that prints must not speak into the replies.
    _leave_network()
    wake, waker = os.pipe()
    for end in (wake, waker):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, _ignore)  # A handler must exist, or the wake-up pipe stays silent.
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    worker = os.getppid()
    buffer = b""
    while True:
        while b"\n" not in buffer:
            ready, _, _ = select.select([jobs], [], [], _IDLE_S)
            if ready:
                chunk = os.read(jobs, 65536)
                if not chunk:
                    return
                buffer += chunk
            elif os.getppid() != worker:
                return
        line, buffer = buffer.split(b"\n", 1)
        reply = _serve(json.loads(line), jobs=jobs, wake=wake, worker=worker)
        if reply is None:
            return
        os.write(replies, json.dumps(reply).encode() + b"\n")


def _ignore(_signal: int, _frame: FrameType | None) -> None:
    return


def _leave_network() -> None:
    """Move into an empty network namespace, where this host permits."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        # As root a namespace of one's own is simply allowed; otherwise it takes a user namespace, where the
        # host has them. Where neither is allowed, the audit hook and the parsers' own settings are what is
        # left.
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    """An audit hook: it cannot be taken out again, and sees sockets however they are made in Python."""
    if event.startswith("socket.") or event in _NO_PROGRAMS:
        raise PermissionError(errno.EACCES, f"Parsers have no {event}.")


def _serve(job: dict[str, Any], *, jobs: int, wake: int, worker: int) -> dict[str, Any] | None:
    """Run one job in a fork; say how it ended. None: the worker is gone, and so is the child."""
    limits = job["limits"]
    program = job.get("program")
    parser = None
    if program is None:
        module, _, function = job["parser"].partition(":")
        try:
            parser = getattr(_loaded(module), function)
        # A parser that cannot be loaded is a fault of the installation, not of the file: say so, and serve on.
        except Exception:
            return {"broken": traceback.format_exc()}
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        if program is not None:
            _become(job)
        _work(job, parser)
    verdict = ""
    scratch = job["source"]["scratch"]
    try:
        while True:
            pid, status, usage = os.wait4(child, os.WNOHANG)
            if pid:
                return {
                    "status": status,
                    "verdict": verdict,
                    "max_rss_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
                    "wall_s": time.monotonic() - started,
                }
            if not verdict:
                if time.monotonic() - started > limits["wall_s"]:
                    verdict = "time_limit"
                elif (_outgrown_tree if program else _outgrown)(scratch, limits):
                    verdict = "output_limit"
                if verdict:
                    _kill(child)
            ready, _, _ = select.select([wake, jobs], [], [], _LOOK_S)
            if wake in ready:
                os.read(wake, 4096)
            # The worker sends nothing while it waits: readable means closed.
            if jobs in ready or os.getppid() != worker:
                return None
    finally:
        _kill(child)


def _loaded(name: str) -> Any:
    module = sys.modules.get(name)
    if module is None:
        module = importlib.import_module(name)
        warm = getattr(module, "warm", None)
        if warm is not None:
            try:
                warm()
            except BaseException:
                del sys.modules[name]  # The next job tries again, and says so again.
                raise
        # What is loaded stays: keep the collector of each child from touching, and so copying, those pages.
        gc.collect()
        gc.freeze()
    return module


def _outgrown(scratch: str, limits: dict[str, Any]) -> bool:
    files = size_bytes = 0
    for entry in os.scandir(scratch):
        files += 1
        if files > limits["scratch_files"] or entry.is_dir(follow_symlinks=False):
            return True  # No parser makes folders; one that does would hide its bytes from this count.
        try:
            size_bytes += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return bool(size_bytes > limits["scratch_bytes"])


def _outgrown_tree(folder: str, limits: dict[str, Any]) -> bool:
    """Of a converter, which makes folders."""
    files = size_bytes = 0
    for at, _, names in os.walk(folder):
        files += 1 + len(names)
        for name in names:
            try:
                size_bytes += os.lstat(f"{at}/{name}").st_size
            except FileNotFoundError:
                continue
        if files > limits["scratch_files"] or size_bytes > limits["scratch_bytes"]:
            return True
    return False


def _kill(child: int) -> None:
    """End the child and all it may have started."""
    for kill in (os.killpg, os.kill):  # Its group does not exist before its first instructions have run.
        try:
            kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _work(job: dict[str, Any], parser: Any) -> NoReturn:
    """The child: confine itself, parse, write the answer, end without running anybody's exit handlers."""
    try:
        _confine(job)
        refuse_network()  # Where the machine lets it: the hook below is for code in Python only.
        sys.addaudithook(_refuse)
        answer = _answer(job, parser)
        _write(answer)
    except MemoryError:
        _write(_failure("memory_limit"))
    except OSError as error:
        _write(_failure(_code_of(error)))
    finally:
        # 70: EX_SOFTWARE. Reached on anything that the clauses above did not foresee.
        os._exit(0 if sys.exc_info()[0] is None else 70)


def _become(job: dict[str, Any]) -> NoReturn:
    """The child: confine itself and become the converter."""
    scratch = job["source"]["scratch"]
    try:
        _confine(job)
        # Documents name other files as their pictures, and a converter draws those: it may see none but its own.
        places = {"read": job["read"], "write": [scratch, os.devnull], "sockets": job["sockets"]}
        if not (keep_to(**places) and refuse_network()):
            os._exit(NOT_CONFINED)
        # No window system, and no home but the folder: nothing that is this user's is found.
        homes = dict.fromkeys(
            ("HOME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), scratch
        )
        environment = {**os.environ, **homes, "SAL_USE_VCLPLUGIN": "svp"}
        os.execve(job["program"][0], job["program"], environment)  # noqa: S606 -- no shell is the point.
    finally:
        # 69: EX_UNAVAILABLE. The program could not be started.
        os._exit(69)


def _confine(job: dict[str, Any]) -> None:
    limits, scratch = job["limits"], job["source"]["scratch"]
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(scratch)
    log = os.open(LOG_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, 1024)  # The pipes to the worker among them: a parser cannot forge how it ended.
    faulthandler.enable()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    # The soft limit's signal names the reason; a second later the hard one kills.
    _limit(resource.RLIMIT_CPU, limits["cpu_s"], limits["cpu_s"] + 1)
    _limit(resource.RLIMIT_AS, limits["memory_bytes"])


def _limit(what: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, never above the one inherited."""
    inherited = resource.getrlimit(what)[1]
    hard = soft if hard is None else hard
    if inherited != resource.RLIM_INFINITY:
        hard = min(hard, inherited)
    resource.setrlimit(what, (min(soft, hard), hard))


def _answer(job: dict[str, Any], parser: Any) -> dict[str, Any]:
    raw = job["source"]
    source = Source(
        path=Path(raw["path"]),
        name=raw["name"],
        media_type=raw["media_type"],
        part=raw["part"],
        scratch=Path(raw["scratch"]),
    )
    try:
        return {"extraction": encode(parser(source))}
    except ExtractionError as error:
        return _failure(error.code, error.message)
    except RecursionError:
        return _failure("corrupt", "The file is nested too deeply.")
    except MemoryError:
        raise
    # Whatever a parsing library raises on hostile bytes is the file's outcome, never the end of the worker.
    except Exception as error:
        traceback.print_exc()
        if isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC):
            return _failure("output_limit")
        return _failure("memory_limit" if _NO_MEMORY.search(str(error)) else "parser_crashed")


def _code_of(error: OSError) -> str:
    return "output_limit" if error.errno in (errno.EFBIG, errno.ENOSPC) else "parser_crashed"


def _failure(code: str, message: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _write(answer: dict[str, Any]) -> None:
    # Written anew, so that a full disk or a cap met halfway leaves no half answer behind.
    Path(RESULT_FILE).unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(RESULT_FILE, flags, stat.S_IRUSR | stat.S_IWUSR), "w", encoding="utf-8") as file:
        # ASCII: halves of surrogate pairs, which fonts do yield, pass as escapes and are cleaned on arrival.
        json.dump(answer, file)


if __name__ == "__main__":
    main()
