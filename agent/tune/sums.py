"""Examples of arithmetic: percent, chains, word problems. The expression uses the goal's own numbers; `calculate` does the rest."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from outrider.agent.tune.stories import story
from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import one, plain_number, said

Made = tuple[str, str]  # goal, expression


def _n(rnd: random.Random, big: bool = False) -> str:
    kind = rnd.random()
    if kind < 0.5:
        return str(rnd.randint(2, 99))
    if kind < 0.75:
        return str(rnd.randint(100, 9999 if not big else 999999))
    return f"{rnd.uniform(1, 500):.{rnd.choice([1, 2, 2])}f}"


def _shown(rnd: random.Random, number: str) -> str:
    """The number as it is written in the goal: perhaps with thousands separators or a currency."""
    whole = number.split(".")[0]
    if len(whole) > 3 and rnd.random() < 0.5:
        number = f"{int(whole):,}" + number[len(whole) :]
    return number


def percent(rnd: random.Random) -> Made:
    a, p = (
        _n(rnd),
        str(rnd.choice([5, 10, 12, 15, 20, 25, 30, 35, 40, 60, 75, 3, 7, 18, 2.5, 4.5, 17.5, rnd.randint(1, 99)])),
    )
    s = rnd.choice(["%", "%", " percent", " per cent"])
    kind = rnd.randrange(4)
    A = _shown(rnd, a)
    if kind == 0:
        return one(rnd, "sums.percent.1", p=p, s=s, A=A), f"{a} * {p} / 100"
    if kind == 1:
        return one(rnd, "sums.percent.2", p=p, s=s, A=A), f"{a} * (1 - {p} / 100)"
    if kind == 2:
        return one(rnd, "sums.percent.3", p=p, s=s, A=A), f"{a} * (1 + {p} / 100)"
    b = _n(rnd)
    return one(rnd, "sums.percent.4", A=A, B=b), f"{a} / {b} * 100"


OPS = {
    "+": ["plus", "+", "added to"],
    "-": ["minus", "-", "less"],
    "*": ["times", "*", "x", "×", "multiplied by"],
    "/": ["divided by", "/", "over", "÷"],
}


def plain(rnd: random.Random) -> Made:
    a, b = _n(rnd, True), _n(rnd)
    op = rnd.choice("+-*/")
    body = f"{_shown(rnd, a)} {rnd.choice(OPS[op])} {_shown(rnd, b)}"
    expr = f"{a} {op} {b}"
    if rnd.random() < 0.5:
        c, op2 = _n(rnd), rnd.choice("+-*/")
        body, expr = body + f" {rnd.choice(OPS[op2])} {c}", expr + f" {op2} {c}"
    return one(rnd, "sums.plain.1", x=body), expr


def brackets(rnd: random.Random) -> Made:
    a, b, c = _n(rnd), _n(rnd), _n(rnd)
    op, op2 = rnd.choice("+-"), rnd.choice("*/")
    if rnd.random() < 0.4:
        expr = f"({a} {op} {b}) {op2} {c}" if rnd.random() < 0.5 else f"{c} {op2} ({a} {op} {b})"
        return one(rnd, "sums.brackets.1", x=expr), expr
    kind = rnd.randrange(5)
    if kind == 0:
        return one(rnd, "sums.brackets.2", a=a, b=b, c=c), f"({a} + {b}) * {c}"
    if kind == 1:
        return one(rnd, "sums.brackets.3", a=a, b=b, c=c), f"({a} + {b}) / {c}"
    if kind == 2:
        return one(rnd, "sums.brackets.4", a=a, b=b, c=c), f"({a} - {b}) * {c}"
    if kind == 3:
        return one(rnd, "sums.brackets.5", a=a, b=b, c=c), f"{a} * {b} - {c}"
    return one(rnd, "sums.brackets.6", a=a, b=b, c=c), f"{a} / {b} + {c}"


def listed(rnd: random.Random) -> Made:
    numbers = [_n(rnd) for _ in range(rnd.randint(3, 6))]
    body = ", ".join(numbers[:-1]) + rnd.choice([" and ", ", and ", ", "]) + numbers[-1]
    total = " + ".join(numbers)
    kind = rnd.randrange(5)
    if kind == 0:
        return one(rnd, "sums.listed.1", x=body), f"({total}) / {len(numbers)}"
    if kind == 1:
        c = _n(rnd)
        return one(rnd, "sums.listed.2", x=body, c=c), f"{total} - {c}"
    if kind == 2:
        c = str(rnd.randint(2, 12))
        return one(rnd, "sums.listed.3", x=body, c=c), f"({total}) / {c}"
    return one(rnd, "sums.listed.4", x=body), total


def powers(rnd: random.Random) -> Made:
    a, b = str(rnd.randint(2, 60)), str(rnd.randint(2, 9))
    big = str(rnd.randint(2, 99) ** 2 if rnd.random() < 0.6 else rnd.randint(50, 9999))
    return rnd.choice([
        (one(rnd, "sums.powers.1", a=a, b=b), f"{a} ** {b}"),
        (one(rnd, "sums.powers.2", a=a), f"{a} ** 2"),
        (one(rnd, "sums.powers.3", a=a), f"{a} ** 3"),
        (one(rnd, "sums.powers.4", a=big), f"sqrt({big})"),
        (one(rnd, "sums.powers.5", a=big, b=b), f"{big} % {b}"),
        (one(rnd, "sums.powers.6", a=big, b=b), f"sqrt({big}) + {b}"),
        (one(rnd, "sums.powers.7", a=big), f"{big} / 2"),
        (one(rnd, "sums.powers.8", a=a, b=b), f"{a} * 2 + {b}"),
        (one(rnd, "sums.powers.9", a=big), f"{big} / 3"),
        (one(rnd, "sums.powers.10", a=b), f"factorial({b})"),
    ])  # fmt: skip


KINDS: list[tuple[int, Callable[[random.Random], Made]]] = [
    (4, percent),
    (3, plain),
    (3, brackets),
    (2, listed),
    (2, powers),
    (16, story),
]
NAMES = {"sqrt": math.sqrt, "factorial": math.factorial}


def value_of(expression: str) -> str:
    """The value `calculate` gives an expression of ours: 16 digits at most."""
    value = eval(expression, {"__builtins__": {}}, NAMES)  # noqa: S307  (our own text, never a stranger's)
    return f"{value:.16g}" if "/" in expression else plain_number(float(value))


def seen_as(expression: str, value: str) -> str:
    """The observation as `calculate` writes it."""
    return f"{expression} = {value}" + (" (rounded)" if len(value) > 15 else "")


def sums(rnd: random.Random) -> Example:
    """One sum."""
    make = rnd.choices([m for _, m in KINDS], [w for w, _ in KINDS])[0]
    goal, expression = make(rnd)
    value = value_of(expression)
    step = Step("calculate", {"expression": expression}, seen_as(expression, value))
    return Example("sums", said(rnd, goal), [step], f"The result is {value}.")
