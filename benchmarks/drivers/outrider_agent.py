"""Outrider: the whole agent, with its journal on disk, policy, ledger and toolbox. `--provider`: only what reaches the model."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import drive

from outrider.agent import Agent, Budget
from outrider.tools import tool

WINDOW = 2_000_000  # tokens: no history is shortened, since none of the others shortens any


@tool(effect="read")
def look(n: int) -> str:
    """Look at one thing.

    n: which thing, from 0
    """
    return drive.looked(n)


class Outrider(drive.Subject):
    """See the module."""

    def _agent(self, url: str, steps: int, folder: Path, memory: str = "") -> Agent:
        memory = memory or f"sqlite:///{folder / 'memory.db'}"
        settings: dict[str, Any] = {"workspace": str(folder), "max_context": WINDOW}
        settings["budget"] = Budget(steps=steps + 5, seconds=3600)
        return Agent("openai:m", base_url=url, api_key="x", tools=[look], memory=memory, **settings)

    def run(self, url: str, steps: int, folder: Path) -> None:
        drive.is_answer(self._agent(url, steps, folder).run("look at everything").answer)

    def many(self, url: str, steps: int, folder: Path, runs: int, memory: str = "") -> None:
        agent = self._agent(url, steps, folder, memory)

        async def all_of_them() -> None:
            for run in await asyncio.gather(*(agent.arun("look at everything") for _ in range(runs))):
                drive.is_answer(run.answer)
            await agent.aclose()

        asyncio.run(all_of_them())

    def batch(self, url: str, steps: int, folder: Path, runs: int) -> None:
        """As `outrider batch -j` with as many jobs as goals."""
        agent = self._agent(url, steps, folder)

        async def all_of_them() -> None:
            goals = [f"look at everything, {n}" for n in range(runs)]
            ended = 0
            async for outcome in agent.batch(goals, jobs=runs):
                drive.is_answer(outcome.answer)
                ended += 1
            if ended != runs:
                raise RuntimeError(f"{ended} of {runs} goals were answered")
            await agent.aclose()

        asyncio.run(all_of_them())


class Provider(drive.Subject):
    """The provider alone: the same history, its encoding, its wire, its reading; nothing kept."""

    def run(self, url: str, steps: int, folder: Path) -> None:
        self._with(url, lambda model: self._one(model))

    def many(self, url: str, steps: int, folder: Path, runs: int) -> None:
        async def all_of_them(model: Any) -> None:
            await asyncio.gather(*(self._one(model) for _ in range(runs)))

        self._with(url, all_of_them)

    def stream(self, url: str, folder: Path) -> None:
        """One reply, streamed."""
        from outrider.agent.models.model import Message, Request

        pieces: list[str] = []

        async def one(model: Any) -> None:
            await model.reply(Request([Message("user", "go")], [], 20_000, on_text=pieces.append))

        self._with(url, one)

    @staticmethod
    async def _one(model: Any) -> None:
        from outrider.agent.models.model import CallDraft, Message, Request, ToolSpec

        specs = [ToolSpec(look.name, look.description, look.parameters)]
        messages = [Message("system", drive.SYSTEM), Message("user", "go")]
        while (reply := await model.reply(Request(messages, specs, 1000))).calls:
            made = tuple(
                CallDraft(id=f"{len(messages)}.{at}", name=c.name, arguments=c.arguments)
                for at, c in enumerate(reply.calls)
            )
            messages.append(Message("assistant", reply.text, made))
            messages += [Message("tool", drive.looked(len(messages)), call_id=call.id) for call in made]
        drive.is_answer(reply.text)

    @staticmethod
    def _with(url: str, work: Callable[[Any], Awaitable[None]]) -> None:
        from outrider.agent.models.openai.model import OpenAIModel

        async def go() -> None:
            model = OpenAIModel("m", base_url=url, api_key="x")
            try:
                await work(model)
            finally:
                await model.aclose()

        asyncio.run(go())


if __name__ == "__main__":
    drive.serve(Provider() if "--provider" in sys.argv else Outrider())
