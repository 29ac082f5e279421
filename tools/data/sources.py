"""Rows of text out of CSV in its dialects, JSON, JSON Lines and Excel workbooks; runs in the child that answers `table`.
May touch: the stream it is handed. A text file of any size costs the memory of a few rows; JSON and workbooks are held whole.
Does not promise: the right guess for a file without a header line; the first line is taken as the header.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, BinaryIO

from outrider.memory.errors import OutriderError
from outrider.tools.documents.office import uncounted
from outrider.tools.files.decoding import Decoded, decoded

SAMPLE = 65_536  # characters the dialect is guessed from
MAX_LINE = 1 << 20  # characters of a line or a cell
MAX_WHOLE = 200_000_000  # bytes of a JSON list or a workbook, which are held in memory
MAX_SHEETS = 20
MAX_UNPACKED = 400_000_000  # bytes of a workbook
DELIMITERS = "\t,;|"  # tried in this order: commas inside the cells of a TSV are common, tabs inside a CSV are not
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d[\d.,]*", re.ASCII)


@dataclass(slots=True)
class Sheet:
    """One table: its name ("" but in a workbook), columns, and rows of as many cells. `notes` is complete after the last row.

    decimal_comma: the cells are parted by semicolons, so that "12,5" is a number.
    """

    name: str
    columns: list[str]
    rows: Iterable[list[str]]
    decimal_comma: bool = False
    notes: list[str] = field(default_factory=list)


def no_table(name: str, why: str, fix: str = "look at it with read_file") -> OutriderError:
    """The error for a file that holds no table."""
    return OutriderError(f"{name} is not a table", why, fix)


def sheets(file: BinaryIO, name: str) -> Iterator[Sheet]:
    """The tables of a file, one but for a workbook. Raises OutriderError for what is none."""
    begins = file.read(8)
    file.seek(0)
    if begins.startswith(b"PK\x03\x04"):
        yield from _workbook(file, name)
        return
    if begins.startswith(b"\xd0\xcf\x11\xe0"):
        raise no_table(name, "it is an old .xls workbook", "save it as .xlsx or .csv")
    text = decoded(file)
    if text is None:
        raise no_table(name, "it is a binary file", "use a CSV, TSV, JSON, JSON Lines, Parquet or XLSX file")
    sheet = _text(text, name)
    sheet.notes[:0] = [f"read as {text.encoding}"] if text.guessed else []
    yield sheet


def _text(text: Decoded, name: str) -> Sheet:
    sample = text.stream.read(SAMPLE)
    text.stream.seek(0)
    begins = sample.lstrip("\ufeff \t\r\n")[:1]
    if not name.lower().endswith((".csv", ".tsv", ".tab")) and begins and begins in "[{":
        return _json(text, name, begins)
    return _csv(text.stream, name, sample)


# ---- CSV -------------------------------------------------------------------------------------------------------------


def _csv(stream: io.TextIOBase, name: str, sample: str) -> Sheet:
    csv.field_size_limit(MAX_LINE)
    said = _SEP_LINE.match(sample)
    if said:  # Excel's own way to name the delimiter
        stream.seek(0)
        stream.readline()
    delimiter = said[1] if said else _delimiter(sample, name)
    reader = csv.reader(_bounded(stream, name), delimiter=delimiter)
    try:
        header = [cell.strip() for cell in next((record for record in reader if record), [])]
    except csv.Error as error:
        raise _damaged(name, reader.line_num, error) from None
    if not header:
        raise OutriderError(f"{name} has no rows", "it is empty", "use another file")
    columns, notes = named(header)
    sheet = Sheet("", columns, (), delimiter == ";", notes)
    if all(_NUMBER.fullmatch(cell) for cell in header):
        sheet.notes.append("the first line is taken as the header")
    sheet.rows = _records(reader, sheet, name)
    return sheet


def named(header: list[str]) -> tuple[list[str], list[str]]:
    """(columns, notes): names that SQL can tell apart; one that occurs again, or is empty, is given one of its own."""
    columns: list[str] = []
    notes: list[str] = []
    used: set[str] = set()
    for at, written in enumerate(header, start=1):
        cell = " ".join(written.split())
        base = cell or f"column_{at}"
        name, count = base, 1
        while name.lower() in used:
            count += 1
            name = f"{base}_{count}"
        if name != cell and cell:
            notes.append(f"{cell} is the name of more than one column: column {at} is called {name}")
        used.add(name.lower())
        columns.append(name)
    return columns, notes


def _records(reader: Any, sheet: Sheet, name: str) -> Iterator[list[str]]:
    width, long, short = len(sheet.columns), [0, 0], [0, 0]  # how many, and the line of the first
    try:
        for record in reader:
            if len(record) == width:
                yield record
            elif len(record) > width and any(cell.strip() for cell in record[width:]):
                long = [long[0] + 1, long[1] or reader.line_num]
                yield record[:width]
            elif record and (len(record) > 1 or record[0].strip()):  # a blank line is no row
                short = [short[0] + (len(record) < width), short[1] or reader.line_num]
                yield (record + [""] * width)[:width]
    except csv.Error as error:
        raise _damaged(name, reader.line_num, error) from None
    if long[0]:
        sheet.notes.append(f"{_rows(long)} more cells than the header: the cells beyond it are left out")
    if short[0]:
        sheet.notes.append(f"{_rows(short)} fewer cells than the header: the rest is taken as empty")


def _rows(found: list[int]) -> str:
    return (
        f"{found[0]:,} row{' has' if found[0] == 1 else 's have'} (line {found[1]}{' first' if found[0] > 1 else ''})"
    )


def _damaged(name: str, line: int, error: csv.Error) -> OutriderError:
    return OutriderError(
        f"{name} is not a table at line {line}", str(error), "a quote may be open there: look with read_file"
    )


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
            raise no_table(name, f"it has a line over {MAX_LINE:,} characters")
        if cut:
            yield text[:cut]
    if rest:
        yield rest


def _delimiter(sample: str, name: str) -> str:
    """The delimiter that cuts the first records into the same number of cells, most cells first. Raises for plain prose."""
    best, score = "\t" if name.lower().endswith((".tsv", ".tab")) else ",", (0.0, 0)
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
    if score[0] < 0.7 and sample.strip() and not name.lower().endswith((".csv", ".tsv", ".tab")):
        raise no_table(name, "its lines do not split into the same number of cells")
    return best


# ---- JSON ------------------------------------------------------------------------------------------------------------


# Numbers stay the digits that were written: a binary fraction would lose them.
class _Digits(str):
    """A number as it is written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_float=_Digits, parse_int=_Digits, parse_constant=_Digits, strict=False)


