"""The words of people to a run, from another process: an answer to a question about a call, or that the run should stop.
May touch: the table `requests`, and the events to read. Does not promise: that a run which nobody drives does anything;
it finds the answer when it is resumed.

An answer is bound to the digest of what was shown, and a call has one: the first that is entered. The run enters its own
side too (a person at its terminal, or that nobody came in time), so nobody is told "allowed" by a run that went on without.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, RowMapping, insert, select

from outrider.memory import schema
from outrider.memory.errors import UsageError
from outrider.memory.events import ApprovalGiven, decode
from outrider.memory.inbox.questions import Question, questions_of
from outrider.memory.journal import find_run
from outrider.memory.lease import holder_lives
from outrider.memory.store import Store
from outrider.memory.text import for_storage

Action = Literal["approve", "deny", "expire", "cancel"]
Scope = Literal["once", "run", "always"]
Via = Literal["terminal", "program", "page", "cli", "api", "nobody"]
MOST_REASON = 2000
MOST_ARGUMENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One word. arguments: those the call gets in place of what was shown (None: as shown). via, who: where from, and whom.

    `again`: it was there already, exactly so.
    """

    run_id: str
    call_id: str
    digest: str
    action: Action
    via: Via
    who: str = ""
    scope: Scope = "once"
    arguments: dict[str, Any] | None = None
    reason: str = ""
    at: str = ""
    again: bool = False

    def says_the_same(self, other: Answer) -> bool:
        """Whether both decide the same, whoever gave them."""
        mine = (self.action, self.scope, self.arguments, self.reason)
        return mine == (other.action, other.scope, other.arguments, other.reason)

    def __str__(self) -> str:
        what = {"approve": "allowed", "deny": "refused", "expire": "not answered in time", "cancel": "stopped"}
        where = f" by {self.who}" * bool(self.who) + f" ({self.via})" * (self.via != "nobody")
        return f"{what[self.action]}{' with other arguments' if self.arguments is not None else ''}{where}"


def answer(
    store: Store,
    question: Question,
    *,
    approve: bool,
    via: Via,
    who: str = "",
    scope: Scope = "once",
    arguments: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Answer:
    """Allow or refuse the call that `question` shows. The same again changes nothing.

    Raises UsageError when the call was decided otherwise, has changed since it was shown, or does not wait any more.
    """
    edited = None if arguments is None or dict(arguments) == question.asked.arguments else dict(arguments)
    if edited is not None and (len(json.dumps(edited, default=str)) > MOST_ARGUMENTS or not approve or scope != "once"):
        raise UsageError(
            "the changed arguments cannot be used",
            f"they hold for one yes to one call, and {MOST_ARGUMENTS:,} characters at the most",
            "allow this call once, or refuse it with a reason",
        )
    wanted = Answer(
        question.run_id, question.asked.call_id, question.digest, "approve" if approve else "deny", via, who[:100],
        scope if approve else "once", edited, for_storage(reason)[:MOST_REASON],
    )  # fmt: skip
    with store.write() as db:
        row = find_run(db, question.run_id)
        if there := entered(db, wanted):
            return _same_or_refused(wanted, there)
        now = {one.asked.call_id: one for one in questions_of(db, row)}.get(wanted.call_id)
        if now is None:
            return _same_or_refused(wanted, _given(db, row, wanted))
        if now.digest != wanted.digest:
            raise UsageError(
                f"call {wanted.call_id} of run {wanted.run_id} is another one now",
                "it changed after it was shown, and what was not seen is not allowed",
                "look at it again",
            )
        return enter(db, wanted)


def stop(store: Store, run_id: str, *, via: Via, who: str = "") -> Answer:
    """Tell the process that drives a run to leave it after the step it is at; `resume` goes on. Raises UsageError if none does."""
    with store.write() as db:
        row = find_run(db, run_id)
        if not holder_lives(row["holder"], row["beat"]):
            raise UsageError(f"run {row['run_id']} is not running", "no process drives it", "look at how it ended")
        wanted = Answer(row["run_id"], "", f"lease {row['fence']}", "cancel", via, who[:100])
        there = entered(db, wanted)
        return replace(there, again=True) if there else enter(db, wanted)


def entered(db: Connection, wanted: Answer) -> Answer | None:
    """The answer to the same question that is there already."""
    r = schema.requests
    same = (r.c.run_id == wanted.run_id) & (r.c.call_id == wanted.call_id) & (r.c.digest == wanted.digest)
    row = db.execute(select(r).where(same)).mappings().first()
    return None if row is None else of_row(row)


def enter(db: Connection, wanted: Answer) -> Answer:
    """Write an answer down. Raises for a second one to the same question: the index allows one."""
    made = replace(wanted, at=datetime.now(UTC).isoformat(timespec="microseconds"))
    written = None if made.arguments is None else json.dumps(made.arguments)
    fields = ("run_id", "call_id", "digest", "action", "scope", "reason", "via", "who", "at")
    db.execute(insert(schema.requests).values({name: getattr(made, name) for name in fields} | {"arguments": written}))
    return made


def of_row(row: RowMapping) -> Answer:
    """An answer as it was written down."""
    arguments = None if row["arguments"] is None else json.loads(row["arguments"])
    return Answer(
        row["run_id"], row["call_id"], row["digest"], cast(Action, row["action"]), cast(Via, row["via"]), row["who"],
        cast(Scope, row["scope"]), arguments, row["reason"], row["at"],
    )  # fmt: skip


def _same_or_refused(wanted: Answer, there: Answer | None) -> Answer:
    if there is not None and there.says_the_same(wanted):
        return replace(there, again=True)
    raise UsageError(
        f"call {wanted.call_id} of run {wanted.run_id} does not wait for an answer",
        f"it was {there}" if there else "it is over, or the run has ended",
        f"see what became of it: outrider show {wanted.run_id}",
    )


def _given(db: Connection, row: RowMapping, wanted: Answer) -> Answer | None:
    """What the events say became of the call."""
    e = schema.events
    low = row["number"] << schema.SEQ_BITS
    mine = (e.c.id > low) & (e.c.id < low + (1 << schema.SEQ_BITS)) & (e.c.kind == "approval_given")
    for (body,) in db.execute(select(e.c.body).where(mine).order_by(e.c.id.desc())):
        event = decode("approval_given", body)
        if isinstance(event, ApprovalGiven) and event.call_id == wanted.call_id:
            action: Action = "approve" if event.approved else "expire" if event.via == "nobody" else "deny"
            via = cast(Via, event.via or "terminal")
            return replace(
                wanted, action=action, via=via, who=event.by, scope=event.scope, arguments=event.arguments,
                reason=event.reason,
            )  # fmt: skip
    return None
