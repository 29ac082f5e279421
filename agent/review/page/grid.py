"""Results that are tables: read back from their text, and drawn as bars where a column of labels has numbers beside it.
Touches nothing. Does not promise: to see every table; text that only looks like one stays text, and nothing is lost of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from outrider.agent.review.lines import one_line

ROWS, COLUMNS = 100, 30  # that are shown as a table
BARS = 24
NUMBER = re.compile(r"-?\$?\d[\d,]*(\.\d+)?%?")
COUNTED = re.compile(r"(over )?[\d,]+ rows?(, the first \d+)?:")
NAME, BAR, LINE = 190, 520, 24  # pixels
NARROW = 150  # of the longest bar, where several charts stand beside each other


@dataclass(frozen=True, slots=True)
class Grid:
    """A table in a text: `before` it and `after` it other lines."""

    names: list[str]
    rows: list[list[str]]
    before: str = ""
    after: str = ""

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers alone."""
        return [
            all(NUMBER.fullmatch(row[n]) or row[n] in ("", "NULL") for row in self.rows) for n in range(len(self.names))
        ]


def grid_in(text: str) -> Grid | None:
    """The table of a result: lines of cells parted by " | ", the first of them the names; None if it is none."""
    lines = text[:60_000].split("\n")
    start = next((n for n, line in enumerate(lines) if COUNTED.fullmatch(line.strip())), None)
    if start is None or start + 2 >= len(lines):
        return None
    names = lines[start + 1].split(" | ")
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        cells = line.split(" | ")
        if len(cells) != len(names) or len(rows) == ROWS:
            break
        rows.append(cells)
    if not rows or len(names) < 2 or len(names) > COLUMNS:
        return None
    rest = "\n".join(lines[start + 2 + len(rows) :]).strip("\n")
    return Grid(names, rows, "\n".join(lines[: start + 1]), rest)


def bars(grid: Grid) -> str:
    """A bar for each row: its first column of words, and its first column of numbers; "" where there is no such pair."""
    numeric = grid.numeric
    words = next((n for n, is_number in enumerate(numeric) if not is_number), None)
    number = next((n for n, is_number in enumerate(numeric) if is_number), None)
    if words is None or number is None:
        return ""
    label = f"{one_line(grid.names[number], 40)} by {one_line(grid.names[words], 40)}"
    return drawn(label, [(row[words], _value(row[number]), row[number]) for row in grid.rows])


def drawn(label: str, rows: Sequence[tuple[str, float, str]], *, longest: int = BAR) -> str:
    """Horizontal bars of (name, value, the value in words), the longest so many pixels; "" for fewer than two, more than BARS,
    or zeros alone."""
    most = max((abs(value) for _, value, _ in rows), default=0.0)
    if not most or not 2 <= len(rows) <= BARS:
        return ""
    bars = "".join(_bar(n, name, said, value / most * longest) for n, (name, value, said) in enumerate(rows))
    height, width = LINE * len(rows) + 6, NAME + longest + 90
    return (
        f'<svg class="barchart" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label)}">{bars}</svg>'
    )


def _bar(number: int, name: str, said: str, long: float) -> str:
    y = LINE * number + 4
    below, long = " below" if long < 0 else "", abs(long)
    return (
        f'<text class="name" x="{NAME - 8}" y="{y + 14}" text-anchor="end">{escape(one_line(name, 26))}</text>'
        f'<rect class="value{below}" x="{NAME}" y="{y}" width="{max(1.0, long):.1f}" height="{LINE - 6}" rx="2"/>'
        f'<text x="{NAME + long + 6:.1f}" y="{y + 14}">{escape(one_line(said, 16))}</text>'
    )


def _value(text: str) -> float:
    plain = text.replace(",", "").replace("$", "").replace("%", "")
    return float(plain) if NUMBER.fullmatch(text) else 0.0
