"""How does a process give up the network, and all files but a few, without being root? Through seccomp and Landlock.

Unprivileged containers allow no namespaces, but any process may renounce. An audit hook does as much for Python code
alone; this holds for libraries in C, and for the programs that the process becomes.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Sequence

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_PR_SET_NO_NEW_PRIVS = 38
# Machine -> (its number in linux/audit.h, socket, io_uring_setup, which can open sockets past a filter).
_MACHINES = {"x86_64": (0xC000003E, 41, 425), "aarch64": (0xC00000B7, 198, 425)}
_X32_BIT = 0x40000000
_AF_UNIX = 1
# Classic BPF (linux/bpf_common.h) over struct seccomp_data: number at 0, machine at 4, arguments from 16.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EACCES, 0x80000000


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def refuse_network() -> bool:
    """From here on this process and its children open no socket but local ones. False where that cannot be had."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    number, socket, io_uring_setup = machine
    code = [
        (_LOAD, 0, 0, 4),
        (_IF_EQUAL, 1, 0, number),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_IF_AT_LEAST, 5, 0, _X32_BIT),  # The same calls under other numbers.
        (_IF_EQUAL, 4, 0, io_uring_setup),
        (_IF_EQUAL, 0, 2, socket),
        (_LOAD, 0, 0, 16),
        (_IF_EQUAL, 0, 1, _AF_UNIX),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    program = _Program(len(code), packed)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


# linux/landlock.h. The system calls have these numbers on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 0, 1 << 2, 1 << 3, 1 << 1
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# Thirteen rights from the first version on; moving between folders came with the second, cutting short with the third.
_RIGHTS = (1 << 13) - 1
_MAKE_SOCKET = 1 << 9
_MOVE, _TRUNCATE = 1 << 13, 1 << 14
# Of a single file only these can be given.
_OF_FILES = _EXECUTE | _READ_FILE | _WRITE_FILE | _TRUNCATE


def keep_to(*, read: Sequence[str], write: Sequence[str], sockets: Sequence[str] = ()) -> bool:
    """From here on this process and its children open only what lies under these paths. False where that cannot be had.

    Under `sockets` they may make local sockets, and do nothing else. Paths that do not exist are
    passed over. Files that are open already stay open.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    handled = _RIGHTS | (_MOVE if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = libc.syscall(_CREATE_RULESET, struct.pack("=Q", handled), ctypes.c_size_t(8), 0)
    if rules < 0:
        return False
    try:
        for paths, rights in ((read, _READ), (write, handled), (sockets, _MAKE_SOCKET)):
            if not all(_allow(libc, rules, path, rights & handled) for path in paths):
                return False
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> bool:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        if not os.path.isdir(f"/proc/self/fd/{place}"):  # noqa: PTH112 -- it is a descriptor that is asked about.
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights, place)
        return bool(libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0) == 0)
    finally:
        os.close(place)
