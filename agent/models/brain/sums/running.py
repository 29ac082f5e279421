"""Stories of what comes and goes: groups and prices as products, then a running total, then what is shared out.

What it is: `running(text)` for a goal in plain small letters with numbers in digits. What it may touch: nothing.
Does not promise: every story; "" for what it does not cover. Used by stories.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from outrider.agent.models.brain.sums.words import GONE, SHARE, N, singular

_CAME = re.compile(
    r"\b(?:more|bought|buys?|buying|found|finds?|gets?|got|getting|receiv\w+|made|makes?|came|comes?|coming|arriv\w+|join\w*|adds?|added|adding|plus|extra|another|collect\w*|picks?|picked|earn\w*|grew|grows?|bak\w+|fee|fees|shipping|postage"
    r"|delivery|deposit|service|charge|taller|older|longer|heavier|loose|gain\w*|win|wins|won)\b"
)
_CONTAINERS = r"(?:boxes|packs?|packets|bags|crates|cartons|trays|jars|cases|sets|shelves|rows|teams|classes|groups|buses|baskets|bottles|tables|rolls|sheets|columns|bunches|bundles|stacks|floors|cages|carriages|drawers|buckets|pallets|rooms|benches|pages|albums|folders|vans|houses|weeks|days|shirts|plates)"
_EACH = re.compile(r"\b(?:each|apiece|a piece|per (?:item|piece|unit|head|person|ticket|night)|every one)\b")
_PEOPLE = re.compile(
    r"\b(?:people|persons|friends|children|kids|of us|sisters|brothers|colleagues|pupils|students|players|pieces|parts|siblings|roommates|flatmates|guests|members|ways|team mates|groups|cousins|workers|neighbou?rs|grandchildren|boys|girls)\b"
)


@dataclass(frozen=True, slots=True)
class _Told:
    """One number: its text, the words since the number before, and those up to the next one or the end of the sentence."""

    text: str
    before: str
    after: str


_OTHER = re.compile(
    r"\b(?:wants?|missing|each of (?:my|the|\d+)|cut into|cost \d+\W+(?:what|how)|are \d+\W+(?:what|how)|what does one|buckets?|tank|short of|long and|wide|fill|fits?|in a row|older than"
    r"|each (?:day|week|evening|night|month|year|hour|morning)|dozens|pairs?|third|quarter|in half|minutes?|seconds?|hours?)\b|\bhow (?:many|much) (?:more|fewer|less|older|taller|longer)\b|\bmore than\b|\bfewer than\b"
    r"|%|per ?cent|\b(?:an hour|per hour|every|average|mean|twice|double|half|times|percentage|perimeter|area|square|volume|km/h|speed|born|a day|a week|a month|per)\b"
)  # stories of another shape
_TOTAL = re.compile(
    r"\b(?:altogether|in all|in total|total|what (?:do|did|does|must|will) \w+ (?:have to )?pay|cost|come to|both)\b"
)
_LEFT = re.compile(r"\b(?:left|remain\w*|rest|still)\b")
_MONEY = re.compile(r"\b(?:euros?|dollars?|pounds|money|bucks|budget|account)\b")


def running(text: str) -> str:
    """Groups and prices as products, then what came and went, then what is shared out."""
    if _OTHER.search(text):
        return ""
    share = SHARE.search(text)
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
    out = _summed(text, told, terms)
    if divisor and out:
        return f"({out}) / {divisor}" if len(told) > 1 or "*" in out else f"{out} / {divisor}"
    return out if len(told) > 1 or "*" in out else ""


def _summed(text: str, told: list[_Told], terms: dict[str, str]) -> str:
    """What is told, added and taken away in turn; "" where a sign is not clear."""
    total, less = _TOTAL.search(text), _LEFT.search(text)
    of = re.search(rf"\b(?:left|remains?|over) (?:of|from|out of) {N}", text) or re.match(
        rf"(?:[a-z ,]*)\b(?:from|of|out of) {N} ", text
    )
    paid, money = bool(total and not less), bool(less and _MONEY.search(text))
    out = terms.get(told[0].text, told[0].text)
    sign = ""
    for one in told[1:]:
        if re.search(r"\bof $", one.before):
            return ""
        sign = (
            "-"
            if of and less and not _joins(one)
            else _sign(one, sign, paid, money) or ("-" if less else "+" if total else "")
        )
        if not sign:
            return ""
        out = f"{out} {sign} {terms.get(one.text, one.text)}"
    return out


def _joins(one: _Told) -> bool:
    """ "Of 50 people 12 left and 7 came": a number that comes to what is left."""
    near = re.split(r"[.;?!,]|\bthen\b|\band\b|\bbut\b", one.before)[-1]
    after = re.split(r",|\band\b|\bthen\b|\bbut\b", one.after)[0].strip()
    came = re.compile(r"\b(?:c[ao]mes?|coming|join\w*|arriv\w*|add(?:s|ed)|return\w*|found|receiv\w*)\b")
    return bool(came.search(near) or (_AFTER_CAME.match(after) and not _AFTER_GONE.match(after)))


def _divisor(text: str) -> tuple[str, str]:
    """The text without the number of those who share, and that number."""
    found = [
        m
        for m in re.finditer(rf"\b{N} (?:\w+ )?", text)
        if _PEOPLE.search(text[m.end(1) : m.end(1) + 18].split(",")[0].split(" and ")[0])
    ]
    found = found or list(re.finditer(rf"\b(?:between|among|by|with|into) (?:the )?{N}\b", text))
    if len(found) != 1:
        return text, ""
    return text[: found[0].start(1)] + "some" + text[found[0].end(1) :], found[0][1]


def _products(text: str) -> tuple[str, dict[str, str]]:
    """Every "4 packs of 6", "13 tickets at 22.50 each" as one number of its own."""
    terms: dict[str, str] = {}
    for match in list(re.finditer(rf"{N} dozen", text)):
        terms[f"{9000001 + len(terms)}"] = f"{match[1]} * 12."
        text = text.replace(match[0], f"{9000000 + len(terms)} things", 1)
    price = r"(?:euros?|dollars?|pounds?|cents|bucks)?"
    patterns = [
        rf"{N} (?:[a-z-]+ ){{0,2}}?{_CONTAINERS} (?:of|with|holding|containing|that (?:each )?(?:hold|have|contain)|each (?:holding|with|of)|hold|have) {N}",
        rf"{N} (?:[a-z-]+ ){{1,3}}?(?:at|for|of|costing|worth) {N} ?{price} ?(?:each|apiece|a piece|per piece|every one)",
        rf"{N} (?:[a-z-]+ ){{0,3}}?(?:at) {N}",
        rf"{N} (?:bills?|notes?|instal?lments|payments|coins) of {N}",
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
        rf"\b(?:an?|each|every|one) ([a-z]+) (?:holds?|has|contains?|costs?|takes?|weighs?|is|carries) (?:about )?{N}",
        text,
    )
    if holds and not terms:
        kind = singular(holds[1])
        rest = text[holds.end() :]
        count = re.search(
            rf"{N} (?:such |of (?:these|those|the|them)?|full |more )?{re.escape(kind)}(?:e?s)?\b", rest
        ) or re.search(rf"{N} of (?:them|these|those)\b", rest)
        before = re.search(rf"{N} {re.escape(kind)}(?:e?s)?\b", text[: holds.start()])
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
    spots = list(re.finditer(N, text))
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
        gone, came = _last(GONE, words), _last(_CAME, words)
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
