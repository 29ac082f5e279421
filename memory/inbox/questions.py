"""Which calls wait for a person's word, read from the events. May touch: the database, to read.
Does not promise: that a question is still open a moment later; `answers.py` looks again before it takes an answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Connection, RowMapping, select

from outrider.memory import schema
from outrider.memory.events import ApprovalAsked, ApprovalGiven, ToolCalled, ToolReturned, decode
from outrider.memory.journal import find_run
from outrider.memory.lease import holder_lives
from outrider.memory.store import Store

MOST = 50  # questions of one run that are looked at, the newest


@dataclass(frozen=True, slots=True)
class Question:
    """A call of a run that somebody has to allow. `seq`, `at`: its event. driven: whether a process waits for the answer."""

    run_id: str
    seq: int
    at: str
    asked: ApprovalAsked
    driven: bool

    @property
    def digest(self) -> str:
        """What an answer is bound to."""
        return shown_digest(self.asked)

    @property
    def code(self) -> str:
        """The same for a person to type: the call and the beginning of the digest."""
        return f"{self.asked.call_id}-{self.digest[:8]}"


def shown_digest(asked: ApprovalAsked) -> str:
    """Of everything a person sees of a call, hex: another argument, host or repeated word makes another digest."""
    told = asked.model_dump(mode="json", exclude={"kind", "why"})
    return blake2b(json.dumps(told, sort_keys=True).encode("utf-8", "replace"), digest_size=16).hexdigest()


def open_questions(store: Store, run_id: str) -> list[Question]:
    """The calls of one run that were asked about and not decided, oldest first. Raises UsageError for no such run."""
    with store.read() as db:
        return questions_of(db, find_run(db, run_id))


def waiting(store: Store) -> list[Question]:
    """Those of every run that a process holds or died with, children too, the oldest run first."""
    runs = schema.runs
    with store.read() as db:
        rows = db.execute(select(runs).where(runs.c.holder != "").order_by(runs.c.number)).mappings().all()
        return [question for row in rows for question in questions_of(db, row)]


def questions_of(db: Connection, row: RowMapping) -> list[Question]:
    """The open questions of the run in `row`."""
    e = schema.events
    low = row["number"] << schema.SEQ_BITS
    mine = (e.c.id > low) & (e.c.id < low + (1 << schema.SEQ_BITS))
    about = select(e).where(mine, e.c.kind.in_(("approval_asked", "approval_given")))
    last = list(db.execute(about.order_by(e.c.id.desc()).limit(2 * MOST)).mappings())
    found: dict[str, RowMapping] = {}
    for one in reversed(last):
        event = decode(one["kind"], one["body"])
        if isinstance(event, ApprovalAsked):
            found[event.call_id] = one
        elif isinstance(event, ApprovalGiven):
            found.pop(event.call_id, None)
    if not found:
        return []
    ended = _ended(db, row["number"], min(one["id"] for one in found.values()))
    driven = holder_lives(row["holder"], row["beat"])
    return list(_still_open(row["run_id"], found, ended, driven))


def _ended(db: Connection, number: int, after: int) -> dict[str, int]:
    """Calls that ran or were answered after an event, and "" for the end of the run, with the id of the last such event."""
    e = schema.events
    over = ("tool_called", "tool_returned", "stopped")
    upto = (number + 1) << schema.SEQ_BITS
    rows = db.execute(select(e).where(e.c.id > after, e.c.id < upto, e.c.kind.in_(over)).order_by(e.c.id)).mappings()
    ended: dict[str, int] = {}
    for row in rows:
        event = decode(row["kind"], row["body"])
        ended[event.call_id if isinstance(event, ToolCalled | ToolReturned) else ""] = row["id"]
    return ended


def _still_open(run_id: str, found: dict[str, RowMapping], ended: dict[str, int], driven: bool) -> Iterator[Question]:
    for call_id, row in found.items():
        event = decode(row["kind"], row["body"])
        over = max(ended.get(one, 0) for one in ("", *_callers(call_id)))
        if isinstance(event, ApprovalAsked) and over < row["id"]:
            yield Question(run_id, row["seq"], row["at"], event, driven)


def _callers(call_id: str) -> Iterator[str]:
    """A call, the plan or code that made it ("1.0" of "1.0/2"), and so on: when that returned, nobody waits for the call."""
    while call_id:
        yield call_id
        call_id = call_id.rpartition("/")[0]
