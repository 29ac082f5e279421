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
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from outrider.agent.models.brain import word_sums
from outrider.agent.models.choice import asked
from outrider.agent.models.choice.arithmetic import numbers_in_digits

_N = r"(\d+(?:\.\d+)?)"
_GONE = re.compile(
    r"\b(?:gives?|gave|giving|given|lost|loses?|losing|sold|sells?|selling|used|uses?|using|eat(?:s|en)?|ate|eating|spent|spends?|spending|paid|pays?|paying|broke|breaks?|broken|threw|throws?|drank|drinks?|left|leaves?|leaving"
    r"|went|gets? (?:off|out)|got (?:off|out)|died|removed?|takes? (?:out|away|off)|took|missing|empty|taken|damaged|rotten|spoil\w*|drops?|dropped|lent|lends?|donat\w+|voucher|coupon|gift card|minus|less|shorter|smaller|younger|lighter|cheaper|fewer|drove off|are reserved|are sick|absent|returned)\b"
)
_CAME = re.compile(
    r"\b(?:more|bought|buys?|buying|found|finds?|gets?|got|getting|receiv\w+|made|makes?|came|comes?|coming|arriv\w+|join\w*|adds?|added|adding|plus|extra|another|collect\w*|picks?|picked|earn\w*|grew|grows?|bak\w+|fee|fees|shipping|postage"
    r"|delivery|deposit|service|charge|taller|older|longer|heavier|loose|gain\w*|win|wins|won)\b"
)
_CONTAINERS = r"(?:boxes|packs?|packets|bags|crates|cartons|trays|jars|cases|sets|shelves|rows|teams|classes|groups|buses|baskets|bottles|tables|rolls|sheets|columns|bunches|bundles|stacks|floors|cages|carriages|drawers|buckets|pallets|rooms|benches|pages|albums|folders|vans|houses|weeks|days|shirts|plates)"
_EACH = re.compile(r"\b(?:each|apiece|a piece|per (?:item|piece|unit|head|person|ticket|night)|every one)\b")
_UNIT = r"(?:hours?|days?|weeks?|months?|years?|minutes?|seconds?|nights?|evenings?|mornings?|kilos?|metres?|meters?|litres?|liters?|km|kg|square met(?:er|re)s?|trips?|games?|lessons?|visits?)"
_SHARE = re.compile(
    r"\b(?:shar\w+|split\w*|divid\w+|equally|evenly|each of (?:us|them|you)|how much (?:is it |is that |for )?(?:each|per (?:person|head))|does (?:each|everyone|everybody)|do (?:we|they) each|each (?:pay|get|owe|have|receive)|per person|equal (?:pieces|parts|groups)|a share)\b"
)
_PEOPLE = re.compile(
    r"\b(?:people|persons|friends|children|kids|of us|sisters|brothers|colleagues|pupils|students|players|pieces|parts|siblings|roommates|flatmates|guests|members|ways|team mates|groups|cousins|workers|neighbou?rs|grandchildren|boys|girls)\b"
)


@dataclass(frozen=True, slots=True)
class _Told:
    """One number: its text, the words since the number before, and those up to the next one or the end of the sentence."""

    text: str
    before: str
    after: str


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


# --- shapes: each takes the plain text and gives an expression or "" -------------------------------------------------


