"""`outrider runs`: what was run, newest first."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.output import out, out_json, out_lines

if TYPE_CHECKING:
    from outrider.agent.history.run_view import Run
    from outrider.agent.review.lines import Line
    from outrider.memory.store import Store

STYLES = {"answered": "good", "partial": "warn", "stopped": "warn", "failed": "bad", "running": "tool"}


def command(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many.")] = 20,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """List runs, newest first; with --json one object a line."""
    from outrider.agent.history.run_view import list_runs

    store = open_store(memory)
    none = True
    for run in list_runs(store, limit):
        none = False
        out_json(run.as_json()) if json else out_lines([_line(run)])
    if none and not json:
        out('no runs yet: outrider run "…" makes one')


def open_store(memory: str | None) -> Store:
    """The database a command reads."""
    from outrider.agent.settings.config import default_memory
    from outrider.memory.store import Store

    return Store(memory or default_memory())


def _line(run: Run) -> Line:
    from outrider.agent.review.lines import Line, count, dollars, one_line

    cost = f"  {dollars(float(run.spent.usd))}" if run.spent.usd else ""
    goal = one_line(run.goal, 60 if sys.stdout.isatty() else 200)
    return Line(
        ((f"{run.state:9}", STYLES[run.state]), (goal, "plain")),  # type: ignore[arg-type]
        ((f"{run.id}  ", "strong"), (f"{_age(run.created_at):>5}  ", "dim")),
        right=f"{count(run.spent.steps, 'step')}{cost}",
    )


def _age(at: str) -> str:
    """How long ago, short: 12 s, 5 min, 3 h, 2 d."""
    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
