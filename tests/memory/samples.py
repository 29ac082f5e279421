"""A small run of made-up events, with a blob, for tests of the journal."""

from __future__ import annotations

from decimal import Decimal

from outrider.memory.events import (
    Amount,
    Answered,
    CallDraft,
    Citation,
    Event,
    ModelAsked,
    ModelReplied,
    RunStarted,
    Stopped,
    ToolCalled,
    ToolReturned,
    Usage,
)
from outrider.memory.journal import Journal
from outrider.memory.store import Store, digest_of

WHOLE = b"a very long observation about otters, " * 40


def step(number: int, text: str = "seen") -> list[Event]:
    """The events of one step with one call."""
    call = f"{number}.0"
    return [
        ModelAsked(step=number, reserved=Amount(tokens=100, usd=Decimal("0.001")), max_tokens=50),
        ModelReplied(
            step=number,
            calls=(CallDraft(id="c", name="look", arguments="{}"),),
            usage=Usage(input_tokens=10, output_tokens=5),
            cost=Amount(tokens=15),
        ),
        ToolCalled(call_id=call, tool="look"),
        ToolReturned(call_id=call, tool="look", text=f"{text} {number}"),
    ]


def sample(store: Store) -> Journal:
    """A finished run of 12 events; event 5 names a blob."""
    journal = Journal.create(store, RunStarted(goal="find otters", model="none"))
    first = step(1)
    first[-1] = ToolReturned(call_id="1.0", tool="look", text="a very long…", blob=digest_of(WHOLE), size=len(WHOLE))
    journal.append(*first[:2])
    journal.append(*first[2:], blobs={digest_of(WHOLE): WHOLE})
    journal.append(*step(2))
    journal.append(ModelAsked(step=3), ModelReplied(step=3, text="otters: 2"))
    journal.append(Answered(text="otters: 2", citations=(Citation(claim="otters: 2", seq=9),)))
    journal.append(Stopped(reason="answered"))
    journal.release()
    return journal
