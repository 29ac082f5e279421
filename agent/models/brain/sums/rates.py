"""Stories of proportion: recipes, prices of several, speeds, pay by the hour, every so many minutes.

What it is: functions that each take a goal in plain small letters, numbers in digits, and give an expression or "".
A constant that the goal does not name is marked with a dot ("60."). What it may touch: nothing.
Does not promise: every story. Used by stories.py.
"""

from __future__ import annotations

import re

from outrider.agent.models.brain.sums.words import GONE, SHARE, UNIT, N, singular


def ratio(text: str) -> str:
    """A recipe for 4 needs 300 g; how much for 10? 3 pens cost 4.50; what do 7 cost? 6.4 litres per 100 km; for 350 km?"""
    found = list(re.finditer(rf"{N}\s*([a-z%]+)?", text))
    if len(found) != 3 or SHARE.search(text):
        return ""
    one, two, three = (match[1] for match in found)
    kinds = [singular(match[2] or "") for match in found]
    per = re.search(rf"{N} \w+(?: of \w+)? (?:per|for every|for each|every|on|in) {N} (\w+)", text)
    if per and singular(per[3]) == kinds[2]:
        return f"{per[1]} / {per[2]} * {three}"
    if re.search(rf"\b{N} (?:of|in|out of) every {N}\b", text):
        pair = re.search(rf"\b{N} (?:of|in|out of) every {N}\b", text)
        rest = next((n for n in (one, two, three) if pair and n not in pair.groups()), "")
        return f"{rest} * {pair[1]} / {pair[2]}" if pair and rest else ""
    if re.search(rf"{N} [a-z]+ (?:cost|are|need|take) .*{N}.*\bhow much (?:are|do|is|would) {N}\W*$", text):
        return f"{two} / {one} * {three}"
    asks = re.search(r"\b(?:what|how (?:much|many|long|far))\b", text[found[1].end() :])
    if not asks or found[1].end() + asks.start() > found[2].start():
        return ""
    if not kinds[0] or not (kinds[0] == kinds[2] or re.match(r"\s*of (?:them|these|those)\b", text[found[2].end(1) :])):
        return ""
    if re.search(r"\b(?:each|apiece|more|left|an hour|per hour|a week|a day)\b", text):
        return ""
    return f"{two} / {one} * {three}"


def percent_change(text: str) -> str:
    """The price rose from 40 to 52: by how many percent?"""
    match = re.search(rf"\bfrom {N}(?: \w+)? to {N}", text)
    if not match or not re.search(r"\bper ?cent|%|percentage", text) or re.search(r"\d\s*(?:%|per ?cent)", text):
        return ""
    low, high = match[1], match[2]
    if re.search(r"\b(?:fell|falls?|drop\w*|down|sank|lost|shrank|cheaper|decreas\w*|reduc\w*)\b", text):
        return f"({low} - {high}) / {low}. * 100." if "." not in low else ""
    return f"({high} - {low}) / {low}. * 100." if "." not in low else ""


def one(text: str) -> str:
    """5 lamps cost 474: one? 12 m long, 8 m wide: how big?"""
    match = re.search(rf"{N} [a-z]+ (?:cost|are|weigh|take) {N}[^\d]*\b(?:one|single|each|apiece)\b", text)
    if match:
        return f"{match[2]} / {match[1]}"
    sides = re.search(
        rf"{N} ?(?:m|cm|km|metres?|meters?|feet|ft) (?:long|by|deep) (?:and |by )?{N} ?(?:m|cm|km|metres?|meters?|feet|ft)?(?: wide| broad| high)",
        text,
    )
    asks = re.search(r"\bhow (?:big|large)\b|\barea\b|\bsquare\b", text)
    return f"{sides[1]} * {sides[2]}" if sides and asks else ""


def every(text: str) -> str:
    """A bus leaves every 12 minutes: how many in 3 hours?"""
    match = re.search(
        rf"\bevery {N} (minute|hour|second|day|week)s?\b.*?\b(?:in|within|during|over|for) {N} (minute|hour|second|day|week)s?\b",
        text,
    )
    if not match or not re.search(r"\bhow (?:many|often|much)\b", text):
        return ""
    factor = _factor(match[4], match[2])
    if not factor or re.search(r"\beach time\b", text):
        return ""
    return f"{match[3]} * {factor} / {match[1]}" if factor != "1." else f"{match[3]} / {match[1]}"


_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def _factor(big: str, small: str) -> str:
    whole, rest = divmod(_SECONDS[big], _SECONDS[small])
    return f"{whole}." if whole and not rest else ""


