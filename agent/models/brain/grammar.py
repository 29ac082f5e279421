"""The grammar of one step, made from what is there: tools on offer, words and numbers of the goal and of observations.

What it is: GBNF text for "a call of one of these tools, or an answer". Names, numbers and text of a call come from
spans, a table question is one SELECT over the columns that were shown, a sum an expression over the goal's numbers.
What it may touch: nothing. Does not promise: that the right choice is made among what is allowed. Start at `step`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.brain import sql, values
from outrider.agent.models.brain.lines import Card
from outrider.agent.models.brain.values import Sources
from outrider.agent.models.choice.words import pieces, stems

ANSWER = "answer ::= [^{\\n<\\x00-\\x1F] [^\\n<\\x00-\\x1F]{0,600}"


@dataclass(slots=True)
class Rules:
    """Named rules of one grammar."""

    lines: list[str]

    def add(self, name: str, body: str) -> str:
        """A rule under `name` with a number; returns the name."""
        name = f"{name}-{len(self.lines)}"
        self.lines.append(f"{name} ::= {body}")
        return name


MISSING = 'missing ::= "Please tell me the " [a-z0-9 ]{2,40} "."'  # as prompt.MISSING begins


def step(cards: Sequence[Card], sources: Sources, *, answer: str = "answer") -> str:
    """The grammar, or "" when nothing but an answer can be said (then none is needed).

    answer: what may be said instead of a call: "answer" anything, "missing" that a value is, "" nothing.
    """
    rules = Rules([])
    calls = [rule for card in cards if (rule := _call(rules, card, sources))]
    if not calls:
        return ""
    root = " | ".join([*calls, *([answer] if answer else [])])
    return "\n".join([f"root ::= {root}", *rules.lines, ANSWER, MISSING, *values.BASE]) + "\n"


def only(text: str) -> str:
    """The grammar that lets nothing through but `text`."""
    return f"root ::= {literal(text)}\n"


def literal(text: str) -> str:
    """`text` as a GBNF literal."""
    out = "".join(f"\\x{ord(c):02X}" if ord(c) < 32 or ord(c) == 127 else "\\" + c if c in '"\\' else c for c in text)
    return f'"{out}"'


def inside(text: str) -> str:
    """A literal of `text` as it stands inside a JSON string."""
    return literal(json.dumps(text, ensure_ascii=False)[1:-1])


def one_of(texts: Sequence[str]) -> str:
    """Any of the texts, inside a JSON string."""
    return "(" + " | ".join(inside(text) for text in dict.fromkeys(texts)) + ")"


def _call(rules: Rules, card: Card, sources: Sources) -> str:
    """The rule of a tool's call; "" when a required argument has nothing it could be."""
    special = sql.arguments(card.name, sources)
    if special is not None:
        body = special
    else:
        pairs = _pairs(rules, card, sources)
        if pairs is None:
            return ""
        body = _members(rules, pairs)
    if not body:
        return ""
    return rules.add("call", f'{literal("{" + json.dumps(card.name) + ": {")} {body} "}}}}"')


def _pairs(rules: Rules, card: Card, sources: Sources) -> list[tuple[str, bool]] | None:
    """(rule of `"key": value`, required) for each argument; None if a required one has no candidates."""
    required = set(card.parameters.get("required") or ())
    named = re.findall(r"(\w+)\??: ", card.form[0]) if card.form else None
    out = []
    for key, node in (card.parameters.get("properties") or {}).items():
        if named is not None and key not in named:
            continue
        node = node if isinstance(node, dict) else {}
        if node.get("type") == "boolean" and key not in required and not _is_said(card, key, node, sources.goal):
            continue
        value = _value(rules, card, key, node, sources)
        if value:
            out.append((f"{literal(json.dumps(key) + ': ')} {value}", key in required))
        elif key in required:
            return None
    return out


def _is_said(card: Card, key: str, node: dict[str, Any], goal: str) -> bool:
    """Whether the goal holds a word of a switch's name or of what it is for, other than the tool's own words: else it stays as it is."""
    own = stems(pieces(f"{card.name} {card.description}", 60))
    words = (stems(pieces(str(node.get("description") or ""), 30)) - own | stems(pieces(key, 30))) - _SWITCH
    return bool(words & stems(pieces(goal, 200)))


_SWITCH = stems(["whether", "true", "false", "true", "if", "use", "set", "optional", "default", "it", "next"])


def _members(rules: Rules, pairs: Sequence[tuple[str, bool]]) -> str:
    """All required members in order, any of the optional ones, commas between."""
    first, rest = '""', '""'
    for pair, required in reversed(pairs):
        head = f"{pair} {rest}"
        after = f'", " {head}'
        first = rules.add("first", head if required else f"{head} | {first}")
        rest = rules.add("rest", after if required else f"{after} | {rest}")
    return first


def _value(rules: Rules, card: Card, key: str, node: dict[str, Any], sources: Sources) -> str:
    if "enum" in node:
        return "(" + " | ".join(literal(json.dumps(value, ensure_ascii=False)) for value in node["enum"]) + ")"
    for union in ("anyOf", "oneOf"):
        if union in node:
            real = [one for one in node[union] if isinstance(one, dict) and one.get("type") != "null"]
            return _value(rules, card, key, real[0], sources) if real else ""
    built = values.of_built_in(card.name, key, sources) if card.form else None
    if built is not None:
        return f'"\\"" {built} "\\""' if built else ""
    kind = node.get("type", "string")
    if kind == "boolean":
        return '("true" | "false")'
    if kind in ("integer", "number"):
        signed = card.name == "dates"
        numbers = [n for n in sources.numbers if kind == "number" or "." not in n]
        numbers += [f"-{n}" for n in numbers] if signed else []
        return "(" + " | ".join(literal(n) for n in dict.fromkeys(numbers)) + ")" if numbers else ""
    if kind == "array":
        return '"[\\"" span ("\\", \\"" span)* "\\"]"' if sources.words else ""
    if kind == "object":
        return ""
    return '"\\"" span "\\""' if sources.words else ""
