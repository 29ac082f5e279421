"""The budget of a fleet in this process: each request of each run is reserved from the slice its run has set aside, and the
slice grows in the database when it is used up. May touch: the fleet's tables.
Does not promise: that a provider keeps to what was reserved; what it reports beyond that is booked, as in a run's own ledger.

A run for which there is no room waits while others may still give something back; when every run waits, the last one to come
ends, by its own paid-for ending, and its slice is free for the others.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal

from outrider.agent.budget import ENDING_INPUT, ENDING_OUTPUT, Ledger, Spent
from outrider.agent.limits.purse import PeriodSpent
from outrider.memory.events import Amount
from outrider.memory.spending import fleet as table
from outrider.memory.spending.fleet import Fleet, Slice
from outrider.memory.store import Store

SLICES = 8  # of what each run at work could have, one is taken at a time
LOOK_S = 1.0  # another process may have given something back


class Pool:
    """What the runs of one fleet in this process share. jobs: how many of them are at work at once."""

    def __init__(self, store: Store, fleet: Fleet, jobs: int) -> None:
        self.store, self.fleet = store, fleet
        usd, tokens = fleet.limit.usd, fleet.limit.tokens
        many = jobs * SLICES
        self.usual = Slice(None if usd is None else usd / many, None if tokens is None else tokens // many)
        self.at_work = 0
        self.exhausted = False  # nothing is left for another run, and nobody can give anything back
        self._waiting = 0
        self._changed = asyncio.Event()

    async def room(self) -> bool:
        """Wait until there is room for one more run; False: nothing is left, and nobody is at work who could give back."""
        while not self.exhausted:
            left = table.left_of(self.store, self.fleet.id)
            if _covers(left, self.usual if self.at_work else _A_LITTLE):
                return True
            if not self.at_work:
                self.exhausted = True
            else:
                await self._a_change()
        return False

    async def enter(self, run_id: str, ledger: Ledger) -> Share | None:
        """A first slice for a run that this process holds; None: there is nothing left."""
        before = table.set_aside(self.store, self.fleet.id, run_id)
        spent = ledger.spent
        more = Slice(
            max(_A_LITTLE.usd or Decimal(0), spent.usd - (before.usd or 0)), max(1, spent.tokens - (before.tokens or 0))
        )
        self.at_work, share = self.at_work + 1, None
        try:
            if await self.grow(run_id, more) is not None:
                share = Share(self, run_id, table.set_aside(self.store, self.fleet.id, run_id), ledger)
        finally:  # also when it is cancelled while it waits
            if share is None:
                self.at_work -= 1
        return share

    async def grow(self, run_id: str, least: Slice) -> Slice | None:
        """More for a run at work; None: there is none, and nobody else at work who could give back."""
        while (got := table.take(self.store, self.fleet.id, run_id, least, self.usual)) is None:
            if self._waiting + 1 >= self.at_work:
                self.exhausted = True  # until one that is at work comes to its end and gives back
                return None
            self._waiting += 1
            try:
                await self._a_change()
            finally:
                self._waiting -= 1
        return got

    def leave(self, run_id: str, used: Slice, *, ended_well: bool) -> None:
        """A run is no longer at work: what it did not use is free for the others."""
        self.at_work -= 1
        if ended_well:
            self.exhausted = False
        table.keep(self.store, self.fleet.id, run_id, used)
        self._changed.set()

    def settle(self, run_id: str, spent: Spent) -> None:
        """A run that ended without giving back what it had set aside gives it back."""
        has = table.set_aside(self.store, self.fleet.id, run_id)
        if (has.usd or 0) > spent.usd or (has.tokens or 0) > spent.tokens:
            table.keep(self.store, self.fleet.id, run_id, Slice(spent.usd, spent.tokens))
            self._changed.set()

    async def _a_change(self) -> None:
        self._changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), LOOK_S)


_A_LITTLE = Slice(Decimal("1e-9"), 1)


def _covers(left: Slice, wanted: Slice) -> bool:
    enough_usd = left.usd is None or left.usd >= (wanted.usd or 0)
    return enough_usd and (left.tokens is None or left.tokens >= (wanted.tokens or 0))


class Share:
    """What one run (with its children) has set aside, and how much of it is used or reserved."""

    def __init__(self, pool: Pool, run_id: str, has: Slice, ledger: Ledger) -> None:
        self._pool, self._run_id, self._ledger = pool, run_id, ledger
        self._usd, self._tokens = has.usd or Decimal(0), has.tokens or 0
        spent = ledger.spent  # what the run has used before
        self._used_usd, self._used_tokens = spent.usd, spent.tokens
        self._open: list[Amount] = []

    async def reserve(self, amount: Amount, ending_usd: Decimal, *, ending: bool) -> None:
        """Hold the most that a request can cost. ending_usd: dollars to be left beside it. Raises PeriodSpent."""
        while (lacking := self._lacks(amount, ending_usd, ending=ending)) is not None:
            await self._grow(lacking, amount)  # looked at again: another request may have come between
        self._used_usd, self._used_tokens = self._used_usd + amount.usd, self._used_tokens + amount.tokens
        self._open.append(amount)

    def settle(self, cost: Amount) -> None:
        """Give back what the oldest open request did not cost; nothing is open: it was reserved by a process that died."""
        if self._open:
            open_ = self._open.pop(0)
            self._used_usd += cost.usd - open_.usd
            self._used_tokens += cost.tokens - open_.tokens

    def leave(self, *, ended_well: bool) -> None:
        """The run ended (well: not for want of this budget) or was left: what it did not use goes back."""
        spent = self._ledger.spent
        self._pool.leave(self._run_id, Slice(spent.usd, spent.tokens), ended_well=ended_well)

    def _lacks(self, amount: Amount, ending_usd: Decimal, *, ending: bool) -> Slice | None:
        """What has to be set aside beside what is; None: nothing."""
        usd, tokens = self._used_usd + amount.usd, self._used_tokens + amount.tokens
        limit = self._pool.fleet.limit
        if not ending:
            usd += min(ending_usd, (limit.usd or Decimal(0)) / 4)
            tokens += min(ENDING_INPUT + ENDING_OUTPUT, (limit.tokens or 0) // 4)
        least = Slice(max(Decimal(0), usd - self._usd), max(0, tokens - self._tokens))
        lacks = (limit.usd is not None and least.usd) or (limit.tokens is not None and least.tokens)
        return least if lacks else None

    async def _grow(self, least: Slice, amount: Amount) -> None:
        with self._ledger.waiting_for_a_person():  # waiting is not working
            got = await self._pool.grow(self._run_id, least)
        if got is None:
            left = table.left_of(self._pool.store, self._pool.fleet.id)
            unit = "usd" if left.usd is not None and left.usd < (least.usd or 0) else "tokens"
            of, what = (f"${left.usd:.4f}", f"${amount.usd:.4f}") if unit == "usd" else (left.tokens, amount.tokens)
            raise PeriodSpent(
                f"limits.batch.{unit}",
                f"the budget of the whole batch was reached: {of} of it is left, and the next request may cost {what} "
                "beside its ending",
            )
        self._usd += got.usd or Decimal(0)
        self._tokens += got.tokens or 0
