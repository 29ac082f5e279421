"""A run as the chat messages of OpenAI's format, rebuilt from its events: what sft.py and atif.py write.
Touches nothing. Does not promise: the bytes that were sent; compaction and notes about the budget are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from outrider.agent.review.story import Step
from outrider.memory.events import Answered, Noted, Resumed, RunStarted


def messages(told: Iterable[Step]) -> list[dict[str, Any]]:
    """system?, user, then assistant and tool turns in order. Requests that failed are left out."""
    found: list[dict[str, Any]] = []
    for step in told:
        for stored in step.others:
            event = stored.event
            if isinstance(event, RunStarted):
                found += [{"role": "system", "content": event.system}] if event.system else []
                found.append({"role": "user", "content": event.goal})
            elif isinstance(event, Resumed) and event.changes.get("goal"):
                found.append({"role": "user", "content": str(event.changes["goal"])})
        found += _turn(step)
        found += [
            {"role": "user", "content": stored.event.text}
            for stored in step.others
            if isinstance(stored.event, Noted) and stored.event.by != "agent"
        ]
    return found


def _turn(step: Step) -> list[dict[str, Any]]:
    replied = step.replied
    if replied is None or replied.error or step.purpose not in ("step", "ending"):
        return []
    if not replied.calls:
        return [{"role": "assistant", "content": replied.text}] if replied.text.strip() else []
    returned = {call.call_id: call.returned for call in step.calls if call.returned}
    own: dict[str, Any] = {"role": "assistant", "content": replied.text, "tool_calls": []}
    turns = [own]
    for position, draft in enumerate(replied.calls):
        call_id = f"{step.number}.{position}"
        if call_id not in returned:
            continue
        function = {"name": draft.name, "arguments": arguments(draft.arguments)}
        own["tool_calls"].append({"id": call_id, "type": "function", "function": function})
        turns.append({"role": "tool", "tool_call_id": call_id, "name": draft.name, "content": returned[call_id].text})
    return turns if own["tool_calls"] else []


def arguments(text: str) -> dict[str, Any]:
    """What a model wrote, as an object; {} for what is none."""
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def tools(told: Iterable[Step]) -> list[dict[str, Any]]:
    """The tools the run had, as OpenAI's format describes them."""
    for step in told:
        for stored in step.others:
            if isinstance(stored.event, RunStarted):
                return [
                    {
                        "type": "function",
                        "function": {key: tool.get(key) for key in ("name", "description", "parameters")},
                    }
                    for tool in stored.event.tools
                ]
    return []


def answered(told: Iterable[Step]) -> Answered | None:
    """The last answer of a run."""
    found = None
    for step in told:
        for stored in step.others:
            if isinstance(stored.event, Answered):
                found = stored.event
    return found
