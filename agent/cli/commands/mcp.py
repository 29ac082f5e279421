"""`outrider mcp`: Outrider as an MCP server, for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from outrider.agent.cli.flags import Profile, RunFlags, takes

if TYPE_CHECKING:
    from outrider.agent.serving.mcp_server import Offer


@takes(RunFlags)
def command(flags: RunFlags, profile: Profile = None) -> None:
    """Serve MCP on stdin and stdout: `run` works on a goal, `recall` searches memory, and the tools can be called one by one.

    Nobody is there to ask: what the policy would ask about is refused, unless --yes names it. Each goal gets the budget
    given here. In the other program: {"mcpServers": {"outrider": {"command": "outrider", "args": ["mcp"]}}}
    """
    import asyncio

    from outrider.agent.serving.mcp_server import serve_stdio

    async def serve() -> int:
        return await serve_stdio(_offer(flags, profile))

    raise typer.Exit(asyncio.run(serve()))


def _offer(flags: RunFlags, profile: str | None) -> Offer:
    from outrider.agent.agent import Agent
    from outrider.agent.cli.given import budget_of, read_config, settings_of
    from outrider.agent.serving.mcp_server import Offer
    from outrider.tools.builtin import collect

    config = read_config(profile)
    settings = settings_of(flags, config)
    agent = Agent(flags.model or config.get("model"), memory=flags.memory, **settings)
    return Offer(agent, collect(agent.settings.tools, agent.settings.tools_from), budget_of(flags, config) or {})
