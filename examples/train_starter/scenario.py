"""What a family of goals hands to training: a goal, its tools, the right moves and the right answers.

May touch: nothing. Start reading at `Scenario`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from examples.train_starter.fake_tools import known_words
from outrider.agent.models.choice.options import ToolCard
from outrider.agent.models.choice.tool_forms import TOOL_FORMS
from outrider.agent.models.choice.words import pieces, stems


@dataclass(slots=True)
class Move:
    """A call that is right, with its arguments as the small model's face of the tool names them, and what it returns."""

    tool: str
    arguments: dict[str, Any]
    observation: str
    ok: bool = True


@dataclass(slots=True)
class Scenario:
    """A goal, the tools it is about, the right moves, and the parts of an observation that are a right answer.

    `answers` empty: nothing was found. `without`: tools that must not be in the list, for they would do as well.
    """

    goal: str
    tools: list[ToolCard]
    moves: list[Move]
    answers: list[str] = field(default_factory=list)
    without: frozenset[str] = frozenset()
    exact_goal: bool = False
    family: str = ""

    def rivals(self, other: ToolCard) -> bool:
        """Whether `other` would do as well as what is meant: it shares its main words."""
        mine = stems(word for tool in self.tools for word in pieces(f"{tool.name} {tool.description}", 20))
        theirs = stems(pieces(f"{other.name} {other.description}", 20))
        goal = stems(pieces(self.goal, 48))
        return bool(theirs & mine & goal) or len(theirs & goal) > 1 or bool(goal & known_words(other.name))


def _card(name: str) -> ToolCard:
    text = {"type": "string"}
    face = TOOL_FORMS[name]
    return ToolCard(
        name,
        face.gloss,
        {"type": "object", "properties": dict.fromkeys(face.needs, text), "required": list(face.needs)},
    )


BUILT_IN = {name: _card(name) for name in TOOL_FORMS}


def built(*names: str) -> list[ToolCard]:
    """The cards of these built-in tools."""
    return [BUILT_IN[name] for name in names]


_BEFORE = ("", "", "", "", "", "", "please ", "Please ", "Can you tell me: ", "I need to know: ", "Hey, ", "Question: ")


_AFTER = ("", "", "", "", "", " please", ", please", ". Thanks!", " now")


def dressed(rng: random.Random, goal: str, *, plain: bool = False) -> str:
    """`goal` as people type it: with a please, in lower case, without its question mark."""
    if plain:
        return goal
    goal = rng.choice(_BEFORE) + goal + (rng.choice(_AFTER) if rng.random() < 0.5 else "")
    if rng.random() < 0.2:
        goal = goal.replace("?", "")
    return goal[0].lower() + goal[1:] if rng.random() < 0.15 else goal


def side(test: str) -> bool | None:
    return test == "wording"


_FAILURES = (
    "The file does not exist.",
    "No such file. Why: it is not in the workspace. To fix: list the files first",
    "The call failed. Why: the service did not answer. To fix: try again later",
    "Timed out after 60 seconds",
    "Not found",
    "The host could not be reached. Why: no network. To fix: check the connection",
    "the arguments do not fit. Why: unknown value. To fix: call it with other arguments",
    "Access denied",
    "there is no column of that name. Why: the table has other columns. To fix: use one of them",
)


def maybe_fails(rng: random.Random, made: Scenario, share: float = 0.08) -> Scenario:
    """Now and then the last call fails, and the right answer is that nothing was found."""
    if rng.random() < share:
        last = made.moves[-1]
        last.observation, last.ok, made.answers = rng.choice(_FAILURES), False, []
    return made
