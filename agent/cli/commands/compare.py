"""`outrider compare`: many runs in one table, by model: how many succeeded, steps, cost, time, each with a bar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.history.run_view import Run
    from outrider.agent.review.lines import Line
    from outrider.memory.store import Store

BAR = 20  # columns of the longest bar
MOST = 100_000


def command(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN…", help="Runs; or use --label.", show_default=False)
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="TEXT", help="Every run of a label.", show_default=False)
    ] = None,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Compare runs: a row for each model with success, steps, tokens, cost and time (medians), and bars to see it."""
    from outrider.agent.history.run_view import read_run

    if not runs and label is None:
        raise UsageError("compare needs runs", "it got none", "outrider compare RUN RUN, or --label NAME")
    store = open_store(memory)
    found = [read_run(store, one) for one in (runs or _of_label(store, str(label)))]
    if not found:
        say(f"no run has the label {label!r}")
        raise typer.Exit(2)
    rows = list(_rows(found))
    if json:
        out_json({"models": rows, "runs": [run.as_json() for run in found]})
    else:
        out_lines(_lines(rows))


def _of_label(store: Store, label: str) -> list[str]:
    from sqlalchemy import select

    from outrider.memory import schema

    with store.read() as db:
        query = select(schema.runs.c.run_id).where(schema.runs.c.label == label).order_by(schema.runs.c.number)
        return list(db.scalars(query.limit(MOST)))


def _rows(found: list[Run]) -> Iterator[dict[str, Any]]:
    by_model: dict[str, list[Run]] = defaultdict(list)
    for run in found:
        by_model[run.model].append(run)
    for model, runs in sorted(by_model.items()):
        states: dict[str, int] = defaultdict(int)
        for run in runs:
            states[run.state] += 1
        yield {
            "model": model,
            "runs": len(runs),
            "answered": states["answered"],
            "states": dict(states),
            "steps": median(run.spent.steps for run in runs),
            "tokens": median(run.spent.tokens for run in runs),
            "usd": median(float(run.spent.usd) for run in runs),
            "seconds": median(run.spent.seconds for run in runs),
        }


def _lines(rows: list[dict[str, Any]]) -> Iterator[Line]:
    from outrider.agent.review.lines import Line, count, dollars, duration, one_line

    for row in rows:
        share = row["answered"] / row["runs"]
        ends = ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in sorted(row["states"].items()))
        yield Line(((one_line(row["model"], 60), "strong"), (f"  {count(row['runs'], 'run')}: {ends}", "dim")))
        yield _bar("answered", share, f"{share:.0%}")
        for key, say_it in (("steps", str), ("tokens", lambda n: f"{n:,.0f}"), ("usd", dollars), ("seconds", duration)):
            most = max(one[key] for one in rows)
            yield _bar(key, row[key] / most if most else 0.0, say_it(row[key]))


def _bar(name: str, share: float, text: str) -> Line:
    from outrider.agent.review.lines import Line

    drawn = "█" * round(BAR * share)
    return Line(((f"{drawn:{BAR}} ", "tool"), (text, "plain")), ((f"  {name:9}", "dim"),))
