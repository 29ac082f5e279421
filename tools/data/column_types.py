"""Finds out what a column of text holds (numbers, money, dates, yes or no) and gives it a type that keeps every digit.
May touch: the DuckDB connection it is handed. Does not promise: a type where the cells disagree; then the text stays.

A few thousand rows choose what a column may be. All rows must agree, but for a tenth that is then said to count as empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SAMPLE = 5000
FIT = 0.9  # of the cells that say something, at least, must fit the type
MISSING = "('na', 'n/a', '#n/a', 'nan', 'null', 'none', 'nil', '-', '–', '—', '?')"
_SYMBOL = "[$€£¥]"
_PLAIN = r"(0|[1-9]\d{0,24})"


@dataclass(frozen=True, slots=True)
class Kind:
    """A thing a column may hold. pattern: what its cells look like. value: SQL for a cell `c`. changed: the reading is told."""

    name: str
    pattern: str
    value: str
    changed: bool = False


_SIGN = "CASE WHEN contains({c}, '(') THEN '-' ELSE '' END"  # (1,234.50): below zero, as accountants write it
_BARE = _SIGN + r" || regexp_replace({c}, '[$€£¥,()\s]', '', 'g')"
_COMMA = _SIGN + r" || replace(regexp_replace({c}, '[$€£¥.()\s]', '', 'g'), ',', '.')"
_POINTED = rf"(({_PLAIN}|\d{{1,3}}(,\d{{3}})+)(\.\d{{0,20}})?|\.\d{{1,20}})"
_COMMAED = rf"(\d{{1,3}}(\.\d{{3}})+|{_PLAIN})(,\d{{1,20}})?"
_IN_PARENTHESES = r"{symbol}?\s?\({symbol}?\s?{number}\s?{symbol}?\)"
_ZONE = r"'^(.*[T ][0-9:.]+)([+-])(\d\d):?(\d\d)?$'"
_UTC = (
    f"coalesce(try_cast(regexp_extract({{c}}, {_ZONE}, 1) AS TIMESTAMP) - to_minutes(CASE WHEN regexp_extract({{c}}, "
    f"{_ZONE}, 2) = '-' THEN -1 ELSE 1 END * (try_cast(regexp_extract({{c}}, {_ZONE}, 3) AS INTEGER) * 60 + "
    f"coalesce(try_cast(nullif(regexp_extract({{c}}, {_ZONE}, 4), '') AS INTEGER), 0))), try_cast(rtrim({{c}}, 'Z') AS TIMESTAMP))"
)
_GROUPS = r"\d{1,3}(,\d{3})+"
_DAY = r"\d{1,2}/\d{1,2}/\d{4}"

WHOLE = Kind("whole numbers", r"[+-]?(0|[1-9]\d{0,37})", "{c}")
NUMBER = Kind("numbers", rf"[+-]?({_PLAIN}(\.\d{{0,20}})?|\.\d{{1,20}})", "{c}")
MONEY = Kind(
    "numbers",
    rf"[+-]?{_SYMBOL}?\s?[+-]?(({_GROUPS}|{_PLAIN})(\.\d{{0,20}})?|\.\d{{1,20}})\s?{_SYMBOL}?|"
    + _IN_PARENTHESES.format(symbol=_SYMBOL, number=_POINTED),
    _BARE,
    changed=True,
)
COMMA = Kind(
    "numbers",
    rf"[+-]?{_SYMBOL}?\s?[+-]?(\d{{1,3}}(\.\d{{3}})+|{_PLAIN})(,\d{{1,20}})?\s?{_SYMBOL}?|"
    + _IN_PARENTHESES.format(symbol=_SYMBOL, number=_COMMAED),
    _COMMA,
    changed=True,
)
PERCENT = Kind("percentages", rf"[+-]?{_POINTED}\s?%", r"regexp_replace({c}, '[%,\s]', '', 'g')", changed=True)
COMMA_PERCENT = Kind(
    "percentages", rf"[+-]?{_COMMAED}\s?%", r"replace(regexp_replace({c}, '[%.\s]', '', 'g'), ',', '.')", changed=True
)
FLOAT = Kind("numbers", rf"[+-]?({_PLAIN}(\.\d*)?|\.\d+)([eE][+-]?\d{{1,3}})?", "try_cast({c} AS DOUBLE)")
DATE = Kind("dates", r"\d{4}-\d{2}-\d{2}", "try_cast({c} AS DATE)")
MOMENT = Kind("times", r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?", "try_cast(rtrim({c}, 'Z') AS TIMESTAMP)")
OFFSET = Kind("times", r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)", _UTC, changed=True)
DOTTED = Kind("dates", r"\d{1,2}\.\d{1,2}\.\d{4}", "CAST(try_strptime({c}, '%d.%m.%Y') AS DATE)", changed=True)
DAY_FIRST = Kind("dates", _DAY, "CAST(try_strptime({c}, '%d/%m/%Y') AS DATE)", changed=True)
MONTH_FIRST = Kind("dates", _DAY, "CAST(try_strptime({c}, '%m/%d/%Y') AS DATE)", changed=True)
TRUTH = Kind("true or false", r"(?i)(true|false)", "try_cast({c} AS BOOLEAN)")
KINDS = (WHOLE, NUMBER, MONEY, COMMA, PERCENT, COMMA_PERCENT, FLOAT, DATE, MOMENT, OFFSET, DOTTED, DAY_FIRST, TRUTH)
DIGITS = (WHOLE, NUMBER, MONEY, COMMA, PERCENT, COMMA_PERCENT)


_GROUPED = r"regexp_full_match(c, '[+-]?[1-9]\d{0,2}\.\d{3}')"


def quoted(name: str) -> str:
    """A name as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'


