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
        return (
            f"There are {value}."
            if name.startswith(("count", "COUNT"))
            else f"{name.replace('(', ' of ').rstrip(')')} is {value}"
        )
    return ", ".join(lines)


def borne_out(goal: str, said: str, texts: Sequence[str]) -> str:
    """The line of the texts nearest to the goal, as it stands; what the model said where no line shares a word with it."""
    line = nearest(goal, texts)
    return line or said


def nearest(goal: str, texts: Sequence[str]) -> str:
    """The line of the texts that shares most words with the goal; "" if none shares any."""
    point = stems(pieces(asked.FILE.sub(" ", asked.bounded(goal)), 200)) - GENERIC
    best, most = "", 0
    for line in (line.strip() for text in texts for line in text[:20_000].splitlines()):
        words = stems(pieces(line, 100))
        more = not words <= point or any(c.isdigit() for c in line)
        shared = len(point & words) * 2 + (1 if more else -2)
        if not point & words:
            continue
        if shared > most:
            best, most = line, shared
    return best[:MOST]
