"""What the model hub listed, each entry with the moment it was seen, so that it can be looked up with no network.
May touch: the table `listings`, through a Store. Does not promise: that an entry still holds; that is why it is dated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select

from outrider.memory.schema import listings
from outrider.memory.store import Store

MOST = 20_000  # entries of one source that are kept, the newest


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry: its name at the source, what was said of it, and when (UTC, ISO 8601)."""

    name: str
    body: dict[str, Any]
    at: str


class Listings:
    """The entries of one source, such as "hub:https://huggingface.co". One transaction a call."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, source: str, entries: Iterable[tuple[str, Mapping[str, Any]]], at: str) -> None:
        """Keep what a source says of each name now, in the place of what it said before. Nothing in a store that only reads."""
        rows = {
            name: {"source": source, "name": name, "body": json.dumps(body, ensure_ascii=False), "at": at}
            for name, body in entries
        }
        if not rows or self._store.mode == "read":
            return
        names = sorted(rows)
        with self._store.write() as db:
            for start in range(0, len(names), 500):  # SQLite binds a limited number of values
                some = names[start : start + 500]
                db.execute(delete(listings).where(listings.c.source == source, listings.c.name.in_(some)))
            db.execute(insert(listings), [rows[name] for name in names])
            held = db.scalar(select(func.count()).select_from(listings).where(listings.c.source == source)) or 0
            if held > MOST:
                oldest = select(listings.c.name).where(listings.c.source == source).order_by(listings.c.at)
                gone = list(db.scalars(oldest.limit(held - MOST)))
                for start in range(0, len(gone), 500):
                    some = gone[start : start + 500]
                    db.execute(delete(listings).where(listings.c.source == source, listings.c.name.in_(some)))

    def all(self, source: str) -> list[Listed]:
        """Every entry of a source, by name."""
        query = select(listings.c.name, listings.c.body, listings.c.at).where(listings.c.source == source)
        with self._store.read() as db:
            return [
                Listed(name, json.loads(body), at) for name, body, at in db.execute(query.order_by(listings.c.name))
            ]

    def one(self, source: str, name: str) -> Listed | None:
        """What a source said of one name last, None if it never did."""
        query = select(listings.c.name, listings.c.body, listings.c.at)
        with self._store.read() as db:
            found = db.execute(query.where(listings.c.source == source, listings.c.name == name)).first()
        return Listed(found[0], json.loads(found[1]), found[2]) if found else None
