"""What an answer says, made from what was seen: results as they are, and of a text the lines that bear the answer.

What it is: `results` puts the results of calls into words without the model; `borne_out` answers a
question about a text with its nearest line. What it may touch: nothing.
Does not promise: that the lines are the right ones. Used by decide.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from outrider.agent.models.choice import asked
from outrider.agent.models.choice.coverage import GENERIC
from outrider.agent.models.choice.steps import Step
from outrider.agent.models.choice.words import pieces, stems

TEXTS = frozenset(["read_file", "read_page", "web_search", "recall"])
MOST = 1200  # characters of one result


def results(history: Sequence[Step]) -> list[str]:
    """A line or more for each call that worked and whose result is an answer; a look at a table is none if more came."""
    good = [step for step in history if step.ok]
    asked_sql = any("sql" in step.arguments for step in history)
    return [one for step in good if not (asked_sql and _is_look(step)) and (one := result(step))]


def _is_look(step: Step) -> bool:
    return step.tool in ("table", "sql_query") and "sql" not in step.arguments


def is_empty(step: Step) -> bool:
    """Whether a result says that there is nothing."""
    return (
        re.match(
            r"no match\b|count[\w()* ]*: 0$|no line contains|\w+\([^)]*\): NULL$|no (?:files?|entries)\b|0 (?:files|entries)|no such\b|unknown\b|not found\b",
            step.observation.strip(),
            re.I,
        )
        is not None
    )


def not_worked_on(goal: str, good: Sequence[Step]) -> list[str]:
    """What no result is about: a table that was looked at and never asked, a count where only a text was read."""
    asked_of = {step.arguments.get("path") for step in good if "sql" in step.arguments}
    looked = {str(step.arguments.get("path")): None for step in good if _is_look(step)}
    out = [path for path in looked if asked_of and path not in asked_of and path in goal]
    only_read = bool(good) and all(step.tool in TEXTS for step in good)
    return [*out, "a count"] if only_read and _TIMES.search(goal) else out


_TIMES = re.compile(r"\bhow (?:many times|often|frequently)\b", re.I)


def result(step: Step) -> str:
    """The result of one call in words."""
    text = step.observation.strip()[:MOST]
    if step.tool in ("table", "sql_query") and "sql" in step.arguments:
        return _rows(text)
    if step.tool == "text_stats" and (any_case := re.search(r"\((\d+) with upper and lower case the same\)", text)):
        return f"{any_case[1]}, upper and lower case the same: {text}"
    return re.sub(r" \((?:rounded|[\d,]+ files? searched[^)]*)\)", "", text) if step.tool == "search_files" else text


def _rows(text: str) -> str:
    lines = text.split("\n")
    if re.match(r"[\d,]+ rows?:", lines[0]) and len(lines) > 2:
        return "\n".join(line.replace(" | ", ": ", 1) for line in lines[2:])
    if len(lines) == 1 and ": " in lines[0]:
        name, value = lines[0].split(": ", 1)
        if name.startswith(("count", "COUNT")):
            return f"There are {value}."
        return f"{re.sub(r'[(]+', ' of ', name, count=1).rstrip(')')} is {value}"
    return ", ".join(lines)


def borne_out(goal: str, said: str, texts: Sequence[str]) -> str:
    """The line of the texts nearest to the goal, as it stands; what the model said where no line shares a word with it."""
    line = nearest(goal, texts)
    return line or said


def nearest(goal: str, texts: Sequence[str]) -> str:
    """The line of the texts that shares most words with the goal; "" if none shares any."""
    point = stems(pieces(asked.FILE.sub(" ", asked.bounded(goal)), 200)) - GENERIC
    lines = [line.strip() for text in texts for line in text[:20_000].splitlines() if line.strip()][:2000]
    found = [stems(pieces(line, 100)) for line in lines]
    begins = {word: word[:4] for word in point if len(word) >= 5}
    held = {word: [_holds(word, begins.get(word, ""), words) for words in found] for word in point}
    rare = {word: 1 / max(1, sum(among)) for word, among in held.items()}  # a word of many lines tells little
    best, most = "", 0.0
    for at, (line, words) in enumerate(zip(lines, found, strict=True)):
        shared = sum(2 * rare[word] * held[word][at] for word in point)
        if not shared:
            continue
        shared += (0.5 if not words <= point or any(c.isdigit() for c in line) else -1) + _fits(goal, line)
        if shared > most:
            best, most = line, shared
    return best[:MOST]


def _holds(word: str, begin: str, words: frozenset[str]) -> float:
    """1 where a line holds the word, 0.9 where it holds one that begins alike: "decide", "decisions"."""
    return (
        1.0 if word in words else 0.9 if begin and any(one.startswith(begin) for one in words if len(one) >= 5) else 0.0
    )


def _fits(goal: str, line: str) -> float:
    """A line with a number for "how many", with a name for "who", with a time for "when"."""
    kinds = (
        (r"\bhow (?:many|much|long|often|big|old|high)\b|\bnumber\b|\bcode\b|\bport\b|\bcosts?\b|\bprice\b", r"\d"),
        (r"\bwhen\b|\bwhat time\b|\bdate\b|\bday\b", r"\d|day\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"),
        (r"\bwho(?:m|se|'s)?\b", r"[A-Z][a-z]+"),
    )
    return sum(
        0.7 for asks, has in kinds if re.search(asks, goal, re.I) and re.search(has, line, re.I if has[0] != "[" else 0)
    )
