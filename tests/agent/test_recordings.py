"""Recorded conversations driven through the loop, with their tools registered from Python: every result is the recorded one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.models.model import CallDraft, Reply, Request, Usage
from outrider.memory.events import ToolReturned
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify
from outrider.tools.tool import tool
from tests.agent.airline import READS, Airline, Recording, recordings
from tests.agent.helpers import Actor


def replies(recording: Recording) -> list[Reply]:
    """What the recorded model said, in order."""
    found = []
    for message in recording.messages:
        if message["role"] == "assistant":
            drafts = tuple(
                CallDraft(id=one["id"], name=one["function"]["name"], arguments=one["function"]["arguments"])
                for one in message.get("tool_calls") or ()
            )
            reason = "tool_calls" if drafts else "stop"
            usage = Usage(input_tokens=10, output_tokens=5)
            found.append(Reply(text=message["content"] or "", calls=drafts, usage=usage, finish_reason=reason))
    return found


async def drive(store: Store, recording: Recording) -> list[ToolReturned]:
    """The conversation as one run with a goal for each turn of the user; what the tools gave in it."""
    said = iter(replies(recording))

    def reply(request: Request) -> Reply:
        return next(said)

    airline = Airline()
    tools = [
        tool(
            effect="read" if name in READS else "write", fresh_s=0
        )(function)
        for name, function in airline.tools().items()
    ]  # fmt: skip
    agent = Agent(model=Actor(reply), tools=tools, memory=store)
    goals = [message["content"] for message in recording.messages if message["role"] == "user"]
    run = await agent.arun(goals[0])
    for goal in goals[1:]:
        run = await agent.afollow_up(run.id, goal)
    assert run.ended
    assert verify(Journal.open_for_reading(store, run.id)).ok
    events = (stored.event for stored in run.events())
    returned = [event for event in events if isinstance(event, ToolReturned)]
    return sorted(returned, key=lambda one: [int(part) for part in one.call_id.split(".")])


def same(recorded: str, returned: ToolReturned) -> bool:
    """Whether a result is the recorded one: text by text, JSON by value, an exception by its words."""
    if recorded.startswith("Error: ") and not returned.ok:
        return returned.text.endswith(recorded.removeprefix("Error: "))
    if recorded == returned.text:
        return True
    try:
        return bool(json.loads(recorded) == json.loads(returned.text))
    except ValueError:
        return False


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
def test_every_tool_result_is_the_recorded_one(store: Store, count: int) -> None:
    """Repeated ids, several calls at once, errors and odd characters: nothing is lost, doubled or put in another order."""
    calls = 0
    for recording in recordings(count):
        wanted = [message for message in recording.messages if message["role"] == "tool"]
        returned = asyncio.run(drive(store, recording))
        assert [one.tool for one in returned] == [message["name"] for message in wanted], recording.name
        wrong: list[Any] = [
            (message["content"], one.text)
            for message, one in zip(wanted, returned, strict=True)
            if not same(message["content"], one)
        ]
        assert not wrong, recording.name
        calls += len(wanted)
    assert calls > 5 * count
