"""`units`: a measure in another unit.
Touches nothing. Does not promise: currencies (their rates change), nor which "ton" or "gallon" was meant: it says which it took.
"""

from __future__ import annotations

import re
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator

from outrider.tools.calc.calculate import digits_of
from outrider.tools.calc.formula import evaluate
from outrider.tools.tool import ToolError, tool

SHOWN_DIGITS = 10
MAX_DIGITS = 24
_SHAPE = re.compile(r"[A-Za-zµμΩ°Å%](?:[A-Za-z0-9µμΩ°Å_ ./*^²³-]{0,59})?")
_BYTES = {  # as they are written: Gb is a gigabit, and to pint a gilbert
    "mb": "MB", "kb": "kB", "gb": "GB", "tb": "TB", "KB": "kB", "Kb": "kilobit", "Mb": "megabit", "Gb": "gigabit", "Tb": "terabit",
    "kbps": "kilobit/second", "Mbps": "megabit/second", "Gbps": "gigabit/second", "mbps": "megabit/second",
}  # fmt: skip
_CURRENCY = frozenset({
    "usd", "eur", "gbp", "jpy", "cny", "chf", "aud", "cad", "nzd", "sek", "nok", "dkk", "pln", "inr", "brl", "krw",
    "mxn", "zar", "try", "rub", "dollar", "dollars", "euro", "euros", "pound_sterling", "yen", "yuan", "rupee",
    "rupees", "krone", "kroner", "krona", "franc", "francs", "btc", "bitcoin",
})  # fmt: skip
# What people write, and what pint calls it. Lower case.
_NAMES = {
    "celsius": "degC", "centigrade": "degC", "°c": "degC", "degrees celsius": "degC", "degree celsius": "degC", "deg c": "degC",
    "fahrenheit": "degF", "°f": "degF", "degrees fahrenheit": "degF", "degree fahrenheit": "degF", "deg f": "degF",
    "kelvin": "kelvin", "kelvins": "kelvin", "degrees kelvin": "kelvin", "°": "degree",
    "mph": "mile/hour", "miles per hour": "mile/hour", "kph": "km/hour", "kmh": "km/hour", "km/h": "km/hour", "kilometers per hour": "km/hour",
    "lbs": "pound", "pounds": "pound", "ounces": "ounce", "cal": "calorie", "calories": "calorie", "fl oz": "fluid_ounce",
    "feet": "foot", "inches": "inch", "sq ft": "foot**2", "square feet": "foot**2", "square foot": "foot**2", "sqm": "meter**2",
    "kib": "KiB", "mib": "MiB", "gib": "GiB", "tib": "TiB", "bytes": "byte",
    "hours": "hour", "hrs": "hour", "mins": "minute", "secs": "second", "litres": "liter", "litre": "liter", "metres": "meter",
}  # fmt: skip
_SAID = {
    "ton": "the US short ton; write metric_ton for 1,000 kg",
    "gallon": "the US liquid gallon; write imperial_gallon for the British one",
    "pint": "the US liquid pint", "quart": "the US liquid quart", "cup": "the US cup", "fluid_ounce": "the US fluid ounce",
    "calorie": "the small calorie; the one on food is kilocalorie", "horsepower": "the mechanical horsepower",
    "month": "a twelfth of a year, 30.4375 days", "year": "365.25 days",
}  # fmt: skip


