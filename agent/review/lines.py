"""What a transcript is made of: lines of styled text, made of foreign text that went through memory/text.py.
Touches nothing. Does not promise: a width; render.py wraps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown: lines of a call's arguments, lines and characters of a result or a thought."""

    call_lines: int
    result_lines: int
    chars: int
    answer: bool = True  # whether the answer's text is part of the transcript


LIVE = Detail(call_lines=1, result_lines=3, chars=600, answer=False)
SHOW = Detail(call_lines=12, result_lines=12, chars=2400)
FULL = Detail(call_lines=1 << 40, result_lines=1 << 40, chars=1 << 40)


def opening(run_id: str, at: str, goal: str, detail: Detail) -> list[Line]:
    """How the transcript of a run begins."""
    head: tuple[Part, ...] = (("outrider", "strong"), (f"  run {run_id}", "plain"))
    return [Line(head, right=local(at)), *row("goal", goal, "strong", detail)]


def row(name: str, text: str, style: Style, detail: Detail) -> Iterator[Line]:
    """A named line of a run's head, a few lines at most."""
    for number, line in enumerate(first_lines(text, min(detail.result_lines, 8), detail.chars)[0]):
        yield Line(((line, style),), ((f"  {name if number == 0 else '':8}", "dim"),))


def local(at: str) -> str:
    """The time of an event as people read it: "2026-11-28 01:30 IST"; what is no time stays as it is."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return at


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
