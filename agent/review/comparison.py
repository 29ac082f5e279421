"""Many runs beside each other: what came of each, and by model how many succeeded, steps, cost, time (medians).
Touches the database, to read. Does not promise: that a difference between two models is more than chance; it counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from outrider.agent.history.ends import state
from outrider.agent.history.run_view import Run
from outrider.agent.review.lines import dollars, duration
from outrider.memory.run_index import opened, runs
from outrider.memory.store import Store

MEASURES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("share", "answered", lambda share: f"{share:.0%}"), ("steps", "steps", lambda n: f"{n:,.0f}"),
    ("tokens", "tokens", lambda n: f"{n:,.0f}"), ("usd", "cost", dollars), ("seconds", "time", duration),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared of a run. usd: dollars."""

    id: str
    goal: str
    state: str
    model: str
    steps: int
    tokens: int
    usd: float
    seconds: float


def of_run(run: Run) -> Compared:
    """A run that was read whole."""
    spent = run.spent
    return Compared(
        run.id, run.goal, run.state, run.model, spent.steps, spent.tokens, float(spent.usd), spent.seconds
    )  # fmt: skip


def of_label(store: Store, label: str) -> list[Compared]:
    """Every run of a label, oldest first, from the table of summaries; children are in what their parents spent."""
    with opened(store.url.render_as_string(hide_password=False)) as ask:
        rows = [(row, row.told) for row in runs(ask, label=label)] if label else []
    return [
        Compared(
            row.run_id, told.goal, state(told.reason, held=row.held), told.model, told.steps, told.tokens,
            float(told.usd), told.seconds,
        )
        for row, told in reversed(rows)
    ]  # fmt: skip


def by_model(found: Sequence[Compared]) -> Iterator[dict[str, Any]]:
    """A row for each model: model, runs, answered, share, states, and the medians of steps, tokens, usd and seconds."""
    groups: dict[str, list[Compared]] = defaultdict(list)
    for run in found:
        groups[run.model].append(run)
    for model, several in sorted(groups.items()):
        states: dict[str, int] = defaultdict(int)
        for run in several:
            states[run.state] += 1
        yield {
            "model": model,
            "runs": len(several),
            "answered": states["answered"],
            "share": states["answered"] / len(several),
            "states": dict(states),
            "steps": median(run.steps for run in several),
            "tokens": median(run.tokens for run in several),
            "usd": median(run.usd for run in several),
            "seconds": median(run.seconds for run in several),
        }
