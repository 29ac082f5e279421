"""Searches every observation, answer and note of every run by full text.
May touch: reads the database. Imports nothing of ours outside this room.
Does not promise: that a very common word is searched for when rarer ones are given (bm25 costs time by matching rows).

What is asked is data: each word is quoted, nothing in it is query language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, text

from outrider.memory import schema
from outrider.memory.events import Answered, GoalGiven, Noted, Origin, RunStarted, ToolReturned, decode
from outrider.memory.journal import Journal, find_run
from outrider.memory.store import Store

COMMON = (1000, 20_000, 400_000)  # a word found in more rows than this is dropped when a rarer one is there
MAX_WORDS = 16


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing remembered. `at`: UTC, ISO 8601. `tool` is empty for an answer, a note or a goal.

    origin "untrusted": strangers wrote it, or it is a model's words about what may be theirs (an answer, a note).
    """

    run: str
    seq: int
    at: str
    kind: str
    tool: str
    text: str
    origin: Origin = "trusted"


def search(store: Store, query: str, *, limit: int = 10, run: str | None = None) -> list[Hit]:
    """The `limit` best matches for the words of `query`, best first; `run` narrows to one run (id or part of it)."""
    words = _words(query)
    if not words:
        return []
    with store.read() as db:
        low, high = 0, (1 << 63) - 1
        if run is not None:
            low = find_run(db, run)["number"] << schema.SEQ_BITS
            high = low + (1 << schema.SEQ_BITS)
        find = _sqlite if db.dialect.name == "sqlite" else _postgres
        ids = find(db, words, low, high, limit)
        rows = db.execute(_ROWS, {"ids": ids}).mappings().all() if ids else []
    by_id = {row["id"]: row for row in rows}
    return [_hit(by_id[i]) for i in ids if i in by_id]


def was_written(store: Store, digest: str) -> bool:
    """Whether a run left a file with the content of this digest. A look through every result, where a blob says it may be so."""
    e = schema.events
    left = e.c.body.contains(f'"after":"{digest}"', autoescape=True)
    with store.read() as db:
        if db.scalar(select(schema.blobs.c.digest).where(schema.blobs.c.digest == digest)) is None:
            return False
        return db.scalar(select(e.c.id).where(e.c.kind == "tool_returned", left).limit(1)) is not None


def whole_text(journal: Journal, handle: int | str) -> str | None:
    """All that one event said: `handle` is the call it answers ("3.1") or its seq (12). None: the run has no such event."""
    wanted = str(handle)
    by_seq = wanted.isdigit()
    events = journal.read(after=int(wanted) - 1, upto=int(wanted)) if by_seq else journal.read()
    for stored in events:
        if not by_seq and stored.kind != "tool_returned":
            continue
        event = stored.event
        if isinstance(event, ToolReturned) and (by_seq or event.call_id == wanted):
            whole = journal.store.get_blob(event.blob) if event.blob else None
            return event.text if whole is None else whole.decode("utf-8", "replace")
        if by_seq:
            return str(getattr(event, "text", "") or stored.body)
    return None


def _words(query: str) -> list[str]:
    found = re.findall(r"\w+", query.lower())
    return list(dict.fromkeys(found))[:MAX_WORDS]


def _sqlite(db: Connection, words: list[str], low: int, high: int, limit: int) -> list[int]:
    match = " OR ".join(f'"{word}"' for word in _rare(db, words, low, high))
    found = db.execute(_SQLITE, {"match": match, "low": low, "high": high, "limit": limit})
    return [row[0] for row in found]


def _rare(db: Connection, words: list[str], low: int, high: int) -> list[str]:
    """The words worth searching for: those found in few rows, or in the fewest when all are common.

    The index itself counts, and stops counting early: it knows the stem of a word and the run that is asked about.
    """
    if len(words) == 1:
        return words
    for most in COMMON:
        where = {"low": low, "high": high, "most": most + 1}
        counts = [db.scalar(_SEEN, where | {"match": f'"{word}"'}) or 0 for word in words]
        if rare := [word for word, count in zip(words, counts, strict=True) if 0 < count <= most]:
            return rare
    return words


def _postgres(db: Connection, words: list[str], low: int, high: int, limit: int) -> list[int]:
    query = " or ".join(words)  # websearch_to_tsquery takes any text without an error
    found = db.execute(_POSTGRES, {"query": query, "low": low, "high": high, "limit": limit})
    return [row[0] for row in found]


def _hit(row: object) -> Hit:
    r = dict(row)  # type: ignore[call-overload]
    event = decode(r["kind"], r["body"])
    said, tool = "", ""
    origin: Origin = "trusted"
    if isinstance(event, ToolReturned):
        said, tool, origin = event.text, event.tool, event.origin
    elif isinstance(event, Answered | Noted):
        said, origin = event.text, "untrusted"
    elif isinstance(event, RunStarted | GoalGiven):
        said = event.goal
    return Hit(r["run_id"], r["seq"], r["at"], r["kind"], tool, said, origin)


_SQLITE = text(
    "SELECT rowid FROM recall WHERE recall MATCH :match AND rowid BETWEEN :low AND :high ORDER BY rank LIMIT :limit"
)
_SEEN = text(
    "SELECT count(*) FROM (SELECT 1 FROM recall WHERE recall MATCH :match AND rowid BETWEEN :low AND :high LIMIT :most)"
)
_POSTGRES = text(
    "SELECT id FROM recall, websearch_to_tsquery('english', :query) AS q"
    " WHERE words @@ q AND id BETWEEN :low AND :high ORDER BY ts_rank(words, q) DESC, id DESC LIMIT :limit"
)
_ROWS = select(schema.events).where(schema.events.c.id.in_(bindparam("ids", expanding=True)))
