"""One transaction for what one run appends, or for what several do.
May touch: the tables of rows.py, through a Store. Does not promise: to wait or not to wait; the caller says.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from outrider.memory import schema
from outrider.memory.appending.rows import Append, write
from outrider.memory.errors import LeaseLost, StoreError
from outrider.memory.store import Locked, Store

BACK_S = (0.0, 0.5, 1, 2, 4, 8, 15)  # pauses between looks whether a server is back


def commit(store: Store, appends: Sequence[Append], *, wait: bool = True) -> None:
    """Put them on disk, all or none but those whose lease is gone (`Append.lost`). The caller then moves the heads on.

    Raises StoreError; Locked where another writer holds the database and `wait` is False.
    """
    left = _not_on_disk(store, appends, BACK_S[:1])  # one that was tried before may be there
    for last in (False, True):
        try:
            if left:
                _transaction(store, left, wait)
            return
        except (LeaseLost, Locked):
            raise
        except StoreError:  # a server that died between commit and its answer may have kept them
            left = _not_on_disk(store, [one for one in left if one.lost is None], BACK_S)
            if left and (last or store.dialect == "sqlite"):
                raise


def _transaction(store: Store, appends: Sequence[Append], wait: bool) -> None:
    with store.write(wait=wait) as db:
        write(db, appends)


def _not_on_disk(store: Store, appends: Sequence[Append], pauses_s: Sequence[float]) -> list[Append]:
    """Those that a commit whose outcome is not known did not keep, each by its own rows.

    Raises StoreError if a server that is restarting is not back after these pauses.
    """
    tried = {one.head.base + one.stored[-1].seq: one.stored[-1].hash for one in appends if one.stored}
    if not tried:
        return list(appends)
    events, rows = schema.events.c, list[Any]()
    for look, pause_s in enumerate(pauses_s, 1):
        time.sleep(pause_s if store.dialect != "sqlite" else 0)
        try:
            with store.read() as db:
                rows += db.execute(select(events.id, events.hash).where(events.id.in_(tried)))
            break
        except StoreError:
            if look == len(pauses_s) or store.dialect == "sqlite":
                raise
    kept = {row.id for row in rows if bytes(row.hash) == tried[row.id]}
    return [one for one in appends if not one.stored or one.head.base + one.stored[-1].seq not in kept]
