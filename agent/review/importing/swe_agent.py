"""SWE-agent's trajectories (`*.traj`): thought, action and observation of every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from outrider.agent.review.importing.turns import CallTurn, Conversation, Turn, text_of


def recognises(data: Any) -> bool:
    """A `trajectory` of steps with actions and observations."""
    steps = data.get("trajectory") if isinstance(data, dict) else None
    return isinstance(steps, list) and all(isinstance(s, dict) and "action" in s for s in steps[:3])


def read(data: dict[str, Any]) -> Iterator[Conversation]:
    """The run in the file."""
    info = data.get("info") if isinstance(data.get("info"), dict) else {}
    history = [m for m in data.get("history") or [] if isinstance(m, dict)]
    goal = next((text_of(m.get("content")) for m in history if m.get("role") == "user"), "")
    system = next((text_of(m.get("content")) for m in history if m.get("role") == "system"), "")
    turns = []
    for step in data["trajectory"]:
        if not isinstance(step, dict):
            continue
        said = text_of(step.get("thought") or step.get("response"))
        action = text_of(step.get("action")).strip()
        calls = [CallTurn("bash", {"command": action}, text_of(step.get("observation")))] if action else []
        turns.append(Turn(said, calls))
    yield Conversation(
        goal or str(data.get("environment") or ""), turns, system=system, source="swe-agent",
        ended=str((info or {}).get("exit_status") or ""), answer=text_of((info or {}).get("submission")),
    )  # fmt: skip
