"""Small-model mode between the loop and the process: messages become a view, choices become a reply.

What it is: the goal and the steps are read off the messages, `steps.step` asks, the process scores each option's label,
the best one is taken. `bound` is the most tokens the questions of a step can be and `reply` keeps to it: when it runs
out, the first option is taken unasked. What it may touch: the process it is given. Does not promise: a right choice.
Start reading at `reply`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from outrider.agent.models.choice import steps
from outrider.agent.models.choice.options import ToolCard
from outrider.agent.models.model import GOAL, CallDraft, Message, ModelFailure, Reply, Request, Usage

MAX_QUESTIONS = 16  # of one step, each one token of output
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARGIN = 64  # tokens: a question about a later argument names what was chosen before it, here by its longest guess


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


async def reply(process: Scorer, request: Request, until: float, *, plain: bool) -> Reply:
    """One step. `plain`: the model has no labels of ours; it is asked in words and answers with a letter."""
    view = read_view(request.messages, request.tools)
    spent = _Spent(await bound(process, request, plain=plain), min(MAX_QUESTIONS, max(1, request.max_tokens)))
    asking = steps.step(view)
    try:
        decision = next(asking)
        while True:
            decision = asking.send(await _choose(process, decision, spent, until, plain))
    except StopIteration as done:
        move: steps.Call | steps.Answer = done.value
    usage = Usage(input_tokens=spent.input, output_tokens=spent.asked, cached_tokens=spent.cached)
    if isinstance(move, steps.Call):
        return Reply(
            calls=(CallDraft(name=move.tool, arguments=steps.call_json(move)),), usage=usage, finish_reason="tool_calls"
        )
    if request.on_text:
        request.on_text(move.text)
    return Reply(text=move.text, usage=usage, outcome="answered" if move.found else "not_found")


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
        return 0
    count = len(decision.options)
    question = (
        {"text": in_words(decision), "labels": [f" {letter}" for letter in LETTERS[:count]]}
        if plain
        else {"question": decision.prompt(), "labels": [steps.label(index) for index in range(count)]}
    )
    done = await process.ask("choose", timeout_s=left_s, most=spent.allowed - spent.input, **question)
    scores = done["scores"]
    if not scores:
        return 0
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
    decisions = ways(view)
    if not decisions:
        return 1
    asked = [one for way in decisions for one in way]
    texts, questions = ([in_words(one) for one in asked], []) if plain else ([], [one.prompt() for one in asked])
    counts: list[int] = (await process.ask("count", timeout_s=60.0, texts=texts, questions=questions))["counts"]
    totals, start = [], 0
    for way in decisions:
        totals.append(sum(counts[start : start + len(way)]))
        start += len(way)
    return max(totals) + _MARGIN


def ways(view: steps.View) -> list[list[steps.Decision]]:
    """The questions of a step for each first choice, the longest option taken at every later one."""
    out: list[list[steps.Decision]] = []
    first = _first(view)
    if first is None:
        return out
    for index in range(len(first.options)):
        asking = steps.step(view)
        way = [next(asking)]
        try:
            way.append(asking.send(index))
            while True:
                longest = max(range(len(way[-1].options)), key=lambda i: len(way[-1].options[i].words))
                way.append(asking.send(longest))
        except StopIteration:
            out.append(way)
    return out


def _first(view: steps.View) -> steps.Decision | None:
    try:
        return next(steps.step(view))
    except StopIteration:
        return None


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
            goal, history = _read_user(message.text, "")[0], []  # what was seen was for another goal
        elif message.role == "user":
            goal, found = _read_user(message.text, goal)
            history += found
        elif message.role == "assistant":
            calls = {call.id: call for call in message.calls}
        elif message.role == "tool":
            call = calls.get(message.call_id)
            history.append(steps.Step(message.label, _arguments(call), message.text, message.ok))
    return steps.View(goal, [_card(spec) for spec in tools], tuple(history))


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
