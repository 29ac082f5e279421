"""A run as steps: one request with its reply, the calls it made, what came back, and whatever else happened meanwhile.
Touches the journal it is given, to read. Every reader of transcripts (page, Markdown, diff, export) is built on this.
Does not promise: to hold a long run in memory; `steps` is lazy, and `outline` lets a page read only the steps it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from outrider.memory import schema
from outrider.memory.events import ModelAsked, ModelReplied, ToolCalled, ToolReturned
from outrider.memory.journal import Journal, Stored


@dataclass(slots=True)
class Call:
    """A tool call with what came back; `returned` is None while it runs, or for ever if the process died."""

    called: ToolCalled | None
    called_seq: int
    called_at: str
    returned: ToolReturned | None = None
    returned_seq: int = 0

    @property
    def call_id(self) -> str:
        """Ours, unique in the run."""
        return self.called.call_id if self.called else self.returned.call_id if self.returned else ""

    @property
    def tool(self) -> str:
        """The tool's name as the model wrote it."""
        return self.called.tool if self.called else self.returned.tool if self.returned else ""


@dataclass(slots=True)
class Step:
    """Events `first` to `last` (seqs, inclusive). `number` is 0 for what came before the first request.

    others: every event that is neither the request, its reply, a call nor a return, in order.
    """

    first: int
    last: int
    at: str
    number: int = 0
    purpose: str = ""
    asked: ModelAsked | None = None
    replied: ModelReplied | None = None
    calls: list[Call] = field(default_factory=list)
    others: list[Stored] = field(default_factory=list)
    head: bytes = b""  # the hash of the last event: changes whenever the step grows

    @property
    def title(self) -> str:
        """ "step 3", "ending", "start"."""
        return f"step {self.number}" if self.purpose == "step" else self.purpose or "start"


def steps(events: Iterable[Stored]) -> Iterator[Step]:
    """The steps of a run from its events in order. Works on a part of a run that begins at a request, too."""
    step: Step | None = None
    open_calls: dict[str, Call] = {}
    for stored in events:
        event = stored.event
        if step is None or isinstance(event, ModelAsked):
            if step is not None:
                yield step
            step = Step(stored.seq, stored.seq, stored.at)
        step.last, step.head = stored.seq, stored.hash
        if isinstance(event, ModelAsked):
            step.asked, step.number, step.purpose = event, event.step, event.purpose
        elif isinstance(event, ModelReplied):
            step.replied = event
        elif isinstance(event, ToolCalled):
            call = open_calls[event.call_id] = Call(event, stored.seq, stored.at)
            step.calls.append(call)
        elif isinstance(event, ToolReturned):
            _returned(step, open_calls, stored, event)
        else:
            step.others.append(stored)
    if step is not None:
        yield step


def _returned(step: Step, open_calls: dict[str, Call], stored: Stored, event: ToolReturned) -> None:
    call = open_calls.pop(event.call_id, None)
    if call is None:  # refused before it ran, or called in a step that is not read here
        call = Call(None, 0, stored.at)
        step.calls.append(call)
    call.returned, call.returned_seq = event, stored.seq


def outline(journal: Journal) -> list[int]:
    """The first event of every step (1 first), read without decoding a single body: quick for 10,000 events."""
    events = schema.events
    starts = [1]
    shared = journal.shared_upto
    if shared and journal.parent:
        starts = [seq for seq in outline(Journal.open_for_reading(journal.store, journal.parent)) if seq <= shared]
    low, high = journal.span
    wanted = (events.c.id > low + shared) & (events.c.id <= high) & (events.c.kind == "model_asked")
    with journal.store.read() as db:
        found = db.scalars(select(events.c.seq).where(wanted).order_by(events.c.id)).all()
    return starts + [seq for seq in found if seq > 1]


def read_steps(journal: Journal, starts: list[int], first: int, count: int) -> list[Step]:
    """Steps `first` … `first + count - 1` (indexes into `starts`), reading no other events."""
    chosen = starts[first : first + count]
    if not chosen:
        return []
    upto = starts[first + count] - 1 if first + count < len(starts) else None
    return list(steps(journal.read(after=chosen[0] - 1, upto=upto)))


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from one stored time to another; 0 if either cannot be read."""
    try:
        return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
    except ValueError:
        return 0.0
