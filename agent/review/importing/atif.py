"""The Agent Trajectory Interchange Format, any version 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from outrider.agent.review.importing.turns import CallTurn, Conversation, Turn, dollars_of, object_of, text_of, usage_of


def recognises(data: Any) -> bool:
    """It names its version."""
    return isinstance(data, dict) and str(data.get("schema_version", "")).startswith("ATIF-v1")


def read(data: dict[str, Any]) -> Iterator[Conversation]:
    """The trajectory."""
    subagents = [one for one in data.get("subagent_trajectories") or [] if isinstance(one, dict)]
    agent = data.get("agent") if isinstance(data.get("agent"), dict) else {}
    one = Conversation("", [], source="atif", model=str((agent or {}).get("model_name") or "unknown"))
    for step in data.get("steps") or []:
        if not isinstance(step, dict):
            continue
        text = text_of(step.get("message"))
        if step.get("source") == "system":
            one.system = f"{one.system}\n{text}".strip()
        elif step.get("source") == "user" and not one.goal:
            one.goal = text
        elif step.get("source") == "user":
            one.turns.append(Turn(text, role="user"))
        else:
            thought = text_of(step.get("reasoning_content"))
            one.turns.append(Turn(text, _calls(step), usage=usage_of(step.get("metrics")), reasoning=thought))
    metrics = data.get("final_metrics")
    one.usd = dollars_of(metrics.get("total_cost_usd")) if isinstance(metrics, dict) else one.usd
    one.ended = text_of(data.get("notes"))[:400]
    yield one
    for below in subagents:
        yield from read(below)


def _calls(step: dict[str, Any]) -> list[CallTurn]:
    observation = step.get("observation")
    results = observation.get("results") if isinstance(observation, dict) else None
    by_id = {str(r.get("source_call_id")): text_of(r.get("content")) for r in results or [] if isinstance(r, dict)}
    return [
        CallTurn(
            str(call.get("function_name", "")), object_of(call.get("arguments")),
            by_id.get(str(call.get("tool_call_id"))), id=str(call.get("tool_call_id", "")),
        )
        for call in step.get("tool_calls") or []
        if isinstance(call, dict)
    ]  # fmt: skip
