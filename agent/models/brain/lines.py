"""Short forms of the built-in tools for the small model, and which of the live tools it is shown for a goal.

What it is: `line` writes one tool in one line; `pick` keeps the few tools that fit a goal, by words they share with it
and by marks in the goal (a file ending, a date, a unit). What it may touch: nothing.
Does not promise: that the right tool is among them. Start reading at `pick`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.brain.prompt import tool_line
from outrider.agent.models.choice.words import pieces, stems

MOST, FEWEST, FITS = 6, 2, 0.7  # tools shown: at most, whatever they score, and the score a further one needs
DATE = r"\d{4}-\d\d-\d\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|day|week|month|year|today|tomorrow|date"
UNIT = (
    r"\b(?:km|kilomet\w+|met(?:er|re)s?|miles?|feet|foot|ft|inch\w*|yards?|cm|centi\w+|mm|milli\w+|kg|kilo\w*|grams?|pounds?|lbs?|"
    r"ounces?|oz|stone|tons?|tonnes?|lit(?:er|re)s?|gallons?|pints?|cups?|ml|celsius|fahrenheit|kelvin|degrees?|[kmgt]i?b|bytes?|bits?|"
    r"\w+bytes?|seconds?|minutes?|hours?|days?|weeks?|mph|knots?|acres?|hectares?|joules?|calories|watts?|bar|psi|pascals?)\b"
)
FILE = r"[\w/-]+\.[A-Za-z]\w{0,6}\b"
# name: (parameters with ? for optional, what it does, marks in a goal, words that mean it)
FORMS: dict[str, tuple[str, str, str, str]] = {
    "calculate": ("expression: str", "work out arithmetic", r"\d[\d.,]*\D+\d|percent|%|half|twice|double|square|sum\b", "sum total plus minus times divide left each cost spend average altogether"),
    "dates": ("operation: difference|add|weekday|now, date?: str, to?: str, amount?: int, unit?: str", "days between dates, add to a date, weekday, today", DATE, "days weeks between until since after before weekday date today"),
    "units": ("value: number, unit: str, to: str", "convert a measure", UNIT, "convert how many in"),
    "table": ("path: str, sql?: str", "columns of a table file; with sql, one SELECT over t", r"\.(?:csv|tsv|jsonl?|xlsx|parquet)\b", "rows column total average table highest most per each where"),
    "sql_query": ("database: str, sql?: str", "tables of a database file; with sql, one SELECT", r"\.(?:db|sqlite3?)\b", "database table rows"),
    "text_stats": ("operation: characters|words|lines|count|reverse|upper|lower, path?: str, text?: str, of?: str", "count or change text", r"\b(?:letters?|characters?|words?|lines|revers\w+|backwards?|upper\w*|lower\w*|spell|times does)\b", "letters words lines count reverse uppercase"),
    "read_file": ("path: str", "read a text or PDF file", rf"{FILE}|readme", "read open say file content what"),
    "write_file": ("path: str, content: str", "make a file, or replace all of it", r"\b(?:write|save|create|make|store|put|record|append|add|note|new file|called)\b.*" + FILE, "write save create file"),
    "edit_file": ("path: str, old: str, new: str", "replace a piece of text in a file", r"\b(?:replace|change|edit|swap|fix|update|set|correct|substitute|turn)\b.*" + FILE + "|" + FILE + r".*\b(?:replace|change|edit|swap|fix|update|set)\b", "replace change text"),
    "list_files": ("path?: str, pattern?: str", "list files", r"\b(?:files?|folders?|director\w+|workspace|here)\b", "list files folder which"),
    "search_files": ("pattern: str, path?: str", "find lines that contain a text", r"\b(?:mention\w*|contain\w*|search|grep|find|which files?|where|occur\w*|appear\w*|look for)\b", "search find mention contain"),
    "move_file": ("path: str, to: str", "move or rename a file", r"\b(?:rename|move|call)\b", "rename move"),
    "copy_file": ("path: str, to: str", "copy a file", r"\b(?:copy|duplicate|back ?up|clone)\b", "copy duplicate"),
    "delete_file": ("path: str", "delete a file", r"\b(?:delete|remove|get rid|erase|drop|throw|bin|trash|don'?t need)\b", "delete remove"),
    "web_search": ("query: str", "search the web", r"\b(?:web|internet|online|google|news|latest|who (?:is|was|wrote|won|invented)|capital|population)\b", "web who news"),
    "read_page": ("url: str", "read a web page", r"https?://|www\.", "page website"),
    "python": ("code: str", "run Python code", r"\b(?:python|code|script|prime|fibonacci|simulate)\b", "python run code"),
}  # fmt: skip
HIDDEN = frozenset(
    [
        "plan",
        "delegate",
        "ask_user",
        "shell",
        "http_request",
        "hub_run",
        "hub_search",
        "hub_model",
        "python",
        "recall",
        "note",
    ]
)  # not taught


@dataclass(frozen=True, slots=True)
class Card:
    """A live tool as the small model sees it."""

    name: str
    description: str
    parameters: dict[str, Any]

    @property
    def form(self) -> tuple[str, str, str, str] | None:
        """The short form of a built-in tool, if the live tool still takes what it names."""
        form = FORMS.get(self.name)
        if form is None:
            return None
        return form if set(re.findall(r"(\w+)\??: ", form[0])) <= set(self.parameters.get("properties") or {}) else None

    @property
    def line(self) -> str:
        """The tool in one line."""
        form = self.form
        return f"{self.name}({form[0]}) {form[1]}" if form else tool_line(self.name, self.description, self.parameters)


def pick(goal: str, cards: Sequence[Card], most: int = MOST) -> list[Card]:
    """The tools that fit the goal best, in the order they came."""
    words = stems(pieces(goal, 120))
    scored = [(score(goal, words, card), -at, card) for at, card in enumerate(cards) if card.name not in HIDDEN]
    best = sorted(scored, key=lambda one: one[:2], reverse=True)[:most]
    fits = [one for one in best if one[0] >= FITS]
    fits += [one for one in best if one[0] < FITS and one[2].form is None][: max(0, FEWEST - len(fits))]
    return [card for _, _, card in sorted(fits, key=lambda one: -one[1])]


def likely(goal: str, cards: Sequence[Card]) -> list[Card]:
    """The tools of somebody's own that a goal may well be about."""
    words = stems(pieces(goal, 120))
    return [card for card in cards if card.form is None and score(goal, words, card) >= LIKELY]


