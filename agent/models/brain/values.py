"""What an argument may be: spans of the goal and of what was seen, file names, numbers, dates, units.

What it is: `Sources` gathers them once a step; `span_rules` lets every run of words through as it is written;
`of_built_in` says which of them fit an argument of a built-in tool. What it may touch: nothing.
Does not promise: the right one. Used by grammar.py and sql.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from outrider.agent.models.brain.sums import hints, word_sums
from outrider.agent.models.choice import asked
from outrider.agent.models.choice.arithmetic import numbers_in_digits

MAX_WORDS, MAX_SEEN_WORDS, MAX_NUMBERS = 90, 60, 24
CONSTANTS = ("1", "2", "3", "4", "7", "10", "12", "24", "52", "60", "100", "365", "1000")
UNIT = (
    r"(?:square |cubic )?(?:km/h|kph|mph|m/s|knots?|kilomet(?:er|re)s?|km|met(?:er|re)s?|miles?|feet|foot|ft|inch(?:es)?|yards?|cent(?:i)?met(?:er|re)s?|cm|millimet(?:er|re)s?|mm|kilograms?|kilos?|kg"
    r"|grams?|pounds?|lbs?|ounces?|oz|stone|tonnes?|tons?|millilit(?:er|re)s?|ml|lit(?:er|re)s?|gallons?|pints?|cups?|(?:degrees? )?(?:celsius|fahrenheit|kelvin)|[kmgt]i?b|(?:kilo|mega|giga|tera|gibi|mebi)?bytes?"
    r"|seconds?|minutes?|hours?|days?|weeks?|acres?|hectares?|joules?|calories|kcal|watts?|kw|psi|bar)"
)  # fmt: skip
ENDINGS = frozenset(
    [
        "py",
        "txt",
        "md",
        "csv",
        "tsv",
        "json",
        "log",
        "yaml",
        "yml",
        "toml",
        "ini",
        "html",
        "js",
        "pdf",
        "xml",
        "xlsx",
        "sh",
        "rs",
        "go",
        "c",
        "java",
        "png",
        "jpg",
    ]
)
KIND_WORDS = {"python": "py", "text": "txt", "markdown": "md", "javascript": "js", "excel": "xlsx", "image": "png"}
UNIT_WORD = re.compile(rf"\b{UNIT}\b", re.I)
BASE = ("integer ::= [0-9]{1,6}",)
_DAYS = re.compile(r"\b(?:today|tomorrow|yesterday|(?:next |last )?(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b", re.I)
_SHORT_DATE = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {asked.MONTH}\b|\b{asked.MONTH} \d{{1,2}}\b", re.I)


@dataclass(slots=True)
class Sources:
    """goal: the text. seen: observations that worked, newest last. columns, tables: what a look at a table showed. meant: the
    clauses whose rows the goal is about.
    """

    goal: str
    seen: Sequence[str] = ()
    looked: Mapping[str, Any] = field(default_factory=dict)  # file → sql.Looked
    numbers: list[str] = field(default_factory=list)
    own_numbers: list[str] = field(default_factory=list)  # those of the goal alone
    files: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    meant: str = ""

    def __post_init__(self) -> None:
        recent = " \n".join(self.seen[-3:])[:1500]
        plain = self.goal
        self.numbers, self.own_numbers = _numbers(plain, recent), _numbers(plain, "")
        goal_files = asked.FILE.findall(plain)
        self.files = list(dict.fromkeys([*goal_files, *asked.FILE.findall(recent)]))[:40]
        self.words = _words(self.goal)[:MAX_WORDS]
        self.dates = [m[0] for pattern in asked.DATES for m in pattern.finditer(plain)] + _DAYS.findall(plain)
        self.dates += [] if self.dates else [m[0] for m in _SHORT_DATE.finditer(plain)]


_TIME = re.compile(
    r"\b\d{1,2}:\d\d\b|\b(?:at|by|until|till|before|after) \d{1,2} ?(?:am|pm|o'clock)\b", re.I
)  # no numbers: "for two at 20:00"


def _numbers(goal: str, recent: str) -> list[str]:
    """Numbers of the goal, words for numbers too, then those that were seen; without separators."""
    goal = _TIME.sub(" ", goal)
    spoken = numbers_in_digits(goal.lower())
    found = re.findall(r"(?<![\w.])\d+(?:\.\d+)?|(?<=[A-Za-z-])\d+", spoken) + re.findall(
        r"\d+(?:\.\d+)?", goal.replace(",", "")
    )
    later = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", recent.replace(",", ""))[:MAX_NUMBERS]
    return list(dict.fromkeys([*found[:MAX_NUMBERS], *later]))


def _words(text: str) -> list[str]:
    return [word[:120] for word in prompt_plain(text).split()]


def prompt_plain(text: str) -> str:
    """As prompt.plain: what the model read is what it may copy."""
    return text.replace("<|", "< |").replace("|>", "| >")


def span_rules(sources: Sources) -> list[str]:
    """`span`: any run of words of the goal or of the last observations; `words`: several of them with joints."""
    rules: list[str] = []
    starts = _runs("g", sources.words, rules)
    seen_words = [word for text in sources.seen[-2:] for word in _words(text)[:MAX_SEEN_WORDS]]
    starts += _runs("o", seen_words, rules)
    if not starts:
        return []
    joint = '("\\\\n" | ": " | "; " | ", " | " ")'
    return [f"span ::= {' | '.join(starts)}", f"words ::= span ({joint} span){{0,24}}", *rules]


def _runs(name: str, words: Sequence[str], rules: list[str]) -> list[str]:
    """A rule a word: the word, and perhaps the next ones as they follow it in the text."""
    cores = [_core(word) for word in words]
    starts = []
    for at, (lead, core, tail) in enumerate(cores):
        if not core:
            rules.append(f"{name}{at} ::= {_lit(lead + tail) if lead + tail else chr(34) * 2}")
            continue
        on = ""
        if at + 1 < len(cores):
            on = f" ({_lit(tail + ' ' + cores[at + 1][0])} {name}{at + 1})?"
        rules.append(f"{name}{at} ::= {_lit(core)}{on}")
        starts.append(f"{name}{at}")
    return starts


def _core(word: str) -> tuple[str, str, str]:
    """(marks before, the word, marks after)."""
    match = re.match(r"^([\"'“‘`(\[]*)(.*?)((?:['’]s)?[\"'”’`)\],.;:!?]*)$", word)
    return (match[1], match[2], match[3]) if match else ("", word, "")


def _lit(text: str) -> str:
    body = json.dumps(text, ensure_ascii=False)[1:-1]
    out = "".join(f"\\x{ord(c):02X}" if ord(c) < 32 or ord(c) == 127 else "\\" + c if c in '"\\' else c for c in body)
    return f'"{out}"'


def alternatives(texts: Sequence[str]) -> str:
    """Any of the texts, inside a JSON string; "" for none."""
    return "(" + " | ".join(_lit(text) for text in dict.fromkeys(texts)) + ")" if texts else ""


def expression(sources: Sources) -> str:
    """A sum over the numbers there are: a nested rule without a name of its own is not possible, so `expr` is in BASE."""
    return "expr" if sources.numbers else ""


def expression_rules(sources: Sources) -> list[str]:
    """`expr`: numbers, operators, brackets and a few functions."""
    if not sources.numbers:
        return []
    if not sources.seen and (strict := word_sums.rules(sources.goal)):
        return strict
    numbers = alternatives([*(n.lstrip("-") for n in sources.numbers), *CONSTANTS])
    return [
        f"num ::= {numbers}",
        'term ::= num | "(" expr ")" | ("sqrt" | "factorial" | "round" | "abs") "(" expr ")"',
        'expr ::= term (" " ("+" | "-" | "*" | "/" | "**" | "%" | "//") " " term){0,14}',
    ]


def of_built_in(tool: str, key: str, sources: Sources) -> str | None:
    """What an argument of a built-in tool may be, without its quotation marks; "" nothing, None: as the schema says."""
    goal_files = [name for name in sources.files if name in sources.goal]
    if tool == "calculate":
        certain = hints.expression(sources.goal) if not sources.seen else ""
        return alternatives([certain.replace("math.", "")]) if certain else expression(sources)
    if tool in ("read_file", "edit_file", "delete_file", "text_stats", "search_files") and key == "path":
        return alternatives(sources.files)
    if tool == "write_file" and key == "path":
        return alternatives(goal_files or _named_files(sources.goal))
    if tool in ("move_file", "copy_file"):
        return alternatives(sources.files if key == "path" else [*goal_files, *_in_folders(sources)])
    if tool == "list_files":
        return alternatives(_folders(sources.goal) if key == "path" else _patterns(sources.goal))
    if tool == "read_page":
        return alternatives([url.rstrip("?.,)") for url in asked.URL.findall(sources.goal)])
    if tool == "dates" and key in ("date", "to"):
        return alternatives([*sources.dates, "today"])
    if tool == "dates" and key == "unit":
        return alternatives(["days", "weeks", "months", "years"])
    if tool == "dates" and key == "operation":
        return None
    if tool == "units" and key == "value":
        return alternatives(sources.numbers)
    if tool == "units":
        found = list(dict.fromkeys(UNIT_WORD.findall(sources.goal)))
        return alternatives(found) if len(found) > 1 else ""
    if (tool, key) in (("write_file", "content"), ("web_search", "query")):
        return "words"
    return None


def _named_files(goal: str) -> list[str]:
    return [match[1] for match in re.finditer(r"\bfile (?:called |named )?[\"']?([\w-]+)", goal)]


def _folders(goal: str) -> list[str]:
    found = re.findall(r"([\w./-]+)(?:/\s|/$|/[?.!])", goal) + re.findall(r"\b([\w./-]+) (?:folder|directory)\b", goal)
    found += re.findall(r"\b(?:folder|directory) (?:called |named )?[\"']?([\w./-]+)", goal)
    return [
        one
        for one in dict.fromkeys(found)
        if one.lower() not in {"the", "this", "my", "current", "a", "in", "is", "are"}
    ]


def _in_folders(sources: Sources) -> list[str]:
    return [f"{folder}/{name.rsplit('/', 1)[-1]}" for folder in _folders(sources.goal) for name in sources.files[:5]]


def _patterns(goal: str) -> list[str]:
    written = re.findall(r"\*\.\w+", goal)
    words = re.findall(r"[a-z]+", goal.lower())
    return list(
        dict.fromkeys([*written, *(f"*.{KIND_WORDS.get(w, w)}" for w in words if w in ENDINGS or w in KIND_WORDS)])
    )
