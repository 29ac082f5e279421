"""Examples of dates, units and text counts: one call of `dates`, `units` or `text_stats`, values worked out here."""

from __future__ import annotations

import calendar
import datetime
import random
from collections.abc import Mapping

from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import MONTHS, THINGS, file_name, one, person, plain_number, said

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
                       f"{month[:3]} {when.day} {when.year}", f"{when.day} {month[:3]} {when.year}", f"the {when.day}th of {month} {when.year}"])  # fmt: skip


def dates(rnd: random.Random) -> Example:
    """A question about dates."""
    a, b = sorted([day(rnd), day(rnd)])
    kind = rnd.randrange(5)
    A, B, n = written(rnd, a), written(rnd, b), rnd.randint(2, 120)
    unit = rnd.choice(["days", "weeks", "months", "years"])
    n = n if unit == "days" else n % 18 + 2
    if kind == 0:
        days = (b - a).days
        goal = one(
            rnd,
            "times.dates.1",
            A=A,
            B=B,
        )
        args = {"operation": "difference", "date": a.isoformat(), "to": b.isoformat()}
        return _done(
            "dates",
            rnd,
            goal,
            args,
            rnd.choice([f"{days} days", f"{days}", f"{a} to {b}: {days} days"]),
            f"It is {days} days.",
        )
    if kind == 1:
        goal = one(
            rnd,
            "times.dates.2",
            A=A,
        )
        name = calendar.day_name[a.weekday()]
        answer = f"No, it is a {name}." if "Monday" in goal and name != "Monday" else f"It is a {name}."
        return _done(
            "dates",
            rnd,
            goal,
            {"operation": "weekday", "date": a.isoformat()},
            rnd.choice([name, f"{a} is a {name}"]),
            answer,
        )
    if kind == 2:
        later = _add(a, n, unit)
        goal = one(
            rnd,
            "times.dates.3",
            A=A,
            n=n,
            unit=unit,
        )
        return _done(
            "dates",
            rnd,
            goal,
            {"operation": "add", "date": a.isoformat(), "amount": n, "unit": unit},
            rnd.choice([later.isoformat(), f"{later} ({calendar.day_name[later.weekday()]})"]),
            f"It is {later}.",
        )
    if kind == 3:
        earlier = _add(a, -n, unit)
        goal = one(
            rnd,
            "times.dates.4",
            A=A,
            n=n,
            unit=unit,
        )
        return _done(
            "dates",
            rnd,
            goal,
            {"operation": "add", "date": a.isoformat(), "amount": -n, "unit": unit},
            earlier.isoformat(),
            f"It is {earlier}.",
        )
    return _today(rnd, n, unit, b, B)


def _today(rnd: random.Random, n: int, unit: str, b: Day, B: str) -> Example:
    today = day(rnd)
    kind = rnd.randrange(3)
    if kind == 0:
        goal = one(
            rnd,
            "times.today.1",
        )
        name = calendar.day_name[today.weekday()]
        return _done(
            "dates", rnd, goal, {"operation": "now"}, f"{today} 14:05 ({name})", f"It is {name}, {today}, 14:05."
        )
    if kind == 1:
        goal = one(
            rnd,
            "times.today.2",
            n=n,
            unit=unit,
        )
        later = _add(today, n, unit)
        return _done(
            "dates",
            rnd,
            goal,
            {"operation": "add", "date": "today", "amount": n, "unit": unit},
            later.isoformat(),
            f"It is {later}.",
        )
    days = abs((b - today).days)
    goal = one(rnd, "times.today.3", B=B)
    args = {"operation": "difference", "date": "today", "to": b.isoformat()}
    if "since" in goal:
        args = {"operation": "difference", "date": b.isoformat(), "to": "today"}
    return _done("dates", rnd, goal, args, f"{days} days", f"It is {days} days.")


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
    [("m2", ["square metres", "square meters", "m2"], 1.0), ("acres", ["acres"], 4046.8564224), ("hectares", ["hectares", "ha"], 10000.0), ("square feet", ["square feet", "sq ft"], 0.09290304)],
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
    got = plain_number(round(out, 6))
    goal = one(
        rnd,
        "times.units.1",
        v=value,
        u=unit,
        t=to,
    )
    arguments = {"value": float(value) if "." in value else int(value), "unit": unit, "to": to}
    seen = rnd.choice([f"{got} {to}", f"{value} {unit} = {got} {to}", got])
    return _done("units", rnd, goal, arguments, seen, f"{value} {unit} is {got} {to}.")


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
        goal = one(
            rnd,
            "times.texts.1",
            o=op,
            p=path,
        )
        return _done("text_stats", rnd, goal, {"operation": op, "path": path}, str(n), f"{path} has {n} {op}.")
    if op == "count":
        letter = rnd.choice(text.replace(" ", ""))
        n = text.lower().count(letter.lower())
        goal = one(
            rnd,
            "times.texts.2",
            l=letter,
            t=text,
        )
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
    wording = {
        "characters": [
            "how many characters are in '{t}'?",
            'how long is the text "{t}"?',
            "how many letters has '{t}'?",
        ],
        "words": ["how many words are in '{t}'?", 'count the words of "{t}"'],
        "reverse": ["reverse '{t}'", 'write "{t}" backwards', "spell {t} backwards"],
        "upper": ["put '{t}' in capitals", 'uppercase "{t}"', "{t} in upper case"],
        "lower": ["make '{t}' lower case", 'lowercase "{t}"'],
    }[op]
    goal = one(rnd, wording, t=text)
    answer = f"It has {out} {op}." if op in ("characters", "words") else out
    return _done("text_stats", rnd, goal, {"operation": op, "text": text}, out, answer)