def _fits(kind: Kind) -> str:
    return f"regexp_full_match(c, '{kind.pattern}')"


def typed(connection: Any, raw: str, table: str, columns: list[str], decimal_comma: bool) -> list[str]:
    """Make `table` of `raw`, whose columns are text, with a type for each column. The notes on how cells were read."""
    notes: list[str] = []
    values = []
    for name in columns:
        value, told = _Column(connection, raw, name, decimal_comma).read()
        notes += told
        values.append(f"{value} AS {quoted(name)}")
    connection.execute(f"CREATE TABLE {quoted(table)} AS SELECT {', '.join(values)} FROM {raw}")  # noqa: S608  # quoted
    connection.execute(f"DROP TABLE {raw}")
    return notes


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of text on its way to a type."""

    connection: Any
    raw: str
    name: str
    decimal_comma: bool

    def read(self) -> tuple[str, list[str]]:
        """(the SQL of its typed values, notes)."""
        kind, note = self._candidate()
        return self._text(note) if kind is None else self._as(kind)

    @property
    def _cell(self) -> str:
        return f"trim({quoted(self.name)}, ' \t\r\n\u00a0')"

    def _text(self, note: str = "") -> tuple[str, list[str]]:
        return f"nullif({self._cell}, '')", [note] if note else []

    def _ask(self, what: str, *, of: str = "c", some: bool = False) -> tuple[Any, ...]:
        """One row about the cells `c` that hold something: `m` whether that only says "missing", `v` the value `of` it."""
        limit = f" WHERE {quoted(self.name)} IS NOT NULL LIMIT {SAMPLE}" if some else ""
        cells = f"(SELECT {self._cell} AS c FROM {self.raw}{limit})"  # noqa: S608  # names are quoted
        valued = f"(SELECT c, length(c) < 6 AND lower(c) IN {MISSING} AS m, {of} AS v FROM {cells} WHERE c <> '')"  # noqa: S608
        row: tuple[Any, ...] = self.connection.execute(f"SELECT {what} FROM {valued}").fetchone()  # noqa: S608
        return row

    def _candidate(self) -> tuple[Kind | None, str]:
        counts = self._ask(
            f"count(*) FILTER (NOT m), {', '.join(f'count(*) FILTER ({_fits(kind)})' for kind in KINDS)}, "
            "count(*) FILTER (contains(c, ','))",
            some=True,
        )
        total, fit, commas = counts[0], dict(zip(KINDS, counts[1:-1], strict=True)), counts[-1]
        if not total:
            return None, ""
        order = [COMMA, COMMA_PERCENT, *KINDS] if self.decimal_comma and commas else list(KINDS)
        kind = next((kind for kind in order if fit[kind] >= FIT * total), None)
        return self._slashed() if kind is DAY_FIRST else (kind, "")

    def _slashed(self) -> tuple[Kind | None, str]:
        """03/04/2026: which is the day is told by a number over 12, if there is one in the column."""
        split = "try_cast(string_split(c, '/')[{}] AS INTEGER)"
        first, second = self._ask(f"max({split.format(1)}), max({split.format(2)})")
        if (first or 0) > 12 and (second or 0) <= 12:
            return DAY_FIRST, ""
        if (second or 0) > 12 and (first or 0) <= 12:
            return MONTH_FIRST, ""
        return None, f"{self.name} has dates such as 03/04/2026, day or month first: they stay text"

    def _as(self, kind: Kind) -> tuple[str, list[str]]:
        exact = kind in DIGITS
        value, made = kind.value.format(c="c"), kind.value.format(c=self._cell)
        digits = (
            "max(length(ltrim(split_part(v, '.', 1), '+-'))), max(length(split_part(v, '.', 2)))" if exact else "0, 0"
        )
        codes = "count(*) FILTER (starts_with(c, '0') AND regexp_full_match(c, '0\\d+'))" if exact else "0"
        found = self._ask(
            f"count(*) FILTER (NOT m), count(v), {digits}, {codes}, any_value(c) FILTER (v IS NULL AND NOT m), "
            "count(*) FILTER (m), any_value(c) FILTER (m), any_value(c) FILTER (v IS NOT NULL AND CAST(v AS VARCHAR) <> c)",
            of=f"CASE WHEN {_fits(kind)} THEN {value} END" if exact else value,
        )
        total, fit, whole, places, code, odd, missing, word, seen = found
        if fit < FIT * total or code:  # 01234 is a code: as a number it would lose its zero
            return self._text()
        if exact:
            made = f"try_cast({made} AS {_number_type(whole or 1, places or 0)})"
        doubt = (
            kind is NUMBER
            and self.decimal_comma
            and places == 3
            and self._ask(f"count(*) FILTER ({_GROUPED})")[0] == fit
        )
        if doubt:  # 1.234 in a file with semicolons
            return made, [
                f"{self.name}: numbers such as {self._ask('any_value(c)')[0]} are read with a decimal point, not as thousands"
            ]
        return made, self._notes(kind, total - fit + missing, odd if total > fit else word, seen)

    def _notes(self, kind: Kind, empty: int, such: str | None, seen: str | None) -> list[str]:
        notes = []
        if kind.changed and seen is not None:
            asked = f"SELECT CAST({kind.value.format(c='c')} AS VARCHAR) FROM (SELECT ? AS c)"  # noqa: S608  # of our own
            read = self.connection.execute(asked, [seen]).fetchone()[0]
            unit = " percent" if kind in (PERCENT, COMMA_PERCENT) else " UTC" if kind is OFFSET else ""
            notes.append(f"{self.name}: {seen} is read as {read}{unit}")
        if empty:
            cells = f"{empty:,} cell{'' if empty == 1 else 's'} without {kind.name}"
            notes.append(f"{self.name}: {cells} (such as {such!r}) count{'s' if empty == 1 else ''} as empty")
        return notes


def _number_type(whole: int, places: int) -> str:
    """Exact, and wide enough that a product or a sum has room."""
    if not places and whole <= 18:
        return "BIGINT"
    if whole + places <= 18:
        return f"DECIMAL(18, {places})"
    return f"DECIMAL(38, {places})" if whole + places <= 38 else "DOUBLE"
