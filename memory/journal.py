"""The append-only events of one run: append, read, follow. START HERE for how a run is kept.
May touch: the tables `runs`, `events`, `blobs` and the full-text index, through a Store.
Does not promise: protection from somebody who can rewrite the whole database; the chain proves that nothing was
edited, inserted or cut by anything that did not recompute it.

One run has one writer at a time: whoever holds its lease. Each append names the writer's fence and the head it builds
on, in the same transaction, so a writer that lost its lease cannot add anything.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, text, update

from outrider.memory import schema
from outrider.memory.appending.commit import commit
from outrider.memory.appending.group import Settled, group_of
from outrider.memory.appending.rows import (
    Append,
    Head,
    Stored,
    chain,
    insert_rows,
    lease_lost,
    move_head,
    now,
    words_of,
    write,
)
from outrider.memory.errors import LeaseLost, RunExists, UsageError
from outrider.memory.events import Event
from outrider.memory.lease import holder_lives, holder_name
from outrider.memory.store import Store, run

__all__ = ["Journal", "Stored", "chain", "find_run", "new_run_id", "words_of"]

PAGE = 500
_LIMIT = 1 << schema.SEQ_BITS


class Journal:
    """The events of one run. Made by `create`, `open_for_writing` or `open_for_reading`.

    Appending is for one thread (the loop's) and for the holder of the lease; reading is for anyone.
    Raises LeaseLost when another process drives the run, StoreError when the database cannot be used.
    """

    def __init__(self, store: Store, row: Mapping[str, Any] | RowMapping, *, fence: int | None) -> None:
        self.store = store
        self.run_id: str = row["run_id"]
        self.created_at: str = row["created_at"]
        self._parent: str | None = row["parent"]
        self._fork_seq: int | None = row["fork_seq"]
        self._head = Head(
            self.run_id, row["number"], row["head_seq"], bytes(row["head_hash"]), fence, self._parent, self._fork_seq
        )
        self._base = self._head.base
        self._shared: Journal | None = None  # the run this one was forked from, once it was asked for

    @property
    def head_seq(self) -> int:
        """The seq of the last event, as this journal knows it; 0 before the first."""
        return self._head.seq

    @classmethod
    def create(
        cls,
        store: Store,
        first: Event,
        *,
        run_id: str = "",
        label: str = "",
        parent: str | None = None,
        fork_seq: int | None = None,
        blobs: Mapping[str, bytes] | None = None,
    ) -> Journal:
        """A new run, its lease taken, `first` on disk with the blobs it names. parent: the run it was delegated by, or with `fork_seq` forked
        from: then it shares the parent's events up to that seq, which are not copied. Raises RunExists."""
        mine = {"created_at": now(), "label": label, "parent": parent, "fork_seq": fork_seq}
        row: dict[str, Any] = {**_NEW, **mine, "holder": holder_name(), "beat": time.time()}
        if fork_seq is not None and parent:
            shared = cls.open_for_reading(store, parent).at(fork_seq)
            row |= {"head_seq": fork_seq, "head_hash": shared.hash}
        with store.write() as db:  # the run and its first event in one commit: there is no run without a beginning
            row["run_id"] = _free_id(db, run_id)
            row["number"] = _insert(db, row)
            journal = cls(store, row, fence=1)
            begun = Append(journal._head, [first], blobs or {})
            write(db, [begun])
        begun.landed()
        _HELD[journal.run_id] = journal
        return journal

    @property
    def span(self) -> tuple[int, int]:
        """The ids of its own events lie above the first number and up to the second."""
        return self._base, self._base + _LIMIT - 1

    @property
    def fence(self) -> int:
        """The number of the lease this process holds, 0 for a reader."""
        return self._head.fence or 0

    @property
    def parent(self) -> str | None:
        """The run it was forked from or delegated by."""
        return self._parent

    @property
    def shared_upto(self) -> int:
        """Of a fork, the last event it shares with its parent; else 0."""
        return self._fork_seq or 0

    @classmethod
    def restore(
        cls, store: Store, row: Mapping[str, Any], events: Sequence[Stored], blobs: Mapping[str, bytes]
    ) -> Journal:
        """A run brought from elsewhere (transfer.py), its events exactly as they were hashed there, driven by nobody.

        `row`: run_id, created_at, label. The caller has checked the chain.
        """
        with store.write() as db:
            whole = {**_NEW, **row}
            whole["number"] = _insert(db, whole)
            journal = cls(store, whole, fence=1)
            brought = Append(journal._head, [stored.event for stored in events], blobs, list(events))
            move_head(db, journal._head, events[-1].seq, events[-1].hash)
            insert_rows(db, [brought])
        brought.landed()
        journal._head.fence = None
        return journal

    @classmethod
    def open_for_reading(cls, store: Store, run_id: str) -> Journal:
        """A run by its id (a unique beginning or end of it is enough, and "last" is the newest)."""
        with store.read() as db:
            return cls(store, find_run(db, run_id), fence=None)

    @classmethod
    def open_for_writing(cls, store: Store, run_id: str) -> Journal:
        """Take the run's lease. Raises LeaseLost, naming the holder, while another process drives it."""
        with store.write() as db:
            row = find_run(db, run_id)
            own = row["holder"] == holder_name() and row["run_id"] not in _HELD  # a lease that could not be given back
            if not own and holder_lives(row["holder"], row["beat"]):
                raise LeaseLost(
                    f"run {row['run_id']} is being driven by another process",
                    f"{row['holder']} holds it",
                    "wait for it, or stop that process first",
                )
            fence = row["fence"] + 1
            change = {"fence": fence, "holder": holder_name(), "beat": time.time()}
            free = (schema.runs.c.number == row["number"]) & (schema.runs.c.fence == row["fence"])
            taken = db.execute(update(schema.runs).where(free).values(change)).rowcount == 1
            journal = cls(store, row, fence=fence)
            if taken:
                _HELD[journal.run_id] = journal
        return journal if taken else cls.open_for_writing(store, run_id)  # another was faster: look who

    def append(self, *events: Event, blobs: Mapping[str, bytes] | None = None) -> list[Stored]:
        """Commit events (and the blobs they name), all or none. Returns them as stored."""
        one = Append(self._writing, events, blobs or {})
        commit(self.store, [one])
        if one.lost:
            raise one.lost
        one.landed()
        return one.stored

    def submit(self, events: Sequence[Event], blobs: Mapping[str, bytes], settled: Settled) -> asyncio.Future[None]:
        """`append` with the next transaction of this loop (appending/group.py). Done when it is on disk; then, and if it
        fails, `settled` was called with the events as stored."""
        return group_of(self.store).submit(self._writing, events, blobs, settled)

    @property
    def _writing(self) -> Head:
        if self._head.fence is None:
            raise RuntimeError("this journal was opened for reading")
        return self._head

    def beat(self) -> None:
        """Renew the lease. Raises LeaseLost if another process took the run."""
        mine = {"this_run": self._head.number, "old_fence": self._head.fence, "now": time.time()}
        with self.store.write() as db:
            if db.execute(_BEAT, mine).rowcount != 1:
                raise lease_lost(db, self._head)

    def release(self) -> None:
        """Give the lease back; the journal can only be read from here on."""
        if self._head.fence is None:
            return
        if _HELD.get(self.run_id) is self:
            del _HELD[self.run_id]
        with self.store.write() as db:
            run(db, _RELEASE, {"this_run": self._head.number, "old_fence": self._head.fence, "nobody": ""})
        self._head.fence = None

    def read(self, *, after: int = 0, upto: int | None = None) -> Iterator[Stored]:
        """Events in order, a page at a time; `after` and `upto` are seqs (exclusive, inclusive)."""
        if self._fork_seq is not None and after < self._fork_seq and self._parent:
            shared_upto = self._fork_seq if upto is None else min(upto, self._fork_seq)
            yield from Journal.open_for_reading(self.store, self._parent).read(after=after, upto=shared_upto)
            after = shared_upto
        after = max(0, min(after, _LIMIT - 1))  # never into the events of the run before or behind
        last = _LIMIT - 1 if upto is None else max(0, min(upto, _LIMIT - 1))
        while True:
            with self.store.read() as db:
                where = {"base": self._base, "low": self._base + after, "high": self._base + last, "page": PAGE}
                found = run(db, _READ, where).fetchall()
                rows = [Stored(of, seq, at, kind, body, bytes(hash_)) for of, seq, at, kind, body, hash_ in found]
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1].seq

    def tail(self, count: int) -> list[Stored]:
        """The last `count` events, oldest first; reads no others."""
        head = self.current()["head_seq"]
        return list(self.read(after=max(0, head - count)))

    def at(self, seq: int) -> Stored:
        """One event. Raises UsageError if the run has none of that number."""
        for stored in self.read(after=seq - 1, upto=seq):
            return stored
        raise UsageError(f"run {self.run_id} has no event {seq}", f"it has {self.head_seq}", "see `outrider show`")

    async def follow(self, *, after: int = 0, poll_s: float = 0.2) -> AsyncIterator[Stored]:
        """Events as they are committed by whoever drives the run, for ever; the caller stops listening."""
        while True:
            for stored in self.read(after=after):
                after = stored.seq
                yield stored
            await asyncio.sleep(poll_s)

    def owner(self, seq: int) -> str:
        """The run that wrote event `seq`: a fork shares the first ones with its parent."""
        if self._fork_seq is None or seq > self._fork_seq or not self._parent:
            return self.run_id
        if self._shared is None:
            self._shared = Journal.open_for_reading(self.store, self._parent)
        return self._shared.owner(seq)

    def current(self) -> RowMapping:
        """Its row as it is now: head, lease, label. Raises UsageError if the run was deleted."""
        with self.store.read() as db:
            return find_run(db, self.run_id)


