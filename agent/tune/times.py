"""Examples of dates, units and text counts: one call of `dates`, `units` or `text_stats`, values worked out here."""

from __future__ import annotations

import calendar
import datetime
import random
from collections.abc import Mapping

from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import MONTHS, THINGS, file_name, one, person, said

Day = datetime.date


def day(rnd: random.Random) -> Day:
    """A date of the last or next decades."""
    return Day(
        rnd.choice([1969, 1999, 2012, 2020, 2023, 2024, 2025, 2026, 2026, 2027, 2030]), 1, 1
    ) + datetime.timedelta(rnd.randrange(366))


def written(rnd: random.Random, when: Day) -> str:
    """A date as a person writes it."""
    month = MONTHS[when.month - 1]
    return rnd.choice([when.isoformat(), when.isoformat(), f"{when.day} {month} {when.year}", f"{month} {when.day}, {when.year}",
                       f"{month[:3]} {when.day} {when.year}", f"{when.day} {month[:3]} {when.year}", f"the {when.day}{_th(when.day)} of {month} {when.year}"])  # fmt: skip


def _th(n: int) -> str:
    return "th" if 10 < n % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


def dates(rnd: random.Random) -> Example:
    """A question about dates; a date is given to the tool as it is written."""
    unit = rnd.choice(["days", "weeks", "months", "years"])
    n = rnd.randint(2, 120) if unit == "days" else rnd.randint(2, 19)
    kind = rnd.randrange(6)
    if kind == 0:
        return _between(rnd)
    if kind == 1:
        return _weekday(rnd)
    if kind in (2, 3):
        return _shifted(rnd, n if kind == 2 else -n, unit, "times.dates.3" if kind == 2 else "times.dates.4")
    return _today(rnd) if kind == 4 else _from_today(rnd, n, unit)


def _between(rnd: random.Random) -> Example:
    a, b = sorted([day(rnd), day(rnd)])
    A, B, days = written(rnd, a), written(rnd, b), (b - a).days
    args = {"operation": "difference", "date": A, "to": B}
    return _done("dates", rnd, one(rnd, "times.dates.1", A=A, B=B), args, _lapse(days, a, b), f"It is {days} days.")


def _lapse(days: int, a: Day, b: Day) -> str:
    """As `dates` says it."""
    back = " (backwards: the second is earlier)" if days < 0 else ""
    return f"{abs(days)} days from {a} to {b}{back} ({abs(days) // 7} weeks and {abs(days) % 7} days)"


def _weekday(rnd: random.Random) -> Example:
    a = day(rnd)
    A, name = written(rnd, a), calendar.day_name[a.weekday()]
    goal = one(rnd, "times.dates.2", A=A)
    answer = f"No, it is a {name}." if "Monday" in goal and name != "Monday" else f"It is a {name}."
    return _done("dates", rnd, goal, {"operation": "weekday", "date": A}, f"{a} is a {name}", answer)


def _shifted(rnd: random.Random, n: int, unit: str, wordings: str) -> Example:
    a = day(rnd)
    A, then = written(rnd, a), _add(a, n, unit)
    name = calendar.day_name[then.weekday()]
    seen = f"{then} ({name}) is {abs(n)} {unit} {'after' if n > 0 else 'before'} {a}"
    args = {"operation": "add", "date": A, "amount": n, "unit": unit}
    return _done("dates", rnd, one(rnd, wordings, A=A, n=abs(n), unit=unit), args, seen, f"It is {then}, a {name}.")


def _today(rnd: random.Random) -> Example:
    today = day(rnd)
    name = calendar.day_name[today.weekday()]
    seen = f"now it is {name} {today} 14:05 (UTC, UTC+0000)"
    return _done("dates", rnd, one(rnd, "times.today.1"), {"operation": "now"}, seen, f"It is {name}, {today}, 14:05.")


