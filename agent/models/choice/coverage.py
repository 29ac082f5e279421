"""The check between a goal and what was done for it: what no call and no answer used is named.

What it is: `left_out(goal, done, answer)` compares what the goal asks for (asked.py) with the calls made, their
observations and the answer. It guards every built-in model, whoever made the answer. What it may touch: nothing.
Does not promise: to notice a wrong operator or a wrong column; only what was not used at all. Start at `left_out`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.choice import asked
from outrider.agent.models.choice.words import pieces, stem, stems

LOOKED_AT = 20_000  # characters of an answer, of an observation
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_NUMBER_WORDS = re.compile(
    r"\b(?:no|none|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|nothing)\b", re.I
)
GENERIC = stems(
    ["file", "files", "folder", "document", "page", "value", "values", "column", "columns", "row", "rows", "table", "data", "content", "contents", "line", "lines", "text", "name", "result", "answer", "according", "say", "says", "tell", "show", "give", "find", "look", "read", "open", "list", "please", "know", "want", "need", "get", "many", "much", "number", "count", "total", "average", "mean", "sum", "highest", "lowest", "most", "least", "maximum", "minimum", "max", "min", "biggest", "largest", "smallest", "top", "first", "last", "there", "here", "exactly", "currently", "set", "written", "mention", "mentioned", "inside", "given", "database", "called", "different", "distinct", "unique", "all", "any", "entries", "records", "calculate", "compute", "work", "out", "listed", "using", "see", "check"]
)  # fmt: skip
_SAME_UNIT = (
    ("km", "kilomet"), ("m", "metre", "meter"), ("cm", "centimet"), ("mm", "millimet"), ("kg", "kilo"), ("g", "gram"), ("lb", "pound"), ("oz", "ounce"),
    ("ml", "millilit"), ("l", "litre", "liter"), ("kb", "kilobyte"), ("mb", "megabyte"), ("gb", "gigabyte"), ("tb", "terabyte"), ("mile", "mi"),
    ("feet", "foot", "ft"), ("inch", "in"), ("fahrenheit", "f", "°f"), ("celsius", "c", "°c"), ("kelvin", "k"), ("mph", "miles per hour"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """One call that was made: the tool, what it says of itself, its arguments, what it said, whether it worked."""

    tool: str
    arguments: dict[str, Any]
    seen: str
    ok: bool = True
    about: str = ""


def left_out(goal: str, done: Sequence[Done], answer: str) -> list[str]:
    """What of the goal is in no call and not in the answer, in words for a person; empty when all is accounted for."""
    wanted = asked.read(goal)
    worked = [one for one in done if one.ok]
    used = _Used(worked, answer)
    missing = [f'"{text}"' for text in wanted.quoted if not used.holds(text)]
    missing += [name for name in wanted.files if not used.holds(name)]
    missing += [item for item in wanted.items if done and not used.holds(item)]
    missing += [url for url in wanted.urls if not used.holds(url.rstrip("?.,)"))]
    missing += [number for number in wanted.numbers if not used.number(number)]
    missing += [text for text, iso in wanted.dates if not (used.holds(iso) or used.holds(text))]
    missing += [name for name in wanted.names if not used.named(name)]
    missing += [unit for unit in wanted.units if _measures(done) and not used.unit(unit)]
    missing += _deeds(wanted, worked)
    missing += _of_tables(goal, wanted, worked)
    missing += _subjects(goal, worked, used)
    missing += _of_sums(goal, worked)
    missing += _of_answer(goal, wanted, worked, answer)
    return list(dict.fromkeys(missing))[:8]


def _measures(done: Sequence[Done]) -> bool:
    """Whether units count: of a sum over the goal's own numbers they do not, they are what is counted."""
    return bool(done) and any(one.tool != "calculate" for one in done)


