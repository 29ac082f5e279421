"""Prints what a run is likely to cost, and starts none.
May touch: opens the model (its tokenizer counts) and reads the database. Does not promise: to be right; limits are.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from outrider.agent.cli.output import out_json, out_lines
from outrider.memory.errors import OutriderError

if TYPE_CHECKING:
    from outrider.agent.limits.estimate import Estimate, Spread
    from outrider.agent.review.lines import Line


def leave_with_estimate(
    goal: str, spec: str, settings: dict[str, Any], memory: str | None, budget: dict[str, Any] | None, *, as_json: bool
) -> NoReturn:
    """Print the estimate for a run with these settings, and exit with 0."""
    found, name = asyncio.run(_estimate(goal, spec, settings, memory))
    if as_json:
        out_json({"model": name, "budget": budget} | found.as_json())
    else:
        out_lines(_lines(found, name, budget))
    raise typer.Exit


async def _estimate(goal: str, spec: str, settings: dict[str, Any], memory: str | None) -> tuple[Estimate, str]:
    from outrider.agent.agent import Agent
    from outrider.agent.limits.estimate import estimate
    from outrider.agent.models.model import ToolSpec
    from outrider.agent.settings.config import default_memory
    from outrider.agent.settings.run_settings import SYSTEM
    from outrider.memory.store import Store
    from outrider.tools.builtin import collect

    agent, store = Agent(spec, **settings), None
    tools = collect(settings.get("tools"), settings.get("tools_from", ()))
    specs = [ToolSpec(tool.name, tool.description, tool.parameters) for tool in tools]
    with suppress(OutriderError):  # there are no runs yet, or they cannot be read: then nothing is told from them
        store = Store(memory or default_memory(), mode="read")
    try:
        model = await agent.open_model()
        return await estimate(store, model, goal, SYSTEM, specs), model.name
    finally:
        await agent.aclose()
        if store is not None:
            store.close()


def _lines(found: Estimate, name: str, budget: dict[str, Any] | None) -> list[Line]:
    from outrider.agent.limits.estimate import USUAL_STEPS, how
    from outrider.agent.review.lines import Line, dollars, one_line

    def money(usd: float | None) -> str:
        return "price not known" if usd is None else dollars(usd)

    rows = [
        ("model", one_line(name, 100)),
        (
            "first request",
            f"about {found.first_tokens:,} tokens (at most {found.first_most:,}), {money(found.first_usd)}",
        ),
        (f"{USUAL_STEPS} steps", money(found.steps_usd)),
    ]
    if found.steps is not None and found.tokens is not None:
        spent = f", {_range(found.usd, dollars)}" if found.usd is not None else ""
        of_runs = (
            f"{_range(found.steps, '{:.0f}'.format)} steps, {_range(found.tokens, '{:,.0f}'.format)} tokens{spent}"
        )
        rows.append((f"{found.runs} stored runs", of_runs))
    rows.append(("hard limits", _limits(budget)))
    lines = [Line(((text, "plain"),), ((f"{head:16}", "strong"),)) for head, text in rows]
    return [*lines, *(Line(((text, "dim"),), (("  ", "plain"),)) for text in how(found))]


def _range(spread: Spread, say: Any) -> str:
    low, high = say(spread.low), say(spread.high)
    return say(spread.middle) if low == high else f"{say(spread.middle)} ({low}–{high})"


def _limits(budget: dict[str, Any] | None) -> str:
    return (
        ", ".join(f"{unit} {value}" for unit, value in (budget or {}).items())
        or "the usual: 500 steps, an hour, a dollar"
    )
