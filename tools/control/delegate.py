"""The tool `delegate`: hand a part of the goal to a child agent with a share of what is left of the budget.
Touches nothing itself; the run that calls it does the work. Does not promise: that the child knows what its parent knows.
"""

from __future__ import annotations

from outrider.tools.tool import Observation, ToolContext, ToolError, tool


# It ends by its own budget of seconds. "read": what the child does is decided call by call; taken up after a crash it goes on where it stopped.
@tool(effect="read", timeout_s=24 * 3600, fresh_s=0, waits=True)
async def delegate(goal: str, context: ToolContext, share: float = 0.3, tools: list[str] | None = None) -> Observation:
    """Hand a part of the work to a helper with its own steps; it returns its answer. Say all it needs in the goal.

    goal: what to find out or do, complete in itself
    share: fraction of what is left of the budget it may use, 0.05 to 0.9
    tools: names of the tools it may use; none named: all of yours
    """
    if context.delegate is None:
        raise ToolError("nothing can be handed on here", "this tool needs a run", "do it directly")
    if not goal.strip():
        raise ToolError("there is no goal", "it is empty", "say what the helper shall do")
    return await context.delegate(goal, share, tuple(tools or ()))