class _Used:
    """Everything calls and answer hold, in the forms it is looked up in."""

    def __init__(self, done: Sequence[Done], answer: str) -> None:
        self.calls = " ".join(json.dumps(one.arguments, ensure_ascii=False) for one in done).lower()
        self.answer = answer[:LOOKED_AT].lower()
        self.about = " ".join(f"{one.tool} {one.about}" for one in done).lower()
        self.text = f"{self.calls} {self.answer}"
        self.plain = self.text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
        self.numbers = {asked.spelt(n.rstrip(",.")) for n in _NUMBER.findall(self.plain)}
        self.numbers |= {n.lstrip("-") for n in self.numbers}

    def holds(self, text: str) -> bool:
        """Whether a text occurs, whatever its case."""
        return text.lower() in self.plain or text.lower().rsplit("/", 1)[-1] in self.plain

    def number(self, number: str) -> bool:
        """Whether a number occurs, however it is written; a year may be part of a date."""
        return number in self.numbers or re.search(rf"(?<![\d.]){re.escape(number)}(?![\d])", self.plain) is not None

    def named(self, name: str) -> bool:
        """Whether a name occurs, or stands in what the tool says of itself."""
        low = name.lower()
        return low in self.plain or low in self.about or stem(low) in stems(pieces(self.about, 200))

    def unit(self, unit: str) -> bool:
        """Whether a unit occurs, by one of its names."""
        ways = next(
            (names for names in _SAME_UNIT if any(unit == n or (len(n) > 2 and unit.startswith(n)) for n in names)),
            (unit.rstrip("s"),),
        )
        both = f"{self.plain} {self.about}"
        return any(re.search(rf"(?<![a-z]){re.escape(n)}{'' if len(n) > 2 else '(?![a-z])'}", both) for n in ways)


def _deeds(wanted: asked.Asked, done: Sequence[Done]) -> list[str]:
    """Things to be done for which no call was made that could have done them."""
    out = []
    for deed in wanted.deeds:
        pattern, tools = asked.DEEDS[deed]
        if deed in asked.FILE_DEEDS and not wanted.files and done:
            continue  # "move", "copy", "put" without a file are said of many things
        own = any(pattern.search(_with_stems(f"{one.tool.replace('_', ' ')} {one.about}")) for one in done)
        if not own and not any(one.tool in tools for one in done):
            out.append(f"to {deed}")
    return out


def _with_stems(text: str) -> str:
    """The text and, of its words, what is left without an ending: "sending" is send."""
    sends = " send" if re.search(r"\b(?:deliver\w*|ship\w*|parcels?|postage|courier|mail\w*)\b", text, re.I) else ""
    return f"{text} {' '.join(re.sub('ing$', '', word) for word in text.lower().split())}{sends}"


def _of_tables(goal: str, wanted: asked.Asked, done: Sequence[Done]) -> list[str]:
    """Of a table question: "by region" without a grouping; a condition of the goal where the call has none."""
    calls = [one for one in done if one.tool in ("table", "sql_query")]
    if not calls:
        return []
    sql = " ".join(str(value) for one in calls for value in one.arguments.values()).lower()
    missing = [
        f"by {word}"
        for word in wanted.groups
        if "group by" not in sql and "order by" not in sql and _is_column(word, calls)
    ]
    if re.search(r"\b(?:where|group by|order by|between|limit|distinct)\b", sql) or any(
        one.arguments.get("where") for one in calls
    ):
        return missing
    if not any(one.arguments.get("sql") or one.arguments.get("operation") for one in calls):
        return missing
    return missing + _conditions(goal, sql)


def _is_column(word: str, calls: Sequence[Done]) -> bool:
    stems_seen = stems(pieces(" ".join(one.seen[:600] for one in calls), 200))
    return not stems_seen or stem(word) in stems_seen or len(calls) == 1


