"""`outrider runs`: what was run, newest first."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.output import out_json, out_lines, say
from outrider.memory.errors import NoDatabase, OldDatabase

if TYPE_CHECKING:
    from outrider.agent.history.run_view import Run
    from outrider.agent.review.lines import Line
    from outrider.memory.store import Store

NONE = 'no runs yet: outrider run "…" makes one'
STYLES = {
    "answered": "good",
    "partial": "warn",
    "not_found": "warn",
    "refused": "warn",
    "stuck": "warn",
    "interrupted": "warn",
    "failed": "bad",
    "running": "tool",
}


def command(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many.")] = 20,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """List runs, newest first; with --json one object a line."""
    from outrider.agent.history.run_view import list_runs

    try:
        store = open_store(memory)
    except NoDatabase:
        if memory or os.environ.get("OUTRIDER_MEMORY"):
            raise  # somebody named a place, and it is not there
        say(NONE)
        return
    none = True
    for run in list_runs(store, limit):
        none = False
        out_json(run.as_json()) if json else out_lines([_line(run)])
    if none and not json:
        say(NONE)


def open_store(memory: str | None, *, writing: bool = False) -> Store:
    """The database a command reads, or with `writing` changes. It is never made here, and migrated only with a word."""
    from outrider.agent.settings.config import default_memory
    from outrider.memory.store import Store, shown

    url = memory or default_memory()
    try:
        return Store(url, mode="use" if writing else "read")
    except OldDatabase:
        store = Store(url, mode="use")
        say(f"note: {shown(store.url)} was written by an earlier Outrider and was brought up to date")
        return store


def _line(run: Run) -> Line:
    from outrider.agent.review.lines import Line, count, dollars, one_line

    cost = f"  {dollars(float(run.spent.usd))}" if run.spent.usd else ""
    goal = one_line(run.goal, 60 if sys.stdout.isatty() else 200)
    return Line(
        ((f"{run.state:11}  ", STYLES[run.state]), (goal, "plain")),  # type: ignore[arg-type]
        ((f"{run.id}  ", "strong"), (f"{_age(run.created_at):>6}  ", "dim")),
        right=f"{count(run.spent.steps, 'step')}{cost}",
    )


def _age(at: str) -> str:
    """How long ago, short: 12 s, 5 min, 3 h, 2 d."""
    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
