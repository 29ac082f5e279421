"""A database is opened, made, migrated or refused; every refusal says why and loses nothing."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from outrider.memory import schema
from outrider.memory.database_file import kind_of
from outrider.memory.errors import StoreError, UsageError
from outrider.memory.events import Noted, RunStarted
from outrider.memory.journal import Journal
from outrider.memory.migrations.apply import upgrade
from outrider.memory.run_index import opened
from outrider.memory.store import Store, create_all
from outrider.memory.verify import verify
from tests.memory.samples import sample
from tests.servers.postgres import PostgresServer

START = RunStarted(goal="g", model="m")


def sqlite_schema(store: Store) -> list[tuple[str, str, str]]:
    with store.read() as db:
        rows = db.execute(text("SELECT type, name, tbl_name FROM sqlite_master ORDER BY name")).all()
        tables = [name for kind, name, _ in rows if kind == "table"]
        columns = [
            (table, str(column[1:6]), "")
            for table in tables
            for column in db.execute(text(f"PRAGMA table_xinfo({table})")).all()
        ]
    return [(a, b, c) for a, b, c in rows] + columns


def postgres_schema(store: Store) -> list[tuple[object, ...]]:
    with store.read() as db:
        columns = db.execute(
            text(
                "SELECT table_name, column_name, data_type, is_nullable, column_default IS NULL"
                " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
            )
        ).all()
        indexes = db.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")).all()
    return sorted(tuple(row) for row in [*columns, *indexes])


def migrated(url: str) -> Store:
    """A database that was brought from nothing to the newest version by the migrations alone."""
    store = Store(url)
    with store.write() as db:
        for name in ("recall_words", "recall", *schema.metadata.tables):
            db.execute(text(f"DROP TABLE {name}"))
    with store.write() as db:
        upgrade(db, "")
    return store


def test_migrations_make_the_same_sqlite_schema_as_a_new_database(tmp_path: Path) -> None:
    """Old databases end where new ones begin."""
    new, old = Store(f"sqlite:///{tmp_path / 'new.db'}"), migrated(f"sqlite:///{tmp_path / 'old.db'}")
    assert sqlite_schema(old) == sqlite_schema(new)
    assert verify(sample(old)).ok
    new.close(), old.close()


@pytest.mark.postgres
def test_migrations_make_the_same_postgres_schema_as_a_new_database(postgres: PostgresServer) -> None:
    """The same, on PostgreSQL."""
    new, old = Store(postgres.new_database()), Store(postgres.new_database())
    with old.write() as db:
        for name in ("recall", *schema.metadata.tables):
            db.execute(text(f"DROP TABLE {name}"))
        upgrade(db, "")
    assert postgres_schema(old) == postgres_schema(new)
    assert len(postgres_schema(new)) > 20
    assert verify(sample(old)).ok
    new.close(), old.close()


def test_every_migration_has_a_place_in_the_line() -> None:
    """The newest file is the version this program writes."""
    from outrider.memory.migrations import versions

    files = sorted(p.name for p in Path(str(versions.__path__[0])).glob("v*.py"))
    assert files[-1].split("_")[0] == f"v{schema.VERSION}"


def test_database_from_the_future_is_refused_by_name(any_url: str) -> None:
    """A later version's database is not touched, and the message says to upgrade."""
    store = Store(any_url)
    with store.write() as db:
        db.execute(text("UPDATE outrider_schema SET version = '9999'"))
    store.close()
    with pytest.raises(StoreError, match="newer Outrider") as refused:
        Store(any_url)
    assert "upgrade" in refused.value.fix


@pytest.mark.parametrize("table", ["runs", "events", "blobs", "recall"])
def test_database_of_another_program_is_refused_and_left_as_it_was(any_url: str, table: str) -> None:
    """A table of one of our names that is not ours: nothing is made beside it."""
    if any_url.startswith("sqlite"):
        path = any_url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as db:
            db.execute(f"CREATE TABLE {table} (mine TEXT)")
        db.close()
        before = Path(path).read_bytes()
        with pytest.raises(StoreError, match="another program"):
            Store(any_url)
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT name FROM sqlite_master").fetchall() == [(table,)]
        db.close()
        assert len(Path(path).read_bytes()) == len(before)
        return
    maker = Store(any_url)
    with maker.write() as db:
        for name in ("recall", *schema.metadata.tables):
            db.execute(text(f"DROP TABLE {name}"))
        db.execute(text(f"CREATE TABLE {table} (mine TEXT)"))
    maker.close()
    with pytest.raises(StoreError, match="another program"):
        Store(any_url)


@pytest.mark.parametrize("content", [b"this is a text file, not a database\n" * 50, b"\x00" * 4096, os.urandom(2000)])
def test_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path: Path, content: bytes) -> None:
    """A wrong --memory never costs anybody a file."""
    file = tmp_path / "letter.txt"
    file.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(f"sqlite:///{file}")
    assert file.read_bytes() == content


