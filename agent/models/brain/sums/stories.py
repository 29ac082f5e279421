"""A word problem read by code, as a second opinion on the sum that the model writes: groups, comings and goings, rates, shares.

What it is: `read(goal)` gives an expression over all of the goal's numbers, or "" where its few shapes do not cover them.
`same` compares two expressions by value. What it may touch: nothing. Does not promise: every story; where it and the
model differ, the run says that it is not sure (decide.py). Start at `read`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable

from outrider.agent.models.brain.sums import rates, turned, word_sums
from outrider.agent.models.brain.sums.running import running
from outrider.agent.models.brain.sums.words import N
from outrider.agent.models.choice import asked
from outrider.agent.models.choice.arithmetic import numbers_in_digits


def read(goal: str) -> str:
    """The expression of a story, over each of its numbers once; "" where it is not covered for certain."""
    plain = " ".join(numbers_in_digits(asked.FILE.sub(" ", asked.bounded(goal)).lower()).split())
    plain = re.sub(r"[€$£]\s?", "", plain)
    if not re.search(r"(?<![\d.])1(?![\d.])", goal):
        plain = re.sub(r"(?<![\d.])1(?![\d.])", "one", plain)  # "one of them", "quick one": no number of the sum
    plain = re.sub(r"\b(hour|dai|week|month|year)ly\b", lambda m: f"a {m[1].replace('dai', 'day')}", plain)
    numbers = [number for number, _ in word_sums.numbers(goal)]
    if not 1 <= len(numbers) <= 5 or len(plain) > 500:
        return ""
    if turned.is_turned(plain):
        return ""
    for shape in _SHAPES:
        made = shape(plain)
        if made and sorted(_own(made)) == sorted(numbers):
            return made
    return ""


def _own(expression: str) -> list[str]:
    """The numbers of an expression but for constants that a shape put in, which are written with a dot: 60., 12., 100., 2."""
    return re.findall(r"(?<![\d.])\d+(?:\.\d+)?(?![\d.])", expression)


def clean(expression: str) -> str:
    """The expression as it is called: constants without their mark."""
    return re.sub(r"(?<=\d)\.(?!\d)", "", expression)


def same(one: str, other: str) -> bool:
    """Whether two expressions of plain arithmetic have one value."""
    values = [_value(clean(text)) for text in (one, other)]
    return None not in values and math.isclose(values[0] or 0.0, values[1] or 0.0, rel_tol=1e-9, abs_tol=1e-9)


def _value(text: str) -> float | None:
    """The value of numbers, + - * / ** and brackets; None for anything else. Nothing but arithmetic is evaluated."""
    if len(text) > 200:
        return None
    try:
        return _of_node(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, KeyError, AttributeError):
        return None


_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


def _of_node(node: ast.expr) -> float:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        base, power = _of_node(node.left), _of_node(node.right)
        if abs(base) > 1e6 or abs(power) > 64:
            raise ValueError("too large")
        return float(base**power)
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_of_node(node.left), _of_node(node.right))
    raise ValueError("no arithmetic")


def _difference(text: str) -> str:
    """A lamp for 300, and there are 120: how much is missing? 39 and 5 more than that: together?"""
    numbers = re.findall(N, text)
    if len(numbers) != 2 or "%" in text:
        return ""
    large, small = sorted(numbers, key=float, reverse=True)
    if re.search(
        r"\bmissing\b|\bleft to save\b|\b(?:more|much) (?:do|does|must) \w+ (?:still )?(?:need|have to save)\b|\bhow (?:many|much) (?:more|fewer|less|older|younger|taller|longer|cheaper|bigger|heavier)\b",
        text,
    ):
        return f"{large} - {small}"
    more = re.search(rf"{N} (more|fewer|less)(?: \w+)? than\b", text)
    base = next((n for n in numbers if more and n != more[1]), "")
    if more and base and "." not in base:
        sign = "+" if more[2] == "more" else "-"
        both = re.search(r"\b(?:altogether|in total|in all|together|both|total|between them)\b", text)
        return f"{base} + {base}. {sign} {more[1]}" if both else f"{base} {sign} {more[1]}"
    return ""


def _percent(text: str) -> str:
    """A price and a percentage: off, on top, or the share itself; more numbers are left to the model."""
    numbers = re.findall(N, text)
    p = re.search(rf"{N}\s*(?:%|per ?cent)", text)
    if not p or len(numbers) != 2:
        return ""
    other = next((n for n in numbers if n != p[1]), "")
    rest = re.search(r"\bhow many (?:\w+ )?(?:are|is|were) (?:left|free|not|still)|\bremain", text)
    share = re.search(
        r"\bhow much (?:tip|tax|vat|discount|interest)\b|\bhow much (?:is|was|of|do i save|will i save)\b.*\b(?:tip|tax|vat|discount|interest|save|saving)|\b(?:%|per ?cent) (?:of|are|is|were|say|said|have|live|like|prefer|come)\b|\bhow many (?:of them|\w+) (?:is|are) that\b",
        text,
    )
    up = re.search(
        r"\b(?:tip|tax|vat|rais\w*|ris\w+|rose|increas\w*|go(?:es|ing)? up|went up|gets? more expensive|more|service|interest|surcharge|grew|grow\w*|climb\w*)\b",
        text,
    )
    down = re.search(
        r"\b(?:off|discount\w*|reduc\w*|cheaper|drops?|dropped|fell|falls?|lower\w*|sale|less|decreas\w*|go(?:es)? down|went down)\b",
        text,
    )
    if not other:
        return ""
    if rest and share:
        return f"{other} * (1. - {p[1]} / 100.)"
    if share and not re.search(r"\bpay in|\bin all\b|\btotal\b|\bnew (?:price|salary)\b", text):
        return f"{other} * {p[1]} / 100."
    if bool(up) == bool(down):
        return ""
    return f"{other} * (1. {'+' if up else '-'} {p[1]} / 100.)"


_SHAPES: tuple[Callable[[str], str], ...] = (
    rates.percent_change, rates.every, rates.one, rates.ratio, rates.needed, rates.multiples, _difference, _percent, rates.rates, running,
)  # fmt: skip
