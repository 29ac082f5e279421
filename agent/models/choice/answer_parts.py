"""The final answer of small-model mode: a part of an observation, in a short sentence; or what was not found.

What it is: `parts` cuts the observations into lines, fields and sentences the model may point at; `phrase` wraps the
part it took; `not_found` says honestly that nothing was. No word of an answer is invented by the model.
What it may touch: nothing. What it does not promise: that the observation is true. Start reading at `parts`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.choice.arithmetic import numbers_in_digits
from outrider.agent.models.choice.words import pieces, stems

Past = tuple[str, dict[str, Any], str, bool]  # tool, arguments, observation, worked
MAX_PARTS, MAX_ANSWER = 24, 1500


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an observation. kind: whole, line, last, field, sentence. `step` counts observations, oldest 0."""

    text: str
    kind: str
    name: str = ""
    step: int = 0

    def words(self) -> tuple[str, ...]:
        """What the model reads of it."""
        return (*pieces(self.name, 4), "…", *pieces(self.text, 10)) if self.name else tuple(pieces(self.text, 12))


def parts(past: Sequence[Past], marks: frozenset[str]) -> list[Part]:
    """What an answer may be copied from, the newest observation first; failed calls offer nothing."""
    found: dict[str, Part] = {}
    for index in range(len(past) - 1, max(-1, len(past) - 3), -1):
        _, arguments, text, worked = past[index]
        if worked and text.strip() and not is_nothing(text.strip()):
            asked = {str(value).lower() for value in arguments.values()}
            for part in _cut(text.strip(), index, marks):
                if part.kind != "field" or part.text.lower() not in asked:  # what was asked with is no answer
                    found.setdefault(part.text, part)
    return list(found.values())[:MAX_PARTS]


_NOTHING = re.compile(
    r"(no (results?|match\w*|files?|lines?|models?|entr\w+|records?|data|hits?|such|news)\b.*|none|null|nothing\b.*|not found|unknown"
    r"|0 (results?|models?|matches|hits)|\(?.{0,60}\bempty\)?|\[\]|\{\}|.{0,40}returned no results)[.!]?",
    re.IGNORECASE,
)


def is_nothing(text: str) -> bool:
    """Whether an observation says that there is nothing: then no part of it is an answer."""
    return len(text) <= 200 and _NOTHING.fullmatch(text) is not None


def _cut(text: str, index: int, marks: frozenset[str]) -> Iterator[Part]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and len(text) <= 400 and text[0] not in "{[":
        yield Part(text, "whole", step=index)
        yield from _named(lines, index)
        return
    yield Part(text if len(text) <= MAX_ANSWER else text[:MAX_ANSWER].rsplit(None, 1)[0] + " …", "whole", step=index)
    yield from _json_fields(text, index)
    yield from _named(lines, index)
    ranked = sorted(_sentences(lines), key=lambda one: -len(stems(pieces(one, 60)) & marks))[:8]
    for line in ranked:
        yield Part(line, "line", step=index)


def _sentences(lines: Sequence[str]) -> list[str]:
    out: list[str] = []
    for line in lines[:200]:
        out += [part for part in re.split(r"(?<=[.!?])\s+(?=[A-Z])", line) if part]
    return list(dict.fromkeys(part for part in out if len(part) <= 400))


def _named(lines: Sequence[str], index: int) -> Iterator[Part]:
    """`name: value` lines: the value, under its name."""
    for line in lines[:30]:
        match = re.fullmatch(r"[-*\s]*\"?([A-Za-z][\w .-]{0,30}?)\"?\s*[:=]\s+(\S.*?),?", line)
        if match and not match[2].startswith(("{", "[")):
            yield Part(match[2].strip('"'), "field", match[1], index)


def _json_fields(text: str, index: int) -> Iterator[Part]:
    if text[0] not in "{[":
        return
    try:
        value = json.loads(text)
    except ValueError:
        return
    yield from _leaves(value, "", index, depth=3)


def _leaves(value: Any, name: str, index: int, depth: int) -> Iterator[Part]:
    if isinstance(value, dict) and depth:
        for key, inner in list(value.items())[:12]:
            yield from _leaves(inner, str(key), index, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value[:3]:
            yield from _leaves(inner, name, index, depth - 1)
        if value and not isinstance(value[0], dict | list):
            yield Part(", ".join(map(str, value)), "list", name, index)
    elif value is not None and not isinstance(value, dict | list) and str(value).strip():
        yield Part(str(value), "field", name, index)


def phrase(goal: str, past: Sequence[Past], part: Part) -> str:
    """The answer that says `part` in a sentence, where the goal gives one; else the part itself."""
    tool, arguments, _, _ = past[part.step]
    value = part.text
    code = str(arguments.get("code", ""))
    simple = re.fullmatch(r"(?:import math\n)?print\((.*)\)", code)
    if tool == "python" and simple and re.fullmatch(r"-?[\d.e+-]+", value) and not re.search(r"['\"]", simple[1]):
        said = set(re.findall(r"\d+(?:\.\d+)?", numbers_in_digits(goal.lower())))
        known = set(re.findall(r"\d+(?:\.\d+)?", simple[1])) <= said  # 15% of 80 says nothing of a 100
        return f"{simple[1]} = {value}" if known else f"The result is {value}"
    question = re.match(r"\s*(?:what|who|where|when)(?:'s| is| are| was) (the [^?.!]{3,80})\?\s*$", goal, re.IGNORECASE)
    if question and len(value) <= 40 and len(value.split()) <= 2 and value[0] not in "{[":
        verb = " are " if re.match(r"\s*what are", goal, re.IGNORECASE) else " is "
        return f"T{question[1][1:]}{verb}{value.rstrip('.')}."
    return _as_words(value) if part.kind == "whole" and value[0] == "{" else value


def _as_words(text: str) -> str:
    """A flat JSON object as `name: value, name: value`; anything else as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict) or not found or any(isinstance(value, dict | list) for value in found.values()):
        return text
    return ", ".join(f"{name}: {value}" for name, value in found.items())


def not_found(goal: str, past: Sequence[Past]) -> str:
    """An honest end: what was tried and what came back, or that no tool here fits."""
    if not past:
        return (
            "I could not do this: none of my tools fits the goal. The built-in starter model handles simple goals only."
        )
    tool, _, text, worked = past[-1]
    reason = next((line.strip() for line in text.splitlines() if line.strip()), "nothing came back")[:300]
    reason = re.split(r"\.? (?:Why|To fix): ", reason)[0]
    said = (
        f"{tool} said: {reason}"
        if not worked or reason == "nothing came back"
        else f"the last result, from {tool}, was: {reason}"
    )
    return f'I did not find an answer to "{" ".join(goal.split())[:200]}": {said}'
