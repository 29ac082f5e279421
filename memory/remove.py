"""Deletes runs for good: their events, what only they stored, their words in the index, and the pages they lay on.
Touches the database. Does not promise: anything about copies, backups, or files the runs wrote.

A run that a fork shares events with stays as long as the fork does; children go with their parent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, select, text

from outrider.memory import schema
from outrider.memory.errors import UsageError
from outrider.memory.events import decode
from outrider.memory.journal import Stored, words_of
from outrider.memory.lease import holder_lives
from outrider.memory.store import Store
from outrider.memory.transfer import named_blobs

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Removed:
    """What went: runs (children included), events, stored outputs."""

    runs: int
    events: int
    blobs: int


def remove(store: Store, run_ids: Sequence[str]) -> Removed:
    """Delete these runs and their children. Raises UsageError, and deletes nothing, if one is driven or shared by a fork."""
    with store.write() as db:
        rows = _with_children(db, run_ids)
        _refuse(db, rows)
        blobs, events = set[str](), 0
        for row in rows:
            mine, count = _remove_one(db, row)
            blobs |= mine
            events += count
        blobs -= _still_named(db, blobs)
        for digest in blobs:
            db.execute(delete(schema.blobs).where(schema.blobs.c.digest == digest))
    _wipe(store)
    return Removed(len(rows), events, len(blobs))


def _with_children(db: Connection, run_ids: Iterable[str]) -> list[RowMapping]:
    found: dict[str, RowMapping] = {}
    todo = list(run_ids)
    r = schema.runs
    while todo:
        name = todo.pop()
        for row in db.execute(select(r).where(r.c.run_id == name)).mappings():
            if row["run_id"] not in found:
                found[row["run_id"]] = row
                todo += db.scalars(select(r.c.run_id).where(r.c.parent == name, r.c.fork_seq.is_(None)))
    return list(found.values())


def _refuse(db: Connection, rows: Sequence[RowMapping]) -> None:
    names, r = {row["run_id"] for row in rows}, schema.runs
    for row in rows:
        if holder_lives(row["holder"], row["beat"]):
            raise UsageError(
                f"run {row['run_id']} is being driven", f"{row['holder']} holds it", "stop that process first"
            )
        forks = db.scalars(select(r.c.run_id).where(r.c.parent == row["run_id"], r.c.fork_seq.is_not(None)))
        if left := [name for name in forks if name not in names]:
            raise UsageError(
                f"run {row['run_id']} is shared by a fork", f"{left[0]} holds its first events", "remove the fork first"
            )


def _remove_one(db: Connection, row: RowMapping) -> tuple[set[str], int]:
    """(digests its events named, how many events went)."""
    low, e = row["number"] << schema.SEQ_BITS, schema.events
    mine = (e.c.id > low) & (e.c.id < low + (1 << schema.SEQ_BITS))
    digests, count = set[str](), 0
    for one in db.execute(select(e).where(mine)).mappings().all():
        stored = Stored(one["run_id"], one["seq"], one["at"], one["kind"], one["body"], bytes(one["hash"]))
        digests.update(named_blobs(stored))
        count += 1
        _forget_words(db, one["id"], stored)
    if db.dialect.name != "sqlite":
        db.execute(text("DELETE FROM recall WHERE id > :low AND id < :high"), {"low": low, "high": low + (1 << 32)})
    db.execute(delete(e).where(mine))
    db.execute(delete(schema.requests).where(schema.requests.c.run_id == row["run_id"]))
    db.execute(delete(schema.summaries).where(schema.summaries.c.number == row["number"]))
    db.execute(delete(schema.runs).where(schema.runs.c.number == row["number"]))
    return digests, count


def _forget_words(db: Connection, row_id: int, stored: Stored) -> None:
    """Take an event's words out of SQLite's index, which keeps no text and must be told what it had learned."""
    if db.dialect.name != "sqlite":
        return
    event = decode(stored.kind, stored.body)
    blobs = {}
    if (digest := getattr(event, "blob", None)) and (data := _blob(db, digest)) is not None:
        blobs[digest] = data
    if words := words_of(event, blobs, None):
        db.execute(_FORGET, {"id": row_id, "text": words})


def _blob(db: Connection, digest: str) -> bytes | None:
    data: bytes | None = db.scalar(select(schema.blobs.c.data).where(schema.blobs.c.digest == digest))
    return data


def _still_named(db: Connection, digests: set[str]) -> set[str]:
    """Those that events which are left name too; one pass over what tools returned."""
    if not digests:
        return set()
    bodies = db.execute(select(schema.events.c.body).where(schema.events.c.kind == "tool_returned"))
    return {digest for (body,) in bodies for digest in _DIGEST.findall(body) if digest in digests}


def _wipe(store: Store) -> None:
    """Give the pages back, so that nothing of what was deleted lies in the file or its log."""
    if store.dialect != "sqlite":
        return
    with store.write() as db:
        db.execute(text("INSERT INTO recall (recall) VALUES ('optimize')"))
    store.vacuum()


_FORGET = text("INSERT INTO recall (recall, rowid, text) VALUES ('delete', :id, :text)")
