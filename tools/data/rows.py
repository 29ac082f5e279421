"""Reads tables row by row: CSV in its dialects, JSON lists, JSON lines. A file of any size costs the memory of a few rows.
May touch: the stream it is handed.
Does not promise: the right guess for a file without a header line; the first line is taken as the header.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from outrider.tools.tool import ToolError

SAMPLE = 65_536  # characters the dialect is guessed from
MAX_LINE = 1 << 20  # characters of a line, a cell or a JSON element
PEEK = 1000  # JSON rows looked at for their keys before the first is given
DELIMITERS = "\t,;|"  # tried in this order: commas inside the cells of a TSV are common, tabs inside a CSV are not


@dataclass(slots=True)
class Table:
    """`rows` gives each row's cells as text, as many as there are columns. `decimal_comma`: "12,5" is a number here."""

    columns: list[str]
    rows: Iterator[list[str]]
    decimal_comma: bool = False
    note: str = field(default="")


def read(stream: io.TextIOWrapper, name: str) -> Table:
    """The table in a text stream opened with newline="". Raises ToolError for what is none."""
    sample = stream.read(SAMPLE)
    stream.seek(0)
    begins = sample.lstrip()[:1]
    if not name.lower().endswith((".csv", ".tsv")) and begins and begins in "[{":
        return _from_json(stream, name, begins)
    return _from_csv(stream, name, sample)


# ---- CSV -------------------------------------------------------------------------------------------------------------


def _from_csv(stream: io.TextIOBase, name: str, sample: str) -> Table:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    delimiter = _delimiter(sample, name)
    reader = csv.reader(_bounded(stream, name), delimiter=delimiter)
    try:
        columns = [cell.strip() for cell in next((record for record in reader if record), [])]
    except csv.Error as error:
        raise _not_a_table(name, reader.line_num, error) from None
    if not columns:
        raise ToolError(f"{name} has no rows", "it is empty", "use another file")
    numbers = [c for c in columns if number(c, delimiter == ";") is not None]
    note = "the first line is taken as the header" if len(numbers) == len(columns) else ""

    def rows() -> Iterator[list[str]]:  # the inner loop of every question: one frame a row, no more
        width = len(columns)
        try:
            for record in reader:
                if len(record) == width:
                    yield record
                elif record and (len(record) > 1 or record[0].strip()):  # a blank line is no row
                    yield (record + [""] * width)[:width]
        except csv.Error as error:
            raise _not_a_table(name, reader.line_num, error) from None

    return Table(columns, rows(), delimiter == ";", note)


def _not_a_table(name: str, line: int, error: csv.Error) -> ToolError:
    fix = "a quote may be open there: look with read_file"
    return ToolError(f"{name} is not a table at line {line}", str(error), fix)


def _bounded(stream: io.TextIOBase, name: str) -> Iterator[str]:
    """The lines of a stream, their ends as they are, split where the csv module wants them. Raises for one too long.

    A chunk at a time: a line costs no Python frame, which is what a large table spends its time on.
    """
    return chain.from_iterable(io.StringIO(part, newline="") for part in _parts(stream, name))


def _parts(stream: io.TextIOBase, name: str) -> Iterator[str]:
    """Chunks that end where a line ends."""
    rest = ""
    while chunk := stream.read(SAMPLE):
        text = rest + chunk
        cut = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1  # \r alone: old files; the last may be half of \r\n
        rest = text[cut:]
        if len(rest) > MAX_LINE:
            raise ToolError(f"{name} is not a table", f"it has a line over {MAX_LINE:,} characters", "use python")
        if cut:
            yield text[:cut]
    if rest:
        yield rest


def _delimiter(sample: str, name: str) -> str:
    """The delimiter that cuts the first records into the same number of cells, most cells first."""
    best, score = "\t" if name.lower().endswith(".tsv") else ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            records = [r for r in islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), 21) if r]
        except csv.Error:
            continue
        records = records[:-1] if len(records) > 1 and len(sample) >= SAMPLE else records
        width = len(records[0]) if records else 0
        if width > 1:
            same = sum(len(r) == width for r in records) / len(records)
            if (same, width) > score:
                best, score = delimiter, (same, width)
    return best


