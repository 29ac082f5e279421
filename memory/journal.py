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
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, text, update

from outrider.memory import schema
from outrider.memory.errors import LeaseLost, RunExists, StoreError, UsageError
from outrider.memory.events import Answered, Event, GoalGiven, Noted, RunStarted, ToolReturned, decode
from outrider.memory.lease import holder_lives, holder_name
from outrider.memory.run_index import told_so_far
from outrider.memory.store import Store, run
from outrider.memory.summary import BOUNDARIES, Summary

PAGE = 500
POSTGRES_WORDS = 250_000  # bytes of one text that its index takes; its own limit is 1 MiB of words and their places
_LIMIT = 1 << schema.SEQ_BITS


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it lies in the database. `at`: UTC, ISO 8601. `body`: the JSON that was hashed."""

    run: str
    seq: int
    at: str
    kind: str
    body: str
    hash: bytes

    @property
    def event(self) -> Event:
        return decode(self.kind, self.body)


class Journal:
    """The events of one run. Made by `create`, `open_for_writing` or `open_for_reading`.

    Appending is for one thread (the loop's) and for the holder of the lease; reading is for anyone.
    Raises LeaseLost when another process drives the run, StoreError when the database cannot be used.
    """

    def __init__(self, store: Store, row: Mapping[str, Any] | RowMapping, *, fence: int | None) -> None:
        self.store = store
        self.run_id: str = row["run_id"]
        self.head_seq: int = row["head_seq"]
        self._head_hash: bytes = bytes(row["head_hash"])
        self._base: int = row["number"] << schema.SEQ_BITS
        self._parent: str | None = row["parent"]
        self._fork_seq: int | None = row["fork_seq"]
        self._fence = fence
        self._told: Summary | None = None  # the run in short, up to its head; made when something is first appended
        self._next_told: Summary | None = None  # the same with what is being committed
        self._shared: Journal | None = None  # the run this one was forked from, once it was asked for

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
    ) -> Journal:
        """A new run, its lease taken, `first` on disk. parent: the run it was delegated by, or with `fork_seq` forked
        from: then it shares the parent's events up to that seq, which are not copied. Raises RunExists."""
        mine = {"created_at": _now(), "label": label, "parent": parent, "fork_seq": fork_seq}
        row: dict[str, Any] = {**_NEW, **mine, "holder": holder_name(), "beat": time.time()}
        if fork_seq is not None and parent:
            shared = cls.open_for_reading(store, parent).at(fork_seq)
            row |= {"head_seq": fork_seq, "head_hash": shared.hash}
        with store.write() as db:  # the run and its first event in one commit: there is no run without a beginning
            row["run_id"] = _free_id(db, run_id)
            row["number"] = db.execute(insert(schema.runs).values(row)).inserted_primary_key[0]  # type: ignore[index]
            journal = cls(store, row, fence=1)
            stored = list(journal._chain([first]))
            journal._write(db, stored, [first], {})
        journal._move_on(stored)
        _HELD[journal.run_id] = journal
        return journal

    @property
    def span(self) -> tuple[int, int]:
        """The ids of its own events lie above the first number and up to the second."""
        return self._base, self._base + _LIMIT - 1

    @property
    def fence(self) -> int:
        """The number of the lease this process holds, 0 for a reader."""
        return self._fence or 0

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
            whole["number"] = db.execute(insert(schema.runs).values(whole)).inserted_primary_key[0]  # type: ignore[index]
            journal = cls(store, whole, fence=1)
            journal._write(db, events, [stored.event for stored in events], blobs)
        journal._fence = None
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
        if self._fence is None:
            raise RuntimeError("this journal was opened for reading")
        stored = list(self._chain(events))
        try:
            self._commit(stored, events, blobs or {})
        except LeaseLost:
            raise
        except StoreError:
            if not self._landed(stored):  # a server that died between commit and its answer may have kept it
                if self.store.dialect == "sqlite":
                    raise
                self._commit(stored, events, blobs or {})  # it is back, and does not have it
        self._move_on(stored)
        return stored

    def beat(self) -> None:
        """Renew the lease. Raises LeaseLost if another process took the run."""
        with self.store.write() as db:
            self._move_head(db, self.head_seq, self._head_hash)

    def release(self) -> None:
        """Give the lease back; the journal can only be read from here on."""
        if self._fence is None:
            return
        if _HELD.get(self.run_id) is self:
            del _HELD[self.run_id]
        with self.store.write() as db:
            db.execute(_RELEASE, {"this_run": self._base >> schema.SEQ_BITS, "old_fence": self._fence})
        self._fence = None

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
                page = db.execute(_READ, where)
                rows = [_stored(row) for row in page.mappings()]
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

    def _chain(self, events: Sequence[Event]) -> Iterator[Stored]:
        seq, before, at = self.head_seq, self._head_hash, _now()
        for event in events:
            seq, body = seq + 1, event.body()
            before = chain(before, event.kind, at, body)
            yield Stored(self.run_id, seq, at, event.kind, body, before)

    def _move_on(self, stored: Sequence[Stored]) -> None:
        self.head_seq, self._head_hash = stored[-1].seq, stored[-1].hash
        self._told = self._next_told

    def _commit(self, stored: Sequence[Stored], events: Sequence[Event], blobs: Mapping[str, bytes]) -> None:
        with self.store.write() as db:
            self._write(db, stored, events, blobs)

    def _write(
        self, db: Connection, stored: Sequence[Stored], events: Sequence[Event], blobs: Mapping[str, bytes]
    ) -> None:
        most = None if db.dialect.name == "sqlite" else POSTGRES_WORDS
        self._move_head(db, stored[-1].seq, stored[-1].hash)
        self._project(db, stored)
        run(db, _INSERT, *(self._row(s) for s in stored))
        if words := [
            {"id": self._base + s.seq, "text": t if most is None else re.sub(r"\W+", " ", t)}  # sales.csv is two words
            for s, e in zip(stored, events, strict=True)
            if (t := words_of(e, blobs, most))
        ]:
            run(db, _INDEX[db.dialect.name], *words)
        for digest, data in blobs.items():
            db.execute(_BLOB, {"digest": digest, "data": data})

    def _project(self, db: Connection, stored: Sequence[Stored]) -> None:
        """Keep the run's summary, where a run begins, stops or goes on; in between readers tell it from the events."""
        if self._told is None:
            self._told = told_so_far(db, self._base >> schema.SEQ_BITS, self._parent, self._fork_seq)
        told = self._told.after((s.seq, s.at, s.kind, s.body) for s in stored)
        if any(s.kind in BOUNDARIES for s in stored):
            number = self._base >> schema.SEQ_BITS
            db.execute(delete(schema.summaries).where(schema.summaries.c.number == number))
            db.execute(insert(schema.summaries).values({"number": number} | told.row()))
        self._next_told = told

    def _move_head(self, db: Connection, seq: int, digest: bytes) -> None:
        moved = db.execute(
            _MOVE,
            {
                "new_seq": seq,
                "digest": digest,
                "now": time.time(),
                "this_run": self._base >> schema.SEQ_BITS,
                "old_fence": self._fence,
                "old_seq": self.head_seq,
            },
        )
        if moved.rowcount != 1:
            holder = find_run(db, self.run_id)["holder"] or "nobody"
            raise LeaseLost(
                f"this process no longer drives run {self.run_id}",
                f"{holder} took it over",
                f"look with `outrider show {self.run_id}`",
            )

    def _row(self, s: Stored) -> dict[str, Any]:
        row = {"id": self._base + s.seq, "run_id": s.run, "seq": s.seq, "at": s.at, "kind": s.kind}
        return row | {"body": s.body, "hash": s.hash}

    def _landed(self, stored: Sequence[Stored]) -> bool:
        """Whether a commit whose outcome is not known is on disk. Waits for a server that is restarting."""
        for pause_s in (0.0, 0.5, 1, 2, 4, 8, 15):
            time.sleep(pause_s if self.store.dialect != "sqlite" else 0)
            try:
                row = self.current()
            except StoreError:
                if self.store.dialect == "sqlite":
                    return False
                continue
            return bool(row["head_seq"] == stored[-1].seq and bytes(row["head_hash"]) == stored[-1].hash)
        return False

    def current(self) -> RowMapping:
        """Its row as it is now: head, lease, label. Raises UsageError if the run was deleted."""
        with self.store.read() as db:
            return find_run(db, self.run_id)


_NEW: dict[str, Any] = {
    "parent": None, "fork_seq": None, "head_seq": 0, "head_hash": b"", "fence": 1, "holder": "", "beat": 0.0,
}  # fmt: skip
_HELD: WeakValueDictionary[str, Journal] = WeakValueDictionary()  # the runs this process drives


def chain(before: bytes, kind: str, at: str, body: str) -> bytes:
    """blake2b-256 over the previous hash, kind, time and body, each ended by a byte that cannot occur in text."""
    return blake2b(b"\xff".join((before, kind.encode(), at.encode(), body.encode())), digest_size=32).digest()


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


def _free_id(db: Connection, wanted: str) -> str:
    while True:
        run_id = wanted or new_run_id()
        if db.scalar(select(schema.runs.c.number).where(schema.runs.c.run_id == run_id)) is None:
            return run_id
        if wanted:
            raise RunExists(f"there is a run {wanted}", "ids are given once", "resume it, or give another id")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _stored(row: RowMapping) -> Stored:
    return Stored(row["run_id"], row["seq"], row["at"], row["kind"], row["body"], bytes(row["hash"]))


_GOALS = (RunStarted, GoalGiven)


def words_of(event: Event, blobs: Mapping[str, bytes], most: int | None) -> str:
    """What the full-text index learns from an event: observations whole (or their first `most` bytes), answers, notes."""
    if isinstance(event, ToolReturned):
        whole = blobs.get(event.blob) if event.blob else None
        said = event.text if whole is None else whole.decode("utf-8", "replace")
    elif isinstance(event, Answered) or (isinstance(event, Noted) and event.by != "outrider"):
        said = event.text
    else:
        said = "\n".join((event.goal, *(a.text for a in event.attachments))) if isinstance(event, _GOALS) else ""
    said = said.replace("\0", "")  # PostgreSQL's text holds no NUL
    if said.isascii():
        return said[:most]
    return said.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


_e, _r = schema.events, schema.runs
_INSERT = insert(_e)
_READ = (
    select(_e)
    .where(_e.c.id > bindparam("low"), _e.c.id <= bindparam("high"), _e.c.id == bindparam("base") + _e.c.seq)
    .order_by(_e.c.id)
    .limit(bindparam("page"))
)
_MOVE = (
    update(_r)
    .where(
        _r.c.number == bindparam("this_run"),
        _r.c.fence == bindparam("old_fence"),
        _r.c.head_seq == bindparam("old_seq"),
    )
    .values(head_seq=bindparam("new_seq"), head_hash=bindparam("digest"), beat=bindparam("now"))
)
_RELEASE = (
    update(_r).where(_r.c.number == bindparam("this_run"), _r.c.fence == bindparam("old_fence")).values(holder="")
)
_BLOB = text("INSERT INTO blobs (digest, data) VALUES (:digest, :data) ON CONFLICT DO NOTHING")
_INDEX = {
    "sqlite": text("INSERT INTO recall (rowid, text) VALUES (:id, :text)"),
    "postgresql": text("INSERT INTO recall (id, words) VALUES (:id, to_tsvector('english', :text))"),
}
