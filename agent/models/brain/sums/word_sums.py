"""The grammar of a word problem's expression: each number of the goal once, in any order, with any brackets.

What it is: for two to four numbers, rules for every order of them; a percentage is only ever a share ("x * (1 - 15 / 100)").
So the model chooses order, operators and brackets, and cannot leave a number out. What it may touch: nothing.
Does not promise: the right operators. Used by values.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations

from outrider.agent.models.choice import asked
from outrider.agent.models.choice.arithmetic import numbers_in_digits

MOST = 4
_CHANGE = re.compile(
    r"\b(?:by (?:how (?:many|much)|what) per ?cent|percentage (?:change|increase|rise|drop)|rise|grew|rose|fell|average|mean|perimeter)\b",
    re.I,
)
_SIZES = {"dozen": "12", "pair": "2", "half": "2", "twice": "2", "double": "2", "week": "7", "year": "12", "hour": "60", "minute": "60", "day": "24", "month": "12", "third": "3", "quarter": "4", "perimeter": "2"}  # fmt: skip


def numbers(goal: str) -> list[tuple[str, bool]]:
    """The numbers a sum must use, and whether each is a percentage: digits, and words from two on."""
    plain = numbers_in_digits(asked.FILE.sub(" ", goal).lower())
    found = re.finditer(r"(?<![\w.])(\d+(?:\.\d+)?)(\s*(?:%|per ?cent))?", plain)
    return [(m[1], bool(m[2])) for m in found if m[1] != "1" or "1" in goal]


def rules(goal: str) -> list[str]:
    """Rules under the name `expr`, or none where a free expression is better."""
    found = numbers(goal)
    if not 2 <= len(found) <= MOST or len({n for n, _ in found}) < len(found) or _CHANGE.search(goal):
        return []
    out: list[str] = []
    shares = _shares(goal)
    starts = [_order(f"p{at}", order, out, shares) for at, order in enumerate(permutations(found))]
    out.append(f"op ::= {_operators(goal)}")
    constants = sorted(
        {value for word, value in _SIZES.items() if re.search(rf"\b{word}s?\b", goal, re.I)} - {n for n, _ in found}
    )
    tail = f' (" " ("*" | "/") " " ({" | ".join(_lit(c) for c in constants)}))?' if constants else ""
    out.append(f"expr ::= ({' | '.join(starts)}){tail}")
    return out


def _order(name: str, order: Sequence[tuple[str, bool]], out: list[str], shares: str) -> str:
    """The rules of one order of the numbers: every way to bracket it."""
    count = len(order)
    for first in range(count):
        out.append(f"{name}-{first}{first} ::= {_leaf(order[first], shares)}")
    for width in range(2, count + 1):
        for first in range(count - width + 1):
            last = first + width - 1
            ways = [f'{_side(name, first, cut)} " " op " " {_side(name, cut + 1, last)}' for cut in range(first, last)]
            out.append(f"{name}-{first}{last} ::= {' | '.join(ways)}")
    return f"{name}-0{count - 1}"


def _side(name: str, first: int, last: int) -> str:
    rule = f"{name}-{first}{last}"
    return rule if first == last else f'({rule} | "(" {rule} ")")'


_UP = re.compile(
    r"\b(?:tips?|tax|vat|increas\w*|rais\w*|go(?:es|ing)? up|went up|more|grow\w*|on top|surcharge|interest|added|plus)\b",
    re.I,
)
_DOWN = re.compile(
    r"\b(?:off|discount\w*|less|reduc\w*|cheaper|drops?|fell|falls?|lower\w*|sale|go(?:es)? down|minus|decreas\w*)\b",
    re.I,
)
_SHARE = re.compile(
    r"\bhow much (?:is|was) (?:the|that|his|her|my)? ?(?:tip|tax|vat|discount|interest)|\bhow much do i save|\bper ?cent of|% of|how much interest",
    re.I,
)


def _shares(goal: str) -> str:
    """What a percentage p may be: the share itself, what is left without it, or what there is with it."""
    if _SHARE.search(goal):
        return '"{p} / 100"'
    if _DOWN.search(goal) and not _UP.search(goal):
        return '"(1 - {p} / 100)"'
    if _UP.search(goal) and not _DOWN.search(goal):
        return '"(1 + {p} / 100)"'
    return '("(1 - {p} / 100)" | "(1 + {p} / 100)" | "{p} / 100")'


def _leaf(number: tuple[str, bool], shares: str) -> str:
    text, percent = number
    return shares.replace("{p}", text) if percent else _lit(text)


def _lit(text: str) -> str:
    return f'"{text}"'


_SHARED = re.compile(
    r"\b(?:equally|split|share[sd]?|divid\w+ (?:among|between)|each (?:get|pay|person|child)|per (?:person|head)|how much (?:is it )?each|apiece\?)\b",
    re.I,
)


def _operators(goal: str) -> str:
    """Where something is shared out, a division is among the operators and no multiplication."""
    return '"/" | "+" | "-"' if _SHARED.search(goal) else '"+" | "-" | "*" | "/"'
