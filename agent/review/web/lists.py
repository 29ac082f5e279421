"""Lists of runs for the viewer: those that fit a filter, the family of one run, and the plots of a comparison.
Touches the database, to read. Does not promise: a whole family of hundreds; it shows the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from outrider.agent.history.ends import reasons_of, state
from outrider.agent.review.comparison import MEASURES, Compared
from outrider.agent.review.page import grid
from outrider.memory.journal import Journal
from outrider.memory.run_index import Query, Row, below, opened, runs, the_run
from outrider.memory.store import Store

MOST_FAMILY, DEPTH = 60, 4


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in a list. usd: dollars."""

    id: str
    goal: str
    state: str
    steps: int
    usd: float
    model: str
    label: str
    created_at: str


def listed(store: Store, words: str, wanted: str, label: str) -> Iterator[Listed]:
    """The runs, newest first, whose goal, model or id holds `words`, in the state `wanted` ("": any), with the label."""
    reasons = reasons_of({wanted}) if wanted else None
    with opened(store.url.render_as_string(hide_password=False)) as ask:
        for row in runs(ask, label=label, reasons=reasons):
            one = _listed(row)
            if wanted in ("", one.state) and words.lower() in f"{one.goal} {one.model} {one.id}".lower():
                yield one


def _listed(row: Row) -> Listed:
    told = row.told
    return Listed(
        row.run_id, told.goal, state(told.reason, held=row.held), told.steps, float(told.usd), told.model, row.label,
        row.created_at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relative:
    """A run of the same family. what: "parent", "fork" or "child". depth: 0 beside the run, 1 below a child …"""

    what: str
    id: str
    goal: str
    state: str
    depth: int


def family(store: Store, journal: Journal) -> list[Relative]:
    """The parent of a run, then its forks and children, each followed by its own."""
    with opened(store.url.render_as_string(hide_password=False)) as ask:
        above = [_parent(ask, journal.parent)] if journal.parent else []
        return above + list(islice(_below(ask, journal.run_id, 0), MOST_FAMILY))


def _below(ask: Query, run_id: str, depth: int) -> Iterator[Relative]:
    for row, forked in below(ask, run_id):
        yield _relative(row, "fork" if forked else "child", depth)
        if depth < DEPTH:
            yield from _below(ask, row.run_id, depth + 1)


def _parent(ask: Query, run_id: str) -> Relative:
    found = the_run(ask, run_id)
    return _relative(found, "parent", 0) if found else Relative("parent", run_id, "(deleted)", "not_found", 0)


def _relative(row: Row, what: str, depth: int) -> Relative:
    return Relative(what, row.run_id, row.told.goal, state(row.told.reason, held=row.held), depth)


def plots(rows: Sequence[dict[str, Any]], found: Sequence[Compared]) -> list[tuple[str, str]]:
    """(title, SVG) of each measure by model, and of what each run cost and took, where there are two or more."""
    made = [
        (f"{name}, by model", [(row["model"], float(row[key]), say(row[key])) for row in rows])
        for key, name, say in MEASURES
    ]
    for key, name, say in MEASURES[3:]:
        values = [(run.id, float(getattr(run, key))) for run in found]
        made.append((f"{name} of each run", [(run_id, value, say(value)) for run_id, value in values]))
    return [(title, svg) for title, values in made if (svg := grid.drawn(title, values, longest=grid.NARROW))]
