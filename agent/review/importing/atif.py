"""The Agent Trajectory Interchange Format, any version 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from outrider.agent.review.importing.left_out import LeftOut, objects, parts_without_words
from outrider.agent.review.importing.turns import (
    CallTurn,
    Conversation,
    Turn,
    dollars_of,
    inside,
    object_of,
    text_of,
    usage_of,
)


def recognises(data: Any) -> bool:
    """It names its version."""
    return isinstance(data, dict) and str(data.get("schema_version", "")).startswith("ATIF-v1")


def read(data: dict[str, Any]) -> Iterator[Conversation]:
    """The trajectory."""
    one = Conversation("", [], source="atif", model=str(inside(data, "agent", "model_name") or "unknown"))
    subagents = objects(data.get("subagent_trajectories"), "subagent trajectory", one.left_out)
    for step in objects(data.get("steps"), "step", one.left_out):
        text = text_of(step.get("message"))
        one.left_out.update(parts_without_words(step.get("message")))
        if step.get("source") == "system":
            one.system = f"{one.system}\n{text}".strip()
        elif step.get("source") == "user" and not one.goal:
            one.goal = text
        elif step.get("source") == "user":
            one.turns.append(Turn(text, role="user"))
        else:
            thought = text_of(step.get("reasoning_content"))
            one.turns.append(
                Turn(text, _calls(step, one.left_out), usage=usage_of(step.get("metrics")), reasoning=thought)
            )
    one.usd = dollars_of(inside(data, "final_metrics", "total_cost_usd"))
    one.ended = text_of(data.get("notes"))[:400]
    yield one
    for below in subagents:
        yield from read(below)


def _calls(step: dict[str, Any], left_out: LeftOut) -> list[CallTurn]:
    results = objects(inside(step, "observation", "results"), "result", left_out)
    calls = objects(step.get("tool_calls"), "tool call", left_out)
    by_id = {str(result.get("source_call_id")): text_of(result.get("content")) for result in results}
    if lost := len(by_id.keys() - {str(call.get("tool_call_id")) for call in calls}):
        left_out["result without a call"] += lost
    return [
        CallTurn(
            str(call.get("function_name", "")), object_of(call.get("arguments")),
            by_id.get(str(call.get("tool_call_id"))), id=str(call.get("tool_call_id", "")),
        )
        for call in calls
    ]  # fmt: skip
