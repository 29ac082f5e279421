"""Examples from somebody's own tools: goals out of names, descriptions and types, and their successful runs.

What it is: `made(rnd, cards)` writes one example for one of the tools among the others; `of_run(row)` reads a line of the
fine-tuning export. What it may touch: nothing. Does not promise: wordings like those of the people who will ask; runs
(`--runs`) are the better source. Some wordings are kept for the score alone (`held=True`).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

from outrider.agent.models.brain.lines import Card
from outrider.agent.models.choice.options import Parameter, read_parameters
from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import CITIES, CODE, FIRST, MONTHS, THINGS, person, said

TRAINED = (
    "{about} {values}", "{about}: {values}", "what is {about_the} {values}?", "{name} {values}", "tell me {about_the} {values}", "I need {about_the} {values}", "{values}: {name}?",
    "can you get {about_the} {values}", "use {name} with {values}", "{about_the} {values} please", "show me {about_the} {values}", "{name} ({values})"
)  # fmt: skip
HELD = (
    "could you find out {about_the} {values}?",
    "I'd like to know {about_the}, {values}",
    "{values}, {about}",
    "give me {name} {values}",
)
# a few telling words of the tool instead of its description, and values without the names of their arguments
SHORT = ("{key} {values}", "{values}: {key}?", "need the {key}: {values}", "{key} for {values} please", "any {key} {values}?", "{values} {key}", "what about {key}, {values}", "quick check of {key} {values}", "my question is about {key}: {values}")  # fmt: skip
SHORT_HELD = ("looking for {key}, {values}", "{values}. {key}?", "hey, {key} - {values}", "can someone tell me {key} with {values}", "{values}, and I am after {key}")  # fmt: skip
BEFORE = {"city": "in", "place": "in", "country": "in", "date": "on", "day": "on", "from": "from", "start": "from", "to": "to", "target": "to", "time": "at", "amount": "for", "count": "for", "people": "for", "person": "for", "name": "for", "id": "for"}  # fmt: skip


def made(rnd: random.Random, cards: Sequence[Card], *, held: bool = False) -> Example:
    """A goal for one of the tools, its call, and a made-up result."""
    card = rnd.choice(list(cards))
    short = rnd.random() < (0.75 if held else 0.6)
    arguments, parts = _arguments(rnd, card, bare=0.85 if held and short else 0.4)
    about, key = _about(card), _key(rnd, card, cards)
    values = (rnd.choice([" ", ", ", " and "]) if len(parts) > 1 else "").join(parts)
    wording = rnd.choice((SHORT_HELD if short else HELD) if held else SHORT if short else TRAINED)
    the = about if re.match(r"(?:the|a|an|how|what|when|who|whether)\b", about) else f"the {about}"
    goal = wording.format(about=about, about_the=the, name=card.name.replace("_", " "), values=values, key=key)
    seen = rnd.choice([str(rnd.randint(2, 900)), f"{rnd.uniform(1, 99):.2f}", rnd.choice(THINGS), "done", person(rnd)])
    goal = " ".join(goal.split()).strip(" ,:")
    return Example(
        "own",
        goal if held else said(rnd, goal),
        [Step(card.name, arguments, seen)],
        f"The result is {seen}.",
        list(cards),
    )


def _key(rnd: random.Random, card: Card, cards: Sequence[Card]) -> str:
    """One to three telling words of a tool, one of them in no other tool where there is such a word."""
    found = {one.name: _telling(one) for one in cards}
    mine = found[card.name] or [card.name.replace("_", " ")]
    others = {word for name, words in found.items() if name != card.name for word in words}
    own = [word for word in mine if word not in others] or mine
    first = rnd.choice(own)
    kept = {first, *rnd.sample(mine, min(len(mine), rnd.choice([0, 1, 1, 2])))}
    return " ".join(word for word in mine if word in kept)


_PLAIN = frozenset(["a", "an", "the", "of", "for", "to", "in", "on", "at", "by", "with", "and", "or", "is", "are", "was", "be", "it", "its", "this", "that", "how", "many", "much", "what", "when", "who", "which", "whether", "one", "from", "as", "per", "get", "set", "return", "returns"])  # fmt: skip


def _telling(card: Card) -> list[str]:
    """The words of a tool's name and first sentence that say what it is about, each once."""
    words = re.findall(r"[a-z]{3,}", f"{card.name.replace('_', ' ')} {_about(card)}".lower())
    return list(dict.fromkeys(word for word in words if word not in _PLAIN))[:8]


