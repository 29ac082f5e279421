"""Where a reading of a goal may well be wrong: a sum that another reading does not bear out, a tool that is about something else.

What it is: `is_doubtful` judges a call that the model wrote, by how likely the model held it and by what the goal says;
`without_guesses` drops optional values that nobody said; `beyond` knows goals about the future. What it may touch:
nothing. Does not promise: to find every wrong reading. Used by decide.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from outrider.agent.models.brain import prompt
from outrider.agent.models.brain.lines import CURRENCY, Card
from outrider.agent.models.brain.sums import stories
from outrider.agent.models.choice import asked, clauses
from outrider.agent.models.choice.arithmetic import numbers_in_digits
from outrider.agent.models.choice.steps import Step
from outrider.agent.models.choice.words import pieces, stem, stems

CERTAIN = 0.9  # so sure is the model seldom wrong: its sum stands beside another reading, and the answer says so
LEAST = {"calculate": 0.6, "table": 0.12, "sql_query": 0.12}  # below this a call is doubtful; calibrated on goals that
LEAST_OWN, LEAST_OTHER = 0.25, 0.2  # were not trained on (docs/builtin.md)
LEAST_ALIKE = 0.25  # of a sum that code reads alike: a model that hardly held it is no second opinion


def is_doubtful(goal: str, step: Step, tools: Sequence[Card], sure: Mapping[str, float]) -> bool:
    """Whether an answer that rests on this call has to say that it may be wrong. A call not in `sure` was made by code."""
    likely = sure.get(prompt.call_line(step.tool, step.arguments))
    if likely is None:
        return False
    if step.tool in ("table", "sql_query") and is_unmet(goal, str(step.arguments.get("sql") or "")):
        return True
    if step.tool == "calculate":
        return _sum_is_doubtful(goal, str(step.arguments.get("expression")), likely)
    card = next((one for one in tools if one.name == step.tool), None)
    if card is not None and card.form is None:
        return likely < LEAST_OWN or _own_is_doubtful(goal, step, card, likely)
    return likely < LEAST.get(step.tool, LEAST_OTHER)


_WANTED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (  # what a goal says → what its statement then has
    (re.compile(
        r"\bnot\b(?! (?:only|just|less|more|fewer))|n't\b|\bexcept|\bexclud|\bwithout\b|\bneither\b|\b(?:leav\w+|left) out\b|\bignoring\b"
        r"|\bother than\b|\b(?:apart|aside) from\b|\bbesides\b|\boutside\b|\bomit", re.I),
     re.compile(r"<>|!=|\bNOT\b|<=?|>=?")),
    (re.compile(r"\bpercent(?:age)?s?\b|\bper cent\b|\bwhat (?:share|proportion|fraction)\b|\bratio\b", re.I), re.compile(r"/|\bpercent|share|ratio", re.I)),
    (re.compile(r"\b(?:which|who|whose|what|when|where)\b.*\b(?!(?:inter|for|harv|for|requ|earn|hon|t|r|p|n|w|gu|s|j|l|qu|ch)est\b)(?:most|least|first|last|[a-z]+est)\b(?! (?:names?|months?|weeks?|years?|days?|quarters?|\d)\b)", re.I | re.S),
     re.compile(r"\bORDER BY\b|\bMAX\b|\bMIN\b")),
    (re.compile(r"\bby how much\b|\bhow (?:much|many) (?:more|less|fewer|\w+er)\b.*\bthan\b|\bdifference between\b", re.I), re.compile(r" - ")),
)  # fmt: skip


def is_unmet(goal: str, statement: str) -> bool:
    """Whether a SELECT lacks what the goal's words need: a negation, a share, an order, a difference. "" lacks nothing."""
    text = re.sub(r"\bat (?:most|least)\b", " ", asked.FILE.sub(" ", goal))
    return bool(statement) and any(said.search(text) and not has.search(statement) for said, has in _WANTED)


def _sum_is_doubtful(goal: str, expression: str, likely: float) -> bool:
    """A sum of which the model is not sure alone; where code reads the goal, one on which the two do not agree by themselves."""
    readings = [one for part in clauses.split(goal) if (one := stories.read(part.text))]
    if not readings:
        return likely < LEAST["calculate"]
    return likely < LEAST_ALIKE or not any(stories.same(one, expression) for one in readings)


def _own_is_doubtful(goal: str, step: Step, card: Card, likely: float) -> bool:
    """A number used more often than it was said, a choice that nobody named, a tool about something else."""
    said = Counter(re.findall(r"\d+(?:\.\d+)?", numbers_in_digits(goal.lower()).replace(",", "")))
    used = Counter(f"{v:g}" for v in step.arguments.values() if isinstance(v, int | float) and not isinstance(v, bool))
    if any(count > max(1, said[number]) for number, count in used.items()):
        return True
    if likely >= CERTAIN:
        return False
    return _unnamed_choice(goal, step, card) or not _is_about(goal, card)


def _unnamed_choice(goal: str, step: Step, card: Card) -> bool:
    words = stems(pieces(goal, 200))
    for key, node in _properties(card).items():
        if "enum" in node and key in step.arguments and not words & stems(pieces(str(step.arguments[key]), 10)):
            return True
    return False


_VERBS = stems(
    ["book", "order", "reserve", "get", "give", "make", "find", "send", "call", "buy", "set", "price", "cost", "name", "day", "time", "number", "one", "our", "new", "how", "what", "when", "who", "much", "many"]
)  # fmt: skip


def _is_about(goal: str, card: Card) -> bool:
    """Whether the goal shares a telling word with the tool, or names a value that it takes."""
    values = " ".join(str(value) for node in _properties(card).values() for value in node.get("enum") or ())
    own = stems(pieces(f"{card.name} {card.description} {' '.join(_properties(card))} {values}", 200)) - _VERBS
    return bool(own & stems(pieces(goal, 200))) or bool(CURRENCY.search(goal))


