"""Works on many goals in one process: some at once, each once, under one budget. START HERE for batches.
May touch: the journal, models and tools, by way of the runs it drives. Does not promise: to be alone; two processes may work on
the same batch, and each goal is driven by whoever took its lease first.

A goal's run has an id made from the batch and the goal, so what was done, and what was begun, is found again in the journal:
there is no other state. A run that ended is not driven again, one whose process died goes on where it stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select

from outrider.agent.assemble import RunEnded
from outrider.agent.driving import drive
from outrider.agent.fleet.lines import GoalLine, Item, Wrong
from outrider.agent.fleet.outcome import WRONG, Outcome
from outrider.agent.history.run_view import read_run
from outrider.agent.limits.pool import Pool
from outrider.agent.limits.rates import Gates
from outrider.agent.live_run import LiveRun
from outrider.memory import schema
from outrider.memory.errors import LeaseLost, OutriderError, RunExists, StoreError
from outrider.memory.lease import holder_lives
from outrider.memory.spending.fleet import Fleet
from outrider.memory.store import Store

PAGE = 200  # goals that are looked up at once
LOOK_S = 1.0  # between two looks at runs that another process drives
NO_ROOM = "the budget of the whole batch has no room for it"


class Runs(Protocol):
    """What an `Agent` does here."""

    @property
    def store(self) -> Store: ...
    async def prepare(self, goal: str, **changes: Any) -> LiveRun: ...
    async def prepare_resume(self, run_id: str, **changes: Any) -> LiveRun: ...
    async def prepare_follow_up(self, run_id: str, goal: str, **changes: Any) -> LiveRun: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says of a run. reason: why it stopped, "" if it has not. held: a process drives it."""

    reason: str
    held: bool


