"""Runs the steps of a plan that name a tool: each as soon as what it needs is done, independent ones at the same time.
Touches the tools and, through `LiveRun`, the journal: each step is a call of its own, under policy and budget.
Does not promise: to repeat anything. What has begun is not run again; taken up after a crash, a read runs again, any other
call whose outcome is unknown is reported as that.
"""

from __future__ import annotations

import asyncio

from outrider.agent.act import TOGETHER, called_event, no_room, open_call, put_return, run_and_put
from outrider.agent.live_run import LiveRun
from outrider.agent.permission import Left, Ready, decide, note_flags, refused
from outrider.agent.plan.filling import fill_of, result_of
from outrider.agent.plan.graph import UNKNOWN, Node
from outrider.memory.events import Origin, PlanStep, ToolReturned
from outrider.tools.tool import Observation, ToolError
from outrider.tools.toolbox import trim

LEFT = "The run was told to stop, so not every step was begun: give the same plan again to go on; what is done is kept."


async def run_steps(live: LiveRun, call_id: str, steps: tuple[PlanStep, ...]) -> Observation:
    """Run what can be run of the plan that was just kept, and say what became of each step."""
    await _settle(live, steps)
    running: dict[asyncio.Task[None], Ready] = {}
    try:
        while True:
            await _begin_ready(live, steps, running)
            if not running:
                break
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                running.pop(task)
                await task
            await live.commit()
    finally:
        for task in running:
            task.cancel()
    return _told(live, call_id)


async def _begin_ready(live: LiveRun, steps: tuple[PlanStep, ...], running: dict[asyncio.Task[None], Ready]) -> None:
    """Begin every step that waits for nothing; one that may not run is answered at once, and others may then be ready.

    Begins no other once the run was told to stop.
    """
    while (step := _next(live, steps, running)) is not None:
        try:
            ready = await _ready(live, step)
        except Left:  # what runs comes to its end
            return
        if isinstance(ready, ToolReturned):
            put_return(live, ready)
            await live.commit()
            continue
        running[asyncio.ensure_future(run_and_put(live, ready))] = ready


def _next(live: LiveRun, steps: tuple[PlanStep, ...], running: dict[asyncio.Task[None], Ready]) -> PlanStep | None:
    if live.stopping or len(running) >= TOGETHER or any(one.call.tool.serial for one in running.values()):
        return None
    states = {node.id: node.state for node in live.state.graph.nodes()}
    for step in steps:
        tool = live.toolbox.meant(step.tool) if step.tool else None
        if step.tool and states.get(step.id) == "ready" and not (running and tool and tool.serial):
            return step
    return None


async def _ready(live: LiveRun, step: PlanStep) -> Ready | ToolReturned:
    """The step's call, with its `ToolCalled` on disk; or the observation that says why it does not run."""
    try:
        call = live.toolbox.prepare(step.tool, dict(step.arguments), fill_of(live))
    except ToolError as error:
        return refused(live, step.call, step.tool, str(error))
    async with live.door:
        if full := no_room(live, step.call, call.tool.name, []):
            return full
        ready = await decide(live, step.call, call)
        if isinstance(ready, Ready):
            called = called_event(ready)
            live.stage(called)
            note_flags(live, called)
            await live.commit()
        return ready


async def _settle(live: LiveRun, steps: tuple[PlanStep, ...]) -> None:
    """Calls of these steps that a killed process left open: reads run again, of the rest the outcome is unknown."""
    for step in steps:
        if (called := live.state.open.get(step.call)) is None:
            continue
        if (ready := open_call(live, called)) is not None:
            await run_and_put(live, ready)
        else:
            put_return(live, refused(live, step.call, called.tool, UNKNOWN))
        await live.commit()


def _told(live: LiveRun, call_id: str) -> Observation:
    nodes = live.state.graph.nodes()
    counts = {state: sum(node.state == state for node in nodes) for state in ("done", "failed", "skipped", "unknown")}
    said = "".join(f", {number} {state}" for state, number in counts.items() if number)
    lines = [f"plan: {len(nodes)} step{'' if len(nodes) == 1 else 's'}{said}"]
    own = [node for node in nodes if any(call.startswith(f"{call_id}/") for call in node.calls)]
    room = max(300, live.observation_chars * 3 // 4 // max(1, len(own)))
    for node in nodes:
        lines.append(_line(live, node, room if node in own else 0))
    if live.stopping:
        lines.append(LEFT)
    strange = any(one.origin == "untrusted" for node in own for one in [_came(live, node)] if one)
    origin: Origin = "untrusted" if strange else "trusted"
    return Observation("\n".join(lines), ok=not counts["failed"] + counts["unknown"], origin=origin, private=())


def _came(live: LiveRun, node: Node) -> ToolReturned | None:
    return live.state.graph.returned.get(node.calls[0]) if node.calls else None


def _line(live: LiveRun, node: Node, room: int) -> str:
    """A step with its state and, of one that this call ran, its result in at most `room` characters."""
    after = f", after {', '.join(node.needs)}" if node.needs and node.state in ("waiting", "skipped") else ""
    head = f"- {node.id} ({node.state}{after}): {node.text}"
    came = _came(live, node)
    if not room or came is None:
        return head
    return f"{head}\n{trim(result_of(live, came), room, came.call_id)}"
