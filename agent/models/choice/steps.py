"""Small-model mode: one agent step as a few multiple-choice questions, so that a tiny model only has to point.

What it is: `step(view)` is a generator. It yields `Decision`s (which tool? which span for this argument? which part
of the observation is the answer?), is sent the index of the option taken, and returns a `Call` or an `Answer`.
Every option is built from the live tool list and the conversation, so the JSON of a call, the spelling of a tool and
the copying of an argument are never the model's to get wrong. A question with one option is not asked.
The same code renders the training data (starter/traces.py), so the model is asked exactly what it was taught.
What it may touch: nothing; no imports but the standard library and its neighbours. What it does not promise: the
right choice. Start reading at `step`; candidates.py says where the options come from.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from outrider.agent.models.choice import answer_parts, tool_forms
from outrider.agent.models.choice import options as candidates
from outrider.agent.models.choice.asked import may_change_files
from outrider.agent.models.choice.options import MAX_GOAL_WORDS, Chosen, Option, ToolCard
from outrider.agent.models.choice.words import pieces, stem, stems

LABELS = tuple(f"<|{number}|>" for number in range(64))
BEGIN, END, GOAL, HAS, DID, SAW, FAILED, NEXT, ARGUMENT, GOT, ANSWER, OPTION, CHOOSE, YES, NO = (
    "<|begin|>", "<|end|>", "<|goal|>", "<|has|>", "<|did|>", "<|saw|>", "<|failed|>", "<|next|>", "<|argument|>",
    "<|got|>", "<|answer|>", "<|option|>", "<|choose|>", "<|yes|>", "<|no|>",
)  # fmt: skip
SAME, IS, THEN, OF_TOOL = candidates.SAME, candidates.IS, candidates.THEN, candidates.OF_TOOL
SPECIALS = (
    BEGIN,
    END,
    GOAL,
    HAS,
    DID,
    SAW,
    FAILED,
    NEXT,
    ARGUMENT,
    GOT,
    ANSWER,
    OPTION,
    CHOOSE,
    YES,
    NO,
    SAME,
    IS,
    THEN,
    OF_TOOL,
    *LABELS,
)
MAX_STEPS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """A call made earlier in this run and what came of it."""

    tool: str
    arguments: dict[str, Any]
    observation: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """All a decision may depend on: the goal, the live tools, and the steps so far, oldest first."""

    goal: str
    tools: Sequence[ToolCard]
    history: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One question. `about` names it for people: "next", "argument stock.symbol", "answer"."""

    about: str
    head: tuple[str, ...]
    options: tuple[Option, ...]

    def best(self, scores: Sequence[float]) -> int:
        """The index of the option to take, given the model's score of each label."""
        return max(range(len(self.options)), key=lambda index: scores[index] + self.options[index].bias)

    def prompt(self, first_label: int = 0) -> list[str]:
        """The question as pieces: special tokens and plain words. The label of option i is `label(i, first_label)`."""
        out = list(self.head)
        for index, option in enumerate(self.options):
            out += [OPTION, *option.words, label(index, first_label)]
        return [*out, CHOOSE]


@dataclass(frozen=True, slots=True)
class Call:
    """Use this tool with these arguments."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Say this and stop. `found` is False when it says what was not found, `whole` when a clause was not worked on.

    `result` is the part of an observation the text is made of, or the text.
    """

    text: str
    found: bool = True
    whole: bool = True
    part: str = field(default="", compare=False)

    @property
    def result(self) -> str:
        """What a file is given when the answer is to be saved."""
        return self.part or self.text


Asking = Generator[Decision, int, Any]
STOP = "answer"
CHANGING = frozenset(["write_file", "edit_file", "move_file", "copy_file", "delete_file"])


def label(index: int, first: int = 0) -> str:
    """The label of option `index`; training starts at a random `first` so that no label means a place."""
    return LABELS[(index + first) % len(LABELS)]


def step(view: View) -> Generator[Decision, int, Call | Answer]:
    """Decide the next move of a run: yields questions, is sent the option taken for each, returns the move."""
    tools = [] if _must_answer(view) else offered(view)
    name = yield from _choose_next(view, tools)
    for tool in tools:
        if tool.name == name:
            call = yield from _fill(view, tool)
            if not _repeated(call, view.history):
                return call
    return (yield from _answer(view))


