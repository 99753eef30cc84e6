"""How is a process kept from the network where it may not have a namespace of its own? By a filter on system calls.

Unprivileged containers allow no namespaces, but any process may give up system calls for good (seccomp). An audit hook
does as much for Python code alone; this holds for libraries in C, and for the programs that the process becomes.
"""

import ctypes
import errno
import platform
import struct
import sys

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
