"""`units`: exact where the definition is, and no silent choice between a bit and a byte, a short and a metric ton."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.tools.calc.units import units
from outrider.tools.tool import ToolContext, ToolError


def said(value: str, unit: str, to: str) -> str:
    answer = units.run(units.check({"value": value, "unit": unit, "to": to}), ToolContext.__new__(ToolContext))
    assert isinstance(answer, str)
    return answer


@pytest.mark.parametrize(
    ("value", "unit", "to", "answer"),
    [
        ("26.2", "miles", "kilometers", "26.2 mile = 42.1648128 kilometer"),
        ("72", "fahrenheit", "celsius", "72 degree Fahrenheit = 22.22222222 degree Celsius (rounded)"),
        ("20", "C", "F", "20 degree Celsius = 68 degree Fahrenheit"),
        ("1", "C", "mC", "1 coulomb = 1000 millicoulomb"),
        ("0", "K", "C", "0 kelvin = -273.15 degree Celsius"),
        ("3", "hours", "seconds", "3 hour = 10800 second"),
        ("1.5", "GB", "MB", "1.5 gigabyte = 1500 megabyte"),
        ("1", "GiB", "GB", "1 gibibyte = 1.073741824 gigabyte"),
        ("8", "Gb", "GB", "8 gigabit = 1 gigabyte"),
        ("100", "km/h", "mph", "100 kilometer/hour = 62.137119224 mile/hour (rounded)"),
        ("5", "square feet", "m^2", "5 foot^2 = 0.4645152 meter^2"),
        ("1", "MILES", "KM", "1 mile = 1.609344 kilometer"),
        ("1,250", "lbs", "kg", "1,250 pound = 566.9904625 kilogram"),
        ("500", "kcal", "kJ", "500 kilocalorie = 2092 kilojoule"),
    ],
)
def test_units_converts_and_says_the_units_in_full(value: str, unit: str, to: str, answer: str) -> None:
    """As the reader can check it."""
    assert said(value, unit, to) == answer


@pytest.mark.parametrize(
    ("unit", "which"), [("ton", "US short ton"), ("gallons", "US liquid gallon"), ("cups", "US cup")]
)
def test_units_says_which_of_several_units_of_a_name_it_took(unit: str, which: str) -> None:
    """A British gallon is a fifth more."""
    assert which in said("1", unit, "kg" if unit == "ton" else "liter")


@pytest.mark.parametrize(
    ("value", "unit", "to", "why"),
    [
        ("40", "USD", "JPY", "currency"),
        ("5", "€", "$", "currency"),
        ("5", "euros", "dollars", "currency"),
        ("1", "meters", "kg", "one measures length, the other mass"),
        ("1", "kilometre-ish", "m", "no unit"),
        ("1", "milimeter", "m", "no unit"),
        ("1", "m**999999999", "m", "no unit"),
        ("1", "__class__", "m", "no unit"),
        ("abc", "m", "km", "not understood"),
    ],
)
def test_units_refuses_with_a_reason(value: str, unit: str, to: str, why: str) -> None:
    """Rates of exchange are not kept; lengths are no masses."""
    with pytest.raises(ToolError, match=why):
        said(value, unit, to)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_units_answers_or_refuses_any_unit(text: str) -> None:
    """Whatever a model writes."""
    try:
        assert said("1", text, "m")
    except ToolError:
        return


def test_units_takes_a_number_as_code_gives_it() -> None:
    """`tools.units(value=2.5, …)` in the sandbox; the schema still says text."""
    assert units.check({"value": 2.5, "unit": "m", "to": "km"})["value"] == "2.5"
    assert units.parameters["properties"]["value"]["type"] == "string"


def test_units_are_not_loaded_before_they_are_needed() -> None:
    """The registry costs half a second."""
    code = "import sys, outrider.tools.calc.units, outrider.tools.data.table; assert not {'pint', 'duckdb'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