def _properties(card: Card) -> dict[str, dict[str, Any]]:
    found = card.parameters.get("properties") or {}
    return {key: node for key, node in found.items() if isinstance(node, dict)}


def put_right(goal: str, name: str, arguments: dict[str, Any], tools: Sequence[Card]) -> dict[str, Any]:
    """The arguments of a call without guesses; where one number stands twice that was said once, each number in its place."""
    given = _in_direction(goal, without_guesses(goal, name, arguments, tools))
    card = next((one for one in tools if one.name == name), None)
    keys = [key for key, value in given.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    if card is None or card.form is not None or len({given[key] for key in keys}) == len(keys):
        return given
    plain = numbers_in_digits(goal.lower()).replace(",", "")
    said = list(re.finditer(r"(?<![\w.:])(\d+(?:\.\d+)?)\s?([a-z%]*)", plain))
    if len(said) != len(keys):
        return given
    placed = dict(given)
    free = list(keys)
    for match in [one for one in said if one[2]]:
        key = next((key for key in free if stem(match[2]) in stems(pieces(key, 5))), None)
        if key is not None:
            placed[key] = _number(match[1])
            free.remove(key)
            said.remove(match)
    for key, match in zip(free, said, strict=True):
        placed[key] = _number(match[1])
    return placed


_FROM = re.compile(r"^(?:from|source|start|origin|departure)(?:_|$)|_from$", re.I)
_TO = re.compile(r"^(?:to|target|end|destination|dest|arrival)(?:_|$)|_to$", re.I)


def _in_direction(goal: str, given: dict[str, Any]) -> dict[str, Any]:
    """Two values said as "X to Y" or "X in Y": X is where it comes from."""
    start = next((key for key in given if _FROM.search(key)), "")
    end = next((key for key in given if _TO.search(key)), "")
    one, other = given.get(start), given.get(end)
    if not (start and end and isinstance(one, str) and isinstance(other, str) and one and other):
        return given
    turned = re.search(rf"\b{re.escape(other)}\s+(?:in|to|into|as)\s+{re.escape(one)}\b", goal, re.I)
    return {**given, start: other, end: one} if turned else given


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def without_guesses(goal: str, name: str, arguments: dict[str, Any], tools: Sequence[Card]) -> dict[str, Any]:
    """The arguments without null and without optional values that nobody said; with the choices that the goal names."""
    card = next((one for one in tools if one.name == name), None)
    given = {key: value for key, value in arguments.items() if value is not None}
    if card is None or card.form is not None:
        return given
    required, words = set(card.parameters.get("required") or ()), stems(pieces(goal, 200))
    nodes = _properties(card)
    out = {key: value for key, value in given.items() if key in required or _is_said(key, value, card, words, given)}
    for key, node in nodes.items():
        named = [one for one in node.get("enum") or () if isinstance(one, str) and stems(pieces(one, 10)) <= words]
        if len(named) == 1 and not stems(pieces(str(out.get(key, "")), 10)) & words:
            out[key] = named[0]
    clocks = re.findall(r"\b\d{1,2}:\d\d\b", goal)
    for key, value in out.items():
        if (
            re.search(r"time|hour", key, re.I)
            and isinstance(value, str)
            and not _A_TIME.search(value)
            and len(clocks) == 1
        ):
            out[key] = clocks[0]
    return {key: out[key] for key in nodes if key in out}


_WHEN = re.compile(r"^(?:day|date|when|time|hour|from|until)$|_(?:day|date|time)$", re.I)
_A_TIME = re.compile(r"\d|day\b|\btoday|tomorrow|tonight|week|month|noon|midnight|morning|evening|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.I)  # fmt: skip


def _is_said(key: str, value: Any, card: Card, words: frozenset[str], given: dict[str, Any]) -> bool:
    """Whether an optional value is one that somebody gave: no word of the tool's own, no other argument again, a time where one is due."""
    node = _properties(card).get(key, {})
    own = stems(pieces(str(value), 10))
    if "enum" in node:
        return bool(own & words)
    if not isinstance(value, str):
        return True
    if _WHEN.search(key) and not _A_TIME.search(value):
        return False
    others = " ".join(str(other) for name, other in given.items() if name != key)
    tool = stems(pieces(f"{card.name} {card.description} {' '.join(_properties(card))} {others}", 200))
    return not own <= tool


_FUTURE = re.compile(
    r"\b(?:will|going to)\b.*\b(?:next (?:week|month|year|quarter|summer|winter|spring)|tomorrow|in (?:\d+|a|an|two|three|five|ten) (?:days?|weeks?|months?|years?)|in 20\d\d|by 20\d\d|by the end of)\b", re.I
)  # fmt: skip
_UNKNOWN = re.compile(
    r"\b(?:prices?|shares?|stocks?|bitcoin|gold|oil|cost|worth|dollar|euro|exchange rate|win|wins|lottery|election|champion\w*|match|rise|fall|crash)\b", re.I
)  # fmt: skip
_FORETELLS = re.compile(r"\b(?:forecast\w*|predict\w*|future|coming|upcoming|expected|outlook)\b", re.I)


def beyond(goal: str, tools: Sequence[Card]) -> str:
    """What to say of a goal that asks what the future brings, where no tool foretells; "" for any other."""
    text = asked.FILE.sub(" ", asked.bounded(goal))
    if not _FUTURE.search(text) or not _UNKNOWN.search(text) or len(re.findall(r"\d+", text)) > 1:
        return ""
    if any(_FORETELLS.search(card.description) for card in tools if card.form is None):
        return ""
    return f"{prompt.CANNOT}: none of them knows what has not happened yet."
