"""One training example: a goal, the calls that reach it with their observations, and the answer; rendered as the product does.

What it is: `Example` and `segments`, which goes through the product's own prompt code. What it may touch: nothing.
Does not promise: that an observation is a tool's own; data.py says which are.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from outrider.agent.models.brain import prompt
from outrider.agent.models.brain.lines import Card, pick


@dataclass(frozen=True, slots=True)
class Step:
    """A call and its observation."""

    tool: str
    arguments: dict[str, Any]
    seen: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """`cards`: tools of the example's own, beside the built-in ones. `without`: tools that are not on offer."""

    family: str
    goal: str
    steps: Sequence[Step]
    answer: str
    cards: Sequence[Card] = ()
    without: frozenset[str] = field(default_factory=frozenset)


def offer(rnd: random.Random, example: Example, built_in: Sequence[Card]) -> list[Card]:
    """The tools shown: those the product's own picker keeps, and those the calls need, whatever it keeps."""
    live = [card for card in built_in if card.name not in example.without] + list(example.cards)
    shown = pick(example.goal, live, rnd.choice([4, 5, 6, 6, 6]))
    needed = {step.tool for step in example.steps} - {card.name for card in shown}
    shown += [card for card in live if card.name in needed]
    if rnd.random() < 0.5:
        rnd.shuffle(shown)
    return shown


def segments(example: Example, shown: Sequence[Card]) -> list[tuple[str, bool]]:
    """The text of a whole run in pieces: (text, whether the model writes it)."""
    out = [(prompt.head([card.line for card in shown], example.goal), False)]
    for step in example.steps:
        call = prompt.call_line(step.tool, step.arguments)
        told = prompt.turn(prompt.Turn("", step.seen, step.ok)).removeprefix(prompt.CLOSE)
        out += [(call + prompt.CLOSE, True), (told, False)]
    return [*out, (example.answer + prompt.CLOSE, True)]
