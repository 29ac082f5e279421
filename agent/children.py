"""Child runs: a goal handed on with a share of what remains of the budget; what is not used comes back.
Touches the journal of parent and child through their parts. Does not promise: that a child sees what its parent saw;
it gets the goal alone, and the same tools, workspace, model and policy.

A child that was under way when its process died is taken up where it stopped, not started again.
"""

from __future__ import annotations

from dataclasses import replace

from outrider.agent import assemble as runs
from outrider.agent.assemble import Listeners
from outrider.agent.budget import Budget, Spent, share_of
from outrider.agent.history.run_view import Run, budget_from, read_run
from outrider.agent.live_run import Parts
from outrider.agent.settings.run_settings import Settings
from outrider.memory.events import ApprovalAsked, ApprovalGiven, ChildEnded, ChildStarted, RunStarted, Share
from outrider.memory.journal import Journal
from outrider.tools.tool import Observation, ToolError

DEPTH = 3  # a child of a child of a child may not have children


async def delegate(
    settings: Settings, parts: Parts, call_id: str, goal: str, share: float, tools: tuple[str, ...]
) -> Observation:
    """Run `goal` in a child of `parts` and return its answer. Raises ToolError when nothing is left to share."""
    store = parts.journal.store
    child = parts.state.children.get(call_id)
    if child is None:
        drive = _start(settings, parts, call_id, goal, share, tools)
    elif read_run(store, child).state in ("answered", "partial", "failed"):
        drive = None
    else:
        drive = _take_up(parts, child)
    if drive is not None:
        child = drive.journal.run_id
        await runs.drive(drive)
    done = read_run(store, str(child))
    parts.record(ChildEnded(call_id=call_id, child=done.id, cost=_used(done.spent)))
    return _told(done)


def _start(settings: Settings, parts: Parts, call_id: str, goal: str, share: float, tools: tuple[str, ...]) -> Parts:
    if _depth(parts) >= DEPTH:
        raise ToolError("the goal was not handed on", f"runs nest {DEPTH} deep at the most", "do it yourself")
    budget = parts.ledger.carve(min(max(share, 0.05), 0.9))
    if isinstance(budget, str):
        raise ToolError("the goal was not handed on", f"too little is left of {budget}", "do it yourself, or answer")
    child = runs.start(
        parts.journal.store,
        goal,
        replace(
            settings,
            model=parts.model.name,
            tools=tools or settings.tools,
            tools_from=(),
            label=f"delegated by {parts.journal.run_id}",
        ),
        parts.model,
        budget,
        extra=[tool for name, tool in parts.toolbox.tools.items() if not tools or name in tools],
        listeners=_listeners(parts),
        parent=parts.journal.run_id,
    )
    child.parent = parts
    parts.record(ChildStarted(call_id=call_id, child=child.journal.run_id, share=share_of(budget)))
    return child


def _take_up(parts: Parts, child: str) -> Parts:
    store = parts.journal.store
    first = Journal.open_for_reading(store, child).at(1).event
    budget = budget_from(first.budget) if isinstance(first, RunStarted) else Budget()
    _, stored, _ = runs.stored_settings(store, child)
    taken = runs.resume(
        store, child, stored, parts.model, budget, extra=list(parts.toolbox.tools.values()), listeners=_listeners(parts)
    )
    taken.parent = parts
    return taken


def _listeners(parts: Parts) -> Listeners:
    async def approve(asked: ApprovalAsked) -> ApprovalGiven:
        with parts.ledger.waiting_for_a_person():  # the parent's clock waits with the child's
            return await parts.approve(asked)

    return Listeners(progress=parts.tool_context.progress, approve=approve, ask=parts.tool_context.ask)


def _depth(parts: Parts) -> int:
    return 1 + (_depth(parts.parent) if parts.parent else 0)


def _used(spent: Spent) -> Share:
    used = dict(spent.per_tool)
    return Share(usd=spent.usd, tokens=spent.tokens, steps=spent.steps, calls=spent.calls, per_tool=used)


def _told(done: Run) -> Observation:
    said = str(done.answer) or f"no answer ({done.stop_reason}: {done.detail})"
    if done.state == "answered":
        return Observation(said)
    return Observation(f"{said}\n[the child run {done.id} ended {done.state}]", ok=bool(done.answer))
