"""pydantic-ai: `Agent` with `OpenAIChatModel`. Keeps nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import drive
from pydantic_ai import Agent, UsageLimits
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

NO_LIMIT = UsageLimits(request_limit=None)


def look(n: int) -> str:
    """Look at one thing."""
    return drive.looked(n)


class PydanticAI(drive.Subject):
    """See the module."""

    def _agent(self, url: str) -> Any:
        model = OpenAIChatModel("m", provider=OpenAIProvider(base_url=url, api_key="x"))
        return Agent(model, tools=[look], system_prompt=drive.SYSTEM)

    def run(self, url: str, steps: int, folder: Path) -> None:
        drive.is_answer(self._agent(url).run_sync("look at everything", usage_limits=NO_LIMIT).output)

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        async def all_of_them() -> None:
            agent = self._agent(url)
            for done in await asyncio.gather(
                *(agent.run("look at everything", usage_limits=NO_LIMIT) for _ in range(runs))
            ):
                drive.is_answer(done.output)

        asyncio.run(all_of_them())


if __name__ == "__main__":
    drive.serve(PydanticAI())
