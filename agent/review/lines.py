"""What a transcript is made of: lines of styled text, made of foreign text that went through memory/text.py.
Touches nothing. Does not promise: a width; render.py wraps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from outrider.memory.text import for_terminal

Style = Literal["plain", "dim", "strong", "tool", "good", "bad", "warn", "quote"]
Part = tuple[str, Style]


@dataclass(frozen=True, slots=True)
class Line:
    """One line before wrapping: `head` stays in its column, `body` wraps beside it, `right` stands at the right edge.

    `picture` is the digest of a PNG to show below it, where pictures can be shown.
    """

    body: tuple[Part, ...] = ()
    head: tuple[Part, ...] = ()
    right: str = ""
    picture: str = ""


def one_line(text: str, most: int = 100) -> str:
    """Foreign text in one line of at most `most` characters."""
    flat = " ".join(for_terminal(text[: most * 8]).split())
    return flat if len(flat) <= most and len(text) <= most * 8 else f"{flat[: most - 1]}…"


def first_lines(text: str, most_lines: int, most_chars: int) -> tuple[list[str], str]:
    """(the first lines of foreign text, what was left out in words or "")."""
    shown = for_terminal(text).strip("\n")
    kept = shown[:most_chars].split("\n")[:most_lines]
    lost = len(shown) - sum(map(len, kept)) - (len(kept) - 1)
    if lost <= 0:
        return kept, ""
    more = shown.count("\n") + 1 - len(kept)
    return kept, f"… {count(more, 'more line')}" if more else f"… {count(lost, 'more character')}"


def arguments_in_short(arguments: dict[str, Any], most: int = 100) -> str:
    """A call's arguments in one line: the only one bare, several as name=value."""
    if len(arguments) == 1:
        (value,) = arguments.values()
        return one_line(_value(value), most)
    return one_line(", ".join(f"{name}={_value(value)}" for name, value in arguments.items()), most)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value.strip().replace("\n", " ⏎ ")
    import json

    return json.dumps(value, ensure_ascii=False, default=str)


def duration(seconds: float) -> str:
    """12 ms, 3.4 s, 65 s, 12 min: as much as a person wants to know."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def dollars(usd: float) -> str:
    """$1.25, $0.0013, $0: never rounded to nothing."""
    return "$0" if usd == 0 else f"${usd:.2f}" if usd >= 0.995 else f"${usd:.4f}" if usd >= 0.0001 else "<$0.0001"


def count(number: int, one: str) -> str:
    """1 step, 2 steps."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"