@pytest.mark.parametrize("url", ["mysql://x/y", "://", "http://example.org/db", "postgresql://host:port/x"])
def test_url_of_no_database_is_a_usage_error(url: str) -> None:
    """The message shows what a URL looks like."""
    with pytest.raises(UsageError, match=r"sqlite:///|sqlite"):
        Store(url)


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """A folder is not a database."""
    with pytest.raises(StoreError):
        Store(f"sqlite:///{tmp_path}")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError):
        Store(f"sqlite:///{tmp_path / 'file' / 'runs.db'}")


def test_tilde_in_the_path_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` means the same in the URL and in the folder that is made."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Store("sqlite:///~/deep/runs.db").close()
    assert (tmp_path / "deep" / "runs.db").is_file()
    assert not (tmp_path / "~").exists()


def test_server_that_is_not_there_is_told_without_the_password() -> None:
    """Nobody listens: the message says so and keeps the secret."""
    with pytest.raises(StoreError) as refused:
        Store("postgresql://me:hunter2@127.0.0.1:1/nothing")
    assert "server" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def refused_to_nobody(url: str) -> str:
    """What a user without rights is told who opens `url`; root may write everywhere."""
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([]), os.setgid(65534), os.setuid(65534)
            try:
                Store(url)
                said = "opened"
            except BaseException as error:
                said = f"{type(error).__name__}: {error}"
            os.write(writer, said.encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        return pipe.read()


def test_database_that_may_not_be_written_is_refused() -> None:
    """Read-only file, read-only folder: one clear message, and the file is as it was."""
    folder = Path(tempfile.mkdtemp(prefix="outrider-ro-"))
    try:
        file = folder / "runs.db"
        store = Store(f"sqlite:///{file}")
        run = sample(store).run_id
        store.close()
        folder.chmod(0o777), file.chmod(0o666)
        assert refused_to_nobody(f"sqlite:///{file}") == "opened"  # the control
        folder.chmod(0o555), file.chmod(0o444)
        said = refused_to_nobody(f"sqlite:///{file}")
        assert "StoreError" in said
        assert "cannot be written to" in said or "permissions" in said
        said = refused_to_nobody(f"sqlite:///{folder / 'new' / 'runs.db'}")
        assert "StoreError" in said
        assert "writable" in said
        folder.chmod(0o755), file.chmod(0o644)
        store = Store(f"sqlite:///{file}")
        assert verify(Journal.open_for_reading(store, run)).ok
        store.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("rounds", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_many_processes_open_a_new_database_at_once(tmp_path: Path, rounds: int) -> None:
    """Whoever comes first makes the tables; nobody fails."""
    for number in range(rounds):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        children = []
        for _ in range(6):
            if (pid := os.fork()) == 0:
                code = 1
                try:
                    store = Store(url)
                    Journal.create(store, START).append(Noted(text="x"))
                    code = 0
                finally:
                    os._exit(code)
            children.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 6
        store = Store(url)
        with store.read() as db:
            assert db.execute(text("SELECT count(*) FROM runs")).scalar() == 6
        store.close()


@pytest.mark.postgres
def test_many_processes_open_a_new_postgres_database_at_once(postgres: PostgresServer) -> None:
    """The same, where nothing locks the whole database."""
    url = postgres.new_database()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            store = Store(url)
            Journal.create(store, START).append(Noted(text="x"))
            store.close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_append_waits_while_another_process_holds_the_database(url: str, store: Store) -> None:
    """A backup or another run that writes for some seconds costs time, not events."""
    journal = Journal.create(store, START)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(1.5, lambda: other.execute("COMMIT"))
    timer.start()
    began = time.monotonic()
    journal.append(Noted(text="late"))
    assert 1.0 < time.monotonic() - began < 10
    assert verify(journal).ok
    timer.join()
    other.close()


def test_append_tells_when_the_database_stays_locked(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the wait there is one clear message; nothing was lost, and it goes on when the lock is gone."""
    monkeypatch.setattr("outrider.memory.store.BUSY_S", 1)
    mine = Store(url)
    journal = Journal.create(mine, START)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process holds"):
        journal.append(Noted(text="late"))
    other.execute("ROLLBACK")
    journal.append(Noted(text="again"))
    assert [getattr(s.event, "text", "") for s in journal.read()] == ["", "again"]
    other.close(), mine.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_append_tells_when_the_database_file_was_removed(store: Store, url: str, replaced: bool) -> None:
    """Events written to a file nobody can open any more would be lost: the run stops at once instead."""
    journal = Journal.create(store, START)
    file = Path(url.removeprefix("sqlite:///"))
    kept = file.with_name("moved.db")
    file.rename(kept)
    if replaced:
        file.write_bytes(b"")
    for attempt in (lambda: journal.append(Noted(text="lost")), lambda: verify(journal), journal.beat):
        with pytest.raises(StoreError, match="removed or replaced"):
            attempt()
    assert not file.exists() or file.read_bytes() == b""
    file.unlink(missing_ok=True)
    kept.rename(file)
    journal.append(Noted(text="found again"))
    assert verify(journal).ok
    assert [getattr(s.event, "text", "") for s in Journal.open_for_reading(Store(url), "last").read()][1:] == [
        "found again"
    ]


def test_append_tells_when_the_disk_is_full_and_goes_on_when_it_is_not(tmp_path: Path) -> None:
    """A full disk in the middle of a run: the commit fails whole, all before it is safe, and more room mends it."""
    import resource

    if (pid := os.fork()) == 0:
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            store = Store(f"sqlite:///{tmp_path / 'full.db'}")
            journal = Journal.create(store, START)
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
            done = 1
            try:
                for _ in range(1000):
                    journal.append(Noted(text="x" * 5000), Noted(text="y" * 5000))
                    done += 2
            except StoreError as error:
                assert "disk" in str(error), error  # noqa: PT017
                assert journal.head_seq == done
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                journal.append(Noted(text="room again"))
                assert verify(journal).ok
                assert verify(journal).events == done + 1
                code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.postgres
def test_append_survives_a_restart_of_the_server(postgres: PostgresServer) -> None:
    """The server restarts between two commits: the run goes on, no event is lost or doubled."""
    store = Store(postgres.new_database())
    journal = Journal.create(store, START)
    for number in range(3):
        journal.append(Noted(text=f"before {number}"))
        postgres.restart()
        journal.append(Noted(text=f"after {number}"))
    assert verify(journal).events == 7
    assert verify(journal).ok
    store.close()


@pytest.mark.postgres
def test_append_waits_for_a_server_that_comes_back(postgres: PostgresServer) -> None:
    """The server is away for a moment: the commit is sent again once it is back, once."""
    store = Store(postgres.new_database())
    journal = Journal.create(store, START)
    postgres.stop()
    timer = threading.Timer(1.0, postgres.start)
    timer.start()
    try:
        journal.append(Noted(text="patient"))
    finally:
        timer.join()
    assert [getattr(s.event, "text", "") for s in journal.read()] == ["", "patient"]
    assert verify(journal).ok
    store.close()


def test_create_all_is_for_an_empty_database(store: Store) -> None:
    """The version is written once."""
    with store.read() as db:
        assert db.execute(text("SELECT version FROM outrider_schema")).scalars().all() == [schema.VERSION]
    assert callable(create_all)


LOCKED = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)  # SQLite's shared bytes
"""


def is_locked_for_others(file: Path) -> bool:
    """Whether another process finds that the database is in use."""
    return subprocess.run([sys.executable, "-c", LOCKED, str(file)], capture_output=True, check=False).returncode != 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks")
def test_looking_at_a_database_in_use_takes_its_locks_from_nobody(tmp_path: Path) -> None:
    """Closing any descriptor of a file drops all locks of its process on it; another process then deletes the log beside it."""
    file = tmp_path / "memory.db"
    store = Store(f"sqlite:///{file}")
    Journal.create(store, START)
    assert is_locked_for_others(file)
    assert kind_of(file) == "ours"
    assert is_locked_for_others(file)
    with opened(str(file)) as ask:
        assert list(ask("SELECT count(*) FROM runs", ())) == [(1,)]
    Store(f"sqlite:///{file}", mode="read").close()
    assert is_locked_for_others(file)
    with opened(str(file)) as ask:
        assert kind_of(file) == "ours"
        assert list(ask("SELECT count(*) FROM runs", ())) == [(1,)]
    store.close()
    assert not is_locked_for_others(file)
    assert kind_of(file) == "ours"


def test_runs_of_a_server_that_lists_them_outlive_other_processes(tmp_path: Path) -> None:
    """A process that lists its runs while it drives others loses none of them to a process that comes and goes beside it."""
    file = tmp_path / "memory.db"
    store = Store(f"sqlite:///{file}")
    other = f"from outrider.memory.store import Store; from outrider.memory.journal import Journal; from outrider.memory.events import RunStarted; s = Store('sqlite:///{file}'); Journal.create(s, RunStarted(goal='g', model='m')).release(); s.close()"
    for _ in range(3):
        Journal.create(store, START).release()
        with opened(str(file)) as ask:
            list(ask("SELECT count(*) FROM runs", ()))
        subprocess.run([sys.executable, "-c", other], check=True)
    count = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM runs').fetchone()[0])"
    )
    seen = subprocess.run([sys.executable, "-c", count, str(file)], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "6"
    store.close()
