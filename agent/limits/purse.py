"""A run's way to the limits over time: what it is about to spend is booked in the database before it is sent.
May touch: the table of spending. Does not promise: to count a model whose price nobody knows; with a limit it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

from outrider.memory import spending
from outrider.memory.errors import UsageError
from outrider.memory.spending import PeriodLimit
from outrider.memory.store import Store


def _today() -> date:
    return datetime.now().astimezone().date()


class PeriodSpent(Exception):
    """A request does not fit a limit over time; `unit` is the limit's key, `why` the numbers."""

    def __init__(self, unit: str, why: str) -> None:
        super().__init__(unit)
        self.unit, self.why = unit, why


class Purse:
    """Books what one run (with its children) is about to spend, and gives back what it did not need."""

    def __init__(
        self, store: Store, run_id: str, label: str, model: str, limits: Sequence[PeriodLimit], *,
        priced: bool, today: Callable[[], date] = _today,
    ) -> None:  # fmt: skip
        self._store, self._run, self._label, self._model, self._today = store, run_id, label, model, today
        self._limits = [limit for limit in limits if limit.holds_for(label, model)]
        if self._limits and not priced:
            raise UsageError(
                f"{self._limits[0].name} needs a price, and none is known for {model}",
                "an unknown price counted as zero would make the limit meaningless",
                "give --price-in and --price-out (dollars per million tokens), or take the limit out",
            )
        self._open: list[tuple[Decimal, date]] = []

    def reserve(self, usd: Decimal, hold: Decimal = Decimal(0)) -> None:
        """Book the most a request can cost. hold: what must be left beside it, for the ending. Raises PeriodSpent."""
        if usd <= 0:
            self._open.append((Decimal(0), self._today()))
            return
        today = self._today()
        full = spending.reserve(
            self._store, self._run, self._label, self._model, usd, self._limits, today=today, hold=hold
        )
        if full is not None:
            limit = full.limit
            raise PeriodSpent(
                limit.name,
                f"the limit of {limit.name} was reached: ${full.left:.4f} of ${limit.usd} are left this {limit.per}, and the "
                f"next request may cost ${usd + hold:.4f} with its ending",
            )
        self._open.append((usd, today))

    def settle(self, cost: Decimal) -> None:
        """Give back what the oldest open request did not cost; nothing is open: it was booked by a process that died."""
        if not self._open:
            return
        usd, day = self._open.pop(0)
        if usd != cost:
            spending.give_back(self._store, self._run, self._label, self._model, usd - cost, today=day)
