"""What an SQLite file is, found out before a byte of it or beside it is written.
May touch: reads the file. Does not promise: that nobody changes it a moment later; ours is checked again inside a transaction.

A file that this process has open in SQLite is never opened beside it: closing any descriptor of a file drops every lock the
process holds on it (POSIX), and another process would then take the database for unused and delete its log.
Source: "How To Corrupt An SQLite Database File", section 2.2, sqlite.org. `in_use` says which files those are.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from outrider.memory.errors import StoreError

Kind = Literal["missing", "empty", "ours"]
HEADER = b"SQLite format 3\0"
OURS = "outrider_schema"
SCHEMA = "0006"  # the version this program writes: the newest file in migrations/versions


_LOOKING = threading.Lock()  # while a file is looked at nobody begins to use it, and the other way round
_IN_USE: Counter[tuple[int, int]] = Counter()  # (device, inode) of files that this process has open in SQLite


def in_use(file: Path) -> Callable[[], None]:
    """Say that this process is about to open a file that is there in SQLite; what comes back says that it has closed it."""
    found = file.stat()
    key = (found.st_dev, found.st_ino)
    with _LOOKING:
        _IN_USE[key] += 1

    def closed() -> None:
        with _LOOKING:
            _IN_USE[key] -= 1

    return closed


if hasattr(os, "register_at_fork"):  # a fork in the middle of a look would leave it locked in the child
    os.register_at_fork(before=_LOOKING.acquire, after_in_parent=_LOOKING.release, after_in_child=_LOOKING.release)


def kind_of(file: Path) -> Kind:
    """What lies at `file`. "empty": a database without a table (a creation that was cut short, or an empty file).

    Raises StoreError for a file that is no database or another program's, OSError when it cannot be looked at.
    """
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except ValueError as error:
        raise _cannot(file, str(error), "name another file with --memory") from None
    if not stat.S_ISREG(found.st_mode):
        raise _cannot(file, "it is not a file", "name a file with --memory")
    with _LOOKING:
        if _IN_USE[(found.st_dev, found.st_ino)] > 0:
            return "ours"
        if found.st_size == 0:
            return "empty"
        with file.open("rb") as opened:
            if opened.read(len(HEADER)) != HEADER:
                raise _cannot(file, "the file is not an SQLite database", "name another file with --memory")
        return _by_tables(file, _tables(file))


def _by_tables(file: Path, tables: set[str]) -> Kind:
    if OURS in tables:
        return "ours"
    if not tables:
        return "empty"
    names = ", ".join(f"`{name}`" for name in sorted(tables)[:3])
    raise StoreError(
        f"{file} is another program's database",
        f"it has tables that are not ours ({names}); nothing was written into it",
        "name another database with --memory",
    )


def _tables(file: Path) -> set[str]:
    """The names of its tables. A log beside the file belongs to it and is read too; without one nothing is made or locked."""
    log = file.with_name(f"{file.name}-wal")
    live = log.exists() and log.stat().st_size > 0
    for mode in ("mode=ro",) if live else ("immutable=1", "mode=ro"):
        try:
            db = sqlite3.connect(f"file:{quote(str(file.absolute()))}?{mode}", uri=True, timeout=10)
            try:
                return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            finally:
                db.close()
        except sqlite3.Error as error:
            said = str(error)
    raise _cannot(file, said, "restore a copy, or name another with --memory")


def _cannot(file: Path, why: str, fix: str) -> StoreError:
    return StoreError(f"the memory database {file} cannot be used", why, fix)
