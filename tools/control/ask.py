"""`ask_user`: a question to the person, when there is one.
May touch: the person's attention.
Does not promise: an answer.
"""

from __future__ import annotations

from outrider.tools.tool import ToolContext, ToolError, tool


@tool(effect="read", timeout_s=24 * 3600, serial=True, waits=True, private=True)
async def ask_user(question: str, ctx: ToolContext) -> str:
    """Ask the person a question that only they can answer, and wait for the answer.

    question: one clear question
    """
    question = question.strip()
    if not question:
        raise ToolError("there is no question", "it is empty", "write the question")
    answer = await ctx.ask(question) if ctx.ask is not None else None
    if answer is None:
        raise ToolError(
            "nobody is there to answer",
            "this run has no person at it",
            "go on with a sensible assumption and say which",
        )
    return answer.strip() or "(the person gave an empty answer)"
