"""Does the embedded PostgreSQL come back whatever was killed, and never stop under somebody who uses it?"""

import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from kb.embedded import Home
from kb.postgres import EmbeddedPostgres, PostgresError, binary

DEADLINE_S = 60


@pytest.fixture
def postgres(home: Home) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home, throwaway=True)
    yield server
    # Whatever the test did to it, nothing of it may go on.
    server.stop()
    pid = server.pid()
    if pid is not None:
        os.kill(pid, signal.SIGQUIT)
        _wait_until(lambda: server.pid() is None)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.02)  # Between two looks at the state, not instead of one.


def _connect(home: Home, **options: object) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host=str(home.socket_dir),
        user="postgres",
        dbname="kb",
        autocommit=True,
        **options,  # type: ignore[arg-type]
    )


def _one(home: Home, statement: str) -> object:
    with _connect(home) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def _remember(home: Home) -> None:
    with _connect(home) as connection:
        connection.execute("CREATE TABLE memory AS SELECT 42 AS answer")


def _elsewhere(home: Home, *, dies_with_parent: bool) -> "subprocess.Popen[str]":
    """Another process that uses the server of `home` until a line arrives on its standard input."""
    code = f"""
        import sys
        from pathlib import Path
        from kb.embedded import Home
        from kb.postgres import EmbeddedPostgres
        server = EmbeddedPostgres(Home(Path({str(home.root)!r})), throwaway=True, die_with_parent={dies_with_parent})
        with server:
            print("ours" if server.is_ours else "adopted", flush=True)
            sys.stdin.readline()
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _finish(process: "subprocess.Popen[str]") -> None:
    process.communicate("\n", timeout=DEADLINE_S)
    assert process.returncode == 0


def _kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate(timeout=DEADLINE_S)


def test_a_new_home_gets_a_database_with_pgvector(home: Home, postgres: EmbeddedPostgres) -> None:
    with postgres:
        assert (
            _one(home, "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'") >= "0.8"
        )  # type: ignore[operator]
        assert str(_one(home, "SHOW server_version")).startswith("18")


def test_only_a_private_socket_leads_in(home: Home, postgres: EmbeddedPostgres) -> None:
    with postgres:
        assert _one(home, "SHOW listen_addresses") == ""
        pid = postgres.pid()
        assert pid is not None
        assert [c for c in psutil.Process(pid).net_connections(kind="inet") if c.status == "LISTEN"] == []
        assert stat.S_IMODE(home.socket_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE(home.postgres.stat().st_mode) == 0o700


def test_stopping_ends_the_server_cleanly_and_starting_again_finds_the_data(
    home: Home, postgres: EmbeddedPostgres
) -> None:
    postgres.start()
    _remember(home)
    pid = postgres.pid()
    postgres.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert not (home.postgres / "postmaster.pid").exists()
    postgres.start()
    assert _one(home, "SELECT answer FROM memory") == 42
    assert "was not properly shut down" not in postgres.log_path.read_text()


def test_stopping_does_not_wait_for_open_connections(home: Home, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    with _connect(home) as connection:
        postgres.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_starting_twice_is_the_same_as_once(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    pid = postgres.pid()
    postgres.start()
    assert postgres.pid() == pid


def test_a_killed_postmaster_is_replaced_by_the_next_start(home: Home, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    _remember(home)
    with _connect(home):  # A backend that outlives its postmaster for a moment.
        pid = postgres.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        postgres.start()
        assert postgres.pid() != pid
    assert _one(home, "SELECT answer FROM memory") == 42


def test_a_postmaster_id_that_somebody_else_has_now_is_no_obstacle(
    home: Home, postgres: EmbeddedPostgres
) -> None:
    postgres.start()
    postgres.stop()
    # As after a reboot: the file is there, and its number is that of a living process of ours.
    (home.postgres / "postmaster.pid").write_text(
        f"{os.getpid()}\n{home.postgres}\n0\n5432\n\n\n0 0\nready\n"
    )
    postgres.start()
    assert postgres.answers()


def test_a_kill_of_the_owner_stops_the_server_cleanly_where_it_was_asked_to_die_with_it(
    home: Home, postgres: EmbeddedPostgres
) -> None:
    owner = _elsewhere(home, dies_with_parent=True)
    assert _first_line(owner) == "ours"
    _kill(owner)
    _wait_until(lambda: postgres.pid() is None)
    with postgres:
        assert postgres.is_ours
        assert "was not properly shut down" not in postgres.log_path.read_text()


def test_a_server_orphaned_by_a_kill_is_adopted_and_stopped_by_the_next_process(
    home: Home, postgres: EmbeddedPostgres
) -> None:
    owner = _elsewhere(home, dies_with_parent=False)
    assert _first_line(owner) == "ours"
    pid = postgres.pid()
    _kill(owner)
    with postgres:
        assert not postgres.is_ours
        assert postgres.pid() == pid
    assert postgres.pid() is None


def test_an_orphaned_server_whose_socket_was_deleted_is_replaced(
    home: Home, postgres: EmbeddedPostgres
) -> None:
    owner = _elsewhere(home, dies_with_parent=False)
    assert _first_line(owner) == "ours"
    pid = postgres.pid()
    _kill(owner)
    (home.socket_dir / ".s.PGSQL.5432").unlink()
    with postgres:
        assert postgres.is_ours
        assert postgres.pid() != pid
        assert postgres.answers()


def test_the_last_user_stops_the_server_not_the_first(home: Home, postgres: EmbeddedPostgres) -> None:
    first = _elsewhere(home, dies_with_parent=False)
    assert _first_line(first) == "ours"
    second = _elsewhere(home, dies_with_parent=False)
    assert _first_line(second) == "adopted"
    _finish(first)
    assert postgres.answers()
    _finish(second)
    assert postgres.pid() is None


def test_of_processes_that_start_it_at_once_exactly_one_does(home: Home) -> None:
    together = [_elsewhere(home, dies_with_parent=False) for _ in range(3)]
    assert sorted(_first_line(process) for process in together) == ["adopted", "adopted", "ours"]
    for process in together:
        _finish(process)


def test_an_interrupted_initialisation_is_done_anew(home: Home, postgres: EmbeddedPostgres) -> None:
    draft = home.root / "postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert postgres.answers()
    assert not draft.exists()


def test_a_server_that_cannot_start_says_why(home: Home, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    (home.postgres / "global" / "pg_control").unlink()
    with pytest.raises(PostgresError, match="pg_control"):
        postgres.start()


def test_a_socket_folder_that_is_not_ours_is_refused(
    home: Home, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home.socket_dir.symlink_to(elsewhere)
    try:
        with pytest.raises(PostgresError, match="belongs to another user"):
            postgres.start()
    finally:
        home.socket_dir.unlink()


def _others_may_run(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(
    not _others_may_run(binary("postgres")), reason="other users cannot reach this environment"
)
def test_an_ordinary_user_can_run_it_too() -> None:
    daemon = pwd.getpwnam("daemon")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "home"
        root.mkdir()
        os.chown(root, daemon.pw_uid, daemon.pw_gid)
        # Everything is imported before root is given up: Python itself may lie below /root.
        code = f"""
            import os, pathlib, kb.postgres
            home = kb.embedded.Home(pathlib.Path({str(root)!r}))
            os.setgroups([]); os.setgid({daemon.pw_gid}); os.setuid({daemon.pw_uid})
            with kb.postgres.EmbeddedPostgres(home, throwaway=True) as server:
                print("answers" if server.answers() else "silent")
        """
        command = [sys.executable, "-c", textwrap.dedent(code)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert result.stdout.strip() == "answers", result.stderr


def test_the_socket_stays_within_its_limit_under_a_long_temporary_folder(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 25)))
    assert len(str(home.socket_dir / ".s.PGSQL.5432")) <= 103