def _ratio(text: str) -> str:
    """A recipe for 4 needs 300 g; how much for 10? 3 pens cost 4.50; what do 7 cost? 6.4 litres per 100 km; for 350 km?"""
    found = list(re.finditer(rf"{_N}\s*([a-z%]+)?", text))
    if len(found) != 3 or _SHARE.search(text):
        return ""
    one, two, three = (match[1] for match in found)
    kinds = [_singular(match[2] or "") for match in found]
    per = re.search(rf"{_N} \w+(?: of \w+)? (?:per|for every|for each|every|on|in) {_N} (\w+)", text)
    if per and _singular(per[3]) == kinds[2]:
        return f"{per[1]} / {per[2]} * {three}"
    if re.search(rf"\b{_N} (?:of|in|out of) every {_N}\b", text):
        pair = re.search(rf"\b{_N} (?:of|in|out of) every {_N}\b", text)
        rest = next((n for n in (one, two, three) if pair and n not in pair.groups()), "")
        return f"{rest} * {pair[1]} / {pair[2]}" if pair and rest else ""
    if re.search(rf"{_N} [a-z]+ (?:cost|are|need|take) .*{_N}.*\bhow much (?:are|do|is|would) {_N}\W*$", text):
        return f"{two} / {one} * {three}"
    asks = re.search(r"\b(?:what|how (?:much|many|long|far))\b", text[found[1].end() :])
    if not asks or found[1].end() + asks.start() > found[2].start():
        return ""
    if not kinds[0] or not (kinds[0] == kinds[2] or re.match(r"\s*of (?:them|these|those)\b", text[found[2].end(1) :])):
        return ""
    if re.search(r"\b(?:each|apiece|more|left|an hour|per hour|a week|a day)\b", text):
        return ""
    return f"{two} / {one} * {three}"


def _percent_change(text: str) -> str:
    """The price rose from 40 to 52: by how many percent?"""
    match = re.search(rf"\bfrom {_N}(?: \w+)? to {_N}", text)
    if not match or not re.search(r"\bper ?cent|%|percentage", text) or re.search(r"\d\s*(?:%|per ?cent)", text):
        return ""
    low, high = match[1], match[2]
    if re.search(r"\b(?:fell|falls?|drop\w*|down|sank|lost|shrank|cheaper|decreas\w*|reduc\w*)\b", text):
        return f"({low} - {high}) / {low}. * 100." if "." not in low else ""
    return f"({high} - {low}) / {low}. * 100." if "." not in low else ""


def _one(text: str) -> str:
    """5 lamps cost 474: one? 12 m long, 8 m wide: how big?"""
    match = re.search(rf"{_N} [a-z]+ (?:cost|are|weigh|take) {_N}[^\d]*\b(?:one|single|each|apiece)\b", text)
    if match:
        return f"{match[2]} / {match[1]}"
    sides = re.search(
        rf"{_N} ?(?:m|cm|km|metres?|meters?|feet|ft) (?:long|by|deep) (?:and |by )?{_N} ?(?:m|cm|km|metres?|meters?|feet|ft)?(?: wide| broad| high)",
        text,
    )
    asks = re.search(r"\bhow (?:big|large)\b|\barea\b|\bsquare\b", text)
    return f"{sides[1]} * {sides[2]}" if sides and asks else ""


