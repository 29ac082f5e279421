"""What became of one goal of a batch: a run, or why there is none. Reads the journal.
Does not promise: that a run which is not answered stays so; `--retry-failed`, or more budget, goes on with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from outrider.agent.answers.answer import Answer
from outrider.agent.fleet.lines import GoalLine
from outrider.agent.history.run_view import Run

NOT_STARTED, WRONG, LEFT = "not_started", "wrong", "interrupted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One goal of a batch. number: its line, from 1. run: None if there is none, and then `error` says why.

    before: whether it was done when the batch was started. same_as: the number of an earlier line that is the same goal.
    """

    number: int
    line: GoalLine | None
    run: Run | None = None
    error: str = ""
    without_run: str = NOT_STARTED
    before: bool = False
    same_as: int = 0

    @property
    def state(self) -> str:
        """The state of its run; of none: wrong (the line is no goal), not_started."""
        return self.run.state if self.run else self.without_run

    @property
    def answered(self) -> bool:
        """Whether the goal was reached."""
        return self.state == "answered"

    @property
    def spent(self) -> tuple[float, int]:
        """Dollars and tokens."""
        return (float(self.run.spent.usd), self.run.spent.tokens) if self.run else (0.0, 0)

    @property
    def id(self) -> str:
        """The id of its run, "" if there is none."""
        return self.run.id if self.run else ""

    @property
    def answer(self) -> Answer:
        """The answer of its run; empty if there is none."""
        return self.run.answer if self.run else Answer.of(None)

    @property
    def value(self) -> Any:
        """The answer as data, where data was asked for."""
        return self.run.value if self.run else None

    def as_json(self) -> dict[str, Any]:
        """The line of the results."""
        told: dict[str, Any] = {"line": self.number}
        if self.line is not None and self.line.id:
            told["id"] = self.line.id
        if self.line is not None:
            told["goal"] = self.line.goal
        told["state"] = self.state
        if self.same_as:
            told["same_as_line"] = self.same_as
        if self.run is None:
            return told | {"error": self.error}
        run = self.run
        told |= {"run": run.id, "answer": str(run.answer)}
        if run.schema is not None:
            told["value"] = run.value
        told |= {"detail": run.detail, "model": run.model, "spent": run.spent.as_json()}
        return told | ({"unsupported": list(run.answer.unsupported)} if run.answer.unsupported else {})
