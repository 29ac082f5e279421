"""Lists runs, newest first: a table for people, JSON lines for programs.
May touch: reads the database, writes stdout. Does not promise: a table where nobody watches: there a line is as wide as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from outrider.agent.cli.listing.databases import NONE, asked
from outrider.agent.cli.output import out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.history.ends import RunState
    from outrider.agent.review.lines import Line, Part, Style
    from outrider.memory.run_index import Query, Row

NARROW = 84  # columns under which a run takes two lines
MOST_ANSWER = 2000  # characters of an answer in --json; `show --json` tells it whole
STYLES: dict[str, Style] = {
    "answered": "good", "partial": "warn", "not_found": "warn", "refused": "warn", "stuck": "warn", "interrupted": "warn",
    "failed": "bad", "invalid": "bad", "running": "tool",
}  # fmt: skip


def list_runs(
    state: Sequence[str] | None = None,
    label: str = "",
    model: str = "",
    since: str = "",
    grep: str = "",
    limit: int = 20,
    memory: str | None = None,
    json: bool = False,
) -> int:
    """Print the runs that fit; returns the exit code."""
    from outrider.agent.history.ends import reasons_of
    from outrider.memory.run_index import runs

    states = _states(state or [])
    with asked(memory) as ask:
        if ask is None:
            return 0
        reasons = reasons_of(states) if states else None
        found = runs(ask, label=label, model=model, since=since_of(since), words=grep, reasons=reasons)
        rows = islice((row for row in found if not states or state_of(row) in states), limit)
        shown = _show_json(ask, rows) if json else _show(list(rows))
    if not shown and not json:
        say("no run fits" if (states or label or model or since or grep) else NONE)
    return 0


def state_of(row: Row) -> RunState:
    """The state of a run of the list."""
    from outrider.agent.history.ends import state

    return state(row.told.reason, held=row.held)


def since_of(text: str) -> str:
    """The moment that `--since` means, UTC as it is stored; "" for none. Raises UsageError."""
    text = text.strip().lower()
    if not text:
        return ""
    number, unit = text[:-1], {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}.get(text[-1])
    try:
        if unit and number.isdigit() and len(number) < 6:
            return (datetime.now(UTC) - timedelta(**{unit: int(number)})).isoformat()
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.astimezone()).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text[:60]!r} is not a time", "it is neither a date nor a span", "say 2026-11-27, 12h, 7d or 4w"
        ) from None


def _states(given: Sequence[str]) -> set[str]:
    wanted = {word.strip().lower() for part in given for word in part.split(",") if word.strip()}
    if strange := wanted - set(STYLES):
        raise UsageError(
            f"there is no state {min(strange)[:40]!r}", "it is not in the list", f"there are {', '.join(STYLES)}"
        )
    return wanted


def _show_json(ask: Query, rows: Iterator[Row]) -> bool:
    shown = False
    for row in rows:
        shown = True
        out_json(as_json(ask, row))
    return shown


def as_json(ask: Query, row: Row) -> dict[str, Any]:
    """A run of the list as `--json` prints it. A long answer is cut, and `answer_chars` tells how long it is."""
    from outrider.agent.history.ends import EXIT_CODES
    from outrider.memory.run_index import answer_of

    told, state = row.told, state_of(row)
    answered = answer_of(ask, row)
    answer = str(answered.get("text", ""))
    spent = {"usd": float(told.usd), "tokens": told.tokens, "steps": told.steps, "seconds": round(told.seconds, 3)}
    return {
        "run": row.run_id, "goal": told.goal, "goals": told.goals, "state": state, "exit_code": EXIT_CODES[state],
        "stop_reason": told.reason or ("" if row.held else "interrupted"), "detail": told.detail, "answer": answer[:MOST_ANSWER],
        "answer_chars": len(answer), "citations": answered.get("citations", []), "unsupported": answered.get("unsupported", []), "label": row.label,
        "model": told.model, "created_at": row.created_at, "spent": spent | {"calls": told.calls},
    }  # fmt: skip


def columns() -> int:
    """How wide a table may be: the terminal's columns; where nobody watches, as wide as it is."""
    import shutil

    from outrider.agent.review.render import WIDEST

    return min(WIDEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 10_000


def _show(rows: list[Row]) -> bool:
    from outrider.agent.review.lines import Line

    if not rows:
        return False
    room = columns()
    if room < NARROW:
        for row in rows:
            out_lines(_in_two_lines(row, room))
        return True
    ids, labels = id_width(row.run_id for row in rows), min(16, max(len(row.label) for row in rows))
    label = f"{'label':{labels}}  " if labels else ""
    out_lines([Line(((f"{'run':{ids}}{'age':>6}  {'state':11}  {'steps':>5}  {'cost':>9}  {label}goal", "dim"),))])
    out_lines([_line(row, ids, labels, room) for row in rows])
    return True


def id_width(ids: Iterable[str]) -> int:
    """Columns for the longest of these run ids and the space behind it: those of a batch are longer than others."""
    return max([15, *(len(one) + 2 for one in ids)])


def _in_two_lines(row: Row, room: int) -> list[Line]:
    from outrider.agent.review.lines import Line, one_line

    state = state_of(row)
    head: tuple[Part, ...] = ((f"{row.run_id:{id_width([row.run_id])}}", "strong"), (state, STYLES[state]))
    return [Line(head), Line(((one_line(row.told.goal, max(10, room - 2)), "plain"),), (("  ", "plain"),))]


def _line(row: Row, ids: int, labels: int, room: int) -> Line:
    from outrider.agent.review.lines import Line, dollars, one_line

    state, told = state_of(row), row.told
    several = f" ({told.goals} goals)" if told.goals > 1 else ""
    taken = ids + 39 + (labels + 2 if labels else 0) + len(several)
    goal = one_line(told.goal, max(12, min(200, room - taken)))
    head: list[Part] = [
        (f"{row.run_id:{ids}}", "strong"), (f"{age(row.created_at):>6}  ", "dim"), (f"{state:11}  ", STYLES[state]),
        (f"{told.steps:5}  {dollars(float(told.usd)):>9}  ", "dim"),
    ]  # fmt: skip
    if labels:
        head.append((f"{one_line(row.label, labels):{labels}}  ", "tool"))
    return Line(((goal + several, "plain"),), tuple(head))


def age(at: str) -> str:
    """How long ago, short: 12 s, 5 m, 3 h, 2 d."""
    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
