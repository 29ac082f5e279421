"""Tool calls that another program makes one by one over MCP, as a run of their own: masked, decided, recorded like any other.
May touch: what a run may; nobody is there to ask. Does not promise: that the program acts for a person; it may be led by what it read.

A session is a run without a model: it begins with the first call and ends when the program goes, or when a person stops it.
Policy and the rule of two go by what this session has read, `outrider show` tells what was called, `outrider undo` brings files
back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from outrider.agent import assemble as runs
from outrider.agent.act import run_decided
from outrider.agent.budget import Budget
from outrider.agent.driving import LISTEN_S, held
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import Limits, ModelFailure, Price, Reply, Request, Seen
from outrider.agent.permission import Left, decide, refused
from outrider.agent.run_secrets import masker_of
from outrider.agent.settings.run_settings import Settings
from outrider.memory.errors import UsageError
from outrider.memory.events import Answered, Event, Interrupted, Stopped, ToolReturned
from outrider.memory.store import Store
from outrider.tools.tool import Tool
from outrider.tools.toolbox import Prepared

GOAL = "(tools called over MCP by another program)"  # a program's words name no host and no file for a person
SHOWN = 200_000  # characters of a result; the program that asked decides what its own model is shown


MODEL = "mcp:client"  # what stands for one in the run of a session


class Nobody:
    """The model of a session: there is none, so there is nothing to ask and nothing to pay."""

    def __init__(self) -> None:
        self.name = MODEL
        self.limits = Limits(context=None)
        self.price: Price | None = Price(Decimal(0), Decimal(0), source="no model")

    async def reply(self, request: Request) -> Reply:
        """Raises ModelFailure: a session has no model to go on with."""
        raise ModelFailure(
            "there is no model", "a session of tool calls has none", "start a run with a goal of its own"
        )

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """Nothing is ever sent."""
        return 0

    async def aclose(self) -> None:
        """Nothing to close."""


class Session:
    """The calls of one client. Its run is made by the first of them, and held by a task of its own, whatever becomes of a call."""

    def __init__(self, store: Callable[[], Store], settings: Settings, tools: Sequence[Tool]) -> None:
        self._store, self._tools = store, tools
        self.masker = masker_of(settings)
        self._settings = replace(settings, model=MODEL, tools=(), tools_from=(), schema=None)
        self._beginning, self._one_by_one = asyncio.Lock(), asyncio.Lock()
        self._calls = self._at_work = 0
        self._gone = asyncio.Event()
        self._live: LiveRun | None = None
        self._holding: asyncio.Task[None] | None = None

    async def call(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        """(text, whether it worked). Raises OutriderError for a call that does not fit its tool, or that comes after a stop."""
        live = await self._begun()
        call = live.toolbox.prepare(name, arguments)
        async with self._one_by_one if call.tool.serial else nullcontext():
            if live.stopping:  # also while it waited for the one before it
                raise UsageError(f"{call.tool.name} was not called", f"this session was {live.stopping}",
                                 "tell the person; a new session begins when this server is started again")  # fmt: skip
            self._calls, self._at_work = self._calls + 1, self._at_work + 1
            try:
                returned = await _called(live, f"{self._calls}.0", call)
            finally:
                self._at_work -= 1
        return returned.text, returned.ok

    def trust(self) -> dict[str, Any]:
        """What a run begins with that this client asks for: what the session has read, and a goal no person wrote."""
        flags = self._live.state.flags if self._live else None
        return {
            "goal": GOAL,
            "untrusted": list(flags.untrusted) if flags else [],
            "private": list(flags.private) if flags else [],
        }

    async def _begun(self) -> LiveRun:
        async with self._beginning:
            if self._live is None:
                live = runs.start(self._store(), GOAL, self._settings, Nobody(), Budget(), extra=self._tools)
                live.observation_chars = SHOWN
                self._live, self._holding = live, asyncio.create_task(self._hold(live))
        return self._live

    async def _hold(self, live: LiveRun) -> None:
        """Keep the run until the client goes, or until it was stopped and no call is at work; then end it. Raises StoreError."""
        async with held(live):
            while not self._gone.is_set() and (self._at_work or not live.stopping):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._gone.wait(), LISTEN_S)
            await live.commit(*self._ending(live))

    def _ending(self, live: LiveRun) -> tuple[Event, ...]:
        if live.stopping:
            return (Interrupted(reason=live.stopping, elapsed_s=live.ledger.elapsed_s),)
        said = f"{self._calls} tool call{'' if self._calls == 1 else 's'} of another program, over MCP"
        return Answered(text=said), Stopped(reason="answered", elapsed_s=live.ledger.elapsed_s)

    async def aclose(self) -> None:
        """End the session's run, and what its tools kept open. Raises StoreError where its end could not be recorded."""
        self._gone.set()
        if self._holding is not None:
            await self._holding


async def _called(live: LiveRun, call_id: str, call: Prepared) -> ToolReturned:
    try:
        ready = await decide(live, call_id, call)
    except Left as left:
        ready = refused(live, call_id, call.tool.name, str(left))
    if isinstance(ready, ToolReturned):
        await live.commit(ready)
        return ready
    return await run_decided(live, ready)