_SUBJECTS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\b([a-z_]{3,40}) (?:column|field|setting|key|entry)\b(?! names?)",
        r"\b(?-i:(?!What|Who|Where|When|How|That|It|There|Let|Here)[A-Z][a-z]+)['\u2019]s ([a-z_]{3,40})\b",
        r"\b(?:price|cost|weight|size|age|value|colou?r|stock|quantity|name|address|number|date) of (?:an?|one) ([a-z_]{3,40})\b(?! (?:column|file|table))",
        r"^\W*(?:please )?(?:read|look up|get|find|extract|what is|what's|show me|tell me|give me) the ([a-z_]{3,40}) (?:from|in|of) (?:the )?[\w./-]+\.[a-z]{2,5}\b",
    )
)
_ALIKE = tuple(
    frozenset(map(stem, words.split()))
    for words in (
        "price cost amount fee expense worth charge", "revenue sales turnover income earnings takings amount value money spending",
        "salary wage pay income earnings", "age old oldest years", "name person employee customer", "date day time when", "quantity stock units count",
    )
)  # fmt: skip


def _subjects(goal: str, done: Sequence[Done], used: _Used) -> list[str]:
    """What a question about data is about (a column, somebody's something) and what neither calls nor results hold, by any name."""
    if not any(one.tool in ("table", "sql_query", "read_file", "search_files") for one in done):
        return []
    text = asked.bounded(goal)
    words = list(dict.fromkeys(m[1].lower() for pattern in _SUBJECTS for m in pattern.finditer(text)))
    seen = " ".join(one.seen[:LOOKED_AT] for one in done)
    held = stems(pieces(f"{used.plain} {seen}", 8000))
    words = [word for word in words if stems([word]) - GENERIC]
    return [word for word in words if not (_names_of(stem(word)) & held)][:3]


def _names_of(word: str) -> frozenset[str]:
    return frozenset({word}).union(*(group for group in _ALIKE if word in group))


_CONDITION = re.compile(
    r"\b(?:where|with|whose|having|over|above|under|below|more than|less than|at least|at most|after|before|between|since|still|only|in|from|for)\s+((?:[\w']+\s?){1,4})", re.I
)  # fmt: skip
_PLAIN = stems(
    [
        "the",
        "a",
        "an",
        "of",
        "in",
        "csv",
        "file",
        "data",
        "total",
        "table",
        "column",
        "values",
        "value",
        "rows",
        "it",
        "is",
        "are",
        "all",
        "this",
        "that",
        "each",
        "which",
        "sheet",
        "list",
    ]
)


def _conditions(goal: str, sql: str) -> list[str]:
    """Words after "where", "with", "still" … that the call does not hold."""
    text = asked.FILE.sub(" , ", asked.bounded(goal))
    out = []
    for match in _CONDITION.finditer(text):
        words = [w for w in match[1].lower().split() if len(w) > 2 and stem(w) not in GENERIC and stem(w) not in _PLAIN]
        absent = [w for w in words if stem(w) not in sql]
        if absent:
            out.append(f'"{match[0].strip()}"')
    return out[:3]


_OPERATIONS: tuple[tuple[str, str], ...] = (  # how it is said, what an expression then holds
    (r"times|multipl\w+|product of", r"\*|prod"),
    (r"divide\w*|split (?:by|into|between|among)", r"/|%"),
    (r"minus|subtract\w*|take away|deduct\w*", r"-"),
    (r"plus|add(?:ed|ing)?", r"\+|sum"),
    (r"halve|half of", r"/ ?2|0?\.5"),
    (r"double|twice", r"\* ?2|2 ?\*|\+"),
    (r"squared", r"\*\* ?2|pow"),
    (r"square root", r"sqrt|\*\* ?0?\.5"),
    (r"average|mean", r"/|mean|avg|average"),
)


def _of_sums(goal: str, done: Sequence[Done]) -> list[str]:
    """Of a sum: a percentage that is none in the expression, an operation that the goal says and no expression has."""
    texts = [str(one.arguments.get("expression") or one.arguments.get("code") or "") for one in done]
    text = " ; ".join(one for one in texts if one)
    if not text or any(one.tool in ("table", "sql_query") for one in done):
        return []
    plain = asked.rest_of(asked.FILE.sub(" ", asked.bounded(goal)))
    missing = [
        f"{p} percent" for p in re.findall(r"(\d+(?:\.\d+)?)\s?(?:%|per ?cent)", plain) if not _as_share(p, text)
    ]
    if asked.PERCENT.search(plain) and not missing and not re.search(r"100|%|\.\d", text):
        missing = ["percent"]
    said = [re.search(rf"\b(?:{words})\b", plain, re.IGNORECASE) for words, _ in _OPERATIONS]
    return missing + [m[0] for m, (_, sign) in zip(said, _OPERATIONS, strict=True) if m and not re.search(sign, text)]


