"""LangChain: `create_agent` with `ChatOpenAI`. Keeps nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import drive
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def look(n: int) -> str:
    """Look at one thing."""
    return drive.looked(n)


class LangChain(drive.Subject):
    """See the module."""

    def _agent(self, url: str) -> Any:
        return create_agent(ChatOpenAI(model="m", base_url=url, api_key="x"), tools=[look], system_prompt=drive.SYSTEM)

    def run(self, url: str, steps: int, folder: Path) -> None:
        asked: Any = {"messages": [{"role": "user", "content": "look at everything"}]}
        done = self._agent(url).invoke(asked, {"recursion_limit": 10_000})
        drive.is_answer(done["messages"][-1].content)

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        async def all_of_them() -> None:
            agent = self._agent(url)
            asked: Any = {"messages": [{"role": "user", "content": "look at everything"}]}
            for done in await asyncio.gather(*(agent.ainvoke(asked, {"recursion_limit": 10_000}) for _ in range(runs))):
                drive.is_answer(done["messages"][-1].content)

        asyncio.run(all_of_them())


if __name__ == "__main__":
    drive.serve(LangChain())
