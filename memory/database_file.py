"""What an SQLite file is, found out before a byte of it or beside it is written.
May touch: reads the file. Does not promise: that nobody changes it a moment later; ours is checked again inside a transaction.
"""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from outrider.memory.errors import StoreError

Kind = Literal["missing", "empty", "ours"]
HEADER = b"SQLite format 3\0"
OURS = "outrider_schema"
SCHEMA = "0006"  # the version this program writes: the newest file in migrations/versions


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
