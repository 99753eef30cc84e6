"""What may a parser that has been taken over do? Each of these is one answer, run by tests in the sandbox."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from workers.extract.base import Extraction, Picture, Source, TextBlock
from workers.extract.wire import RESULT_FILE


def loops(_source: Source) -> Extraction:
    while True:
        pass


def sleeps(_source: Source) -> Extraction:
    while True:
        signal.pause()


def allocates(_source: Source) -> Extraction:
    held = []
    while True:
        held.append(bytearray(16 * 1024**2))


def allocates_in_c(_source: Source) -> Extraction:
    """As libraries do: touch what malloc gives, and write through the null pointer when it gives nothing."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    size = 16 * 1024**2
    while True:
        ctypes.memset(libc.malloc(ctypes.c_size_t(size)) or 0, 1, size)


def writes_one_file(source: Source) -> Extraction:
    with (source.scratch / "big.png").open("wb") as file:
        while True:
            file.write(b"\0" * 1024**2)


def writes_many_files(source: Source) -> Extraction:
    number = 0
    while True:
        number += 1
        (source.scratch / f"{number}.png").write_bytes(b"\0" * 1024**2)


def answers_too_much(_source: Source) -> Extraction:
    return Extraction(blocks=(TextBlock("x" * 8 * 1024**2),))


def kills_itself(_source: Source) -> Extraction:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def kills_its_parent(_source: Source) -> Extraction:
    os.kill(os.getppid(), signal.SIGKILL)
    raise AssertionError


def segfaults(_source: Source) -> Extraction:
    ctypes.string_at(0)
    raise AssertionError


def exits(_source: Source) -> Extraction:
    sys.exit(0)


def raises(_source: Source) -> Extraction:
    raise RuntimeError("the library is confused")


def recurses(_source: Source) -> Extraction:
    return recurses(_source)


def answers_garbage(source: Source) -> Extraction:
    (source.scratch / RESULT_FILE).write_text("[" * 1_000_000)
    os._exit(0)


def answers_with_a_link(source: Source) -> Extraction:
    (source.scratch / RESULT_FILE).symlink_to("/etc/passwd")
    os._exit(0)


def answers_with_a_pipe(source: Source) -> Extraction:
    os.mkfifo(source.scratch / RESULT_FILE)
    os._exit(0)


def names_a_file_elsewhere(_source: Source) -> Extraction:
    return Extraction(pictures=(Picture("figure", file="../../etc/passwd"),))


def links_a_picture(source: Source) -> Extraction:
    (source.scratch / "page.png").symlink_to("/etc/passwd")
    return Extraction(pictures=(Picture("figure", file="page.png"),))


def tells_what_it_has(source: Source) -> Extraction:
    """Its environment, descriptors, folder, input, and what comes of wanting the network or a program."""
    found: dict[str, object] = {
        "environment": sorted(os.environ),
        "folder": str(Path.cwd()),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())) - 1,  # Without that of the listing itself.
        "input": sys.stdin.read() if sys.stdin else "",
        "django": "django" in sys.modules,
    }
    for name, attempt in {
        "socket": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
        "names": lambda: socket.getaddrinfo("localhost", 80),
        "program": lambda: subprocess.run(["/bin/true"], check=True),
    }.items():
        try:
            attempt()
            found[name] = "allowed"
        except OSError as error:
            found[name] = type(error).__name__
    return Extraction(blocks=(TextBlock(json.dumps(found)),), metadata={"part": str(source.part)})


def remembers(source: Source) -> Extraction:
    """Leaves a mark in its module, which the next job must not see."""
    marks = globals().setdefault("_MARKS", [])
    marks.append(source.name)
    return Extraction(blocks=(TextBlock(",".join(marks)),))
