"""Answers SQL over tables in files; as a child process, `python -m outrider.tools.data.table_process`, killed at its deadline.
May touch: the descriptors and the scratch folder it is handed. Once the tables are loaded DuckDB may open nothing else:
no file, no network, no extension, and no setting can be changed back.
Does not promise: to end by itself. Start reading at `answer`.

stdin: {"sql", "folder", "files": [{"descriptor", "name", "table"}]}. stdout: {"text"} or {"what", "why", "fix"}.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO

from outrider.memory.errors import OutriderError
from outrider.tools.data.column_types import quoted, typed
from outrider.tools.data.sources import Sheet, no_table, sheets
from outrider.tools.data.table_answer import Loaded, described, result
from outrider.tools.process.limits import limit_self

MEMORY = "900MB"  # beyond it DuckDB goes to the scratch folder; under the address space limits.py allows
MAX_FILE = 4_000_000_000  # bytes


def main() -> None:
    limit_self(cpu_s=240)
    try:
        said: dict[str, str] = {"text": answer(json.load(sys.stdin))}
    except OutriderError as error:
        said = {"what": error.what, "why": error.why, "fix": error.fix}
    except MemoryError:
        said = {"what": "the table needs too much memory", "why": "it is too large", "fix": "use a smaller file"}
    print(json.dumps(said))  # noqa: T201  # the parent reads this


def answer(asked: dict[str, Any]) -> str:
    """The answer in words. Raises OutriderError for a file that holds no table and for SQL that cannot be run."""
    import duckdb

    folder = Path(asked["folder"])
    connection = duckdb.connect(config={"memory_limit": MEMORY, "threads": 2, "temp_directory": str(folder / "spill")})
    connection.execute("SET python_enable_replacements = false")  # a Python variable is no table
    loaded = [one for file in asked["files"] for one in _load(connection, file, folder)]
    for setting in ("autoinstall_known_extensions", "autoload_known_extensions", "enable_external_access"):
        connection.execute(f"SET {setting} = false")
    connection.execute("SET lock_configuration = true")
    if not asked["sql"].strip():
        return described(connection, loaded)
    return run(connection, asked["sql"], loaded)


# ---- load ------------------------------------------------------------------------------------------------------------


def _load(connection: Any, file: dict[str, Any], folder: Path) -> list[Loaded]:
    """The tables of a file: one under the name it is asked for, and those of further sheets under their own."""
    name, table = file["name"], file["table"]
    with os.fdopen(file["descriptor"], "rb") as opened:
        if os.fstat(opened.fileno()).st_size > MAX_FILE:
            raise OutriderError(f"{name} is too large", f"over {MAX_FILE:,} bytes", "use a smaller file")
        if opened.read(4) == b"PAR1":
            return [_parquet(connection, opened.fileno(), name, table)]
        opened.seek(0)
        return _texts(connection, opened, name, table, folder)


def _texts(connection: Any, file: BinaryIO, name: str, table: str, folder: Path) -> list[Loaded]:
    found: list[Loaded] = []
    for sheet in sheets(file, name):
        one = table if not found else sheet.name
        if any(one.lower() == other.table.lower() for other in found):
            one = f"{one}_{len(found) + 1}"
        found.append(_typed(connection, sheet, name, one, folder))
    if len(found) > 1:
        others = ", ".join(quoted(other.table) for other in found[1:])
        found[0].notes.insert(0, f"{table} is its first sheet; the others are {others}")
    return found


def _typed(connection: Any, sheet: Sheet, name: str, table: str, folder: Path) -> Loaded:
    import duckdb

    plain = folder / "rows.csv"
    with plain.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(sheet.rows)
    names = ", ".join(f"'{column.replace(chr(39), chr(39) * 2)}': 'VARCHAR'" for column in sheet.columns)
    try:
        connection.execute(
            f"CREATE TABLE raw_rows AS SELECT * FROM read_csv(?, columns = {{{names}}}, header = false, delim = ',', "  # noqa: S608
            "quote = '\"', escape = '\"', new_line = '\\n', max_line_size = 16777216, parallel = false, auto_detect = false)",
            [str(plain)],
        )
        notes = typed(connection, "raw_rows", table, sheet.columns, sheet.decimal_comma)
    except duckdb.Error as error:
        raise no_table(name, _first_line(error)) from None
    finally:
        plain.unlink()
    return Loaded(table, name, sheet.columns, [*sheet.notes, *notes])


def _parquet(connection: Any, descriptor: int, name: str, table: str) -> Loaded:
    import duckdb

    try:
        connection.execute(f"CREATE TABLE {quoted(table)} AS SELECT * FROM read_parquet(?)", [f"/dev/fd/{descriptor}"])  # noqa: S608
    except duckdb.Error as error:
        raise no_table(name, f"its Parquet cannot be read: {_first_line(error)}") from None
    columns = [row[0] for row in connection.execute(f"DESCRIBE {quoted(table)}").fetchall()]
    return Loaded(table, name, columns)


# ---- run -------------------------------------------------------------------------------------------------------------


def run(connection: Any, sql: str, loaded: list[Loaded]) -> str:
    """The rows of one SELECT in words. Raises OutriderError that says what would be right."""
    import duckdb

    columns = [column for one in loaded for column in one.columns]
    try:
        statements = duckdb.extract_statements(sql)
        _only_reads(statements)
        cursor = connection.execute(statements[0])
        return result(cursor, sql, connection, loaded)
    except duckdb.Error as error:
        raise _explained(error, columns, loaded) from None


def _only_reads(statements: list[Any]) -> None:
    if len(statements) == 1 and statements[0].type.name in ("SELECT", "EXPLAIN"):
        return
    why = f"there are {len(statements)} statements" if len(statements) != 1 else f"it is a {statements[0].type.name}"
    raise OutriderError("that SQL is not run", f"{why}; one SELECT is", "write one SELECT over t")


def _explained(error: Exception, columns: list[str], loaded: list[Loaded]) -> OutriderError:
    said = _first_line(error)
    known = f"the columns are {', '.join(map(quoted_if_odd, columns[:40]))}{' …' if len(columns) > 40 else ''}"
    if unknown := re.search(r'column "([^"]+)" not found|does not have a column named "([^"]+)"', said):
        name = unknown[1] or unknown[2]
        low = {column.lower(): column for column in columns}
        near = get_close_matches(name.lower(), low, n=1, cutoff=0.5)
        hint = f"did you mean {quoted_if_odd(low[near[0]])}? " if near else ""
        return OutriderError(
            f"there is no column {name!r}",
            f"{loaded[0].name} does not have it",
            f"{hint}{known}; text goes in 'single quotes'",
        )
    if unknown := re.search(r"Table with name (\S+) does not exist", said):
        tables = ", ".join(quoted_if_odd(one.table) for one in loaded)
        return OutriderError(f"there is no table {unknown[1]!r}", "the file is the table t", f"there is {tables}")
    if "Permission Error" in said or "disabled" in said:
        return OutriderError("that SQL is not run", "only the given files may be read", "use the table t")
    return OutriderError("the SQL failed", said, known)


def quoted_if_odd(name: str) -> str:
    """A name, in double quotes where SQL needs them."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else quoted(name)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split("\n\n")[0].split())[:300]


if __name__ == "__main__":
    main()
