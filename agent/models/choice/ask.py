"""Small-model mode between the loop and the process: messages become a view, choices become a reply.

What it is: the goal and the steps are read off the messages, `steps.step` asks, the process scores each option's label,
the best one is taken. `bound` is the most tokens the questions of a step can be and `reply` keeps to it: no option is
ever taken unasked; an answer that leaves something of the goal out says so (coverage.py). What it may touch: the process it is given. Does not promise: a right choice.
Start reading at `reply`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from outrider.agent.models.choice import asked as goals
from outrider.agent.models.choice import clauses, coverage, steps
from outrider.agent.models.choice.coverage import Done
from outrider.agent.models.choice.options import ToolCard
from outrider.agent.models.model import GOAL, CallDraft, Message, ModelFailure, Reply, Request, Usage
from outrider.memory.events import Outcome

Deciding = Generator[steps.Decision, int, Any]
Decide = Callable[[Deciding], Awaitable[steps.Call | steps.Answer]]

MAX_QUESTIONS = 24  # of one step, each one token of output
MAX_WAYS, CLOSED = 300, 10  # ways of a step that are followed; options up to which each one is
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARGIN = 160  # tokens: a question about a later argument names what was chosen before it, here by its longest guess


class Scorer(Protocol):
    """Whoever holds the model: it scores the options of a question and counts tokens (llama/process.py does)."""

    async def ask(self, do: str, *, timeout_s: float, **body: Any) -> dict[str, Any]:
        """One request, "choose" or "count". Raises ModelFailure."""
        ...


_BOUNDS: WeakKeyDictionary[Message, tuple[tuple[int, int, bool, int], int]] = WeakKeyDictionary()  # by last message


@dataclass(slots=True)
class _Spent:
    """Tokens of this step so far."""

    allowed: int
    questions: int
    input: int = 0
    cached: int = 0
    asked: int = 0

    def usage(self) -> Usage:
        """As it is reported."""
        return Usage(input_tokens=self.input, output_tokens=self.asked, cached_tokens=self.cached)


async def reply(process: Scorer, request: Request, until: float, *, plain: bool) -> Reply:
    """One step. `plain`: the model has no labels of ours; it is asked in words and answers with a letter."""
    view = read_view(request.messages, request.tools)
    spent = _Spent(await bound(process, request, plain=plain), min(MAX_QUESTIONS, max(1, request.max_tokens)))

    async def decide(asking: Deciding) -> steps.Call | steps.Answer:
        try:
            decision = next(asking)
            while True:
                decision = asking.send(await _choose(process, decision, spent, until, plain))
        except StopIteration as done:
            move: steps.Call | steps.Answer = done.value
            return move

    try:
        move = await _move(view, decide)
    except _NotAsked:
        why = "I could not do this: the budget allows no further question to the model."
        return Reply(text=why, usage=spent.usage(), finish_reason="length", outcome="partial")
    if isinstance(move, steps.Call):
        draft = CallDraft(name=move.tool, arguments=steps.call_json(move))
        return Reply(calls=(draft,), usage=spent.usage(), finish_reason="tool_calls")
    said = guarded(view, move)
    if request.on_text:
        request.on_text(said.text)
    return Reply(text=said.text, usage=spent.usage(), outcome=said.outcome)


async def _move(view: steps.View, decide: Decide) -> steps.Call | steps.Answer:
    """The next call, or the answer; a goal of several clauses has one call for each, then they are answered together."""
    parts = clauses.split(view.goal)
    if len(parts) == 1:
        return await decide(steps.step(view))
    at = len(view.history)
    current = clauses.now(view, parts)
    if current is not None:
        move = await decide(steps.step(current))
        if isinstance(move, steps.Call):
            return move
        return move if not view.history else await _together(view, parts, decide, also=move.text)
    if at < len(parts) and view.history[-1].ok and any(tool.name == "write_file" for tool in view.tools):
        before = await decide(steps.answer(clauses.each(view, parts)[-1][1]))
        if isinstance(before, steps.Answer) and before.found:
            return steps.Call("write_file", {"path": parts[at].save_to, "content": _content(parts[at].text, before)})
    return await _together(view, parts, decide)


def _content(clause: str, answer: steps.Answer) -> str:
    """What is written: the number alone where the goal says "the number"."""
    numbers = re.findall(r"-?\d[\d,]*(?:\.\d+)?", answer.result)
    only = re.search(r"\bthe (?:\w+ )?(?:number|count|total|sum|average|result)\b", clause, re.IGNORECASE)
    return numbers[0] if only and len(numbers) == 1 else answer.result


async def _together(view: steps.View, parts: list[clauses.Clause], decide: Decide, also: str = "") -> steps.Answer:
    texts, found = [], not also
    for clause, seen in clauses.each(view, parts):
        if clause.save_to:
            texts.append(f"{seen.history[0].observation.strip().splitlines()[0][:200]}")
            found = found and seen.history[0].ok
            continue
        said = await decide(steps.answer(seen))
        if isinstance(said, steps.Answer):
            texts.append(said.text)
            found = found and said.found
    return steps.Answer(
        "\n".join([*texts, *([also] if also else [])]), found=found or bool(texts and not also), whole=found
    )


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it goes out."""

    text: str
    outcome: Outcome


