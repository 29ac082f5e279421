"""Opens a database by URL and hands out transactions. SQLite (WAL) and PostgreSQL.
May touch: the database file or server named by the URL, and its folder. What is not ours is refused before a byte is written.
Does not promise: that several hosts may share one SQLite file (use PostgreSQL for that).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Executable,
    create_engine,
    event,
    exc,
    func,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.pool import NullPool, StaticPool

from outrider.memory import postgres, schema
from outrider.memory.database_file import in_use, kind_of
from outrider.memory.errors import NoDatabase, OldDatabase, StoreError, UsageError, words_of

Mode = Literal["make", "use", "read"]
BUSY_S = 60  # how long a writer waits for another process's transaction before it gives up


class Locked(StoreError):
    """Another writer holds the database, and this one was not to wait."""


class Store:
    """One database. One writer connection behind a lock; reads use connections of their own.

    mode "make": made if there is none; "use": must be there; "read": must be there, and is never written to.
    Raises UsageError for a URL that names no database, NoDatabase when there must be one and is none, OldDatabase for
    one to read that an earlier version wrote, StoreError when it cannot be opened, is not ours or is from the future.
    `durable=True` survives a power cut (fsync at each commit), the default survives a killed process.
    """

    def __init__(self, url: str, *, mode: Mode = "make", durable: bool = False) -> None:
        self.url = _parse(url)
        self.dialect = self.url.get_backend_name()
        self.mode: Mode = mode
        self._lock = threading.RLock()
        with telling(self.url):
            _look(self.url, mode)
            self._closed = weakref.finalize(self, _in_use(self.url))
            self._waits = True  # whether the next transaction waits for another process's …
            self._patient = True  # … and whether the connection is set to
            self._writers = _engine(self.url, write=True, durable=durable)
            self._readers = self._writers if _in_memory(self.url) else _engine(self.url, write=False, durable=durable)
            self._kept: Connection | None = None
            self._file: tuple[int, int] | None = None
            self.slow = durable or self.dialect != "sqlite"  # a commit waits for a disk or a server
            self.groups: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # by event loop (appending/group.py)
            self._prepare()

    @contextmanager
    def write(self, *, wait: bool = True) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, rolled back on any exception.

        Raises Locked at once where another writer holds the database (SQLite) and `wait` is False, StoreError after a minute.
        """
        if self.mode == "read":
            raise RuntimeError("this database was opened for reading")
        with self._alone(wait), telling(self.url):
            if self._kept is None or self._kept.invalidated:
                self._kept, self._patient = self._writers.connect(), True
                self._file = _file_of(self.url)
            self._check_place()
            try:
                with self._kept.begin() if self.dialect != "sqlite" else self._transaction(self._kept):
                    yield self._kept
            except exc.DBAPIError as error:
                if error.connection_invalidated or self.dialect != "sqlite":
                    self._drop_connection()
                raise

    @contextmanager
    def _transaction(self, kept: Connection) -> Iterator[Any]:
        """One straight on the driver, for SQLAlchemy's objects around it cost three times what SQLite's own work does."""
        driver: Any = kept.connection.dbapi_connection
        if self._patient != self._waits:
            driver.execute(f"PRAGMA busy_timeout={BUSY_S * 1000 if self._waits else 0}").close()
            self._patient = self._waits
        _begin(self.url, driver, self._waits)
        try:
            yield
            driver.commit()
        except BaseException:
            driver.rollback()
            raise
        finally:
            kept.rollback()  # only SQLAlchemy's own, if it was given something to execute

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that only reads."""
        if _in_memory(self.url):
            with self.write() as connection:
                yield connection
            return
        with telling(self.url):
            self._check_place()
            with self._readers.connect() as connection:
                yield connection

    def vacuum(self) -> None:
        """Give free pages back and empty the log, so that nothing deleted lies in either (SQLite)."""
        with self._lock, telling(self.url):
            self._drop_connection()
            with self._writers.connect() as connection:
                driver: Any = connection.connection.dbapi_connection
                driver.execute("VACUUM").close()
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def get_blob(self, digest: str) -> bytes | None:
        """The bytes of a blob, or None if there is none of that digest."""
        with self.read() as db:
            data: bytes | None = db.scalar(select(schema.blobs.c.data).where(schema.blobs.c.digest == digest))
        return data

    def close(self) -> None:
        """Close every connection. May be called twice."""
        with self._lock:
            self._drop_connection()
            self._writers.dispose()
            self._readers.dispose()
            self._closed()

    @contextmanager
    def _alone(self, wait: bool) -> Iterator[None]:
        """Hold the one writer connection, and let its transaction wait for other processes' or not."""
        if not self._lock.acquire(blocking=wait):
            raise locked(self.url)
        try:
            self._waits = wait
            yield
        finally:
            self._lock.release()

    def _check_place(self) -> None:
        """An open file can be written to after it was removed, and nobody would ever find what was written."""
        if self.mode != "read" and self._file != _file_of(self.url):
            raise StoreError(
                f"the memory database {shown(self.url)} was removed or replaced while it was in use",
                "what is written now could not be found again",
                "put the file back, then `outrider resume RUN`; all earlier events are in it",
            )

    def _drop_connection(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _prepare(self) -> None:
        """Make the tables in a new database, migrate an old one, refuse one from the future."""
        if self.mode == "read":
            self._check_version()
            return
        with self.write() as db:
            version = self._version(db)
            if version is None and self.mode == "use":
                raise no_database(self.url)
            if version is None:
                if self.dialect != "sqlite":  # two processes may meet here; SQLite's transaction is already exclusive
                    db.execute(select(func.pg_advisory_xact_lock(0x0071DE)))
                    version = self._version(db)
                if version is None:
                    create_all(db)
                    return
        if version == schema.VERSION:
            return
        self._refuse_later(version)
        from outrider.memory.migrations.apply import upgrade

        with self.write() as db:
            if self.dialect != "sqlite":
                db.execute(select(func.pg_advisory_xact_lock(0x0071DE)))
            upgrade(db, self._version(db) or version)  # another process may have done it while this one waited

    def _check_version(self) -> None:
        with self.read() as db:
            version = self._version(db)
        if version is None:
            raise no_database(self.url)
        self._refuse_later(version)
        if version < schema.VERSION:
            raise OldDatabase(
                f"{shown(self.url)} was written by an earlier Outrider",
                f"its schema is version {version}, this program reads {schema.VERSION}",
                "any command of this program that writes brings it up to date",
            )

    def _refuse_later(self, version: str) -> None:
        if version > schema.VERSION:
            raise StoreError(
                f"{shown(self.url)} was written by a newer Outrider",
                f"its schema is version {version}, this program knows up to {schema.VERSION}",
                "upgrade outrider, or name another database with --memory",
            )

    def _version(self, db: Connection) -> str | None:
        if not self._has_table(db, "outrider_schema"):
            for name in ("runs", "events", "blobs", "recall"):
                if self._has_table(db, name):
                    raise StoreError(
                        f"{shown(self.url)} is another program's database",
                        f"it has a table `{name}` that is not ours",
                        "name another database with --memory",
                    )
            return None
        version: str | None = db.scalar(select(func.max(schema.meta.c.version)))
        return version

    def _has_table(self, db: Connection, name: str) -> bool:
        if self.dialect == "sqlite":
            query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name"
        else:
            query = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = :name"
        return db.scalar(text(query), {"name": name}) is not None


def run(db: Connection, statement: Executable, *rows: Mapping[str, Any]) -> Any:
    """Execute a statement that is used at every step, compiled once for the dialect; on SQLite straight by the driver, which
    costs a tenth of what `execute` does. Returns a cursor (`rowcount`).

    Every bound value must be one the driver takes as it is (int, float, str, bytes, None).
    """
    compiled, order = _compiled(statement, db.dialect)
    values = [tuple(row[name] for name in order) if order else dict(row) for row in rows]
    if db.dialect.name == "sqlite":
        driver: Any = db.connection.dbapi_connection
        return driver.execute(compiled, values[0]) if len(values) == 1 else driver.executemany(compiled, values)
    return db.exec_driver_sql(compiled, values if len(values) > 1 else values[0])


@lru_cache(maxsize=64)
def _compiled(statement: Executable, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    made = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    return str(made), tuple(made.positiontup or ())


def create_all(db: Connection) -> None:
    """The newest schema in an empty database, in one go (the migrations give the same; a test compares them)."""
    schema.metadata.create_all(db)
    for statement in schema.full_text(db.dialect.name):
        db.execute(text(statement))
    db.execute(insert(schema.meta).values(version=schema.VERSION))


def digest_of(data: bytes) -> str:
    """The name of a blob: blake2b-256, hex."""
    return blake2b(data, digest_size=32).hexdigest()


def shown(url: URL) -> str:
    """The URL fit to print: no password."""
    return url.database or "memory" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


@contextmanager
def telling(url: URL) -> Iterator[None]:
    """Turn what a driver raises into a StoreError that says what to do."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _explain(url, str(error.orig)) from error
    except (exc.SQLAlchemyError, sqlite3.Error) as error:  # the latter from the BEGIN that goes straight to the driver
        raise _explain(url, str(error)) from error
    except PermissionError as error:
        raise _explain(url, f"permission denied: {error.filename}") from error
    except OSError as error:
        raise _explain(url, words_of(error)) from error


_ADVICE = (
    ("locked", "another process holds the database", "wait for it to finish, or stop it; nothing was lost"),
    ("full", "the disk (or quota) is full", "free some space, then `outrider resume RUN`; all earlier events are safe"),
    ("no space", "the disk (or quota) is full", "free some space, then `outrider resume RUN`"),
    ("readonly", "it cannot be written to", "make the file and its folder writable, or name another with --memory"),
    ("read-only", "it cannot be written to", "make the file and its folder writable, or name another with --memory"),
    ("permission denied", "it cannot be written to", "make the folder writable, or name another with --memory"),
    ("unable to open", "the file cannot be opened or made", "check the path and its permissions, or use --memory"),
    ("not a database", "the file is not an SQLite database", "name another file with --memory"),
    ("malformed", "the file is damaged", "restore a copy, or name another with --memory"),
    ("disk i/o", "the disk refused", "check the disk, then `outrider resume RUN`"),
    ("connection", "the server cannot be reached", "start it, or check the URL given with --memory"),
)


def _explain(url: URL, said: str) -> StoreError:
    if url.get_backend_name() != "sqlite" and (known := postgres.explain(url, said)):
        return known
    low = said.lower()
    for sign, why, fix in _ADVICE:
        if sign in low:
            return StoreError(f"the memory database {shown(url)} cannot be used", f"{why} ({said.strip()})", fix)
    return StoreError(
        f"the memory database {shown(url)} failed", said.strip(), "check it, or name another with --memory"
    )


def _parse(url: str) -> URL:
    if "://" not in url:
        url = f"sqlite:///{url}"
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise UsageError(f"{url!r} is not a database URL", str(error), "for example sqlite:///runs.db") from error
    kind = parsed.drivername.partition("+")[0]
    if kind == "sqlite":
        file = parsed.database and str(Path(parsed.database).expanduser())
        return parsed.set(drivername="sqlite", database=file)
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")  # whichever driver is named: this one is installed
    raise UsageError(
        f"{kind} is not supported",
        "memory lives in SQLite or PostgreSQL",
        "use sqlite:///FILE or postgresql://USER@HOST/NAME",
    )


def writable(url: URL) -> str:
    """Why the file of a database cannot be written to, "" if it can, as far as that can be known without trying."""
    if url.get_backend_name() != "sqlite" or _in_memory(url):
        return ""
    file = Path(str(url.database))
    return "" if os.access(file, os.W_OK) and os.access(file.parent, os.W_OK) else "cannot be written to"


def _in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _file_of(url: URL) -> tuple[int, int] | None:
    """Which file the URL names now: (device, inode), None if there is none."""
    if url.get_backend_name() != "sqlite" or _in_memory(url):
        return None
    try:
        found = os.stat(str(url.database))  # noqa: PTH116  (once a commit: a Path would cost ten times as much)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def locked(url: URL) -> Locked:
    """The error of a writer that was not to wait."""
    held = _explain(url, "database is locked")
    return Locked(held.what, held.why, held.fix)


def no_database(url: URL) -> NoDatabase:
    """The error for a database that is not there."""
    fix = "check the path; `outrider run` makes a database where there is none"
    return NoDatabase(f"there is no database at {shown(url)}", "nothing was run with it yet, and nothing was made", fix)


def _look(url: URL, mode: Mode) -> None:
    """Refuse a file that is not ours before it is opened; make the folder of one that is to be made."""
    if url.get_backend_name() != "sqlite":
        return
    if _in_memory(url):
        if mode != "make":
            raise no_database(url)
        return
    file = Path(str(url.database))
    if kind_of(file) == "ours":
        return
    if mode != "make":
        raise no_database(url)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):  # for its owner alone, whatever the umask says; its log gets the same mode
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _in_use(url: URL) -> Callable[[], None]:
    if url.get_backend_name() != "sqlite" or _in_memory(url):
        return lambda: None
    return in_use(Path(str(url.database)))


def _use_wal(connection: Any) -> None:
    """Ask until it is so: while another process makes the change, SQLite says "locked" at once, whatever the time-out."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _engine(url: URL, *, write: bool, durable: bool) -> Engine:
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url, pool_pre_ping=not write, pool_size=2)
        # First of all: SQLAlchemy's own look at a new connection cannot read the text of an SQL_ASCII database.
        event.listen(engine, "connect", lambda driver, _: postgres.check_encoding(url, driver), insert=True)
        return engine
    options: dict[str, Any] = {"check_same_thread": False, "timeout": BUSY_S, "isolation_level": None}
    pool = StaticPool if _in_memory(url) else None if not write else NullPool
    engine = create_engine(url, connect_args=options, poolclass=pool)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        pragmas = ["foreign_keys=ON", f"busy_timeout={BUSY_S * 1000}"]
        if write:
            _use_wal(connection)
            pragmas += [f"synchronous={'FULL' if durable else 'NORMAL'}"]
        else:
            pragmas += ["query_only=ON"]
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    if not write:  # a reader sees one state of the database; a writer begins by itself (`Store._transaction`)
        event.listen(
            engine, "begin", lambda connection: connection.connection.dbapi_connection.execute("BEGIN").close()
        )
    return engine


def _begin(url: URL, driver: Any, wait: bool) -> None:
    """A plain BEGIN that reads, then writes, fails at once when another process wrote in between. Raises Locked."""
    try:
        driver.execute("BEGIN IMMEDIATE").close()
    except sqlite3.OperationalError as error:
        if wait or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise locked(url) from error
