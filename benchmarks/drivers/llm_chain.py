"""llm: a chain of its OpenAI model with one tool, logged to its database when it has ended, as its program does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import drive
import sqlite_utils
from llm.default_plugins.openai_models import AsyncChat, Chat
from llm.migrations import migrate


def look(n: int) -> str:
    """Look at one thing."""
    return drive.looked(n)


def model_of(kind: Any, url: str) -> Any:
    """A model that is asked at `url`."""
    made = kind("m", model_name="m", api_base=url, supports_tools=True)
    made.key = "x"
    return made


class LLM(drive.Subject):
    """See the module."""

    def run(self, url: str, steps: int, folder: Path) -> None:
        database = sqlite_utils.Database(folder / "logs.db")
        migrate(database)
        model = model_of(Chat, url)
        asked: Any = {"system": drive.SYSTEM, "tools": [look], "chain_limit": 0, "stream": False}
        chain = model.conversation().chain("look at everything", **asked)
        drive.is_answer(chain.text())
        chain.log_to_db(database)
        database.close()

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        async def one(model: Any) -> None:
            asked: Any = {"system": drive.SYSTEM, "tools": [look], "chain_limit": 0, "stream": False}
            drive.is_answer(await model.conversation().chain("look at everything", **asked).text())

        async def all_of_them() -> None:
            model = model_of(AsyncChat, url)
            await asyncio.gather(*(one(model) for _ in range(runs)))

        asyncio.run(all_of_them())


if __name__ == "__main__":
    drive.serve(LLM())
