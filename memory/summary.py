"""What a run comes to, in one row: told from its events alone, so it can be dropped and made again at any time.
Touches nothing; standard library only, so that a list of ten thousand runs opens quickly. Does not promise: more than a list
and its totals need; `run_view.read_run` tells a run whole.

A projection (docs/decisions/0016-a-table-of-summaries.md): kept by journal.py where a run begins, stops or goes on, made again
for old databases by a migration, and by readers for a run whose process died in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

TOLD = frozenset(
    ("run_started", "goal_given", "resumed", "model_asked", "model_replied", "tool_called", "child_ended", "interrupted", "stopped")
)  # fmt: skip
BOUNDARIES = frozenset(("run_started", "goal_given", "resumed", "interrupted", "stopped"))  # where a row is written
MOST_GOAL = 500  # characters of a goal that are kept
COLUMNS = (
    "goal", "model", "reason", "detail", "goals", "usd", "tokens", "steps", "calls", "seconds", "tools", "days", "upto_seq",
)  # fmt: skip


@dataclass(slots=True)
class Summary:
    """A run in short. reason: why it stopped, "" while it did not. usd: dollars, exact, as text. seconds: working time.

    tools: calls by tool. days: by day (UTC) and model the [dollars, tokens, steps] of that day.
    """

    goal: str = ""
    model: str = ""
    reason: str = ""
    detail: str = ""
    goals: int = 0
    usd: Decimal = Decimal(0)
    tokens: int = 0
    steps: int = 0
    calls: int = 0
    seconds: float = 0.0
    tools: dict[str, int] = field(default_factory=dict)
    days: dict[str, dict[str, tuple[str, int, int]]] = field(default_factory=dict)
    upto_seq: int = 0
    last_step: int = 0  # of the model; a retry is no other step

    def after(self, events: Iterable[tuple[int, str, str, str]]) -> Summary:
        """The summary after more events: (seq, at, kind, body as JSON) in order. This one stays as it is."""
        days = {day: dict(models) for day, models in self.days.items()}
        told = replace(
            self, tools=dict(self.tools), days=days
        )  # one copy, then changed in place: this is done at every commit
        for seq, at, kind, body in events:
            if kind in TOLD:
                _TELL[kind](told, at, _loads(body))
            told.upto_seq = seq
        return told

    def row(self) -> dict[str, Any]:
        """The values of its row."""
        return {
            "goal": self.goal, "model": self.model, "reason": self.reason, "detail": self.detail, "goals": self.goals,
            "usd": str(self.usd), "tokens": self.tokens, "steps": self.steps, "calls": self.calls, "seconds": self.seconds,
            "tools": json.dumps(self.tools), "days": json.dumps(self.days), "upto_seq": self.upto_seq,
        }  # fmt: skip


def _loads(body: str) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:  # somebody changed it; `verify` says so
        return {}
    return read if isinstance(read, dict) else {}


def _short(text: Any) -> str:
    """The beginning of a text in one line, in characters that every database holds."""
    plain = str(text)[: 4 * MOST_GOAL].replace("\0", "").encode("utf-8", "replace").decode()
    return " ".join(plain.split())[:MOST_GOAL]


def _started(told: Summary, at: str, body: dict[str, Any]) -> None:
    told.goal, told.model, told.goals = _short(body.get("goal", "")), _short(body.get("model", "")), 1


def _goal(told: Summary, at: str, body: dict[str, Any]) -> None:
    told.goal, told.goals, told.reason, told.detail = _short(body.get("goal", "")), told.goals + 1, "", ""


def _resumed(told: Summary, at: str, body: dict[str, Any]) -> None:
    changes = body.get("changes") or {}
    told.reason, told.detail, told.model = "", "", _short(changes.get("model") or told.model)
    if changes.get("goal"):
        told.goal = _short(changes["goal"])
    if changes.get("fork"):  # what the shared events cost was paid by the run they are from
        told.usd, told.tokens, told.steps, told.calls, told.seconds = Decimal(0), 0, 0, 0, 0.0
        told.tools, told.days = {}, {}


def _asked(told: Summary, at: str, body: dict[str, Any]) -> None:
    step = int(body.get("step", 0))
    new = body.get("purpose", "step") in ("step", "ending") and step != told.last_step
    _later(told, body)
    told.steps, told.last_step = told.steps + new, step
    _spend(told, at, Decimal(0), 0, int(new))


def _replied(told: Summary, at: str, body: dict[str, Any]) -> None:
    cost = body.get("cost") or {}
    usd, tokens = Decimal(str(cost.get("usd", 0))), int(cost.get("tokens", 0))
    _later(told, body)
    told.usd, told.tokens = told.usd + usd, told.tokens + tokens
    _spend(told, at, usd, tokens, 0)


def _called(told: Summary, at: str, body: dict[str, Any]) -> None:
    tool = str(body.get("tool", ""))
    told.calls += 1
    told.tools[tool] = told.tools.get(tool, 0) + 1


def _child(told: Summary, at: str, body: dict[str, Any]) -> None:
    cost = body.get("cost") or {}
    usd, tokens, steps = Decimal(str(cost.get("usd", 0))), int(cost.get("tokens", 0)), int(cost.get("steps", 0))
    told.usd, told.tokens, told.steps = told.usd + usd, told.tokens + tokens, told.steps + steps
    told.calls += int(cost.get("calls", 0))
    _spend(told, at, usd, tokens, steps)


def _interrupted(told: Summary, at: str, body: dict[str, Any]) -> None:
    _later(told, body)
    told.detail = _short(body.get("reason", ""))


def _stopped(told: Summary, at: str, body: dict[str, Any]) -> None:
    _later(told, body)
    told.reason, told.detail = _short(body.get("reason", "")), _short(body.get("detail", ""))


def _later(told: Summary, body: dict[str, Any]) -> None:
    told.seconds = max(told.seconds, float(body.get("elapsed_s", 0.0)))


def _spend(told: Summary, at: str, usd: Decimal, tokens: int, steps: int) -> None:
    if usd or tokens or steps:
        day = told.days.setdefault(at[:10], {})
        before = day.get(told.model, ("0", 0, 0))
        day[told.model] = (str(Decimal(before[0]) + usd), before[1] + tokens, before[2] + steps)


_TELL = {
    "run_started": _started,
    "goal_given": _goal,
    "resumed": _resumed,
    "model_asked": _asked,
    "model_replied": _replied,
    "tool_called": _called,
    "child_ended": _child,
    "interrupted": _interrupted,
    "stopped": _stopped,
}