def _json(text: Decoded, name: str, begins: str) -> Sheet:
    values = _list(text, name) if begins == "[" else _json_lines(text, name)
    first = list(islice(values, 1000))
    columns: list[str] = []
    for value in first:
        columns += [key for key in _as_row(value) if key not in columns]
    if not columns:
        raise OutriderError(f"{name} has no rows", "its list is empty", "use another file")
    names, notes = named(columns)
    sheet = Sheet("", names, (), notes=notes)
    sheet.rows = _objects(chain(first, values), columns, sheet)
    return sheet


def _objects(values: Iterable[Any], columns: list[str], sheet: Sheet) -> Iterator[list[str]]:
    known, beyond = set(columns), dict[str, None]()
    for value in values:
        row = _as_row(value)
        if len(beyond) < 10 and not row.keys() <= known:
            beyond |= dict.fromkeys(key for key in row if key not in known)
        yield [_cell(row.get(column)) for column in columns]
    if beyond:
        sheet.notes.append(f"{', '.join(beyond)} occur only after the first 1,000 rows and are left out")


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
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: Any) -> str:
    """A value inside a cell as JSON again, its numbers as they were written."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_as_json(one)}" for key, one in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_json, value)) + "]"
    return str(value) if isinstance(value, _Digits) else json.dumps(value, ensure_ascii=False)


def _whole(text: Decoded, name: str) -> Any:
    if text.size > MAX_WHOLE:
        raise OutriderError(
            f"{name} is too large", f"over {MAX_WHOLE:,} bytes in one value", "make it JSON Lines or CSV"
        )
    try:
        return _DECODER.decode(text.stream.read().strip())
    except (ValueError, RecursionError) as error:
        raise no_table(name, f"it is not JSON: {str(error)[:200]}") from None


def _list(text: Decoded, name: str) -> Iterator[Any]:
    value = _whole(text, name)
    yield from value if isinstance(value, list) else [value]


def _json_lines(text: Decoded, name: str) -> Iterator[Any]:
    """An object a line; or one object over many lines, whose only list holds the rows."""
    lines = _bounded(text.stream, name)
    try:
        yield _DECODER.decode(next((line for line in lines if line.strip()), "").strip())
    except (ValueError, RecursionError):
        text.stream.seek(0)
        whole = _whole(text, name)
        lists = [value for value in whole.values() if isinstance(value, list)]
        yield from lists[0] if len(lists) == 1 else [whole]
        return
    for at, line in enumerate(lines, start=2):
        if line.strip():
            try:
                yield _DECODER.decode(line.strip())
            except (ValueError, RecursionError) as error:
                raise OutriderError(
                    f"{name} is not JSON at line {at}", str(error)[:200], "look with read_file"
                ) from None


# ---- Excel -----------------------------------------------------------------------------------------------------------


def _workbook(file: BinaryIO, name: str) -> Iterator[Sheet]:
    from openpyxl import load_workbook

    try:
        archive = zipfile.ZipFile(file)
        if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
            raise no_table(name, "it unpacks to too much", "use a smaller file")
        note = uncounted(archive)
        book = load_workbook(file, read_only=True, data_only=True)
    except OutriderError:
        raise
    except Exception as error:  # openpyxl raises whatever the damage led to
        raise no_table(name, f"it is no Excel workbook ({type(error).__name__})") from None
    found = 0
    for sheet in book.worksheets[:MAX_SHEETS]:
        sheet.reset_dimensions()  # what some programs write there is wrong
        rows = ([_excel(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
        filled = (row for row in rows if any(row))
        header = next(filled, None)
        if header is None:
            continue
        found += 1
        while header and not header[-1]:
            header.pop()
        columns, notes = named([cell.strip() for cell in header])
        notes += [note] if note and not found - 1 else []
        yield Sheet(sheet.title, columns, _even(filled, len(columns)), notes=notes)
    if not found:
        raise OutriderError(f"{name} has no rows", "its sheets are empty", "use another file")


def _even(rows: Iterable[list[str]], width: int) -> Iterator[list[str]]:
    return ((row + [""] * width)[:width] for row in rows)


def _excel(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return _cell(value) if isinstance(value, bool) or value is None else str(value)
