"""Spans: the pieces of a text that an argument may be copied from.

What it is: quoted text, file names, addresses, ids, numbers, capitalised names, single words, and the runs of words
between small words ("in", "called", "that says" …), each with the words around it. A small model then only points.
What it may touch: nothing; standard library only. What it does not promise: that the right span is among them.
Start reading at `spans`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from outrider.agent.models.choice.arithmetic import numbers_in_digits
from outrider.agent.models.choice.words import BREAKS

_EXTENSIONS = [
    "csv", "tsv", "json", "jsonl", "txt", "md", "py", "log", "yaml", "yml", "toml", "ini", "xml", "html", "htm",
    "pdf", "parquet", "xlsx", "db", "sqlite", "sql", "sh", "js", "ts", "c", "h", "cpp", "rs", "go", "java", "rst",
    "tex", "cfg", "conf", "env", "dat", "bin", "png", "jpg", "gguf", "ipynb",
]  # fmt: skip
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("url", r"https?://[^\s\"'<>]+[^\s\"'<>.,;:!?)]"),
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("quote", r"\"([^\"\n]+)\"|“([^”\n]+)”|‘([^’\n]+)’|`([^`\n]+)`|(?<![\w])'([^'\n]+)'(?!\w)|«([^»\n]+)»"),
    ("file", rf"(?<![\w/.])[~\w./-]*\w\.(?:{'|'.join(_EXTENSIONS)})\b(?![\w/])"),
    ("date", r"\b\d{4}-\d{2}-\d{2}\b"),
    ("id", r"(?<![\w/.])[A-Za-z0-9][\w.-]*/[\w.-]*\w"),
    (
        "code",
        r"(?<![\w])(?!\d+(?:st|nd|rd|th|-[a-z]+)\b)(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]*[\w]|(?<![\w])#\d+\b",
    ),
    ("number", r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w]|\.\d)|(?<!\w)\d+(?=st\b|nd\b|rd\b|th\b|-[a-z])"),
    (
        "letter",
        r"(?<![\w'’])([A-Za-z])(?=['’]s\b)|(?<=letter )([A-Za-z])\b|(?<=letters )([A-Za-z])\b|(?<=character )([A-Za-z])\b"
        r"|(?<![\w'’])([b-hj-zB-HJ-Z])(?![\w'’])|(?<=many )([A-Za-z])s?(?= )",
    ),
)
# After these, what follows is meant to the letter, small words and all.
_SAYS = frozenset([
    "for", "about", "up", "google", "saying", "says", "say", "containing", "contains", "contain", "with", "that",
    "text", "words", "content", ":", "reading",
])  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9_À-ɏ][\w'’-]*(?:[./@][\w-]+)*|[^\w\s]", re.UNICODE)
MAX_SPANS = 40


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text an argument may be: its exact text, its kind, and up to two words before and one after it."""

    text: str
    kind: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def spans(text: str) -> list[Span]:
    """Every span of `text`, the exact kinds first, at most MAX_SPANS, no text twice."""
    return list(_spans(text))


@lru_cache(maxsize=256)  # a step asks for the spans of one goal many times
def _spans(text: str) -> tuple[Span, ...]:
    text = text.strip()
    found = [*_exact(text), *_names(text), *_runs(text), *_single_words(text)]
    if text:
        found.append(Span(text.rstrip("?!. "), "all"))
    unique: dict[str, Span] = {}
    for span in found:
        if span.text:
            unique.setdefault(span.text, span)
    return tuple(unique.values())[:MAX_SPANS]


def exact(text: str, *kinds: str) -> list[Span]:
    """Only the spans of these kinds (url, email, quote, file, date, id, number, code, letter)."""
    return list(_exact_of(text, kinds))


@lru_cache(maxsize=1024)
def _exact_of(text: str, kinds: tuple[str, ...]) -> tuple[Span, ...]:
    unique: dict[str, Span] = {}
    for span in _exact(text):
        if span.kind in kinds:
            unique.setdefault(span.text, span)
    return tuple(unique.values())


def _exact(text: str) -> Iterator[Span]:
    taken: list[tuple[int, int]] = []
    for kind, pattern in _PATTERNS:
        for match in re.finditer(pattern, text):
            inside = any(start <= match.start() and match.end() <= end for start, end in taken)
            if inside and kind not in {"file", "letter"}:
                continue
            if kind in {"url", "file", "email", "date", "code"}:
                taken.append(match.span())
            groups = [group for group in match.groups() if group is not None]
            yield _span(text, match.start(), match.end(), kind, groups[0] if groups else match[0])
    lowered = numbers_in_digits(text.lower())
    if lowered != text.lower():  # "twenty five" is a number too
        for match in re.finditer(r"(?<![\w.-])\d+(?:\.\d+)?\b(?!\.\d)", lowered):
            yield _span(lowered, match.start(), match.end(), "number", match[0])


