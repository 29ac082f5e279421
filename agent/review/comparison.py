"""Many runs beside each other: what came of each, and by model how many succeeded, steps, cost, time (medians).
Touches the database, to read. Does not promise: that a difference between two models is more than chance; it counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from sqlalchemy import select

from outrider.agent.history.run_view import Run
from outrider.agent.review.lines import dollars, duration
from outrider.memory import schema
from outrider.memory.store import Store

MOST = 100_000
MEASURES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("share", "answered", lambda share: f"{share:.0%}"), ("steps", "steps", lambda n: f"{n:,.0f}"),
    ("tokens", "tokens", lambda n: f"{n:,.0f}"), ("usd", "cost", dollars), ("seconds", "time", duration),
)  # fmt: skip


def of_label(store: Store, label: str) -> list[str]:
    """The ids of the runs of a label, oldest first; children are in what their parents spent."""
    runs = schema.runs
    own = runs.c.parent.is_(None) | runs.c.fork_seq.is_not(None)
    with store.read() as db:
        query = select(runs.c.run_id).where(runs.c.label == label, own).order_by(runs.c.number)
        return list(db.scalars(query.limit(MOST)))


def by_model(found: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """A row for each model: model, runs, answered, share, states, and the medians of steps, tokens, usd and seconds."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in found:
        groups[run.model].append(run)
    for model, runs in sorted(groups.items()):
        states: dict[str, int] = defaultdict(int)
        for run in runs:
            states[run.state] += 1
        yield {
            "model": model,
            "runs": len(runs),
            "answered": states["answered"],
            "share": states["answered"] / len(runs),
            "states": dict(states),
            "steps": median(run.spent.steps for run in runs),
            "tokens": median(run.spent.tokens for run in runs),
            "usd": median(float(run.spent.usd) for run in runs),
            "seconds": median(run.spent.seconds for run in runs),
        }
