"""openai-agents: `Runner` over chat completions, tracing off, its items kept by its SQLite session."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import drive
from agents import Agent, OpenAIChatCompletionsModel, Runner, SQLiteSession, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

set_tracing_disabled(True)


@function_tool
def look(n: int) -> str:
    """Look at one thing."""
    return drive.looked(n)


class OpenAIAgents(drive.Subject):
    """See the module."""

    def run(self, url: str, steps: int, folder: Path) -> None:
        self.many(url, steps, folder, 1)

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        async def one(agent: Any, number: int) -> None:
            session = SQLiteSession(f"run-{number}", folder / "session.db")
            done = await Runner.run(agent, "look at everything", max_turns=steps + 2, session=session)
            drive.is_answer(done.final_output)
            session.close()

        async def all_of_them() -> None:
            async with AsyncOpenAI(base_url=url, api_key="x") as client:
                model = OpenAIChatCompletionsModel("m", openai_client=client)
                agent = Agent(name="looker", instructions=drive.SYSTEM, model=model, tools=[look])
                await asyncio.gather(*(one(agent, number) for number in range(runs)))

        asyncio.run(all_of_them())


if __name__ == "__main__":
    drive.serve(OpenAIAgents())