def guarded(view: steps.View, answer: steps.Answer) -> Said:
    """The answer with what it leaves out of the goal named; the run is then partial."""
    if not answer.found:
        return Said(answer.text, "not_found" if view.history else "unable")
    about = {tool.name: tool.description for tool in view.tools}
    done = [Done(one.tool, one.arguments, one.observation, one.ok, about.get(one.tool, "")) for one in view.history]
    missing = coverage.left_out(view.goal, done, answer.text)
    if missing or not answer.whole:
        return Said(f"{answer.text}\n{coverage.named(missing)}".strip(), "partial")
    return Said(answer.text, "answered")


class _NotAsked(Exception):
    """A question does not fit what is allowed: no option is ever taken unasked."""


async def _choose(process: Scorer, decision: steps.Decision, spent: _Spent, until: float, plain: bool) -> int:
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise ModelFailure(
            "the model did not finish in time",
            "the time for this request is up",
            "give the run more seconds",
            retryable=True,
        )
    if spent.asked >= spent.questions:
        raise _NotAsked
    count = len(decision.options)
    question = (
        {"text": in_words(decision), "labels": [f" {letter}" for letter in LETTERS[:count]]}
        if plain
        else {"question": decision.prompt(), "labels": [steps.label(index) for index in range(count)]}
    )
    done = await process.ask("choose", timeout_s=left_s, most=spent.allowed - spent.input, **question)
    scores = done["scores"]
    if not scores:
        raise _NotAsked
    spent.input, spent.cached, spent.asked = (
        spent.input + done["tokens"],
        spent.cached + done["cached"],
        spent.asked + 1,
    )
    return decision.best(scores)


async def bound(process: Scorer, request: Request, *, plain: bool) -> int:
    """The most input tokens the questions of the next step can be: the first one and the longest way on from it."""
    last = request.messages[-1] if request.messages else None
    key = (len(request.messages), len(request.tools), plain, id(process))
    kept = _BOUNDS.get(last) if last is not None else None
    if kept is None or kept[0] != key:
        kept = (key, await _bound(process, read_view(request.messages, request.tools), plain))
        if last is not None:
            _BOUNDS[last] = kept
    return kept[1]


async def _bound(process: Scorer, view: steps.View, plain: bool) -> int:
    """The longest way of each generator the step may run, added up."""
    total = 0
    for views in _views(view):
        found = ways(views) if views.tools else answer_ways(views)
        if found:
            total += await _longest(process, found, plain) + _MARGIN
    return max(1, total)


def _views(view: steps.View) -> list[steps.View]:
    parts = clauses.split(view.goal)
    if len(parts) == 1:
        return [view]
    current = clauses.now(view, parts)
    return [*([current] if current is not None else []), *(seen for _, seen in clauses.each(view, parts))]


async def _longest(process: Scorer, found: list[list[steps.Decision]], plain: bool) -> int:
    """The tokens of the longest way; a question that several ways share is counted once."""
    asked = {id(one): one for way in found for one in way}
    texts, questions = (
        ([in_words(one) for one in asked.values()], []) if plain else ([], [one.prompt() for one in asked.values()])
    )
    counts: list[int] = (await process.ask("count", timeout_s=60.0, texts=texts, questions=questions))["counts"]
    tokens = dict(zip(asked, counts, strict=True))
    return max(sum(tokens[id(one)] for one in way) for way in found)


def ways(view: steps.View) -> list[list[steps.Decision]]:
    """The ways a step can go: every option of a closed question is followed, of a longer one the longest."""
    return _ways(lambda: steps.step(view))


def answer_ways(view: steps.View) -> list[list[steps.Decision]]:
    """The same for the answer alone."""
    return _ways(lambda: steps.answer(view))


