"""A run in the Agent Trajectory Interchange Format, version 1.4 (RFC 0001 of the Harbor project).
Touches the journal, to read. Does not promise: fields of later versions, which are optional there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from outrider.agent.history.run_view import read_run
from outrider.agent.review.export.conversation import arguments
from outrider.agent.review.story import Step, steps
from outrider.agent.version import VERSION
from outrider.memory.events import ModelReplied, RunStarted
from outrider.memory.journal import Journal

SCHEMA = "ATIF-v1.4"


def write(journal: Journal) -> Iterator[str]:
    """The trajectory as JSON."""
    run, told = read_run(journal.store, journal.run_id), list(steps(journal.read()))
    made = [one for step in told for one in _steps(step)]
    for number, one in enumerate(made, 1):
        one["step_id"] = number
    usage = [s.replied.usage for s in told if s.replied and s.replied.usage]
    metrics = {
        "total_prompt_tokens": sum(u.input_tokens for u in usage),
        "total_completion_tokens": sum(u.output_tokens for u in usage),
        "total_cached_tokens": sum(u.cached_tokens for u in usage),
        "total_cost_usd": float(run.spent.usd),
        "total_steps": len(made),
    }
    agent = {"name": "outrider", "version": VERSION, "model_name": run.model}
    trajectory = {
        "schema_version": SCHEMA, "session_id": run.id, "agent": agent, "steps": made, "final_metrics": metrics,
        "extra": {"state": run.state, "stop_reason": run.stop_reason},
    }  # fmt: skip
    yield json.dumps(trajectory, ensure_ascii=False, indent=2) + "\n"


def _steps(step: Step) -> Iterator[dict[str, Any]]:
    for stored in step.others:
        if isinstance(stored.event, RunStarted):
            if stored.event.system:
                yield {"step_id": 0, "timestamp": stored.at, "source": "system", "message": stored.event.system}
            yield {"step_id": 0, "timestamp": stored.at, "source": "user", "message": stored.event.goal}
    if step.replied and not step.replied.error:
        yield _agent_step(step, step.replied)


def _agent_step(step: Step, replied: ModelReplied) -> dict[str, Any]:
    made: dict[str, Any] = {"step_id": 0, "timestamp": step.at, "source": "agent", "message": replied.text}
    if reasoning := getattr(replied, "reasoning", ""):
        made["reasoning_content"] = reasoning
    calls = [call for call in step.calls if "/" not in call.call_id]
    if calls:
        drafts = {f"{step.number}.{n}": draft for n, draft in enumerate(replied.calls)}
        made["tool_calls"] = [
            {
                "tool_call_id": call.call_id,
                "function_name": call.tool,
                "arguments": call.called.arguments
                if call.called
                else arguments(drafts[call.call_id].arguments if call.call_id in drafts else ""),
            }
            for call in calls
        ]
        results = [{"source_call_id": c.call_id, "content": c.returned.text} for c in calls if c.returned]
        made["observation"] = {"results": results}
    if replied.usage:
        made["metrics"] = {
            "prompt_tokens": replied.usage.input_tokens,
            "completion_tokens": replied.usage.output_tokens,
            "cached_tokens": replied.usage.cached_tokens,
            "cost_usd": float(replied.cost.usd),
        }
    return made
