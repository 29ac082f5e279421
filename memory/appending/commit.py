"""One transaction for what one run appends, or for what several do.
May touch: the tables of rows.py, through a Store. Does not promise: to wait or not to wait; the caller says.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import select

from outrider.memory import schema
from outrider.memory.appending.rows import Append, write
from outrider.memory.errors import LeaseLost, StoreError
from outrider.memory.store import Locked, Store


def commit(store: Store, appends: Sequence[Append], *, wait: bool = True) -> None:
    """Put them on disk, all or none but those whose lease is gone (`Append.lost`). The caller then moves the heads on.

    Raises StoreError; Locked where another writer holds the database and `wait` is False.
    """
    try:
        _transaction(store, appends, wait)
    except (LeaseLost, Locked):
        raise
    except StoreError:
        if not _is_on_disk(store, appends[0]):  # a server that died between commit and its answer may have kept it
            if store.dialect == "sqlite":
                raise
            _transaction(store, appends, wait)  # it is back, and does not have it


def _transaction(store: Store, appends: Sequence[Append], wait: bool) -> None:
    with store.write(wait=wait) as db:
        write(db, appends)


def _is_on_disk(store: Store, one: Append) -> bool:
    """Whether a commit whose outcome is not known was made. Waits for a server that is restarting."""
    if not one.stored:
        return False
    runs, last = schema.runs.c, one.stored[-1]
    for pause_s in (0.0, 0.5, 1, 2, 4, 8, 15):
        time.sleep(pause_s if store.dialect != "sqlite" else 0)
        try:
            with store.read() as db:
                row = db.execute(select(runs.head_seq, runs.head_hash).where(runs.number == one.head.number)).first()
        except StoreError:
            if store.dialect == "sqlite":
                return False
            continue
        return row is not None and bool(row.head_seq == last.seq and bytes(row.head_hash) == last.hash)
    return False
