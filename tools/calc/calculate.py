"""`calculate`: exact arithmetic, without a programming language.
Touches nothing. A number is a fraction as long as it can be; what has no exact form has 40 digits and is said to be rounded.
Does not promise: symbols, complex numbers, degrees (angles are in radians). Start reading at `calculate`.
"""

from __future__ import annotations

from fractions import Fraction

from outrider.tools.calc.formula import evaluate
from outrider.tools.calc.formula_functions import Value
from outrider.tools.tool import tool

SHOWN_DIGITS = 16  # of a result that is rounded
MAX_SHOWN = 400  # digits of an exact result that are written out


@tool(effect="read", fresh_s=0)
def calculate(expression: str) -> str:
    """Calculate exactly: + - * / // % ** ( ), 15% of 80, sqrt round abs min max sum mean median floor ceil factorial
    ln log10 log(x, base) exp sin cos tan (radians), pi, e.

    expression: such as "(1250 - 80) * 1.25"
    """
    value, shown = evaluate(expression)
    return f"{shown} = {written(value)}"


def written(value: Value) -> str:
    """The number as people write it; with "(rounded)" when the digits are not all of it."""
    digits, note = digits_of(value)
    return f"{digits} ({note})" if note else digits


def digits_of(value: Value, most: int = SHOWN_DIGITS) -> tuple[str, str]:
    """(digits, note): the digits of a number, and "rounded" with the exact fraction when they are not all of it."""
    if not isinstance(value, Fraction):
        return _significant(Fraction(value), most), "rounded"
    exact = _decimal(value)
    if exact is not None:
        return exact, ""
    short = value.denominator > 1 and value.numerator.bit_length() < 60 and value.denominator.bit_length() < 60
    return _significant(value, most), f"rounded; exactly {value.numerator}/{value.denominator}" if short else "rounded"


def _decimal(value: Fraction) -> str | None:
    """The decimal form, if it ends within MAX_SHOWN digits."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > MAX_SHOWN:
        return None
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    if len(digits) > MAX_SHOWN:
        return None
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _significant(value: Fraction, most: int) -> str:
    """About `most` significant digits, the last one rounded half away from zero."""
    if not value:
        return "0"
    power = len(str(abs(value.numerator))) - len(str(value.denominator)) - most
    scaled = abs(value) / Fraction(10) ** power
    digits = str((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator))
    kept = digits.rstrip("0")
    return ("-" if value < 0 else "") + _placed(kept, power + len(digits) - len(kept))


def _placed(digits: str, power: int) -> str:
    """`digits` × 10**power, with an exponent only where zeros would be hard to count."""
    point = len(digits) + power
    if 0 < point <= 21:
        return digits.ljust(point, "0") if power >= 0 else f"{digits[:point]}.{digits[point:]}"
    if -7 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    return f"{digits[0]}{f'.{digits[1:]}' if digits[1:] else ''}e{point - 1:+d}"