@dataclass(slots=True)
class Batch:
    """Goals being worked on. limits: of each goal, where its line says nothing else. jobs: runs at once."""

    agent: Runs
    fleet: Fleet
    jobs: int = 32
    limits: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    gates: Gates = field(default_factory=Gates)
    retry_failed: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    base: Path = Path()  # what the paths of a line are relative to
    live: dict[str, LiveRun] = field(default_factory=dict)  # those at work
    pool: Pool = field(init=False)
    stopping: bool = False
    _seen: dict[str, int] = field(default_factory=dict)
    _elsewhere: list[Item] = field(default_factory=list)
    _again: list[tuple[Item, int]] = field(default_factory=list)  # goals of an earlier line
    _queue: asyncio.Queue[Outcome | None] = field(init=False)

    def __post_init__(self) -> None:
        self.pool = Pool(self.agent.store, self.fleet, self.jobs)
        self._queue = asyncio.Queue(maxsize=max(self.jobs, 16))

    def stop(self) -> None:
        """Begin no other goal; those at work go on to their end."""
        self.stopping = True

    async def outcomes(self, goals: Iterable[Item | Wrong]) -> AsyncGenerator[Outcome]:
        """What becomes of each goal, as it is known. Raises StoreError where nothing can be kept; the same batch goes on later."""
        whole = asyncio.create_task(self._all(iter(goals)))
        try:
            while (outcome := await self._queue.get()) is not None:
                yield outcome
            await whole
        finally:
            whole.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await whole

    async def _all(self, goals: Iterator[Item | Wrong]) -> None:
        plan = self._plan(goals)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.jobs):
                    group.create_task(self._work(plan))
            await self._finish_elsewhere()
            for item, first in self._again:
                await self._queue.put(self._told(item, same_as=first))
            await self._queue.put(None)  # after every outcome: whoever reads slowly misses none
        except BaseException as failed:
            with suppress(asyncio.QueueFull):  # something is wrong, and whoever reads hears of it at once
                if self._queue.full():
                    self._queue.get_nowait()
                self._queue.put_nowait(None)
            if isinstance(failed, BaseExceptionGroup):
                raise failed.exceptions[0] from None
            raise

    def _plan(self, goals: Iterator[Item | Wrong]) -> Iterator[tuple[Item | Wrong, Known | None]]:
        """Each goal with what is known of its run, looked up a page at a time. Workers share it: it never waits."""
        while page := list(islice(goals, PAGE)):
            known = self._look([item for item in page if isinstance(item, Item)])
            for item in page:
                yield item, known.get(item.digest) if isinstance(item, Item) else None

    def _look(self, items: Sequence[Item]) -> dict[str, Known]:
        runs, told = schema.runs, schema.summaries
        ids = {self.run_id(item): item.digest for item in items}
        query = select(
            runs.c.run_id, runs.c.holder, runs.c.beat, runs.c.head_seq, told.c.reason, told.c.upto_seq
        ).outerjoin(told, told.c.number == runs.c.number)
        with self.agent.store.read() as db:
            rows = db.execute(query.where(runs.c.run_id.in_(ids))).mappings().all()
        return {
            ids[row["run_id"]]: Known(
                (row["reason"] or "") if row["upto_seq"] == row["head_seq"] else "",
                holder_lives(row["holder"], row["beat"]),
            )
            for row in rows
        }

    @property
    def at_work(self) -> int:
        """Goals at work."""
        return len(self.live)

    async def one(self, item: Item) -> Outcome | None:
        """What becomes of one goal, for somebody else who hands them out; None: another process is at it. Raises StoreError."""
        return await self._one(item, self._look([item]).get(item.digest))

    def run_id(self, item: Item) -> str:
        """The id of a goal's run, the same whenever the batch is started."""
        return f"{self.fleet.id}-{item.digest}"

    async def _work(self, plan: Iterator[tuple[Item | Wrong, Known | None]]) -> None:
        for item, known in plan:
            if self.stopping:
                return
            if isinstance(item, Wrong):
                await self._queue.put(Outcome(item.number, None, error=item.why, without_run=WRONG))
            elif first := self._seen.get(item.digest):
                self._again.append((item, first))
            else:
                self._seen[item.digest] = item.number
                if (outcome := await self._one(item, known)) is None:
                    self._elsewhere.append(item)
                else:
                    await self._queue.put(outcome)

    async def _finish_elsewhere(self) -> None:
        """Goals that another process was at: what it made of them, or, where it died, the rest of the work."""
        while self._elsewhere and not self.stopping:
            waiting, self._elsewhere = self._elsewhere, []
            known = self._look(waiting)
            for item in waiting:
                if (outcome := await self._one(item, known.get(item.digest))) is None:
                    self._elsewhere.append(item)
                else:
                    await self._queue.put(outcome)
            if self._elsewhere:
                await asyncio.sleep(LOOK_S)

    async def _one(self, item: Item, known: Known | None) -> Outcome | None:
        """One goal; None: another process is at it."""
        if known and known.held and self.run_id(item) not in self.live:
            return None
        if known and known.reason and not self._goes_on(known.reason):
            return self._done_before(item)
        if self.fleet.limited and not await self.pool.room():
            return self._told(item, error=NO_ROOM) if known else Outcome(item.number, item.line, error=NO_ROOM)
        try:
            live = await self._open(item, known)
        except RunEnded:
            return self._done_before(item)
        except LeaseLost:
            return None
        except StoreError:
            raise
        except OutriderError as error:
            return Outcome(item.number, item.line, error=f"{error.what}: {error.why}; {error.fix}")
        return await self._drive(item, live)

    def _done_before(self, item: Item) -> Outcome:
        """A run that had ended; where its process died right after, what it did not use is given back now."""
        outcome = self._told(item, before=True)
        if outcome.run and self.fleet.limited:
            self.pool.settle(outcome.run.id, outcome.run.spent)
        return outcome

    def _goes_on(self, reason: str) -> bool:
        """Whether a run that ended so is taken up: one that the batch's budget stopped, and on request one that failed."""
        return reason == "budget" or (self.retry_failed and reason != "answered")

    async def _open(self, item: Item, known: Known | None) -> LiveRun:
        line, run_id = item.line, self.run_id(item)
        changes = self._changes(line)
        limits = {**self.limits, **line.budget}
        if known is None:
            try:
                return await self.agent.prepare(line.goal, budget=limits, run_id=run_id, **changes)
            except RunExists:
                pass
            except StoreError:  # two made it at the same instant
                if not self._look([item]):
                    raise
        changes.pop("label", None)  # that of a run is set once
        try:
            return await self.agent.prepare_resume(run_id, budget=limits, **changes)
        except RunEnded:
            if not (known and self.retry_failed and known.reason != "answered"):
                raise
            return await self.agent.prepare_follow_up(run_id, line.goal, budget=limits, **changes)

    def _changes(self, line: GoalLine) -> dict[str, Any]:
        given = {
            "model": self.aliases.get(line.model, line.model) if line.model else None,
            "base_url": line.base_url,
            "workspace": str(self.base / line.workspace) if line.workspace else None,
            "tools": line.tools,
            "tools_from": tuple(str(self.base / file) for file in line.tools_from) if line.tools_from else None,
            "schema": line.schema_,
            "label": line.label or self.label or None,
        }
        return {name: value for name, value in given.items() if value is not None}

    async def _drive(self, item: Item, live: LiveRun) -> Outcome | None:
        run_id = live.journal.run_id
        live.turn = self.gates.for_run(live.model, live.ledger)
        error = ""
        if self.fleet.limited:
            try:
                live.share = await self.pool.enter(run_id, live.ledger)
            finally:  # also when it is cancelled while it waits
                if live.share is None:
                    with suppress(StoreError):  # then it runs out by itself
                        live.journal.release()
            if live.share is None:
                return self._told(item, error=NO_ROOM)
        self.live[run_id] = live
        try:
            await drive(live)
        except LeaseLost:
            return None
        except StoreError:
            raise
        except Exception as failure:  # a bug in one run is no reason to leave the others
            error = f"internal error: {type(failure).__name__}: {failure}"
        finally:
            self.live.pop(run_id, None)
            if live.share:
                self._leave(live)
        return self._told(item, error=error)

    def _leave(self, live: LiveRun) -> None:
        stopped = live.state.stopped
        with suppress(StoreError):
            if live.share:
                live.share.leave(ended_well=stopped is not None and not stopped.limit.startswith("limits.batch."))

    def _told(self, item: Item, *, error: str = "", before: bool = False, same_as: int = 0) -> Outcome:
        try:
            run = read_run(self.agent.store, self.run_id(item))
        except OutriderError as failure:
            return Outcome(item.number, item.line, error=error or failure.what, same_as=same_as)
        return Outcome(item.number, item.line, run, error=error, before=before, same_as=same_as)