def _from_today(rnd: random.Random, n: int, unit: str) -> Example:
    today, b = day(rnd), day(rnd)
    if rnd.random() < 0.5:
        then = _add(today, n, unit)
        name = calendar.day_name[then.weekday()]
        args = {"operation": "add", "date": "today", "amount": n, "unit": unit}
        seen = f"{then} ({name}) is {n} {unit} after {today}"
        return _done("dates", rnd, one(rnd, "times.today.2", n=n, unit=unit), args, seen, f"It is {then}, a {name}.")
    B, days = written(rnd, b), (b - today).days
    goal = one(rnd, "times.today.3", B=B)
    past = "since" in goal
    pair = {"date": B, "to": "today"} if past else {"date": "today", "to": B}
    seen = _lapse(-days, b, today) if past else _lapse(days, today, b)
    return _done("dates", rnd, goal, {"operation": "difference", **pair}, seen, f"It is {abs(days)} days.")


def _add(when: Day, n: int, unit: str) -> Day:
    if unit in ("days", "weeks"):
        return when + datetime.timedelta(n * (7 if unit == "weeks" else 1))
    months = when.month - 1 + n * (12 if unit == "years" else 1)
    year, month = when.year + months // 12, months % 12 + 1
    return Day(year, month, min(when.day, calendar.monthrange(year, month)[1]))


def _done(tool: str, rnd: random.Random, goal: str, arguments: Mapping[str, object], seen: str, answer: str) -> Example:
    return Example(tool, said(rnd, goal[0].upper() + goal[1:]), [Step(tool, dict(arguments), seen)], answer)


# how each unit may be written, and its size in the first unit of its row
UNITS: list[list[tuple[str, list[str], float]]] = [
    [("km", ["km", "kilometers", "kilometres"], 1.0), ("miles", ["miles", "mi"], 1.609344), ("m", ["metres", "meters", "m"], 0.001), ("feet", ["feet", "ft"], 0.0003048), ("yards", ["yards"], 0.0009144)],
    [("cm", ["cm", "centimeters", "centimetres"], 1.0), ("inches", ["inches", "inch"], 2.54), ("mm", ["mm", "millimeters"], 0.1), ("feet", ["feet", "ft"], 30.48)],
    [("kg", ["kg", "kilograms", "kilos"], 1.0), ("pounds", ["pounds", "lbs", "lb"], 0.45359237), ("g", ["grams", "g"], 0.001), ("ounces", ["ounces", "oz"], 0.028349523125), ("tonnes", ["tonnes"], 1000.0)],
    [("litres", ["litres", "liters", "l"], 1.0), ("gallons", ["gallons", "gal"], 3.785411784), ("ml", ["ml", "millilitres"], 0.001), ("cups", ["cups"], 0.2365882365), ("pints", ["pints"], 0.473176473)],
    [("seconds", ["seconds", "secs"], 1.0), ("minutes", ["minutes", "mins"], 60.0), ("hours", ["hours", "hrs"], 3600.0), ("days", ["days"], 86400.0), ("weeks", ["weeks"], 604800.0)],
    [("MB", ["MB", "megabytes"], 1.0), ("GB", ["GB", "gigabytes"], 1000.0), ("KB", ["KB", "kilobytes"], 0.001), ("TB", ["TB", "terabytes"], 1e6), ("bytes", ["bytes"], 1e-6)],
    [("km/h", ["km/h", "kph"], 1.0), ("mph", ["mph", "miles per hour"], 1.609344), ("m/s", ["m/s"], 3.6), ("knots", ["knots"], 1.852)],
    [("m2", ["square metres", "square meters"], 1.0), ("acres", ["acres"], 4046.8564224), ("hectares", ["hectares"], 10000.0), ("square feet", ["square feet"], 0.09290304)],
]  # fmt: skip


