"""Child runs: a goal handed on with a share of what remains of the budget; what is not used comes back.
Touches the journal of parent and child through their live. Does not promise: that a child sees what its parent saw;
it gets the goal alone, and the same tools, workspace, model and policy.

A child that was under way when its process died is taken up where it stopped, not started again.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from outrider.agent import assemble as runs
from outrider.agent.assemble import Listeners
from outrider.agent.budget import Budget, Spent, share_of
from outrider.agent.driving import drive
from outrider.agent.history.run_view import Run, read_run
from outrider.agent.live_run import LiveRun
from outrider.agent.settings.run_settings import Settings
from outrider.memory.events import (
    ChildEnded,
    ChildStarted,
    Origin,
    RunStarted,
    Share,
    ToolReturned,
)
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.tools.builtin import BUILT_IN
from outrider.tools.tool import Observation, Tool, ToolError

PROMPT_STEPS = 6  # times the model is asked for one answer of a type
DEPTH = 3  # a child of a child of a child may not have children


async def delegate(
    settings: Settings, live: LiveRun, call_id: str, goal: str, share: float, tools: tuple[str, ...]
) -> Observation:
    """Run `goal` in a child of `live` and return its answer. Raises ToolError when nothing is left to share."""
    start = partial(_start, settings, live, call_id, goal, share, tools)
    return _told(live.journal.store, await _driven(live, call_id, start))


async def prompted(
    settings: Settings,
    live: LiveRun,
    call_id: str,
    system: str,
    text: str,
    schema: dict[str, Any] | None,
    share: float,
    part: str,
) -> Observation:
    """One answer of the run's model to a text, of the type the schema says: a child without tools. `part` tells several
    answers of one call apart. Raises ToolError where no such answer came."""
    own = replace(settings, system=system, schema=schema, skills=(), instructions={})
    start = partial(_start_child, own, live, f"{call_id}{part}", text, share, extra=[], most_steps=PROMPT_STEPS)
    done = await _driven(live, f"{call_id}{part}", start)
    value = done.value if schema is not None else str(done.answer)
    if done.state != "answered" or value is None:
        raise ToolError(
            "there is no answer of that type",
            f"child run {done.id} ended {done.state}: {done.detail}",
            "do it yourself",
        )
    origin: Origin = "untrusted" if live.state.flags.untrusted else "trusted"
    return Observation(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), origin=origin, private=()
    )


async def _driven(live: LiveRun, call_id: str, start: Callable[[], Awaitable[LiveRun]]) -> Run:
    """The child run of a call, brought to its end: started, or taken up where it stopped."""
    store = live.journal.store
    child = live.state.children.get(call_id)
    if child is None:
        child_run: LiveRun | None = await start()
    elif read_run(store, child).ended:
        child_run = None
    else:
        child_run = _take_up(live, child)
    if child_run is not None:
        child = child_run.journal.run_id
        await drive(child_run)
    done = read_run(store, str(child))
    await live.commit(ChildEnded(call_id=call_id, child=done.id, cost=_used(done.spent)))
    return done


async def _start(
    settings: Settings, live: LiveRun, call_id: str, goal: str, share: float, tools: tuple[str, ...]
) -> LiveRun:
    if missing := [name for name in tools if name not in live.toolbox.tools]:
        there = ", ".join(sorted(live.toolbox.tools))
        raise ToolError("the goal was not handed on", f"there is no tool {missing[0][:80]!r}", f"name some of {there}")
    given = [tool for name, tool in live.toolbox.tools.items() if not tools or name in tools]
    named = tuple(name for name in tools if name in BUILT_IN) if tools else settings.tools
    skills = settings.skills if not tools or "skill" in tools else ()
    own = replace(settings, tools=named, schema=None, skills=skills)
    return await _start_child(own, live, call_id, goal, share, extra=given)


async def _start_child(
    settings: Settings,
    live: LiveRun,
    call_id: str,
    goal: str,
    share: float,
    *,
    extra: list[Tool],
    most_steps: int | None = None,
) -> LiveRun:
    if _depth(live) >= DEPTH:
        raise ToolError("the goal was not handed on", f"runs nest {DEPTH} deep at the most", "do it yourself")
    budget = live.ledger.carve(min(max(share, 0.05), 0.9))
    if isinstance(budget, str):
        raise ToolError("the goal was not handed on", f"too little is left of {budget}", "do it yourself, or answer")
    if most_steps is not None:
        budget = budget.raised(steps=min(budget.steps or most_steps, most_steps))
    child = runs.start(
        live.journal.store,
        goal,
        replace(
            settings,
            model=live.model.name,
            tools=settings.tools if extra else (),
            tools_from=(),
            label=f"delegated by {live.journal.run_id}",
        ),
        live.model,
        budget,
        extra=extra,
        listeners=_listeners(live),
        parent=live.journal.run_id,
        trust={
            "goal": live.state.flags.goal,  # a model wrote the child's goal: it names no host and no file for the person
            "untrusted": list(live.state.flags.untrusted),
            "private": list(live.state.flags.private),
        },
    )
    _tie(child, live)
    await live.commit(ChildStarted(call_id=call_id, child=child.journal.run_id, share=share_of(budget)))
    return child


def _take_up(live: LiveRun, child: str) -> LiveRun:
    store = live.journal.store
    first = Journal.open_for_reading(store, child).at(1).event
    budget = Budget.of(first.budget) if isinstance(first, RunStarted) else Budget()
    _, stored, _ = runs.stored_settings(store, child)
    taken = runs.resume(
        store, child, stored, live.model, budget, extra=list(live.toolbox.tools.values()), listeners=_listeners(live)
    )
    _tie(taken, live)
    return taken


def _tie(child: LiveRun, parent: LiveRun) -> None:
    """A child spends from what its parent spends from, and waits its turn with it."""
    child.parent, child.purse, child.share, child.turn = parent, parent.purse, parent.share, parent.turn


def _listeners(live: LiveRun) -> Listeners:
    return Listeners(
        progress=live.tool_context.progress, approve=live.approve, approve_within_s=live.approve_within_s,
        ask=live.tool_context.ask, delegate=delegate,
    )  # fmt: skip


def _depth(live: LiveRun) -> int:
    return 1 + (_depth(live.parent) if live.parent else 0)


def _used(spent: Spent) -> Share:
    used = dict(spent.per_tool)
    return Share(usd=spent.usd, tokens=spent.tokens, steps=spent.steps, calls=spent.calls, per_tool=used)


def _told(store: Store, done: Run) -> Observation:
    """The child's answer. What it read counts as read by whoever is told."""
    private, strange = _read_by(store, done.id)
    origin: Origin = "untrusted" if strange else "trusted"
    said = str(done.answer) or f"no answer ({done.stop_reason}: {done.detail})"
    if done.state != "answered":
        said += f"\n[the child run {done.id} ended {done.state}]"
    ok = done.state == "answered" or bool(done.answer)
    return Observation(said, ok=ok, origin=origin, private=private)


def _read_by(store: Store, run_id: str) -> tuple[tuple[str, ...], bool]:
    """(sources of private data, whether strangers' words were among it) of a run."""
    private: dict[str, None] = {}
    strange = False
    for stored in Journal.open_for_reading(store, run_id).read():
        event = stored.event
        if isinstance(event, ToolReturned):
            private |= dict.fromkeys(event.private)
            strange |= event.origin == "untrusted" and event.ran
    return tuple(private), strange