def _ways(begin: Callable[[], Deciding]) -> list[list[steps.Decision]]:
    out: list[list[steps.Decision]] = []
    ahead: list[tuple[int, ...]] = [()]
    while ahead and len(out) < MAX_WAYS:
        taken = ahead.pop()
        way, asking = [], begin()
        try:
            way.append(next(asking))
            for index in taken:
                way.append(asking.send(index))
        except StopIteration:
            out += [way] if way else []
            continue
        ahead += [(*taken, index) for index in _followed(way[-1], first=not taken)]
    return out


def _followed(decision: steps.Decision, first: bool) -> list[int]:
    """All options of the first question and of a closed one (operations, enums, files); else the longest alone."""
    if first or len(decision.options) <= CLOSED:
        return list(range(len(decision.options)))
    return [max(range(len(decision.options)), key=lambda i: len(decision.options[i].words))]


def in_words(decision: steps.Decision) -> str:
    """A question for a model that has no labels of ours: lettered options, the answer is one letter."""
    head = _worded(decision.head)
    options = "\n".join(f"{LETTERS[i]}) {_worded(option.words)}" for i, option in enumerate(decision.options))
    return f"{head}\nWhich is right? Answer with one letter.\n{options}\nAnswer:"


_NAMES = {
    steps.GOAL: "Goal:",
    steps.HAS: "\nIt holds:",
    steps.DID: "\nDone:",
    steps.SAW: "\nSeen:",
    steps.FAILED: "\nFailed:",
    steps.NEXT: "\nQuestion: which tool comes next?",
    steps.ARGUMENT: "\nQuestion: which value has the argument",
    steps.GOT: "\nChosen:",
    steps.ANSWER: "\nQuestion: what answers the goal?",
    steps.IS: "=",
    steps.THEN: "then",
    steps.SAME: "",
    steps.BEGIN: "",
}


def _worded(pieces: Sequence[str]) -> str:
    return re.sub(r"[ \t]+", " ", " ".join(_NAMES.get(piece, piece) for piece in pieces)).strip()


_CARDS: dict[int, tuple[object, ToolCard]] = {}


def read_view(messages: Sequence[Message], tools: Sequence[object]) -> steps.View:
    """The goal, the live tools and the steps, read off a request."""
    goal = ""
    history: list[steps.Step] = []
    calls: dict[str, CallDraft] = {}
    for message in messages:
        if message.role == "user" and message.label == GOAL and goal:
            goal, history = _read_user(_with_files(message.text), "")[0], []  # what was seen was for another goal
        elif message.role == "user":
            goal, found = _read_user(_with_files(message.text), goal)
            history += found
        elif message.role == "assistant":
            calls = {call.id: call for call in message.calls}
        elif message.role == "tool":
            call = calls.get(message.call_id)
            history.append(steps.Step(message.label, _arguments(call), message.text, message.ok))
    return steps.View(goals.bounded(goal), [_card(spec) for spec in tools], tuple(history))


_CAME = re.compile(r"\n\nFiles that came with the goal, for tools to read: ([^\n]+)\Z")  # context/goal.py


def _with_files(text: str) -> str:
    """The goal with the files that came with it named in its sentence, as a person would: "… in sales.csv?"."""
    if (came := _CAME.search(text)) is None:
        return text
    names = re.sub(r" \([^()]*\)", "", came[1]).replace(", ", " and ")
    return f"{text[: came.start()].rstrip(' ?.!')} in {names}?"


def _read_user(text: str, goal: str) -> tuple[str, list[steps.Step]]:
    """The goal after this turn, and the findings if it is the request for an ending."""
    changed = re.match(r"The goal is now: (.+)", text, re.DOTALL)
    ending = re.search(r"\n\nGoal: (.+?)\n\nFindings:\n(.*)", text, re.DOTALL)
    if ending and not goal:
        lines = re.findall(r"^- step [\d.]+, (\S+?): (.*)$", ending[2], re.MULTILINE)
        return ending[1], [steps.Step(tool, {}, seen) for tool, seen in lines]
    if changed:
        return changed[1], []
    return (goal or text), []


def _arguments(call: CallDraft | None) -> dict[str, object]:
    try:
        arguments = json.loads(call.arguments) if call else {}
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _card(spec: object) -> ToolCard:
    kept = _CARDS.get(id(spec))
    if kept is None or kept[0] is not spec:
        if len(_CARDS) > 2000:
            _CARDS.clear()
        kept = _CARDS[id(spec)] = (spec, ToolCard(spec.name, spec.description, spec.parameters))  # type: ignore[attr-defined]
    return kept[1]
