"""Looks through a stored run for secrets, byte by byte, and says where one stands.
Reads the journal and the blobs; writes nothing. Does not promise: to know a secret that is neither in the environment nor
named nor shaped like a key, nor one that was encoded in a way no program uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from outrider.memory.events import Event, ToolReturned
from outrider.memory.journal import Journal
from outrider.memory.redaction import Masker
from outrider.memory.redaction.sealed import MAGIC
from outrider.memory.store import Store


@dataclass(frozen=True, slots=True)
class Found:
    """A secret that is stored: in which event, in what of it ("body", "blob 3f2a…"), which one, after how many characters."""

    seq: int
    kind: str
    place: str
    secret: str
    at: int


def scan(store: Store, run_id: str, masker: Masker) -> Iterator[Found]:
    """Every place of the run that holds a secret. Raises UsageError if there is no such run."""
    done: set[str] = set()
    for stored in Journal.open_for_reading(store, run_id).read():
        for name, at in masker.find(stored.body):
            yield Found(stored.seq, stored.kind, "body", name, at)
        for digest in _blobs(stored.event):
            if digest not in done:
                done.add(digest)
                data = store.get_blob(digest) or b""
                if not data.startswith(MAGIC):
                    for name, at in masker.find(data.decode("utf-8", "surrogateescape")):
                        yield Found(stored.seq, stored.kind, f"blob {digest[:12]}", name, at)


def _blobs(event: Event) -> Iterator[str]:
    if isinstance(event, ToolReturned):
        sides = (d for c in event.changes for d in (c.before, c.after if c.after_kept else None))
        yield from filter(None, (event.blob, *(artifact.digest for artifact in event.artifacts), *sides))
