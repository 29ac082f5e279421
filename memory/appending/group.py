"""Group commit: what the runs of one event loop append in the same turn becomes one transaction, and no run waits on the loop.
May touch: the tables of rows.py, through a Store. Does not promise: an order between runs; within one run it is kept.

Nothing is acknowledged before it is on disk: a future is done once its transaction is. Where the database is free, the
transaction is made on the loop, at the end of its turn. Where another process holds it, the loop goes on and tries again until it
is free; where each commit waits for a disk or a server (`Store.slow`), a thread makes it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from outrider.memory.appending.commit import commit
from outrider.memory.appending.rows import Append, Head, Stored
from outrider.memory.events import Event
from outrider.memory.store import BUSY_S, Locked, Store

Settled = Callable[[Sequence[Stored], BaseException | None], None]
RETRY_S = 0.01  # a locked database is asked again so soon


class Waiting:
    """An append that waits for its transaction. `settled` is called on the loop once it is on disk, or failed."""

    __slots__ = ("append", "future", "settled")

    def __init__(self, append: Append, settled: Settled, future: asyncio.Future[None]) -> None:
        self.append, self.settled, self.future = append, settled, future


class GroupCommit:
    """The appends of all runs that one loop drives in one database."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store, self._loop = store, loop
        self._waiting: list[Waiting] = []
        self._busy = False  # a flush is planned or under way
        self._locked_since = 0.0

    def submit(
        self, head: Head, events: Sequence[Event], blobs: Mapping[str, bytes], settled: Settled
    ) -> asyncio.Future[None]:
        """Append to a run with the next transaction. Done when it is on disk; raises StoreError, LeaseLost."""
        future: asyncio.Future[None] = self._loop.create_future()
        future.add_done_callback(_seen)
        self._waiting.append(Waiting(Append(head, events, blobs), settled, future))
        self._plan()
        return future

    def _plan(self) -> None:
        if not self._busy and self._waiting:
            self._busy = True
            self._loop.call_soon(self._flush)

    def _take(self) -> list[Waiting]:
        """What goes into the next transaction: of each run what waits first, the rest of it with the next one."""
        heads, taken, left = set[int](), list[Waiting](), list[Waiting]()
        for one in self._waiting:
            (left if id(one.append.head) in heads else taken).append(one)
            heads.add(id(one.append.head))
        self._waiting = left
        return taken

    def _flush(self) -> None:
        taken = self._take()
        if self._store.slow:
            work = self._loop.run_in_executor(None, self._try, taken, True)
            work.add_done_callback(lambda done: self._settle(taken, done.result()))
            return
        try:
            failed = self._try(taken, wait=False)
        except Locked as locked:
            self._wait(taken, locked)
            return
        self._settle(taken, failed)

    def _wait(self, taken: list[Waiting], locked: Locked) -> None:
        """Put them back and try again soon; give up once the database was held for longer than a writer waits."""
        self._locked_since = self._locked_since or time.monotonic()
        if time.monotonic() - self._locked_since > BUSY_S:
            self._settle(taken, [locked] * len(taken))
            return
        self._waiting = taken + self._waiting
        self._loop.call_later(RETRY_S, self._flush)

    def _try(self, taken: Sequence[Waiting], wait: bool) -> list[BaseException | None]:
        """Commit all; what went wrong with each. Raises Locked. One that spoils the transaction fails alone."""
        appends = [one.append for one in taken]
        try:
            commit(self._store, appends, wait=wait)
        except Locked:
            raise
        except Exception as error:  # the database's, or an event that cannot be written
            return [error] if len(taken) == 1 else [e for one in taken for e in self._try([one], wait=True)]
        return [one.lost for one in appends]

    def _settle(self, taken: Sequence[Waiting], failed: Sequence[BaseException | None]) -> None:
        self._busy, self._locked_since = False, 0.0
        for one, error in zip(taken, failed, strict=True):
            try:
                if error is None:
                    one.append.landed()
                one.settled(() if error else one.append.stored, error)
            except BaseException as spoilt:  # whoever listens to the run; the run fails, not its neighbours
                error = error or spoilt
            if error is not None:
                self._fail_rest(one.append.head, error)
            if not one.future.done():
                one.future.set_exception(error) if error else one.future.set_result(None)
        self._plan()

    def _fail_rest(self, head: Head, error: BaseException) -> None:
        """What a run appended after something that is not on disk cannot follow it."""
        mine = [one for one in self._waiting if one.append.head is head]
        self._waiting = [one for one in self._waiting if one.append.head is not head]
        for one in mine:
            one.settled((), error)
            if not one.future.done():
                one.future.set_exception(error)


def _seen(future: asyncio.Future[Any]) -> None:
    """An error that nobody waits for any more was told to `settled`."""
    if not future.cancelled():
        future.exception()


def group_of(store: Store) -> GroupCommit:
    """The group of the running loop."""
    loop = asyncio.get_running_loop()
    group = store.groups.get(loop)
    if not isinstance(group, GroupCommit):
        group = store.groups[loop] = GroupCommit(store, loop)
    return group


async def until_free(store: Store) -> None:
    """Wait until no other process holds the database, without holding up the loop. Raises StoreError after a minute."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            with store.write(wait=False):
                return
        except Locked:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(RETRY_S)