def _every(text: str) -> str:
    """A bus leaves every 12 minutes: how many in 3 hours?"""
    match = re.search(
        rf"\bevery {_N} (minute|hour|second|day|week)s?\b.*?\b(?:in|within|during|over|for) {_N} (minute|hour|second|day|week)s?\b",
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


def _needed(text: str) -> str:
    """35 pages a day, a book of 420 pages: how many days? 420 / 35. 630 km at 90 km/h: how long?"""
    speed = re.search(rf"{_N} ?(?:km/h|kph|mph|kilometers? an hour|km an hour|miles an hour|km per hour)", text)
    far = re.search(rf"{_N} ?(?:km|kilomet\w+|miles)\b(?!/| an hour| per hour)", text)
    hours = re.search(rf"{_N} hours?\b", text)
    if speed and far and re.search(r"\bhow (?:long|many hours)\b", text):
        return f"{far[1]} / {speed[1]}"
    if speed and hours and re.search(r"\bhow (?:far|many (?:km|kilom\w+|miles))\b", text):
        return f"{speed[1]} * {hours[1]}"
    if far and hours and re.search(r"\b(?:speed|how fast|km per hour|km/h)\b", text):
        return f"{far[1]} / {hours[1]}"
    rate = re.search(
        rf"{_N} (?:\w+ )?(?:(?:of|for) \w+ )?(?:a|an|per|each|every) (hour|day|week|month|year|minute|night|evening)\b",
        text,
    )
    unit = "day" if rate and rate[2] in ("night", "evening") else rate[2] if rate else ""
    asks = re.search(rf"\bhow (?:many {unit}s|long)\b", text) if rate else None
    others = [n for n in re.findall(_N, text) if rate and n != rate[1]]
    if rate and asks and len(others) == 1 and not re.search(rf"{_N} {unit}s?\b", text):
        return f"{others[0]} / {rate[1]}"
    into = re.search(
        rf"{_N}[^.?]*?\b(?:in|into)(?: \w+)? (?:boxes|bags|packs|buses|groups|cars|crates|teams|rows|trays|jars|shelves|bottles|pieces) of {_N}",
        text,
    )
    if into and re.search(r"\bhow many\b", text):
        return f"{into[1]} / {into[2]}"
    return ""


def _rates(text: str) -> str:
    """18.50 an hour, 36 hours a week, in 4 weeks: the product along the units. 45 a month for a year: times 12."""
    numbers = re.findall(_N, text)
    rate = re.search(rf"{_N}(?: ?[a-z%]+){{0,3}}? (?:a|an|per|each|every) ({_UNIT})\b", text)
    if (
        not rate
        or _GONE.search(re.sub(r"\b(?:pays?|paying|uses?|spends?|drinks?|eats?|makes?)\b", "", text))
        or "%" in text
    ):
        return ""
    unit = _singular(rate[2])
    unit = "(?:day|evening|night|morning)" if unit in ("day", "evening", "night", "morning") else unit
    chain, used = [rate[1]], {rate[1]}
    while True:
        following = re.search(rf"{_N} {unit}s?\b(?: (?:a|an|per|each|every) ({_UNIT})\b)?", text)
        if not following or following[1] in used:
            break
        chain.append(following[1])
        used.add(following[1])
        if not following[2]:
            break
        unit = _singular(following[2])
    if len(chain) == 1:
        return _by_name(text, rate[1], _singular(rate[2])) if len(numbers) == 1 else ""
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


def _multiples(text: str) -> str:
    """45 on Monday, twice as many on Tuesday: altogether?"""
    numbers = re.findall(_N, text)
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


def _difference(text: str) -> str:
    """A lamp for 300, and there are 120: how much is missing? 39 and 5 more than that: together?"""
    numbers = re.findall(_N, text)
    if len(numbers) != 2 or "%" in text:
        return ""
    large, small = sorted(numbers, key=float, reverse=True)
    if re.search(
        r"\bmissing\b|\bleft to save\b|\b(?:more|much) (?:do|does|must) \w+ (?:still )?(?:need|have to save)\b|\bhow (?:many|much) (?:more|fewer|less|older|younger|taller|longer|cheaper|bigger|heavier)\b",
        text,
    ):
        return f"{large} - {small}"
    more = re.search(rf"{_N} (more|fewer|less)(?: \w+)? than\b", text)
    base = next((n for n in numbers if more and n != more[1]), "")
    if more and base and "." not in base:
        sign = "+" if more[2] == "more" else "-"
        both = re.search(r"\b(?:altogether|in total|in all|together|both|total|between them)\b", text)
        return f"{base} + {base}. {sign} {more[1]}" if both else f"{base} {sign} {more[1]}"
    return ""


def _percent(text: str) -> str:
    """A price and a percentage: off, on top, or the share itself; more numbers are left to the model."""
    numbers = re.findall(_N, text)
    p = re.search(rf"{_N}\s*(?:%|per ?cent)", text)
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


def _running(text: str) -> str:
    """Groups and prices as products, then what came and went, then what is shared out."""
    if re.search(
        r"\b(?:wants?|missing|each of (?:my|the|\d+)|cut into|cost \d+\W+(?:what|how)|are \d+\W+(?:what|how)|what does one|buckets?|tank|short of|long and|wide|fill|fits?|in a row|older than|each (?:day|week|evening|night|month|year|hour|morning)|dozens|pairs?|third|quarter|in half|minutes?|seconds?|hours?)\b|\bhow (?:many|much) (?:more|fewer|less|older|taller|longer)\b|\bmore than\b|\bfewer than\b",
        text,
    ):
        return ""
    if re.search(
        r"%|per ?cent|\b(?:an hour|per hour|every|average|mean|twice|double|half|times|percentage|perimeter|area|square|volume|km/h|speed|born|a day|a week|a month|per)\b",
        text,
    ):
        return ""
    share = _SHARE.search(text)
    text, divisor = _divisor(text) if share else (text, "")
    if share and not divisor:
        return ""
    text, terms = _products(text)
    told = list(_numbers(text))
    if not told or (_EACH.search(text) and not terms and not divisor):
        return ""
    if re.search(r"\bchange\b", text) and len(told) == 2 and len(terms) == 1:
        plain = next((one.text for one in told if one.text not in terms), "")
        return f"{plain} - {next(iter(terms.values()))}" if plain else ""
    if re.search(r"\d more\W*(?:how|$)", text) and re.search(r"\b(?:together|between them)\b", text):
        return ""
    total = re.search(
        r"\b(?:altogether|in all|in total|total|what (?:do|did|does|must|will) \w+ (?:have to )?pay|cost|come to|both)\b",
        text,
    )
    less = re.search(r"\b(?:left|remain\w*|rest|still)\b", text)
    of = re.search(rf"\b(?:left|remains?|over) (?:of|from|out of) {_N}", text) or re.match(
        rf"(?:[a-z ,]*)\b(?:from|of|out of) {_N} ", text
    )
    out = sign = ""
    for at, one in enumerate(told):
        value = terms.get(one.text, one.text)
        if at and re.search(r"\bof $", one.before):
            return ""
        money = (
            less is not None
            and re.search(r"\b(?:euros?|dollars?|pounds|money|bucks|budget|account)\b", text) is not None
        )
        paid = total is not None and less is None
        sign = (
            "+"
            if at == 0
            else "-"
            if of and less
            else _sign(one, "" if at == 1 else sign, paid, money) or ("-" if less else "+" if total else "")
        )
        if not sign:
            return ""
        out = value if at == 0 else f"{out} {sign} {value}"
    if divisor:
        return f"({out}) / {divisor}" if len(told) > 1 or "*" in out else f"{out} / {divisor}"
    return out if len(told) > 1 or "*" in out else ""


def _divisor(text: str) -> tuple[str, str]:
    """The text without the number of those who share, and that number."""
    found = [
        m
        for m in re.finditer(rf"\b{_N} (?:\w+ )?", text)
        if _PEOPLE.search(text[m.end(1) : m.end(1) + 18].split(",")[0].split(" and ")[0])
    ]
    found = found or list(re.finditer(rf"\b(?:between|among|by|with|into) (?:the )?{_N}\b", text))
    if len(found) != 1:
        return text, ""
    return text[: found[0].start(1)] + "some" + text[found[0].end(1) :], found[0][1]


def _products(text: str) -> tuple[str, dict[str, str]]:
    """Every "4 packs of 6", "13 tickets at 22.50 each" as one number of its own."""
    terms: dict[str, str] = {}
    for match in list(re.finditer(rf"{_N} dozen", text)):
        terms[f"{9000001 + len(terms)}"] = f"{match[1]} * 12."
        text = text.replace(match[0], f"{9000000 + len(terms)} things", 1)
    price = r"(?:euros?|dollars?|pounds?|cents|bucks)?"
    patterns = [
        rf"{_N} (?:[a-z-]+ ){{0,2}}?{_CONTAINERS} (?:of|with|holding|containing|that (?:each )?(?:hold|have|contain)|each (?:holding|with|of)|hold|have) {_N}",
        rf"{_N} (?:[a-z-]+ ){{1,3}}?(?:at|for|of|costing|worth) {_N} ?{price} ?(?:each|apiece|a piece|per piece|every one)",
        rf"{_N} (?:[a-z-]+ ){{0,3}}?(?:at) {_N}",
        rf"{_N} (?:bills?|notes?|instal?lments|payments|coins) of {_N}",
    ]
    for pattern in patterns:
        for match in list(re.finditer(pattern, text)):
            name = f"{9000001 + len(terms)}"
            terms[name] = f"{match[1]} * {match[2]}"
            text = text.replace(match[0], f"{name} things", 1)
    return _spread(text, terms)


def _spread(text: str, terms: dict[str, str]) -> tuple[str, dict[str, str]]:
    """ "A crate holds 24 bottles. I have 7 crates": the two numbers are one product."""
    holds = re.search(
        rf"\b(?:an?|each|every|one) ([a-z]+) (?:holds?|has|contains?|costs?|takes?|weighs?|is|carries) (?:about )?{_N}",
        text,
    )
    if holds and not terms:
        kind = _singular(holds[1])
        rest = text[holds.end() :]
        count = re.search(
            rf"{_N} (?:such |of (?:these|those|the|them)?|full |more )?{re.escape(kind)}(?:e?s)?\b", rest
        ) or re.search(rf"{_N} of (?:them|these|those)\b", rest)
        before = re.search(rf"{_N} {re.escape(kind)}(?:e?s)?\b", text[: holds.start()])
        found = count or before
        if found:
            name = f"{9000001 + len(terms)}"
            terms[name] = f"{found[1]} * {holds[2]}"
            whole = (
                text[: holds.start()] + f" {name} things " + rest.replace(found[0], "them", 1)
                if count
                else text.replace(found[0], f"{name} things", 1).replace(holds[0], " ")
            )
            text = whole
    return text, terms


def _numbers(text: str) -> Iterator[_Told]:
    spots = list(re.finditer(_N, text))
    for at, match in enumerate(spots):
        start = spots[at - 1].end() if at else 0
        end = spots[at + 1].start() if at + 1 < len(spots) else len(text)
        yield _Told(match[1], text[start : match.start()], re.split(r"[.?!]", text[match.end() : end])[0])


_PAYS = re.compile(r"\b(?:pays?|paid|paying|spent|spends?|spending|minus|less)\b")
_AFTER_GONE = re.compile(
    r"(?:\w+ ){0,4}?(?:are|were|is|was|get|got|leave|left|go|went|have|has|fall|fell|do not|don't)? ?(?:broken|missing|empty|taken|off|out|left|home|damaged|rotten|absent|sick|away|reserved|sold|lost|cheaper|shorter|less|fewer|younger|smaller|leave|voucher|coupon|gone|died)\b"
)
_AFTER_CAME = re.compile(
    r"(?:\w+ ){0,3}?(?:more|extra|join\w*|came|come|arriv\w*|get (?:on|in)|got (?:on|in)|taller|older|longer|heavier|loose|shipping|postage|delivery|fee|deposit)\b"
)


def _sign(one: _Told, last: str, total: bool, money: bool) -> str:
    """+ or - by the nearest verb: in the number's own clause, else after it; where none is near, as the one before.

    total: what is paid is asked for, so paying adds. money: what is left of it is asked for, so buying takes away.
    """
    near = re.split(r"[.;?!,]|\bthen\b|\band\b|\bbut\b", one.before)[-1][-60:]
    wide = re.split(r"[.;?!]|\bthen\b", one.before)[-1][-60:]
    after = re.split(r",|\band\b|\bthen\b|\bbut\b", one.after)[0].strip()
    for words in (near, wide):
        words = _PAYS.sub(" ", words) if total else words
        words = re.sub(r"\b(?:bought|buys?|buying|gets?|got)\b", "spent", words) if money else words
        gone, came = _last(_GONE, words), _last(_CAME, words)
        after_gone, after_came = _AFTER_GONE.match(after), _AFTER_CAME.match(after)
        if after_gone and not after_came and came < 0:
            return "-"
        if after_came and not after_gone:
            return "+"
        if gone != came and (words is near or not last):
            return "-" if gone > came else "+"
    if after_gone:
        return "-"
    return last if re.search(r"\b(?:and|plus)\b|,", one.before) else ""


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((match.start() for match in pattern.finditer(text)), default=-1)


def _singular(word: str) -> str:
    for ending, short in (
        ("ies", "y"),
        ("ses", "s"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("ss", "ss"),
        ("s", ""),
    ):
        if word.endswith(ending):
            return word[: -len(ending)] + short
    return word


_SHAPES: tuple[Callable[[str], str], ...] = (
    _percent_change, _every, _one, _ratio, _needed, _multiples, _difference, _percent, _rates, _running,
)  # fmt: skip
