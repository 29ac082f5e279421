"""`outrider compare`: many runs in one table, by model: how many succeeded, steps, cost, time, each with a bar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.review.lines import Line

BAR = 20  # columns of the longest bar


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
    from outrider.agent.review.comparison import by_model, of_label, of_run

    if not runs and label is None:
        raise UsageError("compare needs runs", "it got none", "outrider compare RUN RUN, or --label NAME")
    store = open_store(memory)
    found = [of_run(read_run(store, one)) for one in runs] if runs else of_label(store, str(label))
    if not found:
        say(f"no run has the label {label!r}")
        raise typer.Exit(2)
    rows = list(by_model(found))
    if json:
        out_json({"models": rows, "runs": [read_run(store, run.id).as_json() for run in found]})
    else:
        out_lines(_lines(rows))


def _lines(rows: list[dict[str, Any]]) -> Iterator[Line]:
    from outrider.agent.review.comparison import MEASURES
    from outrider.agent.review.lines import Line, count, one_line

    for row in rows:
        ends = ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in sorted(row["states"].items()))
        yield Line(((one_line(row["model"], 60), "strong"), (f"  {count(row['runs'], 'run')}: {ends}", "dim")))
        for key, name, say_it in MEASURES:
            most = 1.0 if key == "share" else max(one[key] for one in rows)
            yield _bar(name, row[key] / most if most else 0.0, say_it(row[key]))


def _bar(name: str, share: float, text: str) -> Line:
    from outrider.agent.review.lines import Line

    drawn = "█" * round(BAR * share)
    return Line(((f"{drawn:{BAR}} ", "tool"), (text, "plain")), ((f"  {name:9}", "dim"),))
