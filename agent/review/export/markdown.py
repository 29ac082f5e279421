"""A run as Markdown, for an issue, a wiki or a review. Foreign text stands in fences longer than any it holds.
Touches the journal, to read. Does not promise: pictures; they are named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from outrider.agent.history.run_view import Run, read_run
from outrider.agent.review.lines import count, dollars, duration, one_line
from outrider.agent.review.page.whole import bars
from outrider.agent.review.story import Call, Step, steps
from outrider.memory.events import Noted, PlanChanged, Stopped
from outrider.memory.journal import Journal, Stored
from outrider.memory.text import for_terminal

MOST = 20_000  # characters of one result


def write(journal: Journal) -> Iterator[str]:
    """The document in pieces."""
    run = read_run(journal.store, journal.run_id)
    yield from _head(run)
    for step in steps(journal.read()):
        yield from _step(step)


def _head(run: Run) -> Iterator[str]:
    yield f"# {_inline(run.goal, 300)}\n\n"
    yield f"Run `{run.id}`, {_inline(run.model, 80)}, {run.created_at[:16]} UTC: **{run.state}**"
    yield f" ({_inline(run.detail, 200)})\n\n" if run.detail else "\n\n"
    if run.answer:
        yield f"## Answer\n\n{fence(str(run.answer))}\n"
        for citation in run.citations:
            source = "no observation supports this" if citation.seq is None else f"event {citation.seq}"
            yield f"- {source}: {_inline(citation.claim, 200)}\n"
        yield "\n"
    yield "| used | of |\n|---|---|\n"
    for bar in bars(run):
        used, _, limit = bar.text.partition(" of ")
        yield f"| {bar.unit}: {used} | {limit or '–'} |\n"
    yield "\n"


def _step(step: Step) -> Iterator[str]:
    facts = []
    if step.replied:
        facts = [duration(step.replied.latency_s), count(step.replied.cost.tokens, "token")]
        facts += [dollars(float(step.replied.cost.usd))] if step.replied.cost.usd else []
    yield f"## {step.title.capitalize()}" + (f" ({', '.join(facts)})" if facts else "") + "\n\n"
    if step.replied and step.replied.error:
        yield f"Failed: {_inline(step.replied.error, 400)}\n\n"
    if step.replied and step.calls and step.replied.text.strip():
        yield f"{fence(step.replied.text)}\n"
    for call in step.calls:
        yield from _call(call)
    for stored in step.others:
        yield from _other(stored)


def _call(call: Call) -> Iterator[str]:
    yield f"**{_inline(call.tool, 64)}**\n\n"
    if call.called and call.called.arguments:
        yield fence(json.dumps(call.called.arguments, ensure_ascii=False, indent=2), "json")
    for one in call.called.repeats if call.called else ():
        yield f"Careful: {_inline(one, 200)}\n\n"
    if call.returned is None:
        yield "No result was recorded.\n\n"
        return
    marks = [] if call.returned.ok else ["failed"]
    marks += ["untrusted text"] if call.returned.origin == "untrusted" else []
    yield ", ".join([f"Event {call.returned_seq}", *marks]) + ":\n\n"
    yield fence(call.returned.text or "(no output)") + "\n"
    for made in call.returned.artifacts:
        yield f"- file: {_inline(made.name, 80)}, {made.size:,} bytes\n"


def _other(stored: Stored) -> Iterator[str]:
    event = stored.event
    if isinstance(event, PlanChanged):
        yield "Plan:\n\n" + "".join(f"{n}. {_inline(item, 300)}\n" for n, item in enumerate(event.items, 1)) + "\n"
    elif isinstance(event, Noted):
        yield f"Note ({event.by}): {_inline(event.text, 1000)}\n\n"
    elif isinstance(event, Stopped) and event.reason != "answered":
        yield f"Stopped: {event.reason}. {_inline(event.detail, 400)}\n\n"


def fence(text: str, language: str = "") -> str:
    """Foreign text as a code block that nothing inside it can close."""
    shown = for_terminal(text[:MOST]) + (f"\n… {len(text) - MOST:,} more characters" if len(text) > MOST else "")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language or 'text'}\n{shown}\n{ticks}\n"


def _inline(text: str, most: int) -> str:
    """Foreign text in a line of prose: nothing in it is Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]()<>#+|!~&])", r"\\\1", one_line(text, most))
