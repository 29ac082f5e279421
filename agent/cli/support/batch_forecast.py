"""Prints what a batch is likely to cost, and starts none.
May touch: opens models (their tokenizers count) and reads the database. Does not promise: to be right; limits are.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from outrider.agent.cli.output import out, out_json
from outrider.agent.review.lines import count, dollars, one_line
from outrider.memory.errors import OutriderError

if TYPE_CHECKING:
    from outrider.agent.agent import Agent
    from outrider.agent.cli.support.batch_run import Started
    from outrider.agent.fleet.forecast import Forecast
    from outrider.agent.models.model import Model

MOST_NAMED = 20


async def show_forecast(agent: Agent, started: Started, memory: str | None, *, as_json: bool) -> int:
    """Print it; returns the exit code: 0, or 3 where a line is no goal."""
    from outrider.agent.fleet.forecast import forecast
    from outrider.agent.fleet.start import aliases
    from outrider.agent.models import open_model
    from outrider.agent.models.model import ToolSpec
    from outrider.agent.settings.config import default_memory
    from outrider.agent.settings.run_settings import SYSTEM
    from outrider.memory.store import Store
    from outrider.tools.builtin import collect

    store, names, opened = None, aliases(), list[Any]()
    with suppress(OutriderError):  # there are no runs yet, or they cannot be read: then nothing is told from them
        store = Store(memory or default_memory(), mode="read")

    async def model_of(spec: str) -> Model:
        if not spec:
            return await agent.open_model()
        opened.append(await open_model(names.get(spec, spec)))
        return opened[-1]  # type: ignore[no-any-return]

    tools = [ToolSpec(tool.name, tool.description, tool.parameters) for tool in collect(None, ())]
    try:
        found = await forecast(started.file.read(), model_of, store, SYSTEM, tools)
    finally:
        for model in opened:
            await model.aclose()
        await agent.aclose()
        if store is not None:
            store.close()
    if as_json:
        out_json(found.as_json())
    else:
        out("\n".join(_lines(found, started)))
    return 3 if found.wrong else 0


def _lines(found: Forecast, started: Started) -> list[str]:
    lines = [count(found.goals, "goal") + (f", {found.same:,} lines repeat one" if found.same else "")]
    for name, (many, one) in found.by_model.items():
        first = f"first request about {one.first_tokens:,} tokens"
        if one.usd is not None and one.steps is not None:
            each = f"by {one.runs} stored runs {dollars(one.usd.middle)} each ({one.steps.middle:.0f} steps)"
        else:
            each = "price not known" if one.steps_usd is None else f"{dollars(one.steps_usd)} each at 4 steps"
        lines.append(f"  {many:,} × {one_line(name, 60)}: {first}; {each}")
    lines.append(f"all of them: {'price not known' if found.usd is None else 'about ' + dollars(found.usd)}")
    limits = [f"${started.whole.usd}"] if started.whole.usd is not None else []
    limits += [f"{started.whole.tokens:,} tokens"] if started.whole.tokens is not None else []
    lines.append(f"hard limit over all: {', '.join(limits) or 'none (--usd, --tokens)'}")
    wrong = [f"line {number} is no goal: {one_line(why, 300)}" for number, why in found.wrong[:MOST_NAMED]]
    more = len(found.wrong) - MOST_NAMED
    return [*lines, *wrong, *([f"and {more:,} more wrong lines"] if more > 0 else [])]
