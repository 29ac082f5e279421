"""The database a command reads or changes: never made here, and migrated only with a word.
May touch: opens it. Does not promise: that a run is in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from outrider.agent.cli.output import say
from outrider.memory.errors import NoDatabase, OldDatabase

if TYPE_CHECKING:
    from outrider.memory.run_index import Query
    from outrider.memory.store import Store

NONE = 'no runs yet: outrider run "…" makes one'


@contextmanager
def asked(memory: str | None) -> Iterator[Query | None]:
    """A way to ask the index of runs; None (and a word) on the first day, when there is no database yet."""
    from outrider.agent.settings.config import default_memory
    from outrider.memory.run_index import opened

    url = memory or default_memory()
    try:
        with opened(url) as ask:
            yield ask
    except OldDatabase:
        open_store(memory).close()
        with opened(url) as ask:
            yield ask
    except NoDatabase:
        if memory or os.environ.get("OUTRIDER_MEMORY"):
            raise  # somebody named a place, and it is not there
        say(NONE)
        yield None


def open_store(memory: str | None, *, writing: bool = False) -> Store:
    """The database a command reads, or with `writing` changes. It is never made here, and migrated only with a word."""
    from outrider.agent.settings.config import default_memory
    from outrider.memory.store import Store, shown

    url = memory or default_memory()
    try:
        return Store(url, mode="use" if writing else "read")
    except OldDatabase:
        store = Store(url, mode="use")
        say(f"note: {shown(store.url)} was written by an earlier Outrider and was brought up to date")
        return store
