"""Small questions about data, answered without code: `table` and `text_stats`.
May touch: reads files of the workspace, as streams: a file of any size costs little memory.
Does not promise: to finish a huge file in time; it says how far it came.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Annotated, Literal

from pydantic import BeforeValidator

from outrider.tools.data import filters
from outrider.tools.data import rows as tables
from outrider.tools.files import encoding
from outrider.tools.files.paths import open_file, place, shown
from outrider.tools.tool import ToolContext, ToolError, tool

MAX_DIFFERENT = 500_000  # values `unique` keeps in memory
MAX_TURNED = 1_000_000  # characters `reverse`, `upper` and `lower` give back
CHUNK = 1 << 20
LIMIT_S = 110.0  # under the tools' time-out, so that the answer is ours and no thread is left reading
TELL_EVERY = 1_000_000
CHECK_EVERY = 50_000  # rows between two looks at the clock
DIGITS = 2500  # exact for cells of up to 100 characters and exponents of three digits

SYNONYMS = {"average": "mean", "avg": "mean", "total": "sum", "minimum": "min", "maximum": "max", "distinct": "unique"}
Operation = Annotated[
    Literal["rows", "columns", "head", "sum", "mean", "min", "max", "count", "unique"],
    BeforeValidator(lambda value: SYNONYMS.get(value, value) if isinstance(value, str) else value),
]
NEEDS_COLUMN = ("sum", "mean", "min", "max", "unique")


@tool(effect="read", fresh_s=0, timeout_s=120)
def table(path: str, operation: Operation, ctx: ToolContext, column: str = "", where: str = "") -> str:
    """Answer a question about a CSV, TSV or JSON table in the workspace: how many rows, which columns, and the sum,
    mean, min, max, count or different values of a column.

    path: the file, relative to the workspace
    operation: rows counts the rows without the header; head shows the first five
    column: the column the operation is about
    where: only rows for which this holds, such as "city = Oslo" or "amount > 10"
    """
    with place(ctx.workspace, path) as at:
        stream = encoding.open_text(open_file(at, path), newline="")
    if stream is None:
        raise ToolError(f"{shown(path)} is not a table", "it is a binary file", "read it with python")
    with stream, localcontext(prec=DIGITS):
        found = tables.read(stream, shown(path))
        return _Question(found, shown(path), operation, column, where, _ends(ctx), ctx.progress).answer()


def _ends(ctx: ToolContext) -> float:
    """When to stop, on the monotonic clock: a little before the call or the run is out of time."""
    return time.monotonic() + min(LIMIT_S, ctx.seconds_left() - 0.5)


@dataclass(slots=True)
class _Question:
    table: tables.Table
    name: str
    operation: str
    column: str
    where: str
    ends: float  # monotonic clock
    progress: Callable[[str], None]
    wanted: list[filters.Condition] = field(default_factory=list)
    index: int = -1

    def answer(self) -> str:
        self.wanted = filters.parse(self.where, self.table.columns, self.table.decimal_comma)
        if self.column:
            self.index = filters.index_of(self.column, self.table.columns)
            self.column = self.table.columns[self.index]
        elif self.operation in NEEDS_COLUMN:
            if len(self.table.columns) > 1:
                columns = filters.name_all(self.table.columns)
                raise ToolError(f"{self.operation} needs a column", "none was named", f"name one of {columns}")
            self.index, self.column = 0, self.table.columns[0]
        do: dict[str, Callable[[], str]] = {
            "rows": self._rows, "columns": self._columns, "head": self._head, "unique": self._unique,
            "count": self._count, "sum": self._numbers, "mean": self._numbers, "min": self._extreme, "max": self._extreme,
        }  # fmt: skip
        said = do[self.operation]()
        return said + (f" ({self.table.note})" if self.table.note else "")

    @property
    def _in(self) -> str:
        return f"in {self.name}" + (f" where {' '.join(self.where.split())}" if self.wanted else "")

    def _chosen(self) -> Iterator[list[str]]:
        """The rows for which the conditions hold. Raises ToolError when the time is up."""
        wanted = [condition.holds for condition in self.wanted]
        for read, row in enumerate(self.table.rows, start=1):
            if not read % CHECK_EVERY:
                self._look_at_the_clock(read)
            if not wanted or all(holds(row) for holds in wanted):
                yield row

    def _look_at_the_clock(self, read: int) -> None:
        if not read % TELL_EVERY:
            self.progress(f"{read:,} rows of {self.name} read")
        if time.monotonic() > self.ends:
            why, fix = f"time was up after {read:,} rows", "ask with python or a smaller file"
            raise ToolError(f"{self.name} was not read to its end", why, fix)

    def _rows(self) -> str:
        count = sum(1 for _ in self._chosen())
        return f"{count} row{'' if count == 1 else 's'} {self._in}{self._hint(count)}"

    def _hint(self, count: int) -> str:
        """What would have fitted, when nothing did."""
        if count or not self.wanted:
            return ""
        one = next((c for c in self.wanted if c.sign == "="), None)
        if one is None or not one.seen:
            return ""
        same = [value for value in one.seen if value.lower() == one.value.lower()]
        return f"; {one.column} has values such as {', '.join((same or list(one.seen))[:5])}"

    def _columns(self) -> str:
        count = len(self.table.columns)
        return f"{count} column{'' if count == 1 else 's'} in {self.name}: {filters.name_all(self.table.columns)}"

    def _head(self) -> str:
        rows = [row for row, _ in zip(self._chosen(), range(5), strict=False)]
        lines = [" | ".join(_short(cell) for cell in row) for row in [self.table.columns, *rows]]
        first = "first row" if len(rows) == 1 else f"first {len(rows)} rows"
        return f"{first} {self._in}:\n" + "\n".join(lines)

    def _count(self) -> str:
        if self.index < 0:
            return self._rows()
        total = filled = 0
        for row in self._chosen():
            total += 1
            filled += bool(row[self.index].strip())
        return f"{filled} of {total} rows {self._in} have a value in {self.column}{self._hint(total)}"

    def _unique(self) -> str:
        seen: dict[str, int] = {}
        for row in self._chosen():
            cell = row[self.index].strip()
            seen[cell] = seen.get(cell, 0) + 1
            if len(seen) > MAX_DIFFERENT:
                raise ToolError(
                    f"{self.column} has too many values", f"over {MAX_DIFFERENT:,}", "count them with python"
                )
        most = sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:20]
        listed = ", ".join(f"{_short(value) or '(empty)'} ({count})" for value, count in most)
        more = " …" if len(seen) > 20 else ""
        plural = "" if len(seen) == 1 else "s"
        return f"{len(seen)} different value{plural} of {self.column} {self._in}: {listed}{more}"

    def _numbers(self) -> str:
        total, count, empty, odd = Decimal(0), 0, 0, 0
        comma, index, as_number = self.table.decimal_comma, self.index, tables.number
        for row in self._chosen():
            value = as_number(row[index], comma)
            if value is not None:
                total += value
                count += 1
            elif row[index].strip():
                odd += 1
            else:
                empty += 1
        if not count:
            raise self._no_numbers(odd)
        what = _plain(total) if self.operation == "sum" else _mean(total, count)
        return f"{what} is the {self.operation} of {self.column} {self._in} ({_counted(count, empty, odd)})"

    def _no_numbers(self, odd: int) -> ToolError:
        why = (
            f"{odd} cells, none of them a number"
            if odd
            else f"no row fits{self._hint(0)}"
            if self.wanted
            else "it is empty"
        )
        return ToolError(
            f"{self.column} {self._in} has no numbers",
            why,
            f"the columns are {filters.name_all(self.table.columns)}",
        )

    def _extreme(self) -> str:
        """The least or greatest number; of a column without numbers (dates, names) the first or last in text order."""
        better = min if self.operation == "min" else max
        best: tuple[Decimal, list[str]] | None = None
        text: tuple[str, list[str]] | None = None
        count = empty = odd = 0
        for row in self._chosen():
            cell = row[self.index].strip()
            value = tables.number(cell, self.table.decimal_comma)
            if value is not None:
                count += 1
                if best is None or better(value, best[0]) != best[0]:
                    best = (value, row)
            elif cell:
                odd += 1
                if text is None or better(cell, text[0]) != text[0]:
                    text = (cell, row)
            else:
                empty += 1
        if best is not None and count >= odd:
            return self._extreme_said(_plain(best[0]), best[1], _counted(count, empty, odd))
        if text is None:
            raise self._no_numbers(odd)
        return self._extreme_said(_short(text[0]), text[1], f"{odd} values, compared as text")

    def _extreme_said(self, value: str, row: list[str], counted: str) -> str:
        cells = ", ".join(
            f"{name}={_short(cell)}" for name, cell in list(zip(self.table.columns, row, strict=True))[:12]
        )
        return f"{value} is the {self.operation} of {self.column} {self._in} ({counted}); its row: {cells}"


def _counted(count: int, empty: int, odd: int) -> str:
    parts = [f"{count} number{'' if count == 1 else 's'}"]
    parts += [f"{empty} empty"] if empty else []
    parts += [f"{odd} not numbers and left out"] if odd else []
    return ", ".join(parts)


def _plain(value: Decimal) -> str:
    return format(value, "f")


def _mean(total: Decimal, count: int) -> str:
    """Exact where ten decimals are enough, else rounded to ten."""
    mean = round(total / count, 10)
    text = format(mean, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _short(cell: str) -> str:
    flat = " ".join(cell.split())
    return flat if len(flat) <= 80 else f"{flat[:79]}…"


# ---- text ------------------------------------------------------------------------------------------------------------


@tool(effect="read", fresh_s=0, timeout_s=120)
def text_stats(
    operation: Literal["characters", "words", "lines", "count", "reverse", "upper", "lower"],
    ctx: ToolContext,
    text: str = "",
    path: str = "",
    of: str = "",
) -> str:
    """Count the characters, words or lines of a text or how often something occurs in it, or turn it round or into
    upper or lower case.

    operation: what to do
    text: the text itself
    path: or a text file in the workspace
    of: for count, what to count, such as "r"
    """
    if bool(text) == bool(path):
        why = "both text and path were given" if text else "neither text nor path was given"
        raise ToolError(f"{operation} needs one text", why, 'give text="…" or path="notes.txt"')
    if operation == "count" and not of:
        raise ToolError("count needs something to count", "of is empty", 'give of="r" for example')
    if text:
        return _text_answer(operation, io.StringIO(text, newline=""), "the text", of, _ends(ctx))
    with place(ctx.workspace, path) as at:
        stream = encoding.open_text(open_file(at, path), newline="")
    if stream is None:
        raise ToolError(f"{shown(path)} is not text", "it is a binary file", "read it with python")
    with stream:
        return _text_answer(operation, stream, shown(path), of, _ends(ctx))


def _text_answer(operation: str, stream: io.TextIOBase, name: str, of: str, ends: float) -> str:
    if operation in ("reverse", "upper", "lower"):
        text = stream.read(MAX_TURNED + 1)
        if len(text) > MAX_TURNED:
            raise ToolError(f"{name} is too long to {operation}", f"over {MAX_TURNED:,} characters", "use python")
        return text[::-1] if operation == "reverse" else text.upper() if operation == "upper" else text.lower()
    if operation == "count":
        found, whatever = _occurrences(_chunks(stream, name, ends), of)
        other = f" ({whatever} with upper and lower case the same)" if whatever != found else ""
        return f'{found} time{"" if found == 1 else "s"} "{of}" occurs in {name}{other}'
    count = {"characters": _characters, "words": _words, "lines": _lines}[operation](_chunks(stream, name, ends))
    return f"{count} {operation if count != 1 else operation[:-1]} in {name}"


def _chunks(stream: io.TextIOBase, name: str, ends: float) -> Iterator[str]:
    while chunk := stream.read(CHUNK):
        yield chunk
        if time.monotonic() > ends:
            raise ToolError(f"{name} was not read to its end", "time was up", "use a smaller file")


def _characters(chunks: Iterator[str]) -> int:
    return sum(map(len, chunks))


def _words(chunks: Iterator[str]) -> int:
    count, inside = 0, False
    for chunk in chunks:
        count += len(chunk.split()) - (inside and not chunk[0].isspace())
        inside = not chunk[-1].isspace()
    return count


def _lines(chunks: Iterator[str]) -> int:
    count, last = 0, "\n"
    for chunk in chunks:
        count += chunk.count("\n")
        last = chunk[-1]
    return count + (last != "\n")


def _occurrences(chunks: Iterator[str], of: str) -> tuple[int, int]:
    """How often `of` occurs, not overlapping, also across the seams of the chunks; and the same whatever the case."""
    exactly, whatever = _Finder(of), _Finder(of.lower())
    for chunk in chunks:
        exactly.take(chunk)
        whatever.take(chunk.lower())
    return exactly.count, whatever.count


@dataclass(slots=True)
class _Finder:
    of: str
    count: int = 0
    rest: str = ""

    def take(self, chunk: str) -> None:
        self.rest += chunk
        at = 0
        while (found := self.rest.find(self.of, at)) >= 0:
            self.count += 1
            at = found + len(self.of)
        self.rest = self.rest[max(at, len(self.rest) - len(self.of) + 1) :]
