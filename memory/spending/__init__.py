"""What runs spent, by day, label and model, and limits over time: reserved in one transaction before money is spent.
May touch: the table `spending`, through a Store. Does not promise: to know what was spent under another database, or before
this table was there.

Dollars are kept as whole billionths, so that sums are exact; a fraction of one is rounded up. A day is the machine's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from sqlalchemy import Connection, func, insert, select, update

from outrider.memory.schema import spending
from outrider.memory.store import Store

NANO = Decimal(1_000_000_000)
LOCK = 0x0071DF  # PostgreSQL: who asks whether there is room, and takes it, is alone


@dataclass(frozen=True, slots=True)
class PeriodLimit:
    """Dollars a day or a month, of all runs, of those with a label, or of those with a model. name: its key, for people."""

    name: str
    usd: Decimal
    per: Literal["day", "month"]
    label: str | None = None
    model: str | None = None

    def holds_for(self, label: str, model: str) -> bool:
        """Whether a run with this label and model counts."""
        return self.label in (None, label) and self.model in (None, model)


@dataclass(frozen=True, slots=True)
class NoRoom:
    """A limit that forbids a reservation; `left` dollars of it are left."""

    limit: PeriodLimit
    left: Decimal


def reserve(
    store: Store,
    run_id: str,
    label: str,
    model: str,
    usd: Decimal,
    limits: Sequence[PeriodLimit],
    *,
    today: date,
    hold: Decimal = Decimal(0),
) -> NoRoom | None:
    """Book `usd` for a run, or say which limit has no room for it beside `hold` (a quarter of the limit at the most); atomic among processes."""  # fmt: skip
    with store.write() as db:
        if db.dialect.name != "sqlite":  # SQLite's write transaction is alone already
            db.execute(select(func.pg_advisory_xact_lock(LOCK)))
        for limit in limits:
            if limit.holds_for(label, model):
                left = limit.usd - _spent(db, limit, today)
                if usd + min(hold, limit.usd / 4) > left:
                    return NoRoom(limit, max(Decimal(0), left))
        _book(db, run_id, label, model, _nano(usd), today)
    return None


def give_back(store: Store, run_id: str, label: str, model: str, usd: Decimal, *, today: date) -> None:
    """Book what a request cost less than was reserved for it (or, negative, more). today: the day it was reserved."""
    with store.write() as db:
        _book(db, run_id, label, model, -int(usd * NANO), today)


def spent(store: Store, limit: PeriodLimit, today: date) -> Decimal:
    """Dollars that count against a limit now, open reservations included."""
    with store.read() as db:
        return _spent(db, limit, today)


def _spent(db: Connection, limit: PeriodLimit, today: date) -> Decimal:
    first = today if limit.per == "day" else today.replace(day=1)
    query = select(func.coalesce(func.sum(spending.c.nano_usd), 0)).where(spending.c.day >= first.isoformat())
    if limit.label is not None:
        query = query.where(spending.c.label == limit.label)
    if limit.model is not None:
        query = query.where(spending.c.model == limit.model)
    return Decimal(int(db.scalar(query) or 0)) / NANO


def _book(db: Connection, run_id: str, label: str, model: str, nano: int, today: date) -> None:
    mine = (
        (spending.c.run_id == run_id) & (spending.c.day == today.isoformat())
        & (spending.c.label == label) & (spending.c.model == model)
    )  # fmt: skip
    changed = db.execute(update(spending).where(mine).values(nano_usd=spending.c.nano_usd + nano))
    if not changed.rowcount:
        db.execute(
            insert(spending).values(run_id=run_id, day=today.isoformat(), label=label, model=model, nano_usd=nano)
        )


def _nano(usd: Decimal) -> int:
    return int((usd * NANO).to_integral_value(ROUND_CEILING))
