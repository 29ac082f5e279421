"""Reads an SQLite file and cannot change it: opened read-only, and an authorizer refuses everything but reading.
May touch: the file it is handed (SQLite may keep its -shm file beside a database in WAL mode).
Does not promise: that a damaged file reads; it says what SQLite says.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

from outrider.tools.data.rows_text import in_words, many
from outrider.tools.data.sql_errors import explained
from outrider.tools.files.paths import Place, open_file, shown
from outrider.tools.tool import ToolError

OWN = "outrider_schema"  # the table that marks the agent's own memory (memory/schema.py)
MAX_COUNTED = 100_000  # rows
MAX_LENGTH = 50_000_000  # bytes of one value
_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
_NO_FUNCTION = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "zeroblob", "randomblob"}
)


def own_memory() -> ToolError:
    """The error for the database that runs are kept in."""
    return ToolError("that database is not read", "it is the agent's own memory", "use recall to search it")


def check_file(at: Place, path: str) -> None:
    """Raises ToolError unless the file at this place is an SQLite database that may be read."""
    with os.fdopen(open_file(at, path), "rb") as file:
        begins = file.read(16)
    if begins != b"SQLite format 3\0":
        fix = "use table for CSV, JSON, Parquet and Excel files" if begins else "it is empty: use another file"
        raise ToolError(f"{shown(path)} is not a database", "it is no SQLite file", fix)


def query(file: str, name: str, sql: str, ends: float) -> str:
    """The rows of one statement in words; without one, the tables and their columns. `ends`: monotonic clock."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(Path(file).absolute()))}?mode=ro", uri=True, timeout=2)
    except sqlite3.Error as error:
        raise ToolError(f"{name} cannot be opened", str(error), "check the file") from None
    try:
        connection.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LENGTH)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        tables = _tables(connection)
        if any(table == OWN for table, _ in tables):
            raise own_memory()
        if not sql.strip():
            return _listed(connection, name, tables)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.set_authorizer(_allow)
        return _rows(connection, sql)
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            raise ToolError(f"{name} was not read to its end", "time was up", "ask for less") from None
        raise explained(str(error), name, *_known(connection)) from None
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise explained(str(error), name, *_known(connection)) from None
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection, sql: str) -> str:
    cursor = connection.execute(sql)
    if cursor.description is None:
        raise ToolError("that SQL is not run", "it asks for no rows", "write one SELECT")
    return in_words(cursor, MAX_COUNTED) or "no match: 0 rows"


def _allow(action: int, one: str | None, two: str | None, database: str | None, trigger: str | None) -> int:
    if action in _READS or (action == sqlite3.SQLITE_FUNCTION and (two or "").lower() not in _NO_FUNCTION):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _tables(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    found = connection.execute(
        "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return [(str(name), str(kind)) for name, kind in found.fetchmany(500)]


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    rows = connection.execute("SELECT name, type FROM pragma_table_info(?)", [table])
    return [(str(name), str(kind)) for name, kind in rows.fetchmany(500)]


def _listed(connection: sqlite3.Connection, name: str, tables: list[tuple[str, str]]) -> str:
    lines = [f"{many(len(tables), 'table')} in {name}" + (":" if tables else "")]
    for table, kind in tables[:100]:
        columns = ", ".join(f"{column} {of}".strip() for column, of in _columns(connection, table))
        count = connection.execute('SELECT count(*) FROM "{}"'.format(table.replace('"', '""'))).fetchone()[0]  # noqa: S608
        lines.append(f"{table}{' (view)' if kind == 'view' else ''}: {many(count, 'row')}; {columns}")
    return "\n".join(lines)


def _known(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
    """The tables and all their columns, to say what is near."""
    try:
        connection.set_authorizer(None)
        connection.set_progress_handler(None, 0)
        tables = [table for table, _ in _tables(connection)][:100]
        return tables, [column for table in tables for column, _ in _columns(connection, table)]
    except sqlite3.Error:
        return [], []
