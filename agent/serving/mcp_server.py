"""Outrider as an MCP server: other programs hand it goals, search its memory, and use its tools, all under its own policy.
May touch: what a run may; nobody is there to ask, so what the policy asks about is refused.
Does not promise: a budget beyond the one it was started with; each `run` gets at most that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from outrider.agent.agent import Agent
from outrider.agent.assemble import UNLIMITED
from outrider.agent.version import VERSION
from outrider.memory import recall
from outrider.memory.errors import OutriderError
from outrider.tools.policy import Policy
from outrider.tools.policy.reach import reach_of
from outrider.tools.tool import Tool, ToolContext, ToolError
from outrider.tools.toolbox import Toolbox

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
RECALL = {
    "type": "object",
    "properties": {"query": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 50}},
    "required": ["query"],
    "additionalProperties": False,
}
BELONG_TO_A_RUN = ("note", "plan", "ask_user", "delegate", "recall", "find_tool")  # mean nothing in a single call
OWN = {
    "run": (
        "Work on a goal with Outrider's agent, inside its budget and policy, and return the answer with its evidence.",
        RUN,
    ),
    "recall": ("Search every observation, answer and note of every stored run.", RECALL),
}


class Offer:
    """What the server offers and how a call is answered. One an agent; calls may come in at once."""

    def __init__(
        self, agent: Agent, tools: list[Tool], policy: Policy, context: ToolContext, limits: dict[str, Any]
    ) -> None:
        self._agent, self._policy, self._context, self._limits = agent, policy, context, limits
        self.toolbox = Toolbox([one for one in tools if one.name not in (*OWN, *BELONG_TO_A_RUN)])

    def listed(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(name, description, schema) of everything on offer."""
        own = [(name, says, schema) for name, (says, schema) in OWN.items()]
        return own + [(t.name, t.description, t.parameters) for t in self.toolbox.tools.values()]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        """(text, whether it worked). Never raises for anything a client sent."""
        try:
            if name == "run":
                return await self._run(arguments)
            if name == "recall":
                return await asyncio.to_thread(self._recall, arguments)
            return await self._tool(name, arguments)
        except OutriderError as error:
            return str(error), False

    async def _run(self, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        goal, steps = str(arguments.get("goal") or ""), arguments.get("steps")
        limits = dict(self._limits)  # they go over the defaults
        if isinstance(steps, int) and steps > 0:
            limits["steps"] = min(steps, int(limits.get("steps") or UNLIMITED.steps or steps))
        run = await self._agent.arun(goal, budget=limits, label=str(arguments.get("label") or "mcp"))
        return json.dumps(run.as_json(), ensure_ascii=False, default=str), run.exit_code == 0

    def _recall(self, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        limit = arguments.get("limit")
        query = str(arguments.get("query") or "")
        hits = recall.search(
            self._agent.store, query, limit=limit if isinstance(limit, int) and 0 < limit <= 50 else 10
        )
        return "\n".join(
            f"run {h.run}, event {h.seq}, {h.at[:16]}: {h.text[:500]}" for h in hits
        ) or "nothing was found", True

    async def _tool(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        prepared = self.toolbox.prepare(name, arguments)
        reach = reach_of(prepared.tool, prepared.effect, prepared.arguments)
        decision, why, _ = self._policy.decide(reach)
        if decision != "allow":
            raise ToolError(
                f"{name} was not run", f"{why} says {decision}, and nobody is there to ask", "use `run`, or allow it"
            )
        done = await self.toolbox.run(prepared, self._context, prepared.tool.timeout_s)
        return done.seen.text, done.seen.ok

    async def aclose(self) -> None:
        """End what the tools kept open, and the agent."""
        for value in self._context.scratch.values():
            if callable(close := getattr(value, "close", None)):
                await asyncio.to_thread(close)
        await self._agent.aclose()


async def serve_stdio(offer: Offer) -> None:
    """Serve one client on stdin and stdout until it goes."""
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
    try:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
    finally:
        await offer.aclose()
