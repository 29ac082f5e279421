"""Puts rows of a query into words: one row as `column: value` lines, more as a table.
May touch: the cursor it is handed. Does not promise: every row; it says how many it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

MAX_ROWS = 100  # shown
MAX_CELL = 300  # characters
MAX_TEXT = 30_000  # characters of rows


def in_words(cursor: Any, most: int) -> str:
    """What a DB-API cursor holds; "" for no row. Rows are counted up to `most`."""
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchmany(MAX_ROWS)
    count = len(rows)
    if count == MAX_ROWS:
        while count < most and (more := cursor.fetchmany(10_000)):
            count += len(more)
    if not count:
        return ""
    if count == 1 and len(names) <= 40:
        return "\n".join(f"{name}: {cell(value)}" for name, value in zip(names, rows[0], strict=True))
    counted = f"{count:,} rows" if count < most else f"over {most - 1:,} rows"
    shown = counted + (f", the first {len(rows)}" if count > len(rows) else "")
    return f"{shown}:\n{grid(names, rows)}"


def grid(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A line of names and a line a row, cells parted by bars."""
    lines, room = [" | ".join(names)], MAX_TEXT
    for row in rows:
        line = " | ".join(cell(value).replace("|", "¦") for value in row)
        room -= len(line)
        if room < 0:
            return "\n".join([*lines, "… (further rows left out: ask for fewer columns or rows)"])
        lines.append(line)
    return "\n".join(lines)


def cell(value: Any) -> str:
    """A value in one line: decimals with every digit, binary fractions with those that mean something."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) < 1e15 and value == int(value) else f"{value:.15g}"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value):,} bytes)"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    text = value.isoformat() if isinstance(value, date | time) else str(value)
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_CELL else f"{flat[: MAX_CELL - 1]}…"


def many(count: int, what: str) -> str:
    """`3 rows`, `1 row`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
