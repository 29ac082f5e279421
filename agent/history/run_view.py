"""A run as people and programs see it: what its events come to. Nothing is stored twice; this is computed again each time.
Touches: reads the journal. Does not promise: to be cheap for a list of thousands of long runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from outrider.agent.answers.answer import Answer
from outrider.agent.budget import Budget, Ledger, Spent
from outrider.agent.history.ends import EXIT_CODES, NO_ANSWER, RunState, state
from outrider.agent.state import State
from outrider.memory import schema
from outrider.memory.events import (
    Answered,
    Citation,
    Event,
    GoalGiven,
    Interrupted,
    Resumed,
    RunStarted,
    Stopped,
)
from outrider.memory.journal import Journal, Stored, find_run
from outrider.memory.lease import holder_lives
from outrider.memory.store import Store


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `state`: answered; partial (a budget was reached, or something of the goal is left out); not_found; refused
    (by the model, or what it needed was denied); stuck (it repeated itself); failed (the model could not do it, or could
    not be reached); interrupted (its process ended); running while a process drives it. `stop_reason` and `detail` say why."""

    id: str
    goal: str
    state: RunState
    stop_reason: str
    detail: str
    answer: Answer
    spent: Spent
    budget: Budget
    model: str
    created_at: str
    unfinished: str
    store: Store
    schema: dict[str, Any] | None = None  # the answer had to fit it
    kind: Any = None  # the Python type it had to be, where a program asked for one

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Each claim of the answer and the event that supports it."""
        return self.answer.citations

    @property
    def summary(self) -> bool:
        """Whether the answer is our own list of what was found, written because no model could."""
        return self.answer.startswith(NO_ANSWER)

    @property
    def ended(self) -> bool:
        """Whether it came to an end of its own, rather than being driven or left."""
        return self.state not in ("running", "interrupted")

    @property
    def value(self) -> Any:
        """The answer as data, where data was asked for and the answer is it: a value of `kind`, else plain JSON; else None."""
        if self.schema is None or not self.answer:
            return None
        from outrider.agent.structured.reading import check_of, read_answer

        value, wrong = read_answer(self.answer, check_of(self.schema))
        if wrong or self.kind is None:
            return value
        from pydantic import TypeAdapter, ValidationError

        try:
            return TypeAdapter(self.kind).validate_json(json.dumps(value))
        except ValidationError:
            return None

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        return EXIT_CODES[self.state]

    def events(self) -> Iterator[Stored]:
        """Everything that happened, in order."""
        return Journal.open_for_reading(self.store, self.id).read()

    def as_json(self) -> dict[str, Any]:
        """The one object `--json` prints."""
        return {
            "run": self.id,
            "goal": self.goal,
            "state": self.state,
            "exit_code": self.exit_code,
            "stop_reason": self.stop_reason,
            "detail": self.detail,
            "answer": str(self.answer),
            "citations": [c.model_dump() for c in self.citations],
            **({"value": self.value} if self.schema is not None else {}),
            "unsupported": list(self.answer.unsupported),
            "spent": self.spent.as_json(),
            "budget": self.budget.as_json(),
            "model": self.model,
            "created_at": self.created_at,
        }


def read_run(store: Store, run_id: str) -> Run:
    """A run by its id, part of it, or "last". Raises UsageError if there is no such run."""
    with store.read() as db:
        row = find_run(db, run_id)
    view = _Told()
    for stored in Journal.open_for_reading(store, row["run_id"]).read():
        view.add(stored.event)
    return view.run(store, row["run_id"], row["created_at"], holder_lives(row["holder"], row["beat"]))


def view_of(journal: Journal, told: State, ledger: Ledger, model: str) -> Run:
    """`read_run` of a run that this process drove to its end, without reading it again. Raises ValueError if it has none."""
    if told.started is None or told.stopped is None:
        raise ValueError(f"run {journal.run_id} has not ended")
    view = _Told()
    view.add(told.started)
    view.goal, view.model, view.budget = told.goal, model, Budget.of(ledger.budget.as_json())
    view.answered, view.stopped = told.answered, told.stopped
    spent = replace(ledger.spent, seconds=ledger.worked_s)  # as the events tell: the clock went on
    return view.run(journal.store, journal.run_id, journal.created_at, held=False, spent=spent)


def list_runs(store: Store, limit: int = 50) -> Iterator[Run]:
    """The newest runs first."""
    with store.read() as db:
        own = schema.runs.c.parent.is_(None) | schema.runs.c.fork_seq.is_not(
            None
        )  # children are shown by their parents
        query = select(schema.runs.c.run_id).where(schema.runs.c.head_seq > 0, own)
        ids = db.scalars(query.order_by(schema.runs.c.number.desc()).limit(limit)).all()
    for run_id in ids:
        yield read_run(store, run_id)


class _Told:
    """Folds events into what a `Run` says."""

    def __init__(self) -> None:
        self.goal = self.model = ""
        self.budget = Budget()
        self.ledger = Ledger(Budget(), None, clock=lambda: 0.0)  # a run that is over: its clock stands still
        self.answered: Answered | None = None
        self.stopped: Stopped | None = None
        self.interrupted = ""
        self.schema: dict[str, Any] | None = None

    def add(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.goal, self.model = event.goal, event.model
            asked_for = event.settings.get("schema")
            self.schema = asked_for if isinstance(asked_for, dict) else None
            self.budget, self.answered, self.stopped = Budget.of(event.budget), None, None
        elif isinstance(event, GoalGiven):
            self.goal, self.answered, self.stopped, self.interrupted = event.goal, None, None, ""
        elif isinstance(event, Resumed):
            self.model = str(event.changes.get("model") or self.model)
            self.goal = str(event.changes.get("goal") or self.goal)
            if isinstance(changed := event.changes.get("budget"), dict):
                self.budget = Budget.of(changed)
            self.answered, self.stopped, self.interrupted = None, None, ""
        elif isinstance(event, Answered):
            self.answered = event
        elif isinstance(event, Stopped):
            self.stopped = event
        elif isinstance(event, Interrupted):
            self.interrupted = event.reason
        self.ledger.add(event)

    def run(self, store: Store, run_id: str, created_at: str, held: bool, spent: Spent | None = None) -> Run:
        state, reason, detail = self._state(held)
        spent, most_s = spent or self.ledger.spent, self.budget.seconds
        if most_s is not None and spent.seconds > most_s:  # the clock is read after work was stopped at the limit
            spent = replace(spent, seconds=most_s)
        return Run(
            id=run_id,
            goal=self.goal,
            state=state,
            stop_reason=reason,
            detail=detail,
            answer=Answer.of(self.answered),
            spent=spent,
            budget=self.budget,
            model=self.model,
            created_at=created_at,
            unfinished=self.stopped.unfinished if self.stopped else "",
            store=store,
            schema=self.schema,
        )

    def _state(self, held: bool) -> tuple[RunState, str, str]:
        if self.stopped is None:
            now = state("", held=held)
            return now, "" if held else "interrupted", "" if held else self.interrupted or "its process ended"
        return state(self.stopped.reason, held=held), self.stopped.reason, self.stopped.detail
