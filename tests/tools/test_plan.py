"""`plan`: the steps are kept in order, short and few."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outrider.memory.events import PlanStep
from outrider.tools.control.plan import plan
from outrider.tools.tool import ToolContext, ToolError


class Kept:
    """A memory that keeps the plan."""

    def __init__(self) -> None:
        self.items: tuple[str, ...] = ()

    def plan(self, items: tuple[str, ...], steps: tuple[PlanStep, ...] = ()) -> tuple[PlanStep, ...]:
        self.items = items
        return steps

    def note(self, text: str) -> None: ...

    def read(self, run: str, seq: int) -> str:
        return ""

    def search(self, query: str, *, limit: int = 10, run: str | None = None) -> list[dict[str, Any]]:
        return []


async def test_plan_keeps_the_steps_and_says_how_many_are_done() -> None:
    """In order, one line each, empty ones left out."""
    memory = Kept()
    ctx = ToolContext(workspace=Path(), memory=memory)
    seen = await plan.run(plan.check({"items": ["done: look", " read\nit ", ""]}), ctx)
    assert seen.text == "plan kept: 2 steps, 1 done"
    assert memory.items == ("done: look", "read it")


@pytest.mark.parametrize(
    ("items", "why"), [([], "empty"), ([" "], "empty"), (["x"] * 51, "too long"), (["x" * 501], "too long")]
)
async def test_plan_refuses_what_is_no_plan(items: list[str], why: str) -> None:
    """Nothing, or a book."""
    with pytest.raises(ToolError, match=why):
        await plan.run(plan.check({"items": items}), ToolContext(workspace=Path(), memory=Kept()))


async def test_plan_says_so_when_there_is_no_memory() -> None:
    """Outside a run there is nowhere to keep it."""
    with pytest.raises(ToolError, match="no memory"):
        await plan.run(plan.check({"items": ["x"]}), ToolContext(workspace=Path()))