def needed(text: str) -> str:
    """35 pages a day, a book of 420 pages: how many days? 420 / 35. 630 km at 90 km/h: how long?"""
    speed = re.search(rf"{N} ?(?:km/h|kph|mph|kilometers? an hour|km an hour|miles an hour|km per hour)", text)
    far = re.search(rf"{N} ?(?:km|kilomet\w+|miles)\b(?!/| an hour| per hour)", text)
    hours = re.search(rf"{N} hours?\b", text)
    if speed and far and re.search(r"\bhow (?:long|many hours)\b", text):
        return f"{far[1]} / {speed[1]}"
    if speed and hours and re.search(r"\bhow (?:far|many (?:km|kilom\w+|miles))\b", text):
        return f"{speed[1]} * {hours[1]}"
    if far and hours and re.search(r"\b(?:speed|how fast|km per hour|km/h)\b", text):
        return f"{far[1]} / {hours[1]}"
    rate = re.search(
        rf"{N} (?:\w+ )?(?:(?:of|for) \w+ )?(?:a|an|per|each|every) (hour|day|week|month|year|minute|night|evening)\b",
        text,
    )
    unit = "day" if rate and rate[2] in ("night", "evening") else rate[2] if rate else ""
    asks = re.search(rf"\bhow (?:many {unit}s|long)\b", text) if rate else None
    others = [n for n in re.findall(N, text) if rate and n != rate[1]]
    if rate and asks and len(others) == 1 and not re.search(rf"{N} {unit}s?\b", text):
        return f"{others[0]} / {rate[1]}"
    into = re.search(
        rf"{N}[^.?]*?\b(?:in|into)(?: \w+)? (?:boxes|bags|packs|buses|groups|cars|crates|teams|rows|trays|jars|shelves|bottles|pieces) of {N}",
        text,
    )
    if into and re.search(r"\bhow many\b", text):
        return f"{into[1]} / {into[2]}"
    return ""


def rates(text: str) -> str:
    """18.50 an hour, 36 hours a week, in 4 weeks: the product along the units. 45 a month for a year: times 12."""
    numbers = re.findall(N, text)
    rate = re.search(rf"{N}(?: ?[a-z%]+){{0,3}}? (?:a|an|per|each|every) ({UNIT})\b", text)
    if (
        not rate
        or GONE.search(re.sub(r"\b(?:pays?|paying|uses?|spends?|drinks?|eats?|makes?)\b", "", text))
        or "%" in text
    ):
        return ""
    unit = singular(rate[2])
    unit = "(?:day|evening|night|morning)" if unit in ("day", "evening", "night", "morning") else unit
    chain, used = [rate[1]], {rate[1]}
    while True:
        following = re.search(rf"{N} {unit}s?\b(?: (?:a|an|per|each|every) ({UNIT})\b)?", text)
        if not following or following[1] in used:
            break
        chain.append(following[1])
        used.add(following[1])
        if not following[2]:
            break
        unit = singular(following[2])
    if len(chain) == 1:
        return _by_name(text, rate[1], singular(rate[2])) if len(numbers) == 1 else ""
    start = _start(text, used, numbers)
    return " * ".join(chain) if len(chain) == len(numbers) else f"{start} + {' * '.join(chain)}" if start else ""


def _start(text: str, used: set[str], numbers: list[str]) -> str:
    """What there was before: "has 40 and saves 5 a week"."""
    rest = [n for n in numbers if n not in used]
    if len(rest) == 1 and re.search(
        rf"\b(?:has|have|had|already|starts? with|fee of|deposit of|plus) (?:has |have )?(?:already )?{rest[0]}\b", text
    ):
        return rest[0]
    return ""


_IN = {
    ("month", "year"): "12.",
    ("day", "week"): "7.",
    ("week", "year"): "52.",
    ("hour", "day"): "24.",
    ("minute", "hour"): "60.",
    ("day", "year"): "365.",
}


def _by_name(text: str, number: str, unit: str) -> str:
    """45 a month: how much a year?"""
    larger = re.search(
        r"\b(?:a|an|per|in a|in one|each|for a|for one|the whole) (week|year|day|hour)\b(?!.*\b(?:a|per) \1\b)",
        text[text.find(number) + len(number) + 3 :],
    )
    factor = _IN.get((unit, larger[1]), "") if larger else ""
    return f"{number} * {factor}" if factor else ""


def multiples(text: str) -> str:
    """45 on Monday, twice as many on Tuesday: altogether?"""
    numbers = re.findall(N, text)
    times = re.search(
        r"\b(?:(twice|double|half|triple)|(three|four|five|\d) times) (?:as (?:many|much|far|long|old|heavy|big|tall|high)|that|the (?:amount|number|price))",
        text,
    )
    if not times:
        return ""
    word = times[1] or ""
    factor = {"twice": "2.", "double": "2.", "half": "0.5.", "triple": "3."}.get(word) or f"{times[2]}"
    base = [n for n in numbers if n != times[2]]
    if len(base) != 1:
        return ""
    both = re.search(r"\b(?:altogether|in total|in all|together|both|total|all in all|combined)\b", text)
    if not both and re.search(r"\bhow (?:many|much) (?:are|is|was|were) that\b", text):
        return ""
    if word == "half":
        return f"{base[0]} * 1.5" if both else f"{base[0]} / 2."
    return (
        f"{base[0]} + {base[0]}. * {factor}" if both and "." not in base[0] else "" if both else f"{base[0]} * {factor}"
    )