def _as_text(value: object) -> object:
    """A number that code gives as one; the text of a model keeps every digit."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Number = Annotated[str, BeforeValidator(_as_text)]


@tool(effect="read", fresh_s=0)
def units(value: Number, unit: str, to: str) -> str:
    """Convert a measure into another unit: length, weight, temperature, data (GB or GiB), energy and more.

    value: the number
    unit: its unit, such as mile, km/hour, fahrenheit
    to: the unit wanted
    """
    number, _ = evaluate(value)
    registry = _registry()
    have, want = _unit(unit, to, registry), _unit(to, unit, registry)
    try:
        found = registry.Quantity(Fraction(number), have).to(want)
    except Exception as error:
        raise _cannot(unit, to, have, want, error) from None
    digits, rounded = digits_of(Fraction(found.magnitude), SHOWN_DIGITS)
    if len(digits) > MAX_DIGITS:  # a turn is a rounded number, however many digits it comes with
        digits, rounded = digits_of(Decimal(digits), SHOWN_DIGITS)
    notes = [f"{name} is {said}" for name, said in _SAID.items() if name in {*have._units, *want._units}]
    notes = ([rounded.partition(";")[0]] if rounded else []) + notes
    note = f" ({'; '.join(notes)})" if notes else ""
    return f"{value.strip()} {_plain(have)} = {digits} {_plain(want)}{note}"


@cache
def _registry() -> Any:
    from pint import UnitRegistry

    return UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=True)


def _unit(name: str, other: str, registry: Any) -> Any:
    """The unit of this name. `other` tells a Celsius from a coulomb. Raises ToolError, naming near ones."""
    plain = " ".join(name.split()).rstrip(".")
    low = plain.lower()
    if low in _CURRENCY or re.search(r"[$€£¥₹]", plain):
        why = "exchange rates change every day and are not kept here"
        raise ToolError(f"{name!r} is a currency", why, "look the rate up with web_search, then calculate")
    if not _SHAPE.fullmatch(plain) or re.search(r"\d{3}|[*^]\s*\d{2}", plain):
        raise _unknown(name, registry)
    if low in ("c", "f", "k") and other.strip().lower() in _TEMPERATURES:
        return registry.Unit({"c": "degC", "f": "degF", "k": "kelvin"}[low])
    per = re.sub(r"\s+per\s+", "/", plain, flags=re.IGNORECASE).replace("²", "**2").replace("³", "**3")
    for attempt in (
        _BYTES.get(plain) or _NAMES.get(low, per),
        per.replace(" ", "_"),
        _NAMES.get(low.rstrip("s"), per.lower().replace(" ", "_")),
    ):
        try:
            return registry.Unit(attempt)
        except Exception:  # noqa: S112  # pint raises whatever its parser met; the next spelling is tried
            continue
    raise _unknown(name, registry)


_TEMPERATURES = frozenset(
    {"c", "f", "k", *(name for name, unit in _NAMES.items() if unit in ("degC", "degF", "kelvin"))}
)


def _unknown(name: str, registry: Any) -> ToolError:
    known = [*_NAMES, *(one for one in dir(registry) if one.isascii() and len(one) > 2 and not one.startswith("_"))]
    near = get_close_matches(name.lower(), known, n=3, cutoff=0.75)
    fix = f"did you mean {' or '.join(near)}?" if near else "write its English name, such as mile or km/hour"
    return ToolError(f"{name[:60]!r} is no unit that is known here", "it is not in the list", fix)


def _cannot(unit: str, to: str, have: Any, want: Any, error: Exception) -> ToolError:
    if have.dimensionality != want.dimensionality:
        why = f"one measures {_measures(have)}, the other {_measures(want)}"
        return ToolError(f"{unit} cannot be converted to {to}", why, "name two units of the same kind")
    return ToolError(f"{unit} cannot be converted to {to}", str(error)[:200], "try another unit")


def _measures(unit: Any) -> str:
    parts = [(name.strip("[]"), exponent) for name, exponent in unit.dimensionality.items()]
    return " × ".join(name if exponent == 1 else f"{name}^{exponent}" for name, exponent in parts) or "a plain number"


def _plain(unit: Any) -> str:
    """The unit in words, as mile/hour or meter^2; pint's own text fails on exponents that are fractions."""

    def power(name: str, exponent: Any) -> str:
        return name.replace("_", " ") + (f"^{abs(exponent)}" if abs(exponent) != 1 else "")

    above = [power(name, exponent) for name, exponent in unit._units.items() if exponent > 0]
    below = [power(name, exponent) for name, exponent in unit._units.items() if exponent < 0]
    return "/".join(["*".join(above) or "1", *below]) if above or below else "(no unit)"
