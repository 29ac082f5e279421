"""`plan`: the agent's own steps as a graph, kept with the run and shown to the person; steps that name a tool are run by it.
May touch: the run's memory; other tools of the run, through its context, each call under policy, budget and journal.
Does not promise: that anybody follows a step that names no tool.
"""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import BaseModel, ConfigDict

from outrider.memory.events import PlanStep
from outrider.tools.control.references import named_in
from outrider.tools.tool import Observation, ToolContext, ToolError, tool

MAX_ITEMS = 50
MAX_ITEM = 500  # characters
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_DONE = re.compile(r"done\b[:\s-]*", re.IGNORECASE)


class Step(BaseModel):
    """A step that names what it needs, and perhaps the call that does it."""

    model_config = ConfigDict(extra="forbid")

    id: str = ""
    text: str = ""
    needs: list[str] = []
    tool: str = ""
    arguments: dict[str, Any] = {}
    done: bool = False


# "read": what its steps do is decided call by call; taken up after a crash it goes on where it stopped.
@tool(effect="read", fresh_s=0, timeout_s=24 * 3600, waits=True, serial=True)
async def plan(items: list[str | Step], ctx: ToolContext) -> Observation:
    """Write down the plan; replaces the last plan. A step with `tool` and `arguments` is run now: those that need nothing
    run at once, "@id" in arguments stands for the result of the step of that id. What has run is not run again.

    items: the steps in order: words (mark a finished one with "done: "), or {id, text, needs: [ids], tool, arguments}
    """
    steps = _steps(items, ctx.call_id)
    if ctx.memory is None:
        raise ToolError("the plan cannot be kept", "this run has no memory", "go on without it")
    kept = ctx.memory.plan(tuple(_line(step) for step in steps), steps)
    if any(step.tool for step in kept):
        if ctx.run_steps is None:
            raise ToolError("the steps cannot be run here", "this is no run", "make the calls yourself")
        return await ctx.run_steps(kept)
    done = sum(step.done for step in kept)
    return Observation(
        f"plan kept: {len(kept)} step{'' if len(kept) == 1 else 's'}" + (f", {done} done" if done else "")
    )


def _steps(items: list[str | Step], call_id: str) -> tuple[PlanStep, ...]:
    """The steps, checked. Raises ToolError for what is no plan, or a graph that cannot be followed."""
    given = [one if isinstance(one, Step) else Step(text=one) for one in items]
    given = [one for one in given if one.text.strip() or one.tool]
    if not given:
        raise ToolError("the plan is empty", "it has no items", "give at least one step")
    if len(given) > MAX_ITEMS or any(len(one.text) > MAX_ITEM for one in given):
        raise ToolError(
            "the plan is too long", f"at most {MAX_ITEMS} items of {MAX_ITEM} characters", "write fewer, shorter steps"
        )
    ids = [one.id or f"step{number}" for number, one in enumerate(given, 1)]
    steps = tuple(_step(one, ids[at], ids, f"{call_id}/{at + 1}" if one.tool else "") for at, one in enumerate(given))
    _refuse_no_graph(steps)
    return steps


def _step(one: Step, name: str, ids: list[str], call: str) -> PlanStep:
    if one.tool == "plan":
        raise ToolError("a plan cannot hold a plan", f"step {name!r} names the tool plan", "write its steps out")
    text = " ".join(one.text.split())
    needs = tuple(dict.fromkeys((*one.needs, *named_in(one.arguments, ids))))
    return PlanStep(
        id=name,
        text=text or one.tool,
        needs=needs,
        tool=one.tool,
        arguments=one.arguments if one.tool else {},
        call=call,
        done=not one.tool and (one.done or bool(_DONE.match(text))),
    )


def _refuse_no_graph(steps: tuple[PlanStep, ...]) -> None:
    ids = [step.id for step in steps]
    for step in steps:
        if not _ID.fullmatch(step.id):
            raise ToolError(
                f"{step.id[:60]!r} cannot be the id of a step", "ids are letters, digits, _ and -", "rename it"
            )
        if ids.count(step.id) > 1:
            raise ToolError(f"two steps have the id {step.id!r}", "a reference could mean either", "rename one")
        if missing := [one for one in step.needs if one not in ids]:
            raise ToolError(
                f"step {step.id!r} needs {missing[0][:60]!r}", "there is no such step", f"use ids of {', '.join(ids)}"
            )
    try:
        TopologicalSorter({step.id: step.needs for step in steps}).prepare()
    except CycleError as error:
        circle = " → ".join(map(str, error.args[1]))
        raise ToolError("the steps wait for each other", circle, "take one of these dependencies out") from None


def _line(step: PlanStep) -> str:
    """A step in one line: what it is and, if it says so, what it needs."""
    named = "" if re.fullmatch(r"step\d+", step.id) else f"{step.id}: "
    shown = named + (f"done: {step.text}" if step.done and not _DONE.match(step.text) else step.text)
    return f"{shown} (after {', '.join(step.needs)})" if step.needs else shown
