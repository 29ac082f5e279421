"""Conditions of a table question that the goal itself gives: values, comparisons, dates, each as SQL text.

What it is: `required(goal, columns, cells)` finds them; where a value stands in one column of the rows that were shown,
its column is known, else the model chooses. What it may touch: nothing. Does not promise: conditions in other words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from outrider.agent.models.choice import asked
from outrider.agent.models.choice.words import BREAKS, stem

_N = r"[$€£]?(\d[\d,]*(?:\.\d+)?)"
COMPARISONS: tuple[tuple[str, str], ...] = (
    (rf"(?:at least|not less than|no less than|minimum of|from)\s+{_N}(?: or more)?(?!\s+to\b)|{_N}\s+or (?:more|over|above|higher)", ">="),
    (rf"(?:at most|not more than|no more than|up to|maximum of)\s+{_N}|{_N}\s+or (?:less|under|below|fewer|lower)", "<="),
    (rf"(?:over|above|more than|greater than|higher than|larger than|bigger than|older than|longer than|exceeding|exceeds?|beyond|>)\s+{_N}", ">"),
    (rf"(?:under|below|less than|lower than|fewer than|smaller than|cheaper than|younger than|shorter than|<)\s+{_N}", "<"),
)  # fmt: skip
Condition = tuple[
    str, str
]  # column ("" the model chooses, "#": among numeric ones, "@": among dates and texts), the rest


def required(goal: str, columns: Sequence[tuple[str, str]], cells: dict[str, list[str]]) -> list[Condition]:
    """Conditions in the order of the goal, at most three."""
    text = asked.FILE.sub(" ", asked.bounded(goal))
    found: list[tuple[int, Condition]] = []
    for pattern, sign in COMPARISONS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            number = next(filter(None, match.groups())).replace(",", "")
            if re.fullmatch(r"(?:19|20)\d\d", number) and (_has_date(columns) or _year_column(columns)):
                continue
            if not any(abs(at - match.start()) < 12 for at, _ in found):
                found.append((match.start(), (_near(text, match.start(), columns) or "#", f" {sign} {number}")))
    found += _equal_numbers(text, columns)
    found += _dates(text, columns)
    found += _values(text, columns, cells)
    return [condition for _, condition in sorted(found)][:3]


_ID = re.compile(r"(?:^|_)(?:id|no|nr|number|code)$", re.I)


def _equal_numbers(text: str, columns: Sequence[tuple[str, str]]) -> list[tuple[int, Condition]]:
    """ "order 1042", "quantity 0": a number straight after the words of a numeric column, or of the one column of ids."""
    out: list[tuple[int, Condition]] = []
    for name, kind in columns:
        if kind not in ("number", "integer"):
            continue
        words = r"[ _]".join(re.escape(part) for part in name.split("_"))
        short = rf"|{re.escape(name.split('_')[0])}" if _ID.search(name) and "_" in name else ""
        match = re.search(
            rf"\b(?:{words}{short})s?(?: number| id| no\.?)?(?: of| is| =|=|:)? #?(\d+(?:\.\d+)?)\b(?! or (?:more|less))",
            text,
            re.I,
        )
        if match and not out:
            out.append((match.start(), (name, f" = {match[1]}")))
    return out


def _has_date(columns: Sequence[tuple[str, str]]) -> bool:
    return any(kind in ("date", "timestamp", "datetime") or "date" in name.lower() for name, kind in columns)


def _near(text: str, at: int, columns: Sequence[tuple[str, str]]) -> str:
    """The numeric column named just before a comparison, or just after it."""
    for around in (text[max(0, at - 30) : at], text[at : at + 40]):
        words = {stem(w) for w in re.findall(r"[a-z]+", around.lower())}
        named = [
            n
            for n, kind in columns
            if kind in ("number", "integer") and {stem(w) for w in re.findall(r"[a-z]+", n.lower())} <= words
        ]
        if named:
            return named[-1]
    costs = [
        n for n, kind in columns if kind in ("number", "integer") and re.search(r"price|cost|amount|total|fee", n, re.I)
    ]
    return costs[0] if len(costs) == 1 and re.search(r"cost|expensive|cheap|price|worth", text, re.I) else ""


def _dates(text: str, columns: Sequence[tuple[str, str]]) -> list[tuple[int, Condition]]:
    column = next((n for n, kind in columns if kind in ("date", "timestamp", "datetime")), "") or "@"
    spans = sorted((m.start(), m[0]) for pattern in asked.DATES for m in pattern.finditer(text))
    isos = dict(asked.read(text).dates)
    days = [(at, isos[said]) for at, said in spans if said in isos]
    if len(days) == 2 and re.search(r"\b(?:between|from)\b", text, re.I):
        return [(days[0][0], (column, f" BETWEEN '{days[0][1]}' AND '{days[1][1]}'"))]
    out: list[tuple[int, Condition]] = []
    for at, iso in days:
        before = text[max(0, at - 16) : at].lower()
        sign = (
            ">="
            if "since" in before or "from" in before
            else ">"
            if "after" in before or "later" in before
            else "<"
            if "before" in before or "prior" in before or "earlier" in before
            else "="
        )
        out.append((at, (column, f" {sign} '{iso}'")))
    if days:
        return out
    if not _has_date(columns) and (year := _year_column(columns)):
        return _years(text, year)
    return _months_and_years(text, column, dict(columns).get(column, "")) if _has_date(columns) else []


_SIDES = (  # what is said before a year or month → the signs that it stands for: of its first day, or of the next one's
    (re.compile(r"(?:\b(?:after|later than|past))\s+(?:\w+\s+)?$", re.I), ">=", "next"),
    (re.compile(r"(?:\bbefore|\bprior to|\bearlier than|\bolder than)\s+(?:\w+\s+)?$", re.I), "<", "first"),
    (re.compile(r"(?:\buntil|\bup to|\bthrough|\bby)\s+(?:(?:the )?end of\s+)?$", re.I), "<", "next"),
    (re.compile(r"(?:\bsince|\bstarting (?:in|from)|\bfrom)\s+$|(?:\bfrom)\s+(?=.*\b(?:on|onwards?)\b)$", re.I), ">=", "first"),
)  # fmt: skip


def _months_and_years(text: str, column: str, kind: str) -> list[tuple[int, Condition]]:
    """ "in 2019", "before March 2020", "between 2019 and 2021", "in May": one span of days, or what lies on a side of it."""
    months = [
        (m.start(), m.end(), f"{m[2]}-{asked.month_number(m[1]):02}")
        for m in re.finditer(rf"\b{asked.MONTH},? (\d{{4}})\b", text, re.I)
    ]
    years = [(m.start(), m.end(), m[1]) for m in re.finditer(r"(?<![\d.,-])((?:19|20)\d\d)(?![\d.,-]\d)", text)]
    spans = months or years
    if len(spans) > 1 and re.search(r"\b(?:between|from)\s+$", text[: spans[0][0]], re.I):
        (at, _, one), (_, _, other) = spans[:2]
        return [(at, (column, f" >= '{_first_day(one)}'")), (at + 1, (column, _side("<", other, kind)))]
    for at, _, said in spans[:1]:
        for before, sign, day in _SIDES:
            if before.search(text[:at]):
                rest = f" {sign} '{_first_day(said)}'" if day == "first" else _side(sign, said, kind)
                return [(at, (column, rest))]
        return [(at, (column, f" LIKE '{said}%'"))]
    alone = re.search(rf"\b(?:in|during|of|for) {asked.MONTH}\b(?! \d)", text, re.I)
    return [(alone.start(), (column, f" LIKE '%-{asked.month_number(alone[1]):02}-%'"))] if alone else []


def _first_day(said: str) -> str:
    return f"{said}-01" if "-" in said else f"{said}-01-01"


def _side(sign: str, said: str, kind: str) -> str:
    """Before (<) or from (>=) the day after a year or a month; in a column of plain days by its own last day."""
    if kind != "date":
        return f" {sign} '{_next_day(said)}'"
    last = date.fromisoformat(_next_day(said)) - timedelta(days=1)
    return f" {'<=' if sign == '<' else '>'} '{last}'"


def _next_day(said: str) -> str:
    """The day after a year or a month."""
    year, _, month = said.partition("-")
    if not month or month == "12":
        return f"{int(year) + 1}-01-01"
    return f"{year}-{int(month) + 1:02}-01"


def _year_column(columns: Sequence[tuple[str, str]]) -> str:
    """The numeric column that holds years, by its name."""
    found = (
        n
        for n, kind in columns
        if kind in ("number", "integer") and re.search(r"year|published|founded|built|released|born", n, re.I)
    )
    return next(found, "")


def _years(text: str, column: str) -> list[tuple[int, Condition]]:
    between = re.search(r"\b(?:between|from)\s+((?:1\d|20)\d\d)\s+(?:and|to|until)\s+((?:1\d|20)\d\d)\b", text, re.I)
    if between:
        return [(between.start(), (column, f" BETWEEN {between[1]} AND {between[2]}"))]
    match = re.search(
        r"\b(after|later than|since|from|before|earlier than|until|up to|in|of)\s+(?:the year )?((?:1\d|20)\d\d)\b",
        text,
        re.I,
    )
    signs = {
        "after": ">",
        "later than": ">",
        "since": ">=",
        "from": "=",
        "before": "<",
        "earlier than": "<",
        "until": "<=",
        "up to": "<=",
    }
    return [(match.start(), (column, f" {signs.get(match[1].lower(), '=')} {match[2]}"))] if match else []


def _values(text: str, columns: Sequence[tuple[str, str]], cells: dict[str, list[str]]) -> list[tuple[int, Condition]]:
    """Quoted text, names, and words that stand in a cell."""
    out: list[tuple[int, Condition]] = []
    names = {name.lower() for name, _kind in columns}
    named = {stem(part) for name in names for part in re.findall(r"[a-z]+", name)}
    low = text.lower()
    for column, values in cells.items():
        for value in values:
            at = _at(low, value.lower())
            if at >= 0 and value.lower() not in names and value.lower() not in BREAKS and len(value) > 1:
                out.append((at, (column, _equals(value))))
    out = _signed(text, _longest(out), named) or _parts(text, cells, names)
    for match in asked.QUOTED.finditer(text):
        value = next(filter(None, match.groups()))
        if not any(abs(at - match.start()) < len(value) + 2 for at, _c in out):
            out.append((match.start(), ("", _equals(value, _sign(text, match.start(), match[0], out, named)))))
    for match in re.finditer(
        r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w-]+(?: [A-Z][\w-]+)*", asked.QUOTED.sub(lambda m: " " * len(m[0]), text)
    ):
        value = match[0]
        plain = (
            value in asked.NO_NAMES
            or value.lower() in names
            or value.lower() in asked.MONTHS
            or re.search(rf"\b{asked.MONTH}$", value, re.I)
        )
        if not plain and not any(at <= match.start() < at + len(rest) for at, (_c, rest) in out):
            out.append((match.start(), ("", _equals(value, _sign(text, match.start(), value, out, named)))))
    return out


def _sign(text: str, at: int, said: str, before: list[tuple[int, Condition]], named: set[str]) -> str:
    """The sign of a value at `at`: negated by what stands between it and the one before, or by what follows it.

    named: words of columns; "did it not rain in Bonn" negates the rain.
    """
    end = max((start + len(rest.split("'", 1)[-1]) - 1 for start, (_, rest) in before if start < at), default=0)
    negated = _NEGATED.search(text[max(end, at - 48) : at])
    if negated and negated[1] and any(stem(word.lower()) in named for word in negated[1].split()):
        negated = None
    return _NOT if negated or _LEFT_OUT.match(text[at + len(said) :]) else "="


_JOINED = re.compile(r"^(?:e?s)?\W*(?:,|\bn?or\b|\band\b)\s*(?:(?:n?or|and|from|in|the)\s+)*$", re.I)


def _signed(text: str, found: list[tuple[int, Condition]], named: set[str]) -> list[tuple[int, Condition]]:
    """ "not from Berlin or Bonn": a value that is joined to a negated one of its column is negated too."""
    out: list[tuple[int, Condition]] = []
    end = 0  # of the value before
    for at, (column, rest) in sorted(found):
        value = rest.split("'", 1)[1][:-1].replace("''", "'")
        before = out[-1][1] if out else ("", "")
        joined = before[0] == column and before[1].startswith(f" {_NOT}") and _JOINED.match(text[end:at])
        out.append((at, (column, _equals(value, _NOT if joined else _sign(text, at, value, out, named)))))
        end = at + len(value)
    return out


def _parts(text: str, cells: dict[str, list[str]], names: set[str]) -> list[tuple[int, Condition]]:
    """One word of a cell, where the goal names no whole cell: "the hotel" of "hotel Bonn"."""
    for match in re.finditer(r"\b(?:the|of|for|on|did|does|a|an) ([a-z]{4,})\b", text.lower()):
        word = match[1]
        fits = [column for column, values in cells.items() if any(re.search(rf"\b{word}\b", v.lower()) for v in values)]
        if len(fits) == 1 and word not in BREAKS and not any(stem(word) in stem(name) for name in names):
            return [(match.start(1), (fits[0], f" ILIKE '%{word}%'"))]
    return []


_NOT = "<>"
_BUT = r"(?:(?!but\b|and\b|or\b|only\b|just\b)\w+\s+)"
_NEGATED = re.compile(
    rf"(?:(?:\bnot|n't|\bnever|\bno longer|\bneither)\s+({_BUT}{{0,2}})"
    r"|(?:\bexcept(?:ing)?(?: for)?|\bexclud(?:e|es|ed|ing)|\bother than|\bwithout|\b(?:leaving|leave|left) out|\bignor(?:e|ing)"
    r"|\bomit(?:ting)?|\bskip(?:ping)?|\bdisregard(?:ing)?|\b(?:apart|aside) from|\bbesides|\boutside(?: of)?|\bbarring|\bminus|\bnone of"
    rf"|\bnot (?:counting|including))\s+{_BUT}{{0,4}})$",
    re.I,
)
_LEFT_OUT = re.compile(
    r"(?:e?s)?(?:\s+(?!and\b|or\b|but\b|in\b|of\b)\w+){0,2}?\s+(?:(?:are|is|be|being)\s+)?"
    r"(?:excluded|left out|left aside|omitted|ignored|(?:not|never) (?:counted|included)|(?:do not|don't) count)\b",
    re.I,
)


def _equals(value: str, sign: str = "=") -> str:
    safe = value.replace("'", "''")
    return f" {sign} '{safe}'"


def _at(text: str, value: str) -> int:
    match = re.search(rf"(?<!\w){re.escape(value)}(?:e?s)?(?!\w)", text)
    return match.start() if match else -1


def _longest(found: list[tuple[int, Condition]]) -> list[tuple[int, Condition]]:
    """One condition a place: of two values at one place the longer one."""
    best: dict[int, Condition] = {}
    for at, condition in found:
        if at not in best or len(condition[1]) > len(best[at][1]):
            best[at] = condition
    return list(best.items())


def cells_of(seen: str) -> dict[str, list[str]]:
    """The text cells that a look at a table showed, by column."""
    lines = seen.split("\n")
    start = next((at for at, line in enumerate(lines) if re.match(r"first \d+ rows?:|first row", line)), -1)
    if start < 0 or start + 1 >= len(lines):
        return {}
    names = [name.strip() for name in lines[start + 1].split(" | ")]
    out: dict[str, list[str]] = {name: [] for name in names}
    for line in lines[start + 2 :]:
        listed = re.match(r"values of (.+?): (.+)$", line)
        if listed and listed[1] in out:
            out[listed[1]] += [
                one for one in listed[2].split(", ") if re.search(r"[A-Za-z]", one) and one not in out[listed[1]]
            ]
            continue
        parts = [cell.strip() for cell in line.split(" | ")]
        if len(parts) == len(names):
            for name, cell in zip(names, parts, strict=True):
                if re.search(r"[A-Za-z]", cell) and len(cell) <= 60 and cell not in out[name]:
                    out[name].append(cell)
    return out
