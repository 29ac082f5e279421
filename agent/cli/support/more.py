"""A run whose budget is used up: which limit it was, what more to give it, and the question to a person who is there.
May touch: asks on the terminal. Does not promise: that more is enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outrider.agent.review.lines import Line
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.cli.prompts import Person
    from outrider.agent.history.run_view import Run

MORE = {"usd": "+0.50", "tokens": "+50000", "steps": "+20", "seconds": "+300", "wall_seconds": "+300", "calls": "+20"}


def limit_of(run: Run) -> str:
    """The limit that stopped a run: a unit, or the key of a limit over time; "" if none did."""
    found = re.search(r'limit of ([\w.":/-]+)', run.detail) if run.stop_reason == "budget" else None
    return found[1] if found else ""


def flags_for_more(run: Run) -> str:
    """The flags of `resume` that give a run more of what it lacks."""
    unit = limit_of(run)
    return f" --{unit.replace('_', '-')} {MORE[unit]}" if unit in MORE else " --steps +20"


def how_to_wait(run: Run) -> list[Line]:
    """What is said where a limit over time stopped a run."""
    said = (
        f"wait for the next day or month, or: outrider config set '{limit_of(run)}' N; then: outrider resume {run.id}"
    )
    return [Line((("to go on: ", "dim"), (said, "plain")))]


async def ask_for_more(run: Run, person: Person) -> dict[str, str]:
    """What a person gives a run that has reached a limit, as changes of its budget; {} to leave it."""
    unit = limit_of(run)
    if unit not in MORE:
        return {}
    question = f"The limit of {unit.replace('_', ' ')} is reached. Go on with how much more? (y: {MORE[unit]}, Enter: stop here)"
    while said := (await person.answer(question) or "").strip().lower():
        if said in ("n", "no", "q", "stop"):
            return {}
        amount = MORE[unit] if said in ("y", "yes") else f"+{said.removeprefix('+').removeprefix('$')}"
        try:
            run.budget.raised(**{unit: amount})
        except UsageError as error:
            question = f"{error.what}: {error.why}. How much more?"
            continue
        return {unit: amount}
    return {}