# ---- JSON ------------------------------------------------------------------------------------------------------------


def _from_json(stream: io.TextIOBase, name: str, begins: str) -> Table:
    values = _elements(stream, name) if begins == "[" else _json_lines(stream, name)
    first = list(islice(values, PEEK))
    columns: list[str] = []
    for value in first:
        columns += [key for key in _as_row(value) if key not in columns]
    if not columns:
        raise ToolError(f"{name} has no rows", "its list is empty", "use another file")
    return Table(columns, ([_cell(_as_row(v).get(c)) for c in columns] for v in chain(first, values)))


def _as_row(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(n): item for n, item in enumerate(value, start=1)}
    return {"value": value}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=str, strict=False)
_GAP = re.compile(r"[\s,]*")


def _elements(stream: io.TextIOBase, name: str) -> Iterator[Any]:
    """The elements of one JSON list, decoded as they are read."""
    buffer = stream.read(SAMPLE).lstrip()
    at = 1  # after the bracket
    while True:
        at = _GAP.match(buffer, at).end()  # type: ignore[union-attr]  # it fits the empty text too
        if buffer[at : at + 1] == "]":
            return
        found = _decode(buffer, at)
        if found is not None:
            value, at = found
            yield value
            continue
        more = stream.read(max(SAMPLE, len(buffer) - at))
        buffer, at = buffer[at:] + more, 0
        if not more or len(buffer) > 2 * MAX_LINE:
            why = "it ends in the middle" if not more else "an element is too large or is not JSON"
            raise ToolError(f"{name} is not a JSON list", f"{why}: {buffer[:60]!r}", "look at it with read_file")


def _decode(buffer: str, at: int) -> tuple[Any, int] | None:
    """(value, where it ends), or None when it is not whole yet: a number at the very end might go on."""
    try:
        value, end = _DECODER.raw_decode(buffer, at)
    except (ValueError, RecursionError):
        return None
    return (value, end) if end < len(buffer) else None


def _json_lines(stream: io.TextIOBase, name: str) -> Iterator[Any]:
    lines = _bounded(stream, name)
    first = next((line for line in lines if line.strip()), "")
    try:
        yield _DECODER.decode(first)
    except (ValueError, RecursionError):
        yield from _inside_object(first + "".join(islice(lines, 200_000)), name)
        return
    for at, line in enumerate(lines, start=2):
        if line.strip():
            try:
                yield _DECODER.decode(line.strip())
            except (ValueError, RecursionError) as error:
                raise ToolError(f"{name} is not JSON at line {at}", str(error), "look at it with read_file") from None


def _inside_object(text: str, name: str) -> Iterator[Any]:
    """The rows of {"data": [ … ]}: the one list an object holds, or the object itself as the only row."""
    try:
        whole = _DECODER.decode(text.strip())
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{name} is not JSON", str(error), "look at it with read_file") from None
    lists = [value for value in whole.values() if isinstance(value, list)]
    yield from lists[0] if len(lists) == 1 else [whole]


# ---- numbers ---------------------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_CURRENCY = re.compile(r"^([+-]?)[$€£¥]\s?")
MAX_DIGITS = 100


def number(cell: str, decimal_comma: bool = False) -> Decimal | None:
    """The exact number a cell holds, or None. "1,234.50" and "$12" are numbers; "12,5" is one where comma is decimal."""
    text = cell.strip()
    if not text or len(text) > MAX_DIGITS:
        return None
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    text = _CURRENCY.sub(r"\1", text)
    if decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        return Decimal(text.replace(",", "."))
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    return Decimal(text.replace(",", "")) if _THOUSANDS.fullmatch(text) else None
