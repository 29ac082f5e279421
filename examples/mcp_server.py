"""The tools of an MCP server in a run: here the public time server (pip install mcp-server-time).

python examples/mcp_server.py "What time is it in Tokyo when it is noon in Paris?"
"""

import sys
from pathlib import Path

from outrider.agent import Agent, Budget

SERVERS = Path(__file__).parent / "servers.json"  # the usual mcpServers; `read` says that its tools only read


def main(goal: str, model: str | None = None) -> None:
    """Answer the goal with the server's tools alone."""
    agent = Agent(model, tools=[], tools_from=(str(SERVERS),), budget=Budget(steps=8))
    run = agent.run(goal)
    print(run.state, "·", run.answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
