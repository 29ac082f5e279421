"""What an append puts into the tables: the chained events, their words, their blobs, the run's new head and summary.
May touch: the tables `runs`, `events`, `blobs`, `summaries` and the full-text index, inside a transaction of its caller.
Does not promise: that anything is on disk; the caller commits, then moves the heads on (`Append.landed`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from outrider.memory import schema
from outrider.memory.errors import LeaseLost
from outrider.memory.events import Answered, Event, GoalGiven, Noted, RunStarted, ToolReturned, decode
from outrider.memory.run_index import told_so_far
from outrider.memory.store import run
from outrider.memory.summary import BOUNDARIES, Summary

POSTGRES_WORDS = 250_000  # bytes of one text that its index takes; its own limit is 1 MiB of words and their places


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


@dataclass(slots=True)
class Head:
    """Where a run's journal ends, as its writer knows it. `number`: of its row in `runs`. `fence`: of the lease it holds.

    told: the run in short up to here; None until something is appended.
    """

    run_id: str
    number: int
    seq: int
    hash: bytes
    fence: int | None
    parent: str | None = None
    fork_seq: int | None = None
    told: Summary | None = None

    @property
    def base(self) -> int:
        """The ids of its events lie above this."""
        return self.number << schema.SEQ_BITS


@dataclass(slots=True)
class Append:
    """Events (and the blobs they name) that a run adds, all or none. `stored`: as they were last written, on disk or not.

    lost: why they were left out of the transaction: another process drives the run.
    """

    head: Head
    events: Sequence[Event]
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    stored: list[Stored] = field(default_factory=list)
    told: Summary | None = None
    lost: LeaseLost | None = None

    def landed(self) -> None:
        """Move the head on: the transaction is on disk."""
        self.head.seq, self.head.hash, self.head.told = self.stored[-1].seq, self.stored[-1].hash, self.told


def write(db: Connection, appends: Sequence[Append]) -> None:
    """Write what runs append, each run at most once among them. One whose lease is gone is left out (`lost`)."""
    for one in appends:
        one.lost, one.stored = None, list(_chained(one.head, one.events))
        last = one.stored[-1]
        if not move_head(db, one.head, last.seq, last.hash):
            one.lost = lease_lost(db, one.head)
    kept = [one for one in appends if one.lost is None]
    insert_rows(db, kept)


def insert_rows(db: Connection, appends: Sequence[Append]) -> None:
    """The rows of appends whose heads are moved and whose events are chained (`stored`)."""
    if not appends:
        return
    most = None if db.dialect.name == "sqlite" else POSTGRES_WORDS
    words = []
    for one in appends:
        _project(db, one)
        for stored, event in zip(one.stored, one.events, strict=True):
            if said := words_of(event, one.blobs, most):
                said = said if most is None else re.sub(r"\W+", " ", said)  # sales.csv is two words
                words.append({"id": one.head.base + stored.seq, "text": said})
    run(db, _INSERT, *(_row(one.head, stored) for one in appends for stored in one.stored))
    if words:
        run(db, _INDEX[db.dialect.name], *words)
    for digest, data in {digest: data for one in appends for digest, data in one.blobs.items()}.items():
        db.execute(_BLOB, {"digest": digest, "data": data})


def move_head(db: Connection, head: Head, seq: int, digest: bytes) -> bool:
    """Move the head of a run in its row and renew its lease; False if another process took the run."""
    values = {
        "new_seq": seq,
        "digest": digest,
        "now": time.time(),
        "this_run": head.number,
        "old_fence": head.fence,
        "old_seq": head.seq,
    }
    return bool(run(db, _MOVE, values).rowcount == 1)


def lease_lost(db: Connection, head: Head) -> LeaseLost:
    """The error of a writer whose run another process took."""
    holder = db.scalar(select(_r.c.holder).where(_r.c.number == head.number)) or "nobody"
    return LeaseLost(
        f"this process no longer drives run {head.run_id}",
        f"{holder} took it over",
        f"look with `outrider show {head.run_id}`",
    )


def _project(db: Connection, one: Append) -> None:
    """Keep the run's summary, where a run begins, stops or goes on; in between readers tell it from the events."""
    head = one.head
    new = head.seq == 0  # nothing to read before the first event
    told = head.told or (Summary() if new else told_so_far(db, head.number, head.parent, head.fork_seq))
    one.told = told.after((s.seq, s.at, s.kind, s.body) for s in one.stored)
    if any(s.kind in BOUNDARIES for s in one.stored):
        run(db, _FORGET, {"this_run": head.number})
        run(db, _SUM_UP, {"number": head.number} | one.told.row())


def _chained(head: Head, events: Sequence[Event]) -> Iterator[Stored]:
    seq, before, at = head.seq, head.hash, now()
    for event in events:
        seq, body = seq + 1, event.body()
        before = chain(before, event.kind, at, body)
        yield Stored(head.run_id, seq, at, event.kind, body, before)


def chain(before: bytes, kind: str, at: str, body: str) -> bytes:
    """blake2b-256 over the previous hash, kind, time and body, each ended by a byte that cannot occur in text."""
    return blake2b(b"\xff".join((before, kind.encode(), at.encode(), body.encode())), digest_size=32).digest()


def now() -> str:
    """The time as events carry it: UTC, ISO 8601, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


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


def _row(head: Head, s: Stored) -> dict[str, Any]:
    return {
        "id": head.base + s.seq,
        "run_id": s.run,
        "seq": s.seq,
        "at": s.at,
        "kind": s.kind,
        "body": s.body,
        "hash": s.hash,
    }


_r = schema.runs
_INSERT = insert(schema.events)
_MOVE = (
    update(_r)
    .where(
        _r.c.number == bindparam("this_run"),
        _r.c.fence == bindparam("old_fence"),
        _r.c.head_seq == bindparam("old_seq"),
    )
    .values(head_seq=bindparam("new_seq"), head_hash=bindparam("digest"), beat=bindparam("now"))
)
_FORGET = delete(schema.summaries).where(schema.summaries.c.number == bindparam("this_run"))
_SUM_UP = insert(schema.summaries)
_BLOB = text("INSERT INTO blobs (digest, data) VALUES (:digest, :data) ON CONFLICT DO NOTHING")
_INDEX = {
    "sqlite": text("INSERT INTO recall (rowid, text) VALUES (:id, :text)"),
    "postgresql": text("INSERT INTO recall (id, words) VALUES (:id, to_tsvector('english', :text))"),
}
