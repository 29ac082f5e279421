"""One budget over many runs: each sets a slice of it aside before it spends, asks for more when that is used up, and gives
back what it did not need. May touch: the tables `fleets` and `fleet_shares`, through a Store.
Does not promise: that a run keeps to its slice; agent/limits/pool.py sees to that.

What is set aside is in the database, so the sum holds over processes and machines, and a run whose process died keeps its
slice until it is taken up again or ends.
"""

from __future__ import annotations

from base64 import b32encode
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from hashlib import blake2b

from sqlalchemy import Connection, func, insert, select, update

from outrider.memory import schema
from outrider.memory.run_index import told_so_far
from outrider.memory.spending import NANO
from outrider.memory.store import Store

LOCK = 0x0071E0  # PostgreSQL: who looks what is left, and takes it, is alone
NAME_LOCK = 0x0071E1


@dataclass(frozen=True, slots=True)
class Slice:
    """Dollars and tokens set aside, or limits; None: of that unit there is no limit."""

    usd: Decimal | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """Goals that share a budget. id: what the ids of their runs begin with. round: how often they were begun afresh."""

    id: str
    name: str
    round: int
    limit: Slice

    @property
    def limited(self) -> bool:
        """Whether there is a budget over all."""
        return self.limit.usd is not None or self.limit.tokens is not None


def short_digest(data: bytes, letters: int) -> str:
    """A name made of a digest: lower-case letters and digits."""
    return b32encode(blake2b(data, digest_size=20).digest()).decode().lower()[:letters]


def open_fleet(store: Store, name: str, limit: Slice, *, fresh: bool = False) -> Fleet:
    """The fleet of this name, made if there is none, with this limit from now on. fresh: another round, all goals again."""
    table = schema.fleets
    with store.write() as db:
        _alone(db, NAME_LOCK)
        last = db.scalar(select(func.max(table.c.round)).where(table.c.name == name))
        number = (last or 0) + (1 if fresh or last is None else 0)
        fleet = Fleet("b" + short_digest(f"{name}\n{number}".encode(), 6), name, number, limit)
        limits = {"nano_usd_limit": None if limit.usd is None else _nano(limit.usd), "tokens_limit": limit.tokens}
        if number != last:
            db.execute(insert(table).values(fleet=fleet.id, name=name, round=number, nano_usd=0, tokens=0, **limits))
        else:
            db.execute(update(table).where(table.c.fleet == fleet.id).values(**limits))
        if fleet.limited:
            _count_earlier(db, fleet.id)
    return fleet


def take(store: Store, fleet: str, run_id: str, least: Slice, usual: Slice) -> Slice | None:
    """Set more aside for a run: `usual` where there is so much, at least `least`; None, and nothing, where there is less."""
    with store.write() as db:
        _alone(db, LOCK)
        usd_left, tokens_left = _left(db, fleet)
        nano = _part(_nano(least.usd), _nano(usual.usd), usd_left)
        tokens = _part(least.tokens or 0, usual.tokens or 0, tokens_left)
        if nano is None or tokens is None:
            return None
        _add(db, fleet, run_id, nano, tokens)
    return Slice(Decimal(nano) / NANO, tokens)


def keep(store: Store, fleet: str, run_id: str, used: Slice) -> None:
    """What a run has used: the rest of what it set aside is given back (or, where it used more, booked)."""
    with store.write() as db:
        _alone(db, LOCK)
        nano, tokens = _share(db, fleet, run_id)
        _add(db, fleet, run_id, _nano(used.usd) - nano, (used.tokens or 0) - tokens)


def set_aside(store: Store, fleet: str, run_id: str) -> Slice:
    """What a run has set aside."""
    with store.read() as db:
        nano, tokens = _share(db, fleet, run_id)
    return Slice(Decimal(nano) / NANO, tokens)


def in_all(store: Store, fleet: str) -> Slice:
    """What all runs of the fleet have set aside or used."""
    table = schema.fleets
    with store.read() as db:
        nano, tokens = db.execute(select(table.c.nano_usd, table.c.tokens).where(table.c.fleet == fleet)).one()
    return Slice(Decimal(nano) / NANO, tokens)


def left_of(store: Store, fleet: str) -> Slice:
    """What of the limits nobody has set aside; None: no limit."""
    with store.read() as db:
        nano, tokens = _left(db, fleet)
    return Slice(None if nano is None else Decimal(nano) / NANO, tokens)


def _left(db: Connection, fleet: str) -> tuple[int | None, int | None]:
    """(billionths of a dollar, tokens) of the limits that nobody has set aside; None: no limit."""
    row = db.execute(select(schema.fleets).where(schema.fleets.c.fleet == fleet)).mappings().one()
    usd, tokens = row["nano_usd_limit"], row["tokens_limit"]
    return None if usd is None else usd - row["nano_usd"], None if tokens is None else tokens - row["tokens"]


def _share(db: Connection, fleet: str, run_id: str) -> tuple[int, int]:
    table = schema.fleet_shares
    row = db.execute(
        select(table.c.nano_usd, table.c.tokens).where(table.c.fleet == fleet, table.c.run_id == run_id)
    ).one_or_none()
    return (0, 0) if row is None else (row[0], row[1])


def _part(least: int, usual: int, left: int | None) -> int | None:
    """How much to take of one unit; None: there is too little. Without a limit it is only counted."""
    if left is None:
        return least
    return None if left < least or left < 0 else min(max(least, usual), left)


def _add(db: Connection, fleet: str, run_id: str, nano: int, tokens: int) -> None:
    table = schema.fleet_shares
    mine = (table.c.fleet == fleet) & (table.c.run_id == run_id)
    more = {"nano_usd": table.c.nano_usd + nano, "tokens": table.c.tokens + tokens}
    if not db.execute(update(table).where(mine).values(more)).rowcount:
        db.execute(insert(table).values(fleet=fleet, run_id=run_id, nano_usd=nano, tokens=tokens))
    whole = schema.fleets
    sums = {"nano_usd": whole.c.nano_usd + nano, "tokens": whole.c.tokens + tokens}
    db.execute(update(whole).where(whole.c.fleet == fleet).values(sums))


def _count_earlier(db: Connection, fleet: str) -> None:
    """Runs of the fleet that began while it had no limit count with what they have used."""
    runs, shares = schema.runs, schema.fleet_shares
    known = select(shares.c.run_id).where(shares.c.fleet == fleet)
    own = (runs.c.run_id > f"{fleet}-") & (runs.c.run_id < f"{fleet}.")
    query = select(runs.c.run_id, runs.c.number, runs.c.parent, runs.c.fork_seq).where(own, runs.c.run_id.not_in(known))
    for run_id, number, parent, fork_seq in db.execute(query).all():
        told = told_so_far(db, number, parent, fork_seq)
        _add(db, fleet, run_id, _nano(told.usd), told.tokens)


def _nano(usd: Decimal | None) -> int:
    return int(((usd or Decimal(0)) * NANO).to_integral_value(ROUND_CEILING))


def _alone(db: Connection, lock: int) -> None:
    if db.dialect.name != "sqlite":  # SQLite's write transaction is alone already
        db.execute(select(func.pg_advisory_xact_lock(lock)))
