"""`calculate`: exact, bounded, and never a silent choice between two readings."""

from __future__ import annotations

import contextlib
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.tools.calc.calculate import calculate, written
from outrider.tools.calc.formula import evaluate
from outrider.tools.tool import ToolContext, ToolError


def said(expression: str) -> str:
    answer = calculate.run(calculate.check({"expression": expression}), ToolContext.__new__(ToolContext))
    assert isinstance(answer, str)
    return answer


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("48317 * 271 - 999", "48317 * 271 - 999 = 13092908"),
        ("0.1+0.2", "0.1 + 0.2 = 0.3"),
        ("19.99 + 4.50 + 12.25 - 10", "19.99 + 4.50 + 12.25 - 10 = 26.74"),
        ("15% of 80", "15% of 80 = 12"),
        ("10% + 5%", "10% + 5% = 0.15"),
        ("200 * (1 + 15%)", "200 * (1 + 15%) = 230"),
        ("7 % 3", "7 % 3 = 1"),
        ("1,234.50 × 2", "1234.50 * 2 = 2469"),
        ("max(100,200)", "max(100, 200) = 200"),
        ("-2**2", "-2 ** 2 = -4"),
        ("2^10", "2 ** 10 = 1024"),
        ("10/3", "10 / 3 = 3.333333333333333 (rounded; exactly 10/3)"),
        ("sqrt(16)", "sqrt(16) = 4"),
        ("27**(1/3)", "27 ** (1 / 3) = 3"),
        ("round(2.5)", "round(2.5) = 3"),
        ("round(2.345, 2)", "round(2.345, 2) = 2.35"),
        ("median(3,1,2)", "median(3, 1, 2) = 2"),
        ("log(100)", "ln(100) = 4.605170185988091 (rounded)"),
        ("log(8, 2)", "log(8, 2) = 3"),
        ("log10(0.001)", "log10(0.001) = -3"),
        ("factorial(20)", "factorial(20) = 2432902008176640000"),
        ("cos(0)", "cos(0) = 1"),
        ("sin(pi)", "sin(pi) = 0 (rounded)"),
        ("-7//2", "-7 // 2 = -4"),
        ("2 + 2 =", "2 + 2 = 4"),
    ],
)
def test_calculate_says_the_formula_as_it_read_it_and_the_exact_result(expression: str, answer: str) -> None:
    """What is rounded says so."""
    assert said(expression) == answer


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("200 + 15%", "two ways"),
        ("100 - 20%", "two ways"),
        ("10 % -3", "two ways"),
        ("sum(1,234.50, 2)", "two ways"),
        ("sum(1,000,2)", "begins with a zero"),
        ("3,5", "comma"),
        ("2(3)", "no operator"),
        ("2pi", "not understood"),
        ("$5 + 1", "currency"),
        ("1/0", "divides by zero"),
        ("9**9**9", "too large"),
        ("1e99999999", "too large"),
        ("factorial(100000)", "factorial"),
        ("(-8)**0.5", "no real value"),
        ("ln(0)", "no real value"),
        ("tan(pi/2)", "no value"),
        ("(" * 500 + "1" + ")" * 500, "nested too deep"),
        ("1" * 3000, "too long"),
        ("", "nothing to calculate"),
        ("(1", "missing"),
        ("1)", "too many"),
        ("1 +", "ends too early"),
        ("__import__('os')", "not understood"),
        ("sqroot(4)", "did you mean sqrt"),
        ("sqrt(1, 2)", "it takes 1"),
    ],
)
def test_calculate_refuses_what_it_cannot_be_sure_of_with_a_reason(expression: str, why: str) -> None:
    """Both readings, or what would be right."""
    with pytest.raises(ToolError, match=why):
        said(expression)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9),
    st.sampled_from("+-*"),
)
def test_calculate_is_exact_on_decimals(a: object, b: object, sign: str) -> None:
    """The same as fractions, to the last digit."""
    value, _ = evaluate(f"({a}) {sign} ({b})")
    left, right = Fraction(str(a)), Fraction(str(b))
    assert value == {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert Fraction(written(value)) == value


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="0123456789.+-*/%^() ,eabcmnrstqlox", max_size=60))
def test_calculate_answers_or_refuses_any_text_quickly(text: str) -> None:
    """No crash, no endless work."""
    began = time.monotonic()
    with contextlib.suppress(ToolError):
        assert " = " in said(text)
    assert time.monotonic() - began < 5
