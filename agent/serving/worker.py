"""Drives the runs that were given to the server: takes them in, some at once, and takes up those whose server died.
May touch: the journal, models and tools, by way of the runs. Does not promise: to be the only server of a database; a run
is driven by whoever took its lease.

A run that was given with a key has an id made of it, so giving it again finds the run there is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_hex
from typing import Any

from sqlalchemy import select

from outrider.agent.agent import Agent
from outrider.agent.assemble import RunEnded
from outrider.agent.driving import drive
from outrider.agent.fleet.lines import GoalLine
from outrider.agent.live_run import LiveRun
from outrider.agent.serving.following import Hub
from outrider.memory import schema
from outrider.memory.errors import LeaseLost, OutriderError, RunExists, UsageError
from outrider.memory.events import Interrupted
from outrider.memory.journal import Journal, Stored
from outrider.memory.lease import holder_lives
from outrider.memory.spending.fleet import short_digest

MOST_WAITING = 1000  # runs that were taken in and not begun
LOOK_S = 5.0  # between two looks for runs whose server died
LEAVE_S = 5.0  # that runs have to come to the end of a step when the server stops
STOPPED = "the server was stopped"
PREFIX = "s"  # of the ids of runs that were given to a server
_log = logging.getLogger("outrider.serve")


class Busy(OutriderError):
    """The server takes nothing in now."""


class Conflict(UsageError):
    """A key was used before, for another goal; or the run is not in a state for this."""


class Worker:
    """The runs of one server. jobs: driven at once. limits: of a run that names none."""

    def __init__(self, agent: Agent, jobs: int, hub: Hub) -> None:
        self.agent, self.jobs, self.hub = agent, jobs, hub
        self.live: dict[str, LiveRun] = {}  # taken in, and driven or waiting for it
        self._waiting: asyncio.Queue[LiveRun] = asyncio.Queue()
        self._given_up: dict[str, int] = {}  # runs that could not be taken up, and at which event
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        hub.taken_up = self.takes_up

    def start(self) -> None:
        """Begin to work; what a server that died has left is taken up first."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self.jobs)]
        self._tasks.append(asyncio.create_task(self._look_for_left()))

    async def close(self) -> None:
        """Leave every run after its step, or at once where that takes too long; the next start goes on."""
        self._closing = True
        for live in self.live.values():
            live.stop = live.stop or STOPPED
        until = asyncio.get_running_loop().time() + LEAVE_S
        while self.live and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110  (they leave one by one)
            await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for live in list(self.live.values()):  # taken in and never begun
            live.journal.release()
        await self.agent.aclose()

    async def submit(self, line: GoalLine, digest: str, key: str, settings: Mapping[str, Any]) -> tuple[str, bool]:
        """(the id of the run, whether it is new): on disk when this returns. Raises UsageError, Busy, Conflict, ModelUnavailable."""
        named = PREFIX + short_digest((key or token_hex(16)).encode("utf-8", "replace"), 10)
        run_id = f"{named}-{digest}"
        if key and (before := await asyncio.to_thread(self._with_key, named)):
            if before != run_id:
                raise Conflict(f"the key {key[:60]!r} was used for another goal", f"it is that of run {before}",
                               "give each goal a key of its own")  # fmt: skip
            return run_id, False
        self._refuse_when_full()
        try:
            live = await self.agent.prepare(line.goal, run_id=run_id, **settings)
        except RunExists:
            return run_id, False
        self._take_in(live)
        return run_id, True

    async def resume(self, run_id: str, limits: Mapping[str, Any]) -> None:
        """Go on with a run that was left or is out of budget. Raises UsageError, LeaseLost, Busy; Conflict if nothing is left to do."""
        if run_id in self.live:
            raise Conflict(f"run {run_id} is being driven", "this server does it", "wait for it")
        self._refuse_when_full()
        self._given_up.pop(run_id, None)
        try:
            self._take_in(await self.agent.prepare_resume(run_id, budget=dict(limits)))
        except RunEnded as error:
            raise Conflict(error.what, error.why, error.fix) from error

    def cancel(self, run_id: str, why: str) -> bool:
        """Leave a run that this server drives, after its step; False: it does not drive it."""
        live = self.live.get(run_id)
        if live is None:
            return False
        live.stop = live.stop or why
        return True

    def _refuse_when_full(self) -> None:
        if self._closing or self._waiting.qsize() >= MOST_WAITING:
            raise Busy("the server takes nothing in now", "it is stopping" if self._closing else f"{MOST_WAITING:,} runs wait",
                       "try again later")  # fmt: skip

    def _take_in(self, live: LiveRun) -> None:
        self.live[live.journal.run_id] = live
        live.on_event = self.hub.on_event
        self._waiting.put_nowait(live)

    def _with_key(self, named: str) -> str:
        runs = schema.runs
        query = select(runs.c.run_id).where(runs.c.run_id > f"{named}-", runs.c.run_id < f"{named}.")
        with self.agent.store.read() as db:
            return str(db.scalar(query.limit(1)) or "")

    async def _work(self) -> None:
        while True:
            live = await self._waiting.get()
            run_id = live.journal.run_id
            try:
                await drive(live)
            except LeaseLost:
                _log.info("run %s went on elsewhere", run_id)
            except OutriderError as error:
                _log.warning("run %s was left: %s", run_id, error.what)
            except Exception:
                _log.exception("run %s was left by a bug", run_id)
                self._given_up[run_id] = live.journal.head_seq
            finally:
                self.live.pop(run_id, None)
                self.hub.ended(run_id)

    async def _look_for_left(self) -> None:
        while True:
            try:
                for run_id, head in await asyncio.to_thread(self._left):
                    await self._take_up(run_id, head)
            except OutriderError as error:
                _log.warning("no look at the runs: %s", error.what)
            await asyncio.sleep(LOOK_S)

    async def _take_up(self, run_id: str, head: int) -> None:
        if run_id in self.live or self._given_up.get(run_id) == head or self._closing:
            return
        try:
            await self.resume(run_id, {})
            _log.info("run %s is taken up", run_id)
        except (LeaseLost, Busy):
            return
        except OutriderError as error:
            self._given_up[run_id] = head
            _log.warning("run %s cannot be taken up: %s (%s)", run_id, error.what, error.why)

    def _left(self) -> list[tuple[str, int]]:
        """(id, head) of runs given to a server that have not ended and that nobody drives, but those somebody stopped."""
        runs, told = schema.runs, schema.summaries
        query = select(runs, told.c.reason, told.c.upto_seq).outerjoin(told, told.c.number == runs.c.number)
        query = query.where(runs.c.run_id > PREFIX, runs.c.run_id < chr(ord(PREFIX) + 1), runs.c.parent.is_(None))
        open_ = (told.c.reason == "") & told.c.detail.in_(("", STOPPED))  # why it was interrupted, if it was
        query = query.where(told.c.reason.is_(None) | open_ | (told.c.upto_seq < runs.c.head_seq))
        with self.agent.store.read() as db:
            rows = db.execute(query).mappings().all()
        free = [row for row in rows if not holder_lives(row["holder"], row["beat"])]
        return [
            (row["run_id"], row["head_seq"])
            for row in free
            if self.takes_up(Journal.open_for_reading(self.agent.store, row["run_id"]))
        ]

    def takes_up(self, journal: Journal) -> bool:
        """Whether a run that nobody drives is one that this server goes on with, now or when it is started again."""
        if not journal.run_id.startswith(PREFIX) or journal.parent is not None:
            return False
        last = journal.tail(1)
        if not last or self._given_up.get(journal.run_id) == last[0].seq:
            return False
        return _goes_on(last[0])


def _goes_on(last: Stored) -> bool:
    """Whether a run whose last event is this is left in the middle, by no wish of anybody's."""
    event = last.event
    return last.kind != "stopped" and (not isinstance(event, Interrupted) or event.reason == STOPPED)
