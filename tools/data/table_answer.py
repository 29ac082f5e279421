"""What `table` says: what is in a file, what a query gave, and the notes on how the file was read.
May touch: the DuckDB connection it is handed. Does not promise: every row; it says how many it shows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from outrider.tools.data.column_types import quoted
from outrider.tools.data.rows_text import cell, grid, in_words, many

MAX_LISTED, MAX_VALUES, MAX_WIDTH = 6, 20, 30  # columns whose values are listed, values of one, characters of a value
MAX_LOOKED_AT = 20  # text columns whose values are counted for that: each is a pass over the file
MAX_COUNTED = 1_000_000  # rows of a result that are counted


@dataclass(slots=True)
class Loaded:
    """A table in the database: its name there, the file, its columns, and how it was read."""

    table: str
    name: str
    columns: list[str]
    notes: list[str] = field(default_factory=list)


def described(connection: Any, loaded: Sequence[Loaded]) -> str:
    """What is in the files: rows, columns with types, first rows."""
    parts = []
    for one in loaded:
        count = connection.execute(f"SELECT count(*) FROM {quoted(one.table)}").fetchone()[0]  # noqa: S608
        cursor = connection.execute(f"SELECT * FROM {quoted(one.table)} LIMIT 5")  # noqa: S608
        types = [(column[0], str(column[1])) for column in cursor.description]
        rows = cursor.fetchall()
        what = f"{many(count, 'row')} and {many(len(types), 'column')} in {one.name}"
        sheet = f" (table {quoted(one.table)})" if len(loaded) > 1 else ""
        columns = ", ".join(f"{name} ({_type(kind)})" for name, kind in types)
        parts.append(
            f"{what}{sheet}\ncolumns: {columns}\nfirst {many(len(rows), 'row')}:\n{grid([n for n, _ in types], rows)}"
            f"{_values(connection, one, types) if count > len(rows) else ''}{_noted([one])}"
        )
    return "\n\n".join(parts)


def _values(connection: Any, one: Loaded, types: Sequence[tuple[str, str]]) -> str:
    """What a text column holds, where it is little: a condition then needs no guess. At most MAX_LISTED columns."""
    lines: list[str] = []
    texts = [name for name, kind in types if kind == "VARCHAR"]
    for name in texts[:MAX_LOOKED_AT]:
        if len(lines) >= MAX_LISTED:
            break
        found = connection.execute(
            f"SELECT DISTINCT {quoted(name)} FROM {quoted(one.table)} WHERE {quoted(name)} IS NOT NULL ORDER BY 1 LIMIT {MAX_VALUES + 1}"  # noqa: S608
        ).fetchall()
        held = [cell(row[0]) for row in found]
        if len(held) <= MAX_VALUES and not any(len(text) > MAX_WIDTH or "," in text for text in held):
            lines.append(f"\nvalues of {name}: {', '.join(held)}")
    return "".join(lines)


def _type(kind: str) -> str:
    return {"VARCHAR": "text", "BIGINT": "whole number", "DATE": "date", "TIMESTAMP": "time", "BOOLEAN": "true or false"}.get(
        kind, "number" if kind.startswith(("DECIMAL", "DOUBLE", "FLOAT", "HUGEINT")) else kind.lower()
    )  # fmt: skip


def result(cursor: Any, sql: str, connection: Any, loaded: Sequence[Loaded]) -> str:
    """The rows of a query. `connection` looks up near values when there are none."""
    said = in_words(cursor, MAX_COUNTED)
    return (said or f"no match: 0 rows{_near(sql, connection, loaded)}") + _noted(loaded)


def _noted(loaded: Sequence[Loaded]) -> str:
    notes = list(dict.fromkeys(note for one in loaded for note in one.notes))
    if not notes:
        return ""
    more = f"\nnote: … and {len(notes) - 12} more" if len(notes) > 12 else ""
    return "".join(f"\nnote: {note}" for note in notes[:12]) + more


def _near(sql: str, connection: Any, loaded: Sequence[Loaded]) -> str:
    """Values that a column compared with a text has, when no row fitted."""
    for quoted_name, bare, value in re.findall(r"(?:\"([^\"]+)\"|(\w+))\s*=\s*'([^']*)'", sql):
        column = quoted_name or bare
        for one in loaded:
            known = next((name for name in one.columns if name.lower() == column.lower()), None)
            if known is None:
                continue
            found = [
                cell(row[0])
                for row in connection.execute(
                    f"SELECT {quoted(known)} FROM {quoted(one.table)} WHERE {quoted(known)} IS NOT NULL GROUP BY 1 "  # noqa: S608
                    f"ORDER BY jaro_winkler_similarity(lower(CAST({quoted(known)} AS VARCHAR)), lower(?)) DESC, 1 LIMIT 5",
                    [value],
                ).fetchall()
            ]
            if value not in found:
                return f"; {known} has values such as {', '.join(found)}"
    return ""