def _span(text: str, start: int, end: int, kind: str, value: str) -> Span:
    before = tuple(_WORD.findall(text[max(0, start - 60) : start])[-2:])
    after = tuple(_WORD.findall(text[end : end + 30])[:1])
    if kind == "number":
        value = value.replace(",", "")
    elif kind in {"name", "word"}:
        value = re.sub(r"['’]s$", "", value)  # "Ada's age" is about Ada
    return Span(value, kind, before, after)


def _names(text: str) -> Iterator[Span]:
    """Runs of capitalised words, the first word of a sentence left out unless it is all capitals."""
    for match in re.finditer(r"\b[A-ZÀ-Þ][\w'’-]*(?:\s+(?:of\s+|de\s+|the\s+|and\s+)?[A-ZÀ-Þ][\w'’-]*)*", text):
        start = match.start()
        if (start == 0 or text[:start].rstrip()[-1:] in ".?!:") and not match[0].split()[0].isupper():
            rest = match[0].split(None, 1)
            if len(rest) < 2:
                continue
            start += match[0].index(rest[1], len(rest[0]))
        if match.end() - start > 1:
            yield _span(text, start, match.end(), "name", text[start : match.end()])


def _runs(text: str) -> Iterator[Span]:
    words = [match for match in _WORD.finditer(text) if match[0] not in "\"'“”‘’`"]
    breaks = [i for i, word in enumerate(words) if i == 0 or word[0].lower() in BREAKS or word[0] in ",;:?!."]
    for at, i in enumerate(breaks):
        j = breaks[at + 1] if at + 1 < len(breaks) else len(words)
        if i + 1 < j:
            yield _run(text, words, i + 1, j, "run")
    for i in breaks:
        follows = words[i + 1][0].lower() if i + 1 < len(words) else ","
        if follows not in ",;:?!." and (follows not in BREAKS or follows == "how" or words[i][0].lower() in _SAYS):
            end = len(words)
            while end > i + 1 and words[end - 1][0] in "?!.":
                end -= 1
            if end > i + 1:
                yield _run(text, words, i + 1, end, "rest")
            shorter = _without_tail([word[0].lower() for word in words[:end]])
            if i + 1 < shorter < end:
                yield _run(text, words, i + 1, shorter, "rest")


# What people add at the end of a request; no part of what they ask for.
_TAILS = tuple(
    tail.split() for tail in (
        "please", ", please", "now", "thanks", ". thanks", "online", "on the web", "on the internet", "on the hub", "in my files",
        "in the files", "in all files", "in all my files", "for me", "today",
    )
)  # fmt: skip


def _without_tail(words: list[str]) -> int:
    """How many words are left without what people add at the end."""
    if len(words) > 3 and re.fullmatch(r"[\w./-]+\.\w{1,7}", words[-1]):  # "… to notes.txt", "… in the file notes.txt"
        cut = len(words) - 1
        while cut > 1 and words[cut - 1] in {"the", "a", "file", "new", "called", "named"}:
            cut -= 1
        if words[cut - 1] in {"to", "in", "into", "as"}:
            return cut - 1
    for tail in _TAILS:
        if len(words) > len(tail) + 1 and words[-len(tail) :] == tail:
            return len(words) - len(tail)
    return len(words)


def _run(text: str, words: list[re.Match[str]], i: int, j: int, kind: str) -> Span:
    value = text[words[i].start() : words[j - 1].end()].strip("\"'“”‘’` ")
    return Span(value, kind, tuple(w[0] for w in words[max(0, i - 2) : i]), tuple(w[0] for w in words[j : j + 1]))


_ORDERS = frozenset(
    [
        "look",
        "search",
        "check",
        "fetch",
        "use",
        "call",
        "read",
        "open",
        "compute",
        "calculate",
        "convert",
        "translate",
        "turn",
        "switch",
        "set",
        "create",
        "make",
        "add",
        "send",
        "list",
        "count",
        "define",
        "reverse",
        "spell",
        "book",
        "play",
        "start",
        "stop",
        "run",
        "track",
        "remember",
        "replace",
        "change",
        "ship",
        "google",
        "summarise",
    ]
)  # said first, they are what to do, not with what


def _single_words(text: str) -> Iterator[Span]:
    for match in _WORD.finditer(text):
        low = match[0].lower()
        if len(low) > 1 and low not in BREAKS and not (match.start() == 0 and low in _ORDERS):
            yield _span(text, match.start(), match.end(), "word", match[0])


def listed(text: str) -> list[list[str]]:
    """Lists written out in `text`: the items of `a, b and c` (two items at least)."""
    found = []
    for match in re.finditer(r"[\w./-]+(?:\s*,\s*[\w./-]+)*(?:\s*,?\s+(?:and|or)\s+[\w./-]+)", text):
        items = re.split(r"\s*,?\s+(?:and|or)\s+|\s*,\s*", match[0])
        if len(items) > 1:
            found.append(items)
    return found