def units(rnd: random.Random) -> Example:
    """A conversion; the units are written as the goal has them."""
    value = rnd.choice([str(rnd.randint(1, 500)), f"{rnd.uniform(0.5, 300):.1f}", f"{rnd.uniform(0.1, 40):.2f}"])
    if rnd.random() < 0.2:
        unit, to = rnd.sample(
            ["celsius", "fahrenheit", "kelvin"] if rnd.random() < 0.3 else ["celsius", "fahrenheit"], 2
        )
        kelvin = {
            "celsius": lambda v: v + 273.15,
            "kelvin": lambda v: v,
            "fahrenheit": lambda v: (v - 32) / 1.8 + 273.15,
        }[unit](float(value))
        out = {"celsius": kelvin - 273.15, "kelvin": kelvin, "fahrenheit": (kelvin - 273.15) * 1.8 + 32}[to]
    else:
        (_, names, size), (_, names2, size2) = rnd.sample(rnd.choice(UNITS), 2)
        unit, to, out = rnd.choice(names), rnd.choice(names2), 0.0
        out = float(value) * size / size2
    got = f"{out:.10g}"
    goal = one(rnd, "times.units.1", v=value, u=unit, t=to)
    seen = f"{value} {_named(unit)} = {got} {_named(to)}" + (" (rounded)" if len(got) > 10 else "")
    arguments = {"value": value, "unit": unit, "to": to}
    return _done("units", rnd, goal, arguments, seen, f"{value} {unit} is {got} {to}.")


def _named(unit: str) -> str:
    """The unit as `units` spells it in its answers: in full and in the singular."""
    full = {"km": "kilometer", "kg": "kilogram", "lbs": "pound", "lb": "pound", "oz": "ounce", "cm": "centimeter", "mm": "millimeter", "ft": "foot", "feet": "foot",
            "GB": "gigabyte", "MB": "megabyte", "KB": "kilobyte", "TB": "terabyte", "ml": "milliliter", "l": "liter", "mph": "mile/hour", "km/h": "kilometer/hour",
            "celsius": "degree Celsius", "fahrenheit": "degree Fahrenheit"}  # fmt: skip
    return full.get(unit, unit.replace("litre", "liter").replace("metre", "meter").rstrip("s"))


TEXTS = {
    "characters": [
        "how many characters are in '{t}'?",
        'how long is the text "{t}"?',
        "how many letters has '{t}'?",
    ],
    "words": ["how many words are in '{t}'?", 'count the words of "{t}"'],
    "reverse": ["reverse '{t}'", 'write "{t}" backwards', "spell {t} backwards"],
    "upper": ["put '{t}' in capitals", 'uppercase "{t}"', "{t} in upper case"],
    "lower": ["make '{t}' lower case", 'lowercase "{t}"'],
}


def texts(rnd: random.Random) -> Example:
    """A question about a text or a file's counts."""
    text = rnd.choice(
        [
            rnd.choice(THINGS),
            person(rnd),
            "the quick " + rnd.choice(THINGS),
            rnd.choice(THINGS) + " and " + rnd.choice(THINGS),
        ]
    )
    op = rnd.choice(["characters", "words", "reverse", "upper", "lower", "count", "lines", "words in file"])
    if op in ("lines", "words in file"):
        op, path, n = op.split()[0], file_name(rnd, "txt", "md", "log"), rnd.randint(3, 900)
        goal = one(rnd, "times.texts.1", o=op, p=path)
        return _done("text_stats", rnd, goal, {"operation": op, "path": path}, str(n), f"{path} has {n} {op}.")
    if op == "count":
        letter = rnd.choice(text.replace(" ", ""))
        n = text.lower().count(letter.lower())
        goal = one(rnd, "times.texts.2", l=letter, t=text)
        return _done(
            "text_stats", rnd, goal, {"operation": "count", "text": text, "of": letter}, str(n), f"It occurs {n} times."
        )
    out = {
        "characters": str(len(text)),
        "words": str(len(text.split())),
        "reverse": text[::-1],
        "upper": text.upper(),
        "lower": text.lower(),
    }[op]
    goal = one(rnd, TEXTS[op], t=text)
    answer = f"It has {out} {op}." if op in ("characters", "words") else out
    return _done("text_stats", rnd, goal, {"operation": op, "text": text}, out, answer)