_NEW: dict[str, Any] = {
    "parent": None, "fork_seq": None, "head_seq": 0, "head_hash": b"", "fence": 1, "holder": "", "beat": 0.0,
}  # fmt: skip
_HELD: WeakValueDictionary[str, Journal] = WeakValueDictionary()  # the runs this process drives


def find_run(db: Connection, wanted: str) -> RowMapping:
    """The row of a run: by id, a unique beginning or part of one, "last", or "last~2" (two before the last).

    Raises UsageError for none or several.
    """
    runs = schema.runs
    back = _LAST.fullmatch(wanted)
    if not (wanted.isascii() and wanted.isprintable()):
        found: Sequence[RowMapping] = []  # no id is like that, and some databases refuse to look for it
    elif back:
        own = (runs.c.head_seq > 0) & (runs.c.parent.is_(None) | runs.c.fork_seq.is_not(None))
        newest = select(runs).where(own).order_by(runs.c.number.desc())
        found = db.execute(newest.limit(1).offset(int(back[1] or 0))).mappings().all()
    else:
        found = db.execute(select(runs).where(runs.c.run_id == wanted)).mappings().all()
        for fits in (
            runs.c.run_id.startswith(wanted, autoescape=True),
            runs.c.run_id.contains(wanted, autoescape=True),
        ):
            if not found and len(wanted) >= 3:
                found = db.execute(select(runs).where(fits).limit(6)).mappings().all()
    if len(found) == 1:
        return found[0]
    said = repr(wanted if len(wanted) <= 60 else f"{wanted[:60]}…")
    if not found:
        raise UsageError(f"there is no run {said}", "this database does not hold it", "see `outrider runs`")
    names = ", ".join(row["run_id"] for row in found[:5])
    raise UsageError(f"{said} is not the id of one run", f"it fits {names}", "give more of the id")