def _about(card: Card) -> str:
    first = re.split(r"(?<=[.!?])\s|\n", card.description.strip(), maxsplit=1)[0].rstrip(".")
    first = first or card.name.replace("_", " ")
    return first[0].lower() + first[1:] if not first[:2].isupper() else first


def _arguments(rnd: random.Random, card: Card, *, bare: float) -> tuple[dict[str, Any], list[str]]:
    """The arguments of a call, and how a goal says each. bare: the share that is said without the argument's name."""
    out: dict[str, Any] = {}
    parts = []
    for one in read_parameters(card.parameters):
        if not one.required and rnd.random() < 0.5:
            continue
        value = _value(rnd, one)
        if value is None:
            continue
        out[one.name] = value
        words = one.name.replace("_", " ")
        if one.kind == "boolean":
            parts.append(words if value else f"no {words}")
        else:
            short = BEFORE.get(one.name.split("_")[-1], BEFORE.get(one.name.split("_")[0], "for"))
            if rnd.random() < bare:
                parts.append(str(value))
                continue
            parts.append(rnd.choice([f"{short} {value}", f"{words} {value}", str(value), f"with {words} {value}"]))
    return out, parts


def _value(rnd: random.Random, one: Parameter) -> Any:
    if one.kind == "enum":
        return rnd.choice(one.values)
    if one.kind == "boolean":
        return rnd.random() < 0.8
    low, high = one.low if one.low is not None else 1, one.high if one.high is not None else 400
    if one.kind == "integer":
        return rnd.randint(int(low), max(int(low), int(high)))
    if one.kind == "number":
        return round(rnd.uniform(low, max(low, high)), rnd.choice([0, 1, 1, 2]))
    return _text(rnd, one) if one.kind == "string" else None


def _text(rnd: random.Random, one: Parameter) -> str:
    """A value that looks like the examples of the description, or like what the name says."""
    shown = re.findall(r"[\"'“]([^\"'”]{1,40})[\"'”]", one.about)
    if shown and rnd.random() < 0.8:
        return "".join(
            rnd.choice("ABCDEFGHKLMNPRSTVXZ") if c.isupper() else str(rnd.randint(1, 9)) if c.isdigit() else c
            for c in rnd.choice(shown)
        )
    name = one.name.lower()
    if re.search(r"city|place|town|location|where|station|port|origin|destination|start|end|from|^to$", name):
        return rnd.choice(CITIES)
    if re.search(r"date|day|when", name):
        return rnd.choice(
            [
                f"2026-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}",
                f"{rnd.randint(1, 28)} {rnd.choice(MONTHS)}",
                "Monday",
                "tomorrow",
            ]
        )
    if re.search(r"person|name|customer|user|owner|employee|who", name):
        return rnd.choice([person(rnd), rnd.choice(FIRST)])
    if re.search(r"id|number|code|key|ref", name):
        return rnd.choice(
            [
                str(rnd.randint(100, 99999)),
                f"{rnd.choice('ABCDKX')}{rnd.randint(10, 999)}",
                f"{rnd.choice('ABC')}-{rnd.randint(100, 999)}",
            ]
        )
    return rnd.choice(
        [
            rnd.choice(THINGS),
            rnd.choice(CODE),
            f"{rnd.choice(CODE)} {rnd.choice(THINGS)}",
            "".join(rnd.sample("ABCDEFGHKLMNPRST", 3)),
        ]
    )


def of_run(line: str) -> Example | None:
    """An example of one line of the fine-tuning export; None for a conversation without a call, or that does not fit."""
    row = json.loads(line)
    goal, steps, answer = "", list[Step](), ""
    waiting: list[tuple[str, dict[str, Any]]] = []
    for turn in row["messages"]:
        if turn["role"] == "user" and not goal:
            goal = str(turn["content"])
        elif turn["role"] == "assistant":
            answer = str(turn.get("content") or "")
            waiting = [_call(call["function"]) for call in turn.get("tool_calls") or ()]
        elif turn["role"] == "tool" and waiting:
            name, arguments = waiting.pop(0)
            steps.append(Step(name, arguments, str(turn["content"])[:400]))
    cards = [
        Card(f["name"], f.get("description", ""), f.get("parameters") or {})
        for f in (t.get("function", t) for t in row.get("tools") or ())
    ]
    return Example("run", goal, steps, " ".join(answer.split())[:400], cards) if goal and steps and answer else None


def _call(function: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    arguments = function["arguments"]
    return str(function["name"]), json.loads(arguments) if isinstance(arguments, str) else dict(arguments)