def offered(view: View) -> list[ToolCard]:
    """The live tools a small model is shown: those whose required arguments have candidates."""
    names = frozenset(tool.name for tool in view.tools)
    cards = [replace(tool, beside=names - {tool.name}) for tool in view.tools if tool.name not in tool_forms.HIDDEN]
    if not may_change_files(view.goal):
        cards = [tool for tool in cards if tool.name not in CHANGING]
    return [tool for tool in cards if candidates.offerable(tool, view.goal, seen(view))][: len(LABELS) - 1]


def _must_answer(view: View) -> bool:
    failures = [not step.ok for step in view.history[-2:]]
    return len(view.history) >= MAX_STEPS or (len(failures) == 2 and all(failures))


def _repeated(call: Call, history: Sequence[Step]) -> bool:
    return any((call.tool, call.arguments) == (past.tool, past.arguments) for past in history)


def _choose_next(view: View, tools: Sequence[ToolCard]) -> Generator[Decision, int, str]:
    options = [*(tool.option(view.goal) for tool in tools), Option(STOP, (STOP,))]
    if not view.history and any(tool.is_named(view.goal) for tool in tools):
        options = [
            replace(one, bias=candidates.FALLBACK) if one.value in _fallbacks(view.goal) else one for one in options
        ]
    return str((yield from _ask("next", (*_context(view), NEXT), options)))


def _fallbacks(goal: str) -> frozenset[str]:
    """What is done when no tool fits; the web is none of them if the goal asks for it."""
    asked = stems(pieces(goal, MAX_GOAL_WORDS)) & stems(["web", "internet", "online", "google"])
    return frozenset(["recall", "note", STOP]) if asked else frozenset(["web_search", "recall", "note", STOP])


def _fill(view: View, tool: ToolCard) -> Generator[Decision, int, Call]:
    """Each argument in the order of the schema; what is skipped is left out of the call."""
    chosen: Chosen = {}
    for parameter in tool.parameters():
        options = candidates.options_for(tool, parameter, view.goal, chosen, seen(view))
        if not options:
            continue
        head = (*_context(view), ARGUMENT, *candidates.describe(tool, parameter))
        for name, value in chosen.items():
            head += (GOT, *pieces(name, 3), IS, *candidates.shortened(str(value)))
        value = yield from _ask(f"argument {tool.name}.{parameter.name}", head, options)
        if value is not candidates.SKIP:
            chosen[parameter.name] = value
    return Call(tool.name, candidates.arguments(tool, chosen))


def _answer(view: View) -> Generator[Decision, int, Answer]:
    past = [(step.tool, step.arguments, step.observation, step.ok) for step in view.history]
    marks = stems(pieces(view.goal, MAX_GOAL_WORDS))
    options = [
        Option(part, candidates.marked((part.kind, *part.words()), marks)) for part in answer_parts.parts(past, marks)
    ]
    if not options:
        return Answer(answer_parts.not_found(view.goal, past), found=False)
    options.append(Option(None, ("nothing", "found")))
    part = yield from _ask("answer", (*_context(view, observation_words=16), ANSWER), options)
    if part is None:
        return Answer(answer_parts.not_found(view.goal, past), found=False)
    return Answer(answer_parts.phrase(view.goal, past, part), part=part.text)


answer = _answer  # the last question alone, for a clause that had its call


def _ask(about: str, head: tuple[str, ...], options: Sequence[Option]) -> Asking:
    if len(options) == 1:
        return options[0].value
    options = options[: len(LABELS)]
    index = yield Decision(about, head, tuple(options))
    return options[index].value


def _context(view: View, *, observation_words: int = 24) -> tuple[str, ...]:
    """The goal, what kinds of things it holds, and the last steps, in few words."""
    out = [BEGIN, GOAL, *pieces(view.goal, MAX_GOAL_WORDS), HAS, *candidates.kinds(view.goal)]
    for past in view.history[-3:]:
        out += [DID, *pieces(past.tool, 4)]
        out += [
            word
            for value in tool_forms.told(past.tool, past.arguments).values()
            for word in candidates.shortened(str(value), 4)
        ][:12]
        out += [SAW if past.ok else FAILED, *pieces(past.observation, observation_words)]
    return tuple(out)


def seen(view: View) -> str:
    """What was observed last and worked, for arguments that are copied from it; empty at the first step."""
    return next((past.observation[:4000] for past in reversed(view.history) if past.ok), "")


def call_json(call: Call) -> str:
    """The arguments of `call` as JSON text, as a model would have written them."""
    return json.dumps(call.arguments, ensure_ascii=False)


__all__ = ["Answer", "Call", "Decision", "Step", "ToolCard", "View", "call_json", "label", "stem", "step"]
