"""Runs made of events for the tests of reviewing: with tools, failures, files, a child, hostile text."""

from __future__ import annotations

from typing import Any

from outrider.memory.events import (
    Amount,
    Answered,
    ApprovalAsked,
    CallDraft,
    Citation,
    Event,
    FileChange,
    ModelAsked,
    ModelReplied,
    Noted,
    PlanChanged,
    RunStarted,
    Stopped,
    ToolCalled,
    ToolReturned,
    Usage,
)
from outrider.memory.journal import Journal
from outrider.memory.store import Store, digest_of

HOSTILE = (
    "</pre><script>window.evil=1</script><img src=x onerror=evil()>\x1b[31m\u202egnp.exe ``` ````` [x](javascript:evil()) "
    "{{7*7}} {% raw %} \U000e0041"
)


def call(step: int, tool: str, arguments: dict[str, Any], result: str, **more: Any) -> list[Event]:
    """The events of one step with one call."""
    call_id, at = f"{step}.0", float(step)
    return [
        ModelAsked(step=step, reserved=Amount(tokens=100), elapsed_s=at),
        ModelReplied(
            step=step, text="thinking" if step == 1 else "", calls=(CallDraft(id="c", name=tool, arguments=_json(arguments)),),
            usage=Usage(input_tokens=10 * step, output_tokens=5), cost=Amount(tokens=10 * step + 5), finish_reason="tool_calls",
            latency_s=0.2, elapsed_s=at + 0.2,
        ),
        ToolCalled(call_id=call_id, tool=tool, arguments=arguments),
        ToolReturned(call_id=call_id, tool=tool, text=result, wall_s=0.1, elapsed_s=at + 0.3, **more),
    ]  # fmt: skip


def finished(
    store: Store, *, price: str = "41.5", goal: str = "price of ABC", hostile: str = "", model: str = "openai:gpt-x"
) -> Journal:
    """A finished run: a call, a file written, a plan, an answer with one supported and one unsupported claim."""
    old, new = b"a\nb\n", b"a\nc\n"
    blobs = {digest_of(old): old, digest_of(new): new}
    started = RunStarted(
        goal=goal + hostile, model=model, budget={"tokens": 1000, "steps": 10},
        tools=({"name": "price", "description": "Price of a share.", "parameters": {"type": "object"}, "effect": "read"},),
    )  # fmt: skip
    journal = Journal.create(store, started)
    journal.append(
        *call(1, "price", {"symbol": "ABC" + hostile}, f"ABC closed at {price}{hostile}", origin="untrusted")
    )
    change = FileChange(path="x.txt" + hostile, before=digest_of(old), after=digest_of(new))
    journal.append(
        *call(2, "write_file", {"path": "x.txt", "content": "a\nc\n"}, "wrote it", changes=(change,)), blobs=blobs
    )
    journal.append(PlanChanged(items=("look" + hostile, "write")), Noted(text="remember" + hostile))
    answer = f"ABC closed at {price}. It rained in Ulm.{hostile}"
    citations = (
        Citation(claim=f"ABC closed at {price}.", seq=5, quote=f"ABC closed at {price}"),
        Citation(claim="It rained in Ulm.", seq=None),
    )
    journal.append(
        ModelAsked(step=3, elapsed_s=3), ModelReplied(step=3, text=answer, finish_reason="stop", elapsed_s=3.1)
    )
    journal.append(Answered(text=answer, citations=citations, unsupported=("It rained in Ulm.",)))
    journal.append(Stopped(reason="answered", elapsed_s=3.2))
    journal.release()
    return journal


def asking(store: Store, hostile: str = "") -> Journal:
    """A run that waits for a person's yes, held by this process."""
    journal = Journal.create(store, RunStarted(goal="send it" + hostile, model="m", budget={"steps": 5}))
    arguments: dict[str, Any] = {"text": "hello" + hostile, "copies": 2}
    journal.append(
        ModelAsked(step=1), ModelReplied(step=1, calls=(CallDraft(name="send", arguments=_json(arguments)),))
    )
    holds = {"decision": "allow", "tool": ["send"], "effect": ["network"], "host": ["api.example.org"]}
    why = "the policy for network says ask" + hostile
    sends = ("api.example.org",)
    journal.append(
        ApprovalAsked(
            call_id="1.0", tool="send", arguments=arguments, effect="network", why=why, holds=holds, sends=sends
        )
    )
    return journal


def long_run(store: Store, steps: int) -> Journal:
    """A run of `steps` steps with one call each, ended by an answer."""
    journal = Journal.create(store, RunStarted(goal="count", model="openai:gpt-x", budget={"steps": steps + 1}))
    for start in range(1, steps + 1, 100):
        batch = [e for n in range(start, min(start + 100, steps + 1)) for e in call(n, "look", {"n": n}, f"seen {n}")]
        journal.append(*batch)
    journal.append(ModelAsked(step=steps + 1), ModelReplied(step=steps + 1, text="done"))
    journal.append(Answered(text="done"), Stopped(reason="answered"))
    journal.release()
    return journal


def _json(value: dict[str, Any]) -> str:
    import json

    return json.dumps(value)
