"""SWE-agent's trajectories (`*.traj`): thought, action and observation of every step; of its demonstrations the history alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from outrider.agent.review.importing.left_out import LeftOut, objects
from outrider.agent.review.importing.turns import (
    CallTurn,
    Conversation,
    Turn,
    dollars_of,
    from_messages,
    inside,
    number_of,
    text_of,
)


def recognises(data: Any) -> bool:
    """A `trajectory` of steps with actions and observations, or a `history` of messages."""
    steps = data.get("trajectory") if isinstance(data, dict) else None
    if isinstance(steps, list) and steps:
        return all(isinstance(s, dict) and "action" in s for s in steps[:3])
    history = data.get("history") if isinstance(data, dict) else None
    return isinstance(history, list) and bool(history) and all(isinstance(m, dict) and "role" in m for m in history)


def read(data: dict[str, Any]) -> Iterator[Conversation]:
    """The run in the file."""
    left_out: LeftOut = Counter()
    history = [m for m in objects(data.get("history"), "message", left_out) if not _is_demo(m)]
    if not data.get("trajectory"):
        one = _from_history(history)
        one.left_out += left_out
        yield one
        return
    goal = next((text_of(m.get("content")) for m in history if m.get("role") == "user"), "")
    system = next((text_of(m.get("content")) for m in history if m.get("role") == "system"), "")
    turns = []
    for step in objects(data["trajectory"], "step", left_out):
        said = text_of(step.get("thought") or step.get("response"))
        action = text_of(step.get("action")).strip()
        took_s = number_of(step.get("execution_time"))
        seen = text_of(step.get("observation"))
        calls = [CallTurn("bash", {"command": action}, seen, wall_s=took_s)] if action else []
        turns.append(Turn(said, calls))
    yield Conversation(
        goal or str(data.get("environment") or ""), turns, system=system, source="swe-agent",
        ended=str(inside(data, "info", "exit_status") or ""), answer=text_of(inside(data, "info", "submission")),
        usd=dollars_of(inside(data, "info", "model_stats", "instance_cost")), model=_model(data), left_out=left_out,
    )  # fmt: skip


def _model(data: dict[str, Any]) -> str:
    """The model, where the file holds the configuration it was made with."""
    held: Any = data.get("replay_config")
    try:
        held = json.loads(held) if isinstance(held, str) else held
    except (ValueError, RecursionError):
        return "unknown"
    held = inside(held, "agent", "model", "name")
    return held if isinstance(held, str) and held else "unknown"


def _is_demo(message: dict[str, Any]) -> bool:
    """Whether a message only shows how such tasks are done: it stands before the goal."""
    told = message.get("role") == "user" and "--- DEMONSTRATION ---" in text_of(message.get("content"))[:2000]
    return bool(message.get("is_demo")) or told


def _from_history(history: list[dict[str, Any]]) -> Conversation:
    """Messages with tool calls; where there are none, each reply's `action` and the message after it."""
    one = from_messages(history, source="swe-agent")
    if any(turn.calls for turn in one.turns):
        return one
    actions = [text_of(m.get("action")).strip() for m in history if m.get("role") == "assistant"]
    turns: list[Turn] = []
    for turn in one.turns:
        if turn.role == "assistant":
            action = actions.pop(0) if actions else ""
            turn.calls = [CallTurn("bash", {"command": action})] if action else []
            turns.append(turn)
        elif turns and turns[-1].calls and turns[-1].calls[0].result is None:
            turns[-1].calls[0].result = turn.text
        else:
            turns.append(turn)
    one.turns = turns
    return one