def is_filled(goal: str, card: Card) -> bool:
    """Whether the goal holds more than the tool's own words: what its arguments could be."""
    own = _stems(f"{card.name} {card.description}") | _stems(" ".join(card.parameters.get("properties") or {}))
    rest = (
        stems(pieces(goal, 120))
        - own
        - _stems("when who open times time price cost need want know tell person state what's")
    )
    return bool(rest) or any(c.isdigit() for c in goal) or not card.parameters.get("required")


def clearly(goal: str, cards: Sequence[Card]) -> list[Card]:
    """The tools of somebody's own that a goal is clearly about: by their own words, and more than any built-in one."""
    words = stems(pieces(goal, 120))
    scored = [(score(goal, words, card), card) for card in cards if card.name not in HIDDEN]
    best = max((one for one, card in scored if card.form is None), default=0.0)
    built_in = max((one for one, card in scored if card.form is not None), default=0.0)
    return (
        [card for one, card in scored if card.form is None and one >= max(CLEAR, 0.75 * best)]
        if best > built_in
        else []
    )


CLEAR, LIKELY = 2.5, 2.0  # scores
QUESTIONS = (  # what is asked, what a tool's description then says
    (r"\b(?:who|whom|whose|which person|what person|responsible)\b", r"\b(?:who|person|people|name of)\b"),
    (r"\b(?:when|what time|until|at \d+:\d\d|times?)\b", r"\b(?:when|time|hours|date)\b"),
    (r"\b(?:how much|cost|price|pay|fee)\b", r"\b(?:price|cost|fee|fare|rate|amount)\b"),
    (r"\b(?:where|which place|location)\b", r"\b(?:where|place|location|address)\b"),
)


def score(goal: str, words: frozenset[str], card: Card) -> float:
    """How well a tool fits: marks of a built-in one; shared words, those of the name twice, and enum values of any other."""
    form = card.form
    if form is not None:
        marked = 3.0 if re.search(form[2], goal, re.IGNORECASE | re.DOTALL) else 0.0
        return marked + 0.5 * len(words & _stems(form[3])) + 0.1
    name, about = _stems(card.name), _stems(card.description[:400])
    asks = sum(bool(re.search(a, goal, re.I) and re.search(b, card.description, re.I)) for a, b in QUESTIONS)
    inside = _stems(" ".join(_arguments(card.parameters)))
    person = _PERSON.search(card.description) and not _WHO.search(goal)
    money = len(set(CURRENCY.findall(goal))) and re.search(r"\b(?:currenc\w+|exchange|money)\b", card.description, re.I)
    return (
        3.0 * bool(money)
        - 1.2 * bool(person)
        + 1.3 * bool(_enums(card.parameters) & set(re.findall(r"[a-z]+", goal.lower())))
        + 1.2 * asks
        + 1.6 * len(words & name)
        + 1.0 * bool(name and name <= words)
        + 1.0 * len(words & (about - name))
        + 0.7 * len(words & (inside - about - name))
    )


_PERSON = re.compile(r"^(?:the )?(?:who|person|people|name of (?:the|a) person)\b|\b(?:who|person|people) (?:is |are |that )?(?:handles?|assigned|owns?|works?|responsible|in charge)\b", re.I)  # fmt: skip
_WHO = re.compile(r"\b(?:who\w*|whom|whose|person|people|responsible|assigned|assignee|owner|owns?|in charge|handl\w+|dealing|name)\b", re.I)  # fmt: skip
CURRENCY = re.compile(r"\b(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|NOK|SEK|DKK|PLN|CZK|INR|BRL|CNY|MXN|TRY|HUF|NZD|ZAR|KRW)\b")


def _enums(parameters: dict[str, Any]) -> set[str]:
    """The values, one word each, that arguments may have."""
    nodes = (node for node in (parameters.get("properties") or {}).values() if isinstance(node, dict))
    return {str(value).lower() for node in nodes for value in node.get("enum") or ()}


def _arguments(parameters: dict[str, Any]) -> list[str]:
    out: list[str] = []
    for key, node in (parameters.get("properties") or {}).items():
        out.append(key)
        if isinstance(node, dict):
            out += [str(value) for value in (node.get("enum") or ())[:20]] + [str(node.get("description") or "")[:80]]
    return out


def _stems(text: str) -> frozenset[str]:
    return stems(pieces(text, 120))
