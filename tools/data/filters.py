"""Conditions on rows, as people write them: `city = Oslo`, `amount > 10 and city != "New York"`.
Touches nothing.
Does not promise: `or`, brackets, arithmetic; python has those.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from outrider.tools.data.rows import number
from outrider.tools.tool import ToolError

_CONDITION = re.compile(
    r"^\s*(?P<column>.+?)\s*(?P<sign>==|!=|<>|<=|>=|=|<|>|\s(?:contains|is not|is)\s)\s*(?P<value>.*?)\s*$", re.DOTALL
)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MAX_SEEN = 200


@dataclass(slots=True)
class Condition:
    """One comparison. `seen` keeps some values of the column, to say what would have fitted."""

    column: str
    at: int
    sign: str
    value: str
    decimal_comma: bool
    seen: dict[str, None] = field(default_factory=dict)
    _number: Decimal | None = None

    def __post_init__(self) -> None:
        self._number = number(self.value, self.decimal_comma)

    def holds(self, row: Sequence[str]) -> bool:
        """Numbers compare as numbers when both sides are; an empty cell is less and greater than nothing."""
        cell = row[self.at].strip()
        if len(self.seen) < MAX_SEEN:
            self.seen[cell] = None
        if self.sign == "contains":
            return self.value.lower() in cell.lower()
        have = number(cell, self.decimal_comma) if self._number is not None else None
        if self.sign in ("=", "!="):
            same = cell == self.value or (have is not None and have == self._number)
            return same == (self.sign == "=")
        if self._number is not None:
            return have is not None and _ORDER[self.sign](have, self._number)
        return bool(cell) and _ORDER[self.sign](cell, self.value)


def parse(text: str, columns: Sequence[str], decimal_comma: bool) -> list[Condition]:
    """The conditions of `text`, joined by "and"; none for an empty text. Raises ToolError that says what would be right."""
    if not text.strip():
        return []
    pieces: list[str] = []
    for piece in re.split(r"\s+and\s+", text, flags=re.IGNORECASE):
        if pieces and not _CONDITION.match(piece):
            pieces[-1] += f" and {piece}"  # the "and" was part of a value
        else:
            pieces.append(piece)
    return [_condition(piece, columns, decimal_comma) for piece in pieces]


def _condition(piece: str, columns: Sequence[str], decimal_comma: bool) -> Condition:
    found = _CONDITION.match(piece)
    if not found:
        raise ToolError(
            f"the condition {piece!r} is not understood",
            "it has no comparison",
            'write for example "city = Oslo" or "amount > 10"',
        )
    sign = {"==": "=", "<>": "!=", "is": "=", "is not": "!="}.get(found["sign"].strip(), found["sign"].strip())
    column = _unquoted(found["column"])
    at = index_of(column, columns)
    return Condition(columns[at], at, sign, _unquoted(found["value"]), decimal_comma)


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'`" else text


def index_of(column: str, columns: Sequence[str]) -> int:
    """Where a column is, by its name; upper and lower case do not matter when that is unambiguous. Raises ToolError."""
    if column in columns:
        return columns.index(column)
    low = [name.strip().lower() for name in columns]
    if low.count(column.strip().lower()) == 1:
        return low.index(column.strip().lower())
    near = get_close_matches(column.lower(), low, n=1, cutoff=0.6)
    hint = f"did you mean {columns[low.index(near[0])]}? " if near else ""
    raise ToolError(
        f"there is no column {column!r}", "the table does not have it", f"{hint}the columns are {name_all(columns)}"
    )


def name_all(columns: Sequence[str]) -> str:
    """The columns' names in one line."""
    return ", ".join(columns[:40]) + (f" and {len(columns) - 40} more" if len(columns) > 40 else "")
