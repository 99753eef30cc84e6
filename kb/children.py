"""How does a child process end when its parent is killed, and how does it give up root?"""

import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # From <linux/prctl.h>.

# Loaded once here: between fork and exec only the call itself may happen.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signal_number: signal.Signals, *, parent: int | None = None) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel sends the child `signal_number` when this process ends, even by kill -9.

    In a child that is running already, call the result, and name its parent.

    The signal comes when the *thread* that started the child ends, so call from one that lives as long as the
    process. Linux only; elsewhere None, and a kill -9 leaves orphans, which the next start adopts or stops.
    """
    if _libc is None:
        return None
    expected, libc = parent or os.getpid(), _libc

    def request() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != expected:  # It died before the request was made.
            os._exit(1)

    return request


def as_user(uid: int, gid: int, *, parent_death_signal: signal.Signals | None) -> Sequence[str]:
    """The words to put before a command that must not run as root; empty when this process is not root.

    util-linux's setpriv rather than subprocess's `user=`: the child keeps CAP_DAC_OVERRIDE, so it reads programs
    and writes data below folders like /root, whose permissions are not ours to loosen. setpriv replaces itself
    by the command, so that stays our direct child; changing the user clears the parent-death signal, so setpriv
    asks for it again.
    """
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        raise FileNotFoundError(
            "PostgreSQL refuses to run as root, and setpriv, which would start it as another user, is missing: "
            "install util-linux, or run as an ordinary user."
        )
    death = (
        () if parent_death_signal is None else ("--pdeathsig", parent_death_signal.name.removeprefix("SIG"))
    )
    capabilities = ("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override")
    return ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *capabilities, *death, "--")


def give(path: Path, uid: int, gid: int) -> None:
    """Makes `path` that user's, when this process is root and may."""
    if os.geteuid() == 0:
        os.chown(path, uid, gid)
