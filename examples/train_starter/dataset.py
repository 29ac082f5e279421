"""Training data without end: made-up goals with the calls, observations and answers that are right for them.

What it is: each family draws a goal, the live tools, and the right moves; `questions` plays the moves through the very
`small.step` the product runs and keeps each question with the option that is right. One wording in eight and one custom
tool in six never appear in training (`test=True` draws only those). What it may touch: nothing.
Does not promise: observations worded exactly as every tool words them; they are varied so that it need not.
Start reading at `questions`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from examples.train_starter import fake_tools
from examples.train_starter import scenario as scenes
from examples.train_starter.scenario import Move, Scenario
from examples.train_starter.tasks import families
from outrider.agent.models.choice import options, steps
from outrider.agent.models.choice.answer_parts import Part
from outrider.agent.models.choice.options import ToolCard

# Goals whose tool is beyond doubt (they name a file, an address, a sum): a custom tool that shares a word is a trap there.
TRAPPED = frozenset(
    [
        "arithmetic",
        "table",
        "text",
        "file_stats",
        "read",
        "write",
        "search_files",
        "edit",
        "page",
        "hub_find",
        "hub_about",
        "list",
    ]
)


class NotPlayable(Exception):
    """The right move is not among the options: a gap in candidates.py, counted and skipped."""


@dataclass(slots=True)
class Question:
    """A question and the index of the option that is right."""

    decision: steps.Decision
    right: int
    family: str = ""


def scenario(rng: random.Random, *, test: str = "") -> Scenario:
    """One random goal with its right moves. test: "" for training, "wording" or "tool" for a held-out one."""
    names = list(families.FAMILIES)
    weights = [families.FAMILIES[name][0] for name in names]
    name = "custom" if test == "tool" else rng.choices(names, weights)[0]
    try:
        made: Scenario = families.FAMILIES[name][1](rng, test)
    except fake_tools.NoWording:
        return scenario(rng, test=test)
    made.family = name
    made.goal = scenes.dressed(rng, made.goal, plain=made.exact_goal)
    made.tools = _tool_list(rng, made, test)
    return made


def questions(made: Scenario) -> list[Question]:
    """Play `made` through small.step. Raises NotPlayable if a right move is not on offer."""
    out: list[Question] = []
    history: list[steps.Step] = []
    for move in [*made.moves, None]:
        view = steps.View(made.goal, made.tools, tuple(history))
        result = _play(view, move, made, out)
        if move is None:
            if isinstance(result, steps.Call):
                raise NotPlayable(f"{made.goal!r}: called {result.tool} where it should answer")
            break
        if not isinstance(result, steps.Call):
            raise NotPlayable(f"{made.goal!r}: answered where it should call {move.tool}")
        history.append(steps.Step(result.tool, result.arguments, move.observation, move.ok))
    return out


def _play(view: steps.View, move: Move | None, made: Scenario, out: list[Question]) -> steps.Call | steps.Answer:
    asking = steps.step(view)
    try:
        decision = next(asking)
        while True:
            right = _right(decision, move, made)
            out.append(Question(decision, right, made.family))
            decision = asking.send(right)
    except StopIteration as done:
        result: steps.Call | steps.Answer = done.value
        return result


def _right(decision: steps.Decision, move: Move | None, made: Scenario) -> int:
    if decision.about == "answer":
        return _right_answer(decision, made)
    if decision.about == "next":
        wanted: Any = steps.STOP if move is None else move.tool
    elif move is None:
        raise NotPlayable(f"{made.goal!r}: {decision.about} where it should answer")
    else:
        wanted = move.arguments.get(decision.about.rsplit(".", 1)[-1], options.SKIP)
    for index, option in enumerate(decision.options):
        if option.value is wanted or (wanted is not options.SKIP and _same(option.value, wanted)):
            return index
    raise NotPlayable(f"{made.goal!r}: {decision.about} has no {wanted!r}")


def _same(one: Any, other: Any) -> bool:
    if one is options.SKIP:
        return False
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other) or str(one).strip() == str(other).strip()


def _right_answer(decision: steps.Decision, made: Scenario) -> int:
    for wanted in made.answers:
        for index, option in enumerate(decision.options):
            if isinstance(option.value, Part) and option.value.text.strip() == wanted.strip():
                return index
    if made.answers:
        raise NotPlayable(f"{made.goal!r}: no part is {made.answers!r}")
    return len(decision.options) - 1  # "nothing found" stands last


def _tool_list(rng: random.Random, made: Scenario, test: str) -> list[ToolCard]:
    """The tools meant, most of the built-in ones and a few that are not meant, in random order."""
    names = {tool.name for tool in made.tools}
    out = list(made.tools)
    share = rng.choice((0.15, 0.4, 1.0, 1.0))
    for card in scenes.BUILT_IN.values():
        if card.name not in names and card.name not in made.without and rng.random() < share:
            out.append(card)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 4))):
        other = fake_tools.distractor(rng, bool(test))
        if other.name not in {tool.name for tool in out} | made.without and not made.rivals(other):
            out.append(other)
    if rng.random() < 0.3 and made.family in TRAPPED:
        trap = fake_tools.trap(rng, made.goal)
        if trap is not None and trap.name not in {tool.name for tool in out}:
            out.append(trap)
    if rng.random() < 0.8:  # the built-in ones keep their usual order most of the time
        rng.shuffle(out)
    return out


@dataclass(slots=True)
class Coverage:
    """How often the right move was on offer, by family."""

    played: int = 0
    gaps: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


def stream(seed: int, *, test: str = "", coverage: Coverage | None = None) -> Iterator[list[Question]]:
    """Played scenarios without end, the same for the same seed."""
    rng = random.Random(seed)
    while True:
        made = scenario(rng, test=test)
        try:
            played = questions(made)
        except NotPlayable as gap:
            if coverage is not None:
                coverage.gaps[made.family] = coverage.gaps.get(made.family, 0) + 1
                coverage.examples.append(f"{made.family}: {gap}")
            continue
        if coverage is not None:
            coverage.played += 1
        yield played
