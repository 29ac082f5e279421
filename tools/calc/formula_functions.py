"""The arithmetic of formulas: operators, functions and constants on exact fractions or 50-digit decimals, bounded.
Touches nothing. Does not promise: exact values of what has none (roots, logarithms, angles): those are decimals.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import TypeAlias

from outrider.tools.tool import ToolError

Value: TypeAlias = Fraction | Decimal  # a Decimal is rounded, a Fraction is exact

HUNDRED = Fraction(100)
MAX_BITS = 13_000  # of an exact value: about 3,900 digits
MAX_FACTORIAL = 1000
MAX_EXPONENT = 3000  # of a number as it is written, and of a decimal result
_CONTEXT = decimal.Context(prec=50, Emax=10**6, Emin=-(10**6), traps=[decimal.InvalidOperation, decimal.Overflow])
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582")
FLOAT_DIGITS = 14  # what is right of a sine


def refuse(what: str, why: str, fix: str) -> ToolError:
    """The error of a formula that cannot be calculated."""
    return ToolError(what, why, fix)


def number(text: str) -> Fraction:
    """A number as it is written, exactly. Raises ToolError for one with a huge exponent."""
    exponent = text.lower().partition("e")[2]
    if exponent and abs(int(exponent[:12])) > MAX_EXPONENT:
        raise refuse(f"{text[:40]} is too large or too small", f"exponents go to {MAX_EXPONENT:,}", "use a smaller one")
    return Fraction(text)


def bounded(value: Value) -> Value:
    """The value, if it is not too large to go on with. Raises ToolError."""
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
            raise refuse("the result is too large or too small", f"over {MAX_EXPONENT:,} digits", "use smaller numbers")
    elif max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise refuse("the result is too large", "it would have over 3,900 digits", "use smaller numbers")
    return value


def _decimal(value: Value) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))


def apply(sign: str, left: Value, right: Value) -> Value:
    """`left sign right`. Raises ToolError for a division by zero, a power without a real value, and what is too large."""
    if sign in ("/", "//", "%") and not right:
        raise refuse("that divides by zero", "no number is the result", "check the numbers")
    if sign == "**":
        return bounded(_power(left, right))
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return bounded(_EXACT[sign](left, right))
    try:
        return bounded(_ROUNDED[sign](_decimal(left), _decimal(right)))
    except decimal.DecimalException:
        raise refuse("that cannot be calculated", "the numbers are too far apart", "use smaller numbers") from None


_EXACT: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "of": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: Fraction(a // b),
    "%": lambda a, b: a % b,
}
_ROUNDED: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _CONTEXT.add,
    "-": _CONTEXT.subtract,
    "*": _CONTEXT.multiply,
    "of": _CONTEXT.multiply,
    "/": _CONTEXT.divide,
    "//": lambda a, b: Decimal(math.floor(_CONTEXT.divide(a, b))),
    "%": lambda a, b: _CONTEXT.subtract(a, _CONTEXT.multiply(b, Decimal(math.floor(_CONTEXT.divide(a, b))))),
}


def _power(base: Value, exponent: Value) -> Value:
    if not base and exponent < 0:
        raise refuse("that divides by zero", "zero has no negative power", "check the numbers")
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        if exponent.denominator == 1:
            return _whole_power(base, exponent.numerator)
        root = _root(base, exponent.denominator)
        if root is not None:
            return _whole_power(root, exponent.numerator)
    if base < 0:
        raise refuse("that has no real value", "a fractional power of a negative number", "use a positive number")
    try:
        return _CONTEXT.power(_decimal(base), _decimal(exponent))
    except decimal.DecimalException:
        raise refuse("the result is too large or too small", "the power is too high", "use smaller numbers") from None


def _whole_power(base: Fraction, exponent: int) -> Fraction:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base not in (0, 1, -1) and bits * abs(exponent) > MAX_BITS:
        raise refuse("the result is too large", "it would have over 3,900 digits", "use smaller numbers")
    if base in (0, 1, -1):
        return base ** (abs(exponent) % 2 or 2) if exponent else Fraction(1)
    return base**exponent


def _root(value: Fraction, degree: int) -> Fraction | None:
    """The exact root, where there is one."""
    if value < 0 or degree > 64:
        return None
    parts = [_whole_root(part, degree) for part in (value.numerator, value.denominator)]
    return None if None in parts else Fraction(parts[0] or 0, parts[1] or 1)


def _whole_root(value: int, degree: int) -> int | None:
    if degree == 2:
        near = math.isqrt(value)
    else:
        low, high = 0, 1 << (value.bit_length() // degree + 1)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
        near = low
    return near if near**degree == value else None


# ---- functions -------------------------------------------------------------------------------------------------------


def _sqrt(value: Value) -> Value:
    return _power(value, Fraction(1, 2))


def _round(value: Value, places: Value = Fraction(0)) -> Value:
    """Half away from zero, as taught in school."""
    if not isinstance(places, Fraction) or places.denominator != 1 or abs(places) > 1000:
        raise refuse("round needs a whole number of places", f"they are {places}", "write round(2.345, 2)")
    scale = Fraction(10) ** places.numerator
    scaled = abs(Fraction(value)) * scale
    whole = Fraction(math.floor(scaled + Fraction(1, 2))) / scale
    return -whole if value < 0 else whole


def _factorial(value: Value) -> Value:
    if not isinstance(value, Fraction) or value.denominator != 1 or not 0 <= value <= MAX_FACTORIAL:
        why = f"it is defined for whole numbers, here from 0 to {MAX_FACTORIAL:,}"
        raise refuse("that factorial cannot be calculated", why, "use a smaller whole number")
    return Fraction(math.factorial(value.numerator))


def _ln(value: Value) -> Value:
    if value <= 0:
        raise refuse("that logarithm has no real value", "the number is not above zero", "use a positive number")
    return Fraction(0) if value == 1 else _CONTEXT.ln(_decimal(value))


def _log10(value: Value) -> Value:
    _ln(value)
    if isinstance(value, Fraction):
        for part, sign in ((value, 1), (1 / value, -1)):
            digits = len(str(part.numerator)) - 1
            if part.denominator == 1 and part.numerator == 10**digits:
                return Fraction(sign * digits)
    return _CONTEXT.log10(_decimal(value))


def _log(value: Value, base: Value | None = None) -> Value:
    if base is None:
        return _ln(value)
    if base == 10:
        return _log10(value)
    below = _ln(base)
    if not below:
        raise refuse("that logarithm has no value", "its base is 1", "use another base")
    near = _CONTEXT.divide(_decimal(_ln(value)), _decimal(below))
    whole = Fraction(round(near))
    exact = abs(near - round(near)) < Decimal("1e-40") and abs(whole) < MAX_EXPONENT and _power(base, whole) == value
    return whole if exact else near


def _exp(value: Value) -> Value:
    try:
        return Fraction(1) if not value else _CONTEXT.exp(_decimal(value))
    except decimal.DecimalException:
        raise refuse("the result is too large or too small", "the power is too high", "use smaller numbers") from None


def _angle(function: Callable[[float], float]) -> Callable[[Value], Value]:
    def of(value: Value) -> Value:
        if not value:
            return Fraction(round(function(0.0)))
        if not -(10**9) < value < 10**9:
            raise refuse("that angle is too large", "its digits would be wrong", "use an angle of a few turns")
        turned = float(_CONTEXT.remainder(_decimal(value), 2 * _PI))
        said = function(turned)
        if abs(said) > 1e14:
            raise refuse("that tangent has no value", "the angle is a quarter turn", "use another angle")
        return _CONTEXT.plus(Decimal(f"{said:.{FLOAT_DIGITS}f}").normalize())

    return of


def _mean(*values: Value) -> Value:
    return apply("/", _sum(*values), Fraction(len(values)))


def _sum(*values: Value) -> Value:
    total: Value = Fraction(0)
    for value in values:
        total = apply("+", total, value)
    return total


def _median(*values: Value) -> Value:
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else _mean(ordered[middle - 1], ordered[middle])


CONSTANTS: dict[str, Callable[[], Value]] = {"pi": lambda: _CONTEXT.plus(_PI), "e": lambda: _CONTEXT.exp(Decimal(1))}
MANY = 200
# name: (what it is shown as, function, fewest and most arguments)
_FUNCTIONS: dict[str, tuple[str, Callable[..., Value], int, int]] = {
    "sqrt": ("sqrt", _sqrt, 1, 1),
    "round": ("round", _round, 1, 2),
    "abs": ("abs", abs, 1, 1),
    "min": ("min", lambda *v: min(v), 1, MANY),
    "max": ("max", lambda *v: max(v), 1, MANY),
    "sum": ("sum", _sum, 1, MANY),
    "mean": ("mean", _mean, 1, MANY),
    "average": ("mean", _mean, 1, MANY),
    "avg": ("mean", _mean, 1, MANY),
    "median": ("median", _median, 1, MANY),
    "floor": ("floor", lambda v: Fraction(math.floor(v)), 1, 1),
    "ceil": ("ceil", lambda v: Fraction(math.ceil(v)), 1, 1),
    "factorial": ("factorial", _factorial, 1, 1),
    "ln": ("ln", _ln, 1, 1),
    "log": ("log", _log, 1, 2),
    "log10": ("log10", _log10, 1, 1),
    "exp": ("exp", _exp, 1, 1),
    "pow": ("pow", lambda a, b: _power(a, b), 2, 2),
    "sin": ("sin", _angle(math.sin), 1, 1),
    "cos": ("cos", _angle(math.cos), 1, 1),
    "tan": ("tan", _angle(math.tan), 1, 1),
}


def call(name: str, arguments: Sequence[Value]) -> tuple[str, Value]:
    """(the name as it is shown, the value) of a function. `log` of one number is shown as `ln`: it can be meant otherwise."""
    if name not in _FUNCTIONS:
        raise unknown(name)
    shown, function, fewest, most = _FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise refuse(f"{name} got {len(arguments)} numbers", f"it takes {wanted}", "check its arguments")
    return ("ln" if name == "log" and len(arguments) == 1 else shown), bounded(function(*arguments))


def unknown(name: str) -> ToolError:
    """The error for a name that means nothing here."""
    known = [*_FUNCTIONS, *CONSTANTS]
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.7)
    why = "it is no function or constant here" if name.lower() not in _FUNCTIONS else "a function needs brackets"
    fix = f"write {name.lower()}(…)" if name.lower() in _FUNCTIONS else (
        f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}; units are converted by `units`"
    )  # fmt: skip
    return refuse(f"{name[:40]!r} is not understood", why, fix)
