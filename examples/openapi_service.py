"""A web API as tools: python examples/openapi_service.py shop.json "Which orders are open?" [MODEL] [HOST …]

Every operation of the OpenAPI document becomes a typed tool. HOST allows a private or local server by name.
"""

from __future__ import annotations

import sys
from pathlib import Path

from outrider.agent import Agent, Budget
from outrider.tools.openapi.api_tools import read_api


def main(spec: str, goal: str, model: str = "starter", *hosts: str) -> None:
    api = read_api(Path(spec).read_text(encoding="utf-8"), "api")  # secret="NAME" signs every call
    for operation, why in api.left_out.items():
        print(f"left out: {operation}: {why}")
    agent = Agent(model=model, tools=api.tools, memory="sqlite:///runs.db", budget=Budget(steps=8), allowed_hosts=hosts)
    run = agent.run(goal)
    print(run.state, "·", run.answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
