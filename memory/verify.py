"""Proves that nothing of a run was edited, inserted or cut: recomputes its hash chain and every blob it names.
Touches the journal, to read. Does not promise: protection from somebody who rewrites the whole chain with its hashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from outrider.memory.errors import StoreError, UsageError
from outrider.memory.events import ToolReturned
from outrider.memory.journal import Journal, Stored, chain
from outrider.memory.store import digest_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: how many events were checked, and the first that is wrong (None: all is well)."""

    ok: bool
    events: int
    bad_seq: int | None = None
    why: str = ""


class _Unreadable(Exception):
    """An event that lies there and cannot be read."""


def verify(journal: Journal) -> Verdict:
    """Recompute the chain and every blob it names; stops at the first event that does not fit."""
    before, count = b"", 0
    try:
        for stored in _read(journal):
            if why := _wrong(journal, stored, count + 1, before):
                return Verdict(False, count, count + 1, why)
            before, count = stored.hash, count + 1
    except _Unreadable as error:
        return Verdict(False, count, count + 1, f"event {count + 1} cannot be read: {error}")
    row = journal.current()
    if row["head_seq"] > count:
        return Verdict(False, count, count + 1, f"event {count + 1} is missing: the run had {row['head_seq']}")
    if row["head_seq"] < count:
        return Verdict(False, count, row["head_seq"] + 1, f"event {row['head_seq'] + 1} was added")
    if bytes(row["head_hash"]) != before:
        return Verdict(False, count, count, f"event {count} is not the last one written: the run's head differs")
    return Verdict(True, count)


def _read(journal: Journal) -> Iterator[Stored]:
    """Events in order; raises _Unreadable where one of them cannot be read although the database can."""
    done = 0
    try:
        for done, stored in enumerate(journal.read(), 1):  # noqa: B007
            yield stored
        return
    except (StoreError, TypeError, ValueError):  # bytes that are no text, a value of another type
        head = journal.current()["head_seq"]  # raises if it is the database that cannot be read
    for seq in range(done + 1, head + 1):
        try:
            yield journal.at(seq)
        except UsageError:
            return
        except (StoreError, TypeError, ValueError) as error:
            raise _Unreadable(getattr(error, "why", str(error))) from error


def _wrong(journal: Journal, stored: Stored, seq: int, before: bytes) -> str:
    """What is wrong with the event that is read where `seq` is expected, "" if nothing is."""
    if stored.seq != seq:
        return f"event {seq} is missing"
    texts = (stored.kind, stored.at, stored.body)
    if not all(isinstance(text, str) for text in texts) or stored.hash != chain(before, *texts):
        return f"event {seq} ({stored.kind}) was changed"
    if stored.run != journal.owner(seq):
        return f"event {seq} ({stored.kind}) was taken from another run"
    missing = _wrong_blob(journal, stored)
    return f"event {seq} ({stored.kind}): {missing}" if missing else ""


def _wrong_blob(journal: Journal, stored: Stored) -> str:
    event = stored.event
    if not isinstance(event, ToolReturned):
        return ""
    sides = (d for c in event.changes for d in (c.before, c.after if c.after_kept else None))
    for digest in filter(None, (event.blob, *(a.digest for a in event.artifacts), *sides)):
        data = journal.store.get_blob(digest)
        if data is None:
            return f"its stored output {digest[:12]} is missing"
        if digest_of(data) != digest:
            return f"its stored output {digest[:12]} was changed"
    return ""
