"""Events of runs as they happen, for any number of listeners: from memory while this process drives the run, from the journal
otherwise. Touches the journal, to read. Does not promise: to hold a listener's place; it says from which event on.

Whoever comes back with the number of the last event it has gets exactly those after it.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import islice
from weakref import WeakValueDictionary

from outrider.memory.journal import Journal, Stored
from outrider.memory.lease import holder_lives
from outrider.memory.store import Store

KEPT = 256  # newest events of a run that is driven here
PAGE = 200
LOOK_S = 1.0  # at runs that another process drives
BEAT_S = 15.0  # a comment now and then, so that a dead connection is found


class Hub:
    """Tells listeners of what is committed in this process. taken_up: whether a run that nobody drives goes on by itself."""

    def __init__(self) -> None:
        self.taken_up: Callable[[Journal], bool] = lambda journal: False
        self._recent: dict[str, deque[Stored]] = {}
        self._news = WeakValueDictionary[str, asyncio.Event]()  # held by those who wait for it

    def on_event(self, stored: Stored) -> None:
        """An event was committed."""
        recent = self._recent.get(stored.run)
        if recent is None:
            recent = self._recent[stored.run] = deque(maxlen=KEPT)
        recent.append(stored)
        self._wake(stored.run)

    def ended(self, run_id: str) -> None:
        """This process does not drive the run any more."""
        self._recent.pop(run_id, None)
        self._wake(run_id)

    async def follow(self, store: Store, run_id: str, after: int) -> AsyncIterator[Stored | None]:
        """Events after `after`, as they are committed; None where a while nothing came. Ends when the run is over: nobody
        drives it, and it is not taken up again by itself.

        Raises UsageError for a run that is not there.
        """
        journal, quiet = await asyncio.to_thread(Journal.open_for_reading, store, run_id), 0.0
        while True:
            news = self._news.setdefault(run_id, asyncio.Event())
            found = self._from_memory(run_id, after)
            if found is None:
                found = await asyncio.to_thread(_page, journal, after)
            for stored in found:
                after, quiet = stored.seq, 0.0
                yield stored
            if found:
                continue
            if run_id not in self._recent and await asyncio.to_thread(self._is_over, journal, after):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), LOOK_S)
            quiet += LOOK_S
            if quiet >= BEAT_S:
                quiet = 0.0
                yield None

    def _from_memory(self, run_id: str, after: int) -> list[Stored] | None:
        """Those after `after`, if all of them are held here; None: the journal has to be asked."""
        recent = self._recent.get(run_id)
        if not recent or recent[0].seq > after + 1:
            return None
        return list(islice(recent, after + 1 - recent[0].seq, None))

    def _is_over(self, journal: Journal, after: int) -> bool:
        row = journal.current()
        if row["head_seq"] > after or holder_lives(row["holder"], row["beat"]):
            return False
        return not self.taken_up(journal)

    def _wake(self, run_id: str) -> None:
        if news := self._news.pop(run_id, None):
            news.set()


def _page(journal: Journal, after: int) -> list[Stored]:
    return list(islice(journal.read(after=after), PAGE))


def as_sse(stored: Stored) -> str:
    """One event as server-sent: its number is the id a client comes back with."""
    told = {"run": stored.run, "seq": stored.seq, "at": stored.at, "kind": stored.kind, "body": json.loads(stored.body)}
    return f"id: {stored.seq}\nevent: {stored.kind}\ndata: {json.dumps(told)}\n\n"
