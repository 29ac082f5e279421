"""`ask_user`: the person's answer, or a clear word that nobody is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from outrider.tools.control.ask import ask_user
from outrider.tools.tool import ToolContext, ToolError


async def test_ask_user_gives_the_persons_answer() -> None:
    """The question reaches the person as it was written, the answer the model."""
    asked: list[str] = []

    async def person(question: str) -> str | None:
        asked.append(question)
        return " blue \n"

    ctx = ToolContext(workspace=Path(), ask=person)
    assert await ask_user.run(ask_user.check({"question": " Which colour? "}), ctx) == "blue"
    assert asked == ["Which colour?"]


async def test_ask_user_says_that_nobody_is_there() -> None:
    """With no person, and with one who has left: go on with an assumption."""

    async def gone(question: str) -> str | None:
        return None

    for ctx in (ToolContext(workspace=Path()), ToolContext(workspace=Path(), ask=gone)):
        with pytest.raises(ToolError, match=r"nobody is there.*sensible assumption"):
            await ask_user.run(ask_user.check({"question": "Which?"}), ctx)
    with pytest.raises(ToolError, match="no question"):
        await ask_user.run(ask_user.check({"question": " "}), ToolContext(workspace=Path()))
