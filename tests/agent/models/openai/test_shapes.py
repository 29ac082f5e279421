"""Shapes of replies, streams, arguments, errors, windows and bills over loopback: whole runs, as a user makes them.

The tool ran exactly as often as it should, the answer is the answer, what was reported is booked, no key is stored.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.budget import Budget
from outrider.agent.models.openai.model import OpenAIModel
from outrider.memory.store import Store
from outrider.tools import tool
from tests.servers.openai_server import OpenAIServer, Seen
from tests.servers.shapes import ANSWERS, ARGUMENTS, KEY, REASONING, TEXT_CALLS, Shape
from tests.servers.wire_shapes import BILLS, ERRORS, STREAMS, UNKNOWN, WINDOWS

SHAPES = [*TEXT_CALLS, *ANSWERS, *REASONING, *ARGUMENTS, *STREAMS, *ERRORS, *BILLS]


class Place(StrEnum):
    ROME = "Rome"
    OSLO = "Oslo"


def tools(ran: list[str]) -> list[Any]:
    def note_down(name: str, **arguments: Any) -> str:
        given = {key: value for key, value in arguments.items() if value not in (None, "", False)}
        given |= {key: value for key, value in arguments.items() if key == "on" and value is not None}
        ran.append(f"{name}:{json.dumps(given, ensure_ascii=False)}" if given else name)
        return "done it"

    @tool
    def ping(note: str = "") -> str:
        """Say pong."""
        return note_down("ping", note=note)

    @tool(effect="write")
    def save(text: str) -> str:
        """Keep a text."""
        return note_down("save", text=text)

    @tool
    def count(n: int, on: bool | None = None) -> str:
        """Count to n."""
        return note_down("count", n=n, on=on)

    @tool
    def tag(tags: list[str]) -> str:
        """Set tags."""
        return note_down("tag", tags=tags)

    @tool
    def go(where: dict[str, str]) -> str:
        """Go there."""
        return note_down("go", where=where)

    return [ping, save, count, tag, go]


@pytest.mark.parametrize("shape", SHAPES, ids=[f"{shape.kind}: {shape.name}" for shape in SHAPES])
def test_shape_is_read_as_it_was_meant(shape: Shape, tmp_path: Path) -> None:
    """Whatever the dialect, the bytes or the failure."""
    ran: list[str] = []
    store = Store(f"sqlite:///{tmp_path / 'm.db'}")
    stream = bool(shape.stream) or (shape.stream is None and len(shape.name) % 2 == 0)
    behind = [] if shape.exit == 5 else [{"text": "done"}]
    with OpenAIServer([*shape.says, *behind]) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key=KEY, stream=stream)
        done = Agent(model=model, tools=tools(ran), memory=store, budget=Budget(seconds=60)).run("do it")
    stored = json.dumps([stored.event.model_dump(mode="json") for stored in done.events()], ensure_ascii=False)
    told = f"{done.answer} {done.detail}"
    assert sorted(ran) == sorted(shape.ran)
    assert done.exit_code == shape.exit, done.detail
    assert shape.answer is None or str(done.answer) == shape.answer
    assert KEY not in stored + told
    assert "Traceback" not in stored + told
    assert "Zq8rT2vLx9Wm4Kp7Yd3Hs6Nf1Bc5Jg0AeUiOoPQ" not in stored + told
    assert not shape.requests or len(server.requests) == shape.requests
    assert shape.words in told + stored + "".join(seen.body.decode() for seen in server.requests[1:])
    if shape.tokens is not None:
        assert done.spent.tokens == shape.tokens if shape.tokens != UNKNOWN else done.spent.tokens > 1000
    store.close()


@pytest.mark.parametrize("wording", WINDOWS)
def test_refusal_for_length_is_understood_or_found_out(wording: str, tmp_path: Path) -> None:
    """Fourteen results of 5.8 kB at 8,192 tokens, in words that nobody promised."""
    status, words = WINDOWS[wording]
    steps = [0]

    @tool
    def look(what: str) -> str:
        """Look at something."""
        return f"saw {what}: " + "lorem ipsum dolor sit amet consectetur " * 148

    def reply(seen: Seen) -> dict[str, Any]:
        prompt, limit = len(seen.body) // 4, seen.json["max_tokens"]
        if prompt + limit > 8192:
            said = words.format(window=8192, prompt=prompt, reply=limit, total=prompt + limit)
            return {"status": status, "body": {"error": {"message": said}}}
        steps[0] += 1
        usage = {"prompt_tokens": prompt, "completion_tokens": 20}
        return (
            {"text": "found it", "usage": usage}
            if steps[0] > 14
            else {"tool": "look", "arguments": {"what": f"{steps[0]}"}, "usage": usage}
        )

    store = Store(f"sqlite:///{tmp_path / 'm.db'}")
    with OpenAIServer([reply]) as server:
        model = OpenAIModel("m", base_url=server.base_url, api_key="x")
        done = Agent(model=model, tools=[look], memory=store).run("find the thing")
    store.close()
    assert (done.state, str(done.answer)) == ("answered", "found it"), done.detail