def _as_share(percent: str, text: str) -> bool:
    share = f"{float(percent) / 100:g}"
    both = {share, f"{1 - float(percent) / 100:g}", f"{1 + float(percent) / 100:g}"}
    return (
        re.search(rf"(?<![\d.]){re.escape(percent)}\s*(?:/\s*100\b|%|\)\s*/\s*100|\*\s*0\.01)", text) is not None
        or any(re.search(rf"(?<![\d.]){re.escape(one)}(?!\d)", text) for one in both)
        or (re.search(rf"(?<![\d.]){re.escape(percent)}\b[^;]*/\s*100\b", text) is not None and "1 / 100" not in text)
    )


def _of_answer(goal: str, wanted: asked.Asked, done: Sequence[Done], answer: str) -> list[str]:
    """Of the answer: "how many" without a number, a question answered with its own words, a fact that is not about it."""
    text = answer[:LOOKED_AT]
    if wanted.counts and not _NUMBER.search(text) and not _NUMBER_WORDS.search(text):
        return ["how many or how much"]
    if wanted.asks and not wanted.deeds and done and not _says_more(goal, text):
        return ["an answer to the question"]
    return _off_the_point(goal, wanted, done, text)


def _says_more(goal: str, answer: str) -> bool:
    """Whether the answer holds a word or number that the goal does not."""
    known = set(pieces(asked.bounded(goal), 400))
    numbers = {asked.spelt(n.rstrip(",.")) for n in _NUMBER.findall(goal[: asked.LOOKED_AT])}
    if any(asked.spelt(n.rstrip(",.")) not in numbers for n in _NUMBER.findall(answer)):
        return True
    return (
        any(word not in known and word != "#" and word.isalnum() for word in pieces(answer, 400)) or not answer.strip()
    )


def _off_the_point(goal: str, wanted: asked.Asked, done: Sequence[Done], answer: str) -> list[str]:
    """A question about a text, answered with a part of it that shares no telling word with the question."""
    reads = [one for one in done if one.tool in ("read_file", "read_page", "list_files", "search_files")]
    if not reads or len(reads) < len(done) or not wanted.asks:
        return []
    point = stems(pieces(asked.FILE.sub(" ", asked.bounded(goal)), 200)) - GENERIC
    if not point or re.search(
        r"\b(?:says?|about|contents?|inside|is in|summar\w+|does .{1,60} do)\b", goal[: asked.LOOKED_AT], re.I
    ):
        return []
    near = " ".join(_lines_of(one.seen, answer) for one in reads).strip() or " ".join(one.seen for one in reads)
    if point & stems(pieces(near, 2000)):
        return []
    words = [word for word in pieces(asked.bounded(goal), 200) if stem(word) in point]
    return [f"what the question is about ({', '.join(dict.fromkeys(words[:3]))})"]


def _lines_of(seen: str, answer: str) -> str:
    """The lines of an observation that hold the answer, and the line before each."""
    lines = seen[:LOOKED_AT].splitlines()
    said = answer.strip().lower().rstrip(".")
    hits = [
        at
        for at, line in enumerate(lines)
        if said and (said in line.lower() or (len(line.strip()) > 3 and line.strip().lower() in said))
    ]
    return " ".join(" ".join(lines[max(0, at - 1) : at + 1]) for at in hits[:20])


def named(missing: Sequence[str]) -> str:
    """The sentence that is added to an answer."""
    return f"Not covered: {', '.join(missing)}." if missing else ""
