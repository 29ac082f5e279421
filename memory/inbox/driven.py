"""The inbox of one run, as the process that drives it sees it. May touch: the table `requests`, through a Store.
Does not promise: to raise where the database is busy while it only looks; it looks again a moment later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from contextlib import suppress
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, delete, select

from outrider.memory import schema
from outrider.memory.errors import StoreError
from outrider.memory.inbox.answers import Answer, enter, entered, of_row
from outrider.memory.store import Store, run

SHARED_S = 0.5  # how long a look for words to stop is good for


class Inbox:
    """What was said to one run."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id

    def found(self, call_id: str, digest: str) -> Answer | None:
        """The answer to a call that was shown so, if there is one. A busy database has none yet."""
        try:
            with self._store.read() as db:
                return entered(db, Answer(self._run_id, call_id, digest, "expire", "nobody"))
        except StoreError:
            return None

    def settle(self, given: Answer) -> Answer:
        """Enter the run's own side; returns the answer that stands, which is another's if that came first."""
        with self._store.write() as db:
            return entered(db, given) or enter(db, given)

    def ask_again(self, call_id: str, digest: str) -> None:
        """Nobody answered in time when this was last asked; now somebody may."""
        with self._store.read() as db:
            there = entered(db, Answer(self._run_id, call_id, digest, "expire", "nobody"))
        if there is None or there.action != "expire":
            return
        r = schema.requests
        mine = (r.c.run_id == self._run_id) & (r.c.call_id == call_id) & (r.c.digest == digest)
        with self._store.write() as db:
            db.execute(delete(r).where(mine, r.c.action == "expire"))

    def told_to_stop(self, fence: int) -> Answer | None:
        """Whether somebody wants the process that holds this lease to leave the run. One look a moment serves all its runs."""
        return _words_to_stop(self._store).get((self._run_id, f"lease {fence}"))

    def clear(self, done: Collection[str]) -> None:
        """Drop what is not needed any more: answers to calls that are `done`, and words to this lease."""
        r = schema.requests
        with self._store.read() as db:
            rows = run(db, _OF_RUN, {"this_run": self._run_id}).fetchall()
        old = [number for number, call_id in rows if not call_id or call_id in done]
        if old:
            with self._store.write() as db:
                db.execute(delete(r).where(r.c.number.in_(old)))


_OF_RUN = select(schema.requests.c.number, schema.requests.c.call_id).where(
    schema.requests.c.run_id == bindparam("this_run")
)
_LOOKS: WeakKeyDictionary[Store, tuple[float, dict[tuple[str, str], Answer]]] = WeakKeyDictionary()


def _words_to_stop(store: Store) -> dict[tuple[str, str], Answer]:
    """What is there for any run, by run and lease. A busy database has nothing new."""
    at, found = _LOOKS.get(store, (-math.inf, {}))
    if time.monotonic() - at < SHARED_S:
        return found
    r = schema.requests
    with suppress(StoreError), store.read() as db:
        rows = db.execute(select(r).where(r.c.call_id == "")).mappings().all()
        found = {(row["run_id"], row["digest"]): of_row(row) for row in rows}
    _LOOKS[store] = time.monotonic(), found
    return found
