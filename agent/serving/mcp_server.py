"""Outrider as an MCP server: other programs hand it goals, search its memory, and use its tools, all under its own policy.
May touch: what a run may; nobody is there to ask, so what the policy asks about is refused.
Does not promise: a budget beyond the one it was started with; each `run` gets at most that.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from outrider.agent.agent import Agent
from outrider.agent.assemble import UNLIMITED
from outrider.agent.serving.mcp_session import Session
from outrider.agent.serving.stdin_pipe import stdin_that_ends
from outrider.agent.version import VERSION
from outrider.memory.errors import OutriderError
from outrider.tools.tool import Observation, Tool, ToolContext, tool

RUN = {
    "type": "object",
    "properties": {
        "goal": {"type": "string", "description": "What to reach, in words."},
        "label": {"type": "string", "description": "A label to find the run by."},
        "steps": {
            "type": "integer",
            "minimum": 1,
            "description": "At most so many steps; never more than the server allows.",
        },
    },
    "required": ["goal"],
    "additionalProperties": False,
}
BELONG_TO_A_RUN = ("note", "plan", "ask_user", "delegate", "find_tool")  # mean nothing in a single call
RUN_SAYS = (
    "Work on a goal with Outrider's agent, inside its budget and policy, and return the answer with its evidence."
)


@tool(effect="read", fresh_s=0)
def recall(query: str, ctx: ToolContext, limit: int = 10) -> Observation:
    """Search every observation, answer and note of every stored run.

    query: words to look for
    limit: how many, 1 to 50
    """
    found = ctx.memory.search(query, limit=max(1, min(limit, 50))) if ctx.memory else []
    hits = [hit for hit in found if hit.get("run") != ctx.run_id]
    text = "\n".join(f"run {h['run']}, event {h['seq']}, {str(h['at'])[:16]}: {str(h['text'])[:500]}" for h in hits)
    return Observation(text or "nothing was found", origin="untrusted", private=("memory",) if hits else ())


class Offer:
    """What the server offers and how a call is answered. One a client; calls may come in at once."""

    def __init__(self, agent: Agent, tools: list[Tool], limits: dict[str, Any]) -> None:
        self._agent, self._limits = agent, limits
        own = ("run", "recall", *BELONG_TO_A_RUN)
        self._tools = (recall, *(one for one in tools if one.name not in own))
        self._session = Session(lambda: agent.store, agent.settings, self._tools)

    def listed(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(name, description, schema) of everything on offer."""
        return [("run", RUN_SAYS, RUN), *((t.name, t.description, t.parameters) for t in self._tools)]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        """(text, whether it worked). Never raises for anything a client sent."""
        try:
            return await self._run(arguments) if name == "run" else await self._session.call(name, arguments)
        except OutriderError as error:
            return self._session.masker.text(str(error)), False

    async def _run(self, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        goal, steps = str(arguments.get("goal") or ""), arguments.get("steps")
        limits = dict(self._limits)  # they go over the defaults
        if isinstance(steps, int) and steps > 0:
            limits["steps"] = min(steps, int(limits.get("steps") or UNLIMITED.steps or steps))
        label, trust = str(arguments.get("label") or "mcp"), self._session.trust()
        run = await self._agent.arun(goal, budget=limits, label=label, trust=trust)
        return json.dumps(run.as_json(), ensure_ascii=False, default=str), run.exit_code == 0

    async def aclose(self) -> None:
        """End the session, what its tools kept open, and the agent."""
        try:
            await self._session.aclose()
        finally:
            await self._agent.aclose()


async def serve_stdio(offer: Offer) -> int:
    """Serve one client on stdin and stdout until it goes, or a signal comes; returns the exit code. Raises StoreError."""
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server
    from mcp_types import CallToolResult, ListToolsResult, TextContent
    from mcp_types import Tool as Listed

    async def list_tools(context: Any, params: Any) -> Any:
        return ListToolsResult(
            tools=[Listed(name=name, description=says, input_schema=schema) for name, says, schema in offer.listed()]
        )

    async def call_tool(context: Any, params: Any) -> Any:
        text, ok = await offer.call(params.name, params.arguments or {})
        return CallToolResult(content=[TextContent(type="text", text=text)], is_error=not ok)

    server: Any = Server("outrider", version=VERSION, on_list_tools=list_tools, on_call_tool=call_tool)
    with stdin_that_ends() as end, _ending_on_signals(end) as came:
        try:
            async with stdio_server() as (read, write):
                await server.run(read, write, server.create_initialization_options())
        finally:
            await offer.aclose()
    return 128 + came[0] if came else 0


@contextmanager
def _ending_on_signals(end: Callable[[], None]) -> Iterator[list[int]]:
    """While inside, Ctrl-C and SIGTERM end the session as if its client had gone; the second one does not clear up."""
    loop, came = asyncio.get_running_loop(), list[int]()

    def told(number: int) -> None:
        if came:
            os._exit(128 + number)
        came.append(number)
        end()

    taken = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, ValueError, RuntimeError):  # not this platform, not this thread
            loop.add_signal_handler(number, told, number)
            taken.append(number)
    try:
        yield came
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
