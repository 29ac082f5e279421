"""What a run is likely to cost before it starts: from the size of its first request, and from stored runs of the model.
May touch: reads the database; asks the model how many tokens a request is, never for a reply.
Does not promise: anything; the hard limits do. Each number comes with how it was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from outrider.agent.history.run_view import Run, list_runs
from outrider.agent.models.model import Message, Model, Request, ToolSpec, Usage, tools_bytes
from outrider.memory.store import Store

LOOKED_AT = 200  # of the newest runs
ENOUGH = 3  # runs of the model, before their spread is told
BYTES_A_TOKEN = 4  # of English text, about
TYPICAL_REPLY = 150  # tokens of a call with its arguments
USUAL_STEPS = 4


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of what was seen: 10 % lie below `low`, half below `middle`, 10 % above `high`."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """first_*: the first request. usd None: no price is known. runs: how many stored runs the spreads are from."""

    first_tokens: int
    first_most: int
    first_usd: float | None
    steps_usd: float | None  # of USUAL_STEPS steps, each sending what came before again
    runs: int
    steps: Spread | None
    tokens: Spread | None
    usd: Spread | None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, with how each number was found."""
        return asdict(self) | {"how": list(how(self))}


async def estimate(store: Store | None, model: Model, goal: str, system: str, tools: Sequence[ToolSpec]) -> Estimate:
    """What a run is likely to cost. store None: there are no stored runs."""
    messages = [Message("system", system), Message("user", goal)]
    most = await model.count_bound(Request(messages, tools, 1), None)
    size = tools_bytes(tools) + len((system + goal).encode("utf-8", "replace"))
    first = min(most, max(1, size // BYTES_A_TOKEN))
    inputs = sum(first + step * (TYPICAL_REPLY + 100) for step in range(USUAL_STEPS))
    past = (
        [] if store is None else [run for run in islice(list_runs(store, LOOKED_AT), LOOKED_AT) if _counts(run, model)]
    )
    known = len(past) >= ENOUGH
    return Estimate(
        first_tokens=first,
        first_most=most,
        first_usd=_usd(model, first, TYPICAL_REPLY),
        steps_usd=_usd(model, inputs, USUAL_STEPS * TYPICAL_REPLY),
        runs=len(past),
        steps=_spread([run.spent.steps for run in past]) if known else None,
        tokens=_spread([run.spent.tokens for run in past]) if known else None,
        usd=_spread([float(run.spent.usd) for run in past]) if known and model.price else None,
    )


def _counts(run: Run, model: Model) -> bool:
    return run.model == model.name and run.state not in ("running", "interrupted") and run.spent.steps > 0


def _usd(model: Model, inputs: int, outputs: int) -> float | None:
    if model.price is None:
        return None
    return float(model.price.usd(Usage(input_tokens=inputs, output_tokens=outputs)) + Decimal(0))


def _spread(values: Sequence[float]) -> Spread:
    ordered = sorted(values)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return Spread(at(0.1), at(0.5), at(0.9))


def how(found: Estimate) -> list[str]:
    """How the numbers were found, in words."""
    said = [
        f"the first request: its bytes (instructions, tools, goal) / {BYTES_A_TOKEN}, and a reply of {TYPICAL_REPLY} tokens; at "
        "most what would be reserved",
        f"{USUAL_STEPS} steps: each sends what came before again, and is taken to add {TYPICAL_REPLY + 100} tokens",
    ]
    if found.steps is not None:
        return [*said, f"stored runs: the middle 80 % of the last {found.runs} runs of this model in this database"]
    return [*said, f"stored runs: {found.runs} of this model, too few to tell from"]
