"""What a batch is likely to cost, before it is started: its goals counted, by model, with what is known of such runs.
May touch: reads the database; opens models and asks them how many tokens a request is, never for a reply.
Does not promise: to be right; the limits hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from outrider.agent.fleet.lines import Item, Wrong
from outrider.agent.limits.estimate import Estimate, estimate
from outrider.agent.models.model import Model, ToolSpec
from outrider.memory.store import Store


@dataclass(frozen=True, slots=True)
class Forecast:
    """goals: how many, each once. wrong: (line, why). same: lines that repeat an earlier one. by_model: how many, and of one."""

    goals: int
    wrong: list[tuple[int, str]]
    same: int
    by_model: dict[str, tuple[int, Estimate]]

    @property
    def usd(self) -> float | None:
        """Dollars for all, by the middle of stored runs, else by four steps of each; None where a price is not known."""
        total = 0.0
        for many, one in self.by_model.values():
            each = one.usd.middle if one.usd is not None else one.steps_usd
            if each is None:
                return None
            total += many * each
        return total

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        models = {name: {"goals": many, **asdict(one)} for name, (many, one) in self.by_model.items()}
        wrong = [{"line": number, "why": why} for number, why in self.wrong]
        return {"goals": self.goals, "same": self.same, "wrong": wrong, "usd": self.usd, "models": models}


async def forecast(
    goals: Iterable[Item | Wrong],
    open_model: Callable[[str], Awaitable[Model]],
    store: Store | None,
    system: str,
    tools: Sequence[ToolSpec],
) -> Forecast:
    """Read all goals and estimate. open_model: of a line's model, "" for the one of all."""
    many, letters = Counter[str](), Counter[str]()
    wrong, seen, same = list[tuple[int, str]](), set[str](), 0
    for item in goals:
        if isinstance(item, Wrong):
            wrong.append((item.number, item.why))
        elif item.digest in seen:
            same += 1
        else:
            seen.add(item.digest)
            many[item.line.model or ""] += 1
            letters[item.line.model or ""] += len(item.line.goal)
    by_model = {}
    for spec, number in many.items():
        model = await open_model(spec)
        usual = "x" * (letters[spec] // number)  # a goal of the usual length
        by_model[model.name] = (number, await estimate(store, model, usual, system, tools))
    return Forecast(sum(many.values()), wrong, same, by_model)
