"""What a goal asks for that can be checked afterwards: numbers, dates, quoted text, files, names, deeds, units, conditions.

What it is: `read(goal)` finds them by plain patterns, in bounded time whatever the text is. What it may touch: nothing.
Does not promise: to understand the goal; what it finds is what an answer must account for (coverage.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

LOOKED_AT = 4000  # characters of a goal
WORD = 200  # characters of one word; a longer one is no word
FILE = re.compile(r"(?<![\w@/])(?:[\w-]+/)*[\w-]+\.(?!\d)[A-Za-z]\w{0,7}\b(?!\.\w)")
URL = re.compile(r"https?://\S{1,300}")
QUOTED = re.compile(r"\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|`([^`\n]{1,200})`|(?<![\w])'([^'\n]{1,200})'(?!\w)")
NUMBER = re.compile(
    r"(?<![\w.,-])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|(?<![\w.-])\d+(?:\.\d+)?(?![\w-]*[A-Za-z]{3})|(?<![\w.])\d+(?:\.\d+)?(?=\s?(?:%|[a-zA-Z]{1,2}\b))"
)
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
MONTH = r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
DATES = (
    re.compile(r"\b(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)\b"),
    re.compile(rf"\b(?:the )?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {MONTH.replace('(', '(?P<n>', 1)},? (?P<y>\d{{4}})\b", re.IGNORECASE),
    re.compile(rf"\b{MONTH.replace('(', '(?P<n>', 1)}\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}})\b", re.IGNORECASE),
)  # fmt: skip
# deed: (how it is asked for, tools that do it)
DEEDS: dict[str, tuple[re.Pattern[str], frozenset[str]]] = {
    "rename or move": (re.compile(r"\b(?:rename|move)\b(?! (?:on|ahead|forward)\b)", re.I), frozenset(["move_file"])),
    "copy": (re.compile(r"\b(?:copy|duplicate|back up)\b", re.I), frozenset(["copy_file", "write_file"])),
    "delete": (re.compile(r"\b(?:delete|erase|get rid of|throw away)\b|\bremove\b(?=.{0,80}\bfile|.{0,60}\.\w)", re.I), frozenset(["delete_file", "edit_file", "write_file"])),
    "save or write": (re.compile(r"\b(?:write|save|store|record|put)\b(?=.{1,160}\b(?:to|in|into|as|called|named|file)\b)|\b(?:make|create)\b(?=.{0,60}\bfile\b|.{1,160}\.\w{1,5}\b)|\b(?:append|add)\b(?=.{1,160}\bto\b.{0,40}\.\w{1,5}\b)", re.I), frozenset(["write_file", "edit_file", "append_file", "note"])),
    "replace": (re.compile(r"\b(?:replace|swap|substitute|edit)\b", re.I), frozenset(["edit_file", "write_file", "text_stats"])),
    "send": (re.compile(r"\b(?:send|e-?mail|post|publish|upload)\b(?! (?:address|office|code))", re.I), frozenset(["http_request"])),
}  # fmt: skip
FILE_DEEDS = frozenset(["rename or move", "copy", "delete", "save or write", "replace"])
UNITS = re.compile(
    r"\b(km|kilomet(?:er|re)s?|met(?:er|re)s?|miles?|feet|inch(?:es)?|yards?|cm|centimet(?:er|re)s?|mm|millimet(?:er|re)s?|kg|kilograms?|kilos?|grams?"
    r"|pounds?|lbs?|ounces?|oz|tonnes?|lit(?:er|re)s?|gallons?|pints?|cups?|ml|celsius|fahrenheit|kelvin|[kmgt]i?b|(?:kilo|mega|giga|tera)bytes?|bytes?"
    r"|mph|knots?|acres?|hectares?)\b", re.IGNORECASE,
)  # fmt: skip
COUNTS = re.compile(
    r"\bhow (?:many|much|old|big|large|heavy|tall|high)\b|\bnumber of\b|\bcount (?:the|all|of|how)\b", re.I
)
ASKS = re.compile(
    r"^\W*(?:(?:and|so|ok|please|hey|hi|tell me|can you tell me|do you know|i (?:want|need|would like) to know)\W+)*(?:what|which|who|whom|whose|when|where)\b",
    re.I,
)
CHANGES = re.compile(
    r"\b(?:writ|wrot|sav|stor|record|put|mak|creat|append|add|contain|not(?:e|ing)|keep|log|fill|replac|chang|swap|edit|updat|turn|set|correct|fix|substitut|becom|renam|mov"
    r"|call|nam|cop(?:y|ies)|duplicat|back|delet|remov|eras|get rid|throw|trash|bin\b|gone|drop|clear|clean|empty|overwrit|generat|mention it in)", re.I,
)  # fmt: skip
GROUPS = re.compile(
    r"\b(?:by|per|for each|of each|each|for every|of every|grouped by)\s+(?:the\s+)?([A-Za-z_]{2,40})", re.I
)
NAME = re.compile(r"(?<![.!?:;\"'\n]\s)(?<!^)(?<![\w.'/-])([A-Z][A-Za-z]{2,40}|[A-Z]{2,10}\d*)\b(?![./]\w)")
PERCENT = re.compile(r"\d\s?%|\bper ?cent\b|\bpercentage\b", re.I)
NO_NAMES = frozenset(["I", "OK", "PDF", "CSV", "TSV", "JSON", "SQL", "XLSX", "TXT", "GET", "URL", "API", "AM", "PM", "VAT", "TODO", "The", "This", "That", "What", "Which", "Who", "When", "Where", "How", "Please", "And", "Also", "Then", "Thanks", "Thank", "Hello", "Hi", "Hey", "Calculate", "Convert", "Read", "Add", "Find", "Show", "Tell", "Give", "List", "Count", "Use", "Look", "Write", "Save", "In", "On", "It", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Python", "See", "Put", "Store", "Make", "Take", "Is", "Are", "Was", "Do", "Does", "Did", "My", "Your", "Our", "Of", "From", "For"])  # fmt: skip


@dataclass(slots=True)
class Asked:
    """What a goal holds that calls and answer should account for."""

    numbers: list[str] = field(default_factory=list)
    dates: list[tuple[str, str]] = field(default_factory=list)  # as written, ISO
    quoted: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    deeds: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)  # of a list after a colon
    counts: bool = False
    asks: bool = False
    percent: bool = False


def read(goal: str) -> Asked:
    """What can be checked of `goal`; a text of any length costs the same bounded time."""
    text = bounded(goal)
    found = Asked(counts=bool(COUNTS.search(text)), asks=bool(ASKS.match(text)), percent=bool(PERCENT.search(text)))
    found.urls = URL.findall(text)
    text = URL.sub(" ", text)
    found.quoted = [next(filter(None, groups)) for groups in QUOTED.findall(text)][:20]
    found.files = list(dict.fromkeys(FILE.findall(text)))[:20]
    rest = re.sub(r"\b\d{1,2}:\d\d\b", " ", FILE.sub(" ", QUOTED.sub(" ", text)))  # a time may be written in other ways
    rest = _dates(rest, found)
    found.numbers = list(dict.fromkeys(spelt(number) for number in NUMBER.findall(rest)))[:30]
    found.names = [name for name in dict.fromkeys(NAME.findall(rest)) if _is_name(name)][:20]
    found.items = _items(rest)
    found.deeds = [deed for deed, (pattern, _) in DEEDS.items() if pattern.search(rest_of(text))]
    if found.numbers or found.counts:
        found.units = list(dict.fromkeys(unit.lower() for unit in UNITS.findall(rest)))[:8]
    found.groups = [word.lower() for word in GROUPS.findall(rest) if not word[0].isupper()][:5]
    return found


def _items(text: str) -> list[str]:
    """The items of `…: milk, eggs and bread`, words only."""
    match = re.search(
        r":\s*((?:[A-Za-z][\w'-]*(?: [\w'-]+){0,3}\s*(?:,|\band\b)\s*){1,12}[A-Za-z][\w'-]*(?: [\w'-]+){0,3})\s*[.!]?\s*$",
        text,
    )
    found = re.split(r"\s*(?:,|\band\b)\s*", match[1]) if match else []
    return [item for item in found if item][:12] if match and "," in match[1] else []


def rest_of(text: str) -> str:
    """The text with what is quoted left out: a deed inside quotation marks is content."""
    return QUOTED.sub(" … ", text)


def may_change_files(goal: str) -> bool:
    """Whether the goal says that something is to be written, changed or removed: "hello → notes.txt" does not."""
    text = FILE.sub(" ", rest_of(bounded(goal)))
    return CHANGES.search(_AS_IT_IS.sub(" ", text)) is not None


_AS_IT_IS = re.compile(
    r"\b(?:is|are|was|were|been|has|have|had|does|did)\s+(?:\w+\s+){0,2}?(?:set|made|written|saved|stored|put|called|named|changed|updated|kept|recorded|noted|added|created|contain|note|mention|fixed|turned)\b",
    re.I,
)  # fmt: skip; said of how things are, not to be done


def bounded(text: str) -> str:
    """At most LOOKED_AT characters, and no word longer than WORD: patterns must not be made to crawl."""
    return re.sub(rf"\w{{{WORD + 1},}}", " ", text[:LOOKED_AT])


def spelt(number: str) -> str:
    """A number in one spelling: no separators, no zeros that say nothing."""
    plain = number.replace(",", "").lstrip("+")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    sign = "-" if plain.startswith("-") else ""
    return sign + (plain.lstrip("-").lstrip("0") or "0")


def _is_name(word: str) -> bool:
    return (
        word not in NO_NAMES
        and word.lower() not in MONTHS
        and word.lower()[:3] not in {m[:3] for m in MONTHS if word.lower() == m[:3]}
    )


def _dates(text: str, found: Asked) -> str:
    for pattern in DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month = int(parts["m"]) if parts.get("m") else month_number(parts["n"])
            try:
                found.dates.append((match[0], date(int(parts["y"]), month, int(parts["d"])).isoformat()))
            except ValueError:
                continue
        text = pattern.sub(" ", text)
    return text


def month_number(name: str) -> int:
    return next(at for at, month in enumerate(MONTHS, start=1) if month.startswith(name.lower()[:3]))
