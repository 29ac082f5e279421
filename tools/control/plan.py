"""`plan`: the agent's own list of steps, kept with the run and shown to the person.
May touch: the run's memory.
Does not promise: that anybody follows it.
"""

from __future__ import annotations

from outrider.tools.tool import ToolContext, ToolError, tool

MAX_ITEMS = 50
MAX_ITEM = 500  # characters


@tool(effect="read", fresh_s=0)
def plan(items: list[str], ctx: ToolContext) -> str:
    """Write down the plan, one step an item; replaces the last plan.

    items: the steps in order; mark a finished one with "done: "
    """
    kept = tuple(" ".join(item.split()) for item in items if item.strip())
    if not kept:
        raise ToolError("the plan is empty", "it has no items", "give at least one step")
    if len(kept) > MAX_ITEMS or max(map(len, kept)) > MAX_ITEM:
        raise ToolError(
            "the plan is too long", f"at most {MAX_ITEMS} items of {MAX_ITEM} characters", "write fewer, shorter steps"
        )
    if ctx.memory is None:
        raise ToolError("the plan cannot be kept", "this run has no memory", "go on without it")
    ctx.memory.plan(kept)
    done = sum(item.lower().startswith("done") for item in kept)
    return f"plan kept: {len(kept)} step{'' if len(kept) == 1 else 's'}" + (f", {done} done" if done else "")
