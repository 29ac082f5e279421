"""A model that does what a test says, and the short way to run an agent with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from outrider.agent import Agent
from outrider.agent.budget import Budget
from outrider.agent.history.run_view import Run
from outrider.agent.models.model import CallDraft, Limits, ModelFailure, Price, Reply, Request, Seen, Usage, byte_bound
from outrider.memory.store import Store

Said = Reply | ModelFailure | BaseException | Callable[[Request], Reply]


class Actor:
    """A model that says `lines` in order, one a request, then the last for ever. Keeps what it was asked."""

    def __init__(
        self, *lines: Said, price: Price | None = None, context: int | None = None, delay_s: float = 0
    ) -> None:
        self.name = "actor:test"
        self.limits = Limits(context=context, max_output=1000)
        self.price = price or Price(input=Decimal(0), output=Decimal(0))
        self.lines = list(lines)
        self.asked: list[Request] = []
        self.delay_s = delay_s

    async def reply(self, request: Request) -> Reply:
        line = self.lines[min(len(self.asked), len(self.lines) - 1)]
        self.asked.append(request)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if isinstance(line, BaseException):
            raise line
        return line(request) if callable(line) else line

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        return byte_bound(request, seen)

    async def aclose(self) -> None:
        """Nothing to close."""

    def told(self, request: int = -1) -> list[str]:
        """The texts of the messages of one request, with what Outrider noted on them."""
        messages = self.asked[request].messages
        return [f"{message.text}\n{message.note}" if message.note else message.text for message in messages]


def call(name: str, arguments: str = "{}", id: str = "c") -> CallDraft:
    return CallDraft(id=id, name=name, arguments=arguments)


def calls(*drafts: CallDraft, text: str = "") -> Reply:
    return Reply(text=text, calls=drafts, usage=Usage(input_tokens=10, output_tokens=5), finish_reason="tool_calls")


def says(text: str) -> Reply:
    return Reply(text=text, usage=Usage(input_tokens=10, output_tokens=5))


def run(
    store: Store | str,
    model: Any,
    tools: Sequence[Any] = (),
    goal: str = "do it",
    workspace: Path | str = ".",
    budget: Budget | None = None,
    **more: Any,
) -> Run:
    """One run to its end."""
    agent = Agent(model=model, tools=tools, memory=store, budget=budget, workspace=str(workspace), **more)
    return agent.run(goal)


def observations(done: Run) -> list[str]:
    """What the model was shown of each call, in order."""
    return [s.event.text for s in done.events() if s.kind == "tool_returned"]  # type: ignore[attr-defined]