_LAST = re.compile(r"last(?:~(\d{1,6}))?")


def new_run_id() -> str:
    """A short id that sorts by day: 261123-k7m2xq (30 bits of chance within a day)."""
    return f"{datetime.now(UTC):%y%m%d}-{''.join(secrets.choice('23456789abcdefghjkmnpqrstuvwxyz') for _ in range(6))}"


def _insert(db: Connection, row: Mapping[str, Any]) -> int:
    """Put in the row of a new run; returns its number."""
    if db.dialect.name == "sqlite":
        return int(run(db, _NEW_RUN, {"number": None, **row}).lastrowid)
    return int(db.execute(_NEW_RUN.values(row)).inserted_primary_key[0])  # type: ignore[index]


def _free_id(db: Connection, wanted: str) -> str:
    while True:
        run_id = wanted or new_run_id()
        if run(db, _OF_ID, {"wanted": run_id}).fetchone() is None:
            return run_id
        if wanted:
            raise RunExists(f"there is a run {wanted}", "ids are given once", "resume it, or give another id")


_r = schema.runs
_READ = text(
    "SELECT run_id, seq, at, kind, body, hash FROM events "
    "WHERE id > :low AND id <= :high AND id = :base + seq ORDER BY id LIMIT :page"
)
_MINE = (_r.c.number == bindparam("this_run"), _r.c.fence == bindparam("old_fence"))
_RELEASE = update(_r).where(*_MINE).values(holder=bindparam("nobody"))
_NEW_RUN = insert(_r)
_OF_ID = select(_r.c.number).where(_r.c.run_id == bindparam("wanted"))
_BEAT = update(_r).where(*_MINE).values(beat=bindparam("now"))
