"""Goals of several clauses: worked on one after the other, answered together.

What it is: `split(goal)` cuts "…, and what …", "…, then …", "… and save it to FILE" into clauses; `plan(view)` says which
one comes next, judged by how many calls were made: a clause of a simple goal is one call. What it may touch: nothing.
Does not promise: grammar; what is not seen to be a clause of its own stays with the one before. Start at `plan`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from outrider.agent.models.choice import asked
from outrider.agent.models.choice.steps import Step, View

MOST = 4  # clauses; the rest stays with the last
_QUESTION = r"(?:what|which|who|whose|when|where|how (?:many|much|long|old|far|big)|is there|are there)\b"
_ORDER = r"(?:count|list|read|find|search|look up|convert|show me|tell me|calculate|compute|work out|delete|rename|copy|move|create|make a file|write|save|store|replace)\b"
_BREAK = re.compile(
    rf"(?:[,;]?\s+(?:and|then|and then|also|and also)\s+|[.?!;]\s+(?:(?:and|then|also|after that|afterwards)[, ]+)?)(?={_QUESTION}|{_ORDER})", re.I
)  # fmt: skip
_ASKS = re.compile(
    rf"\b{_QUESTION}|\bwhat's\b|\bwho's\b|^\W*(?:please |can you |could you |hey,? )*(?:{_ORDER}|\d|add\b|price\b|average\b|total\b|sum\b)|[*/+]\s*\d", re.I
)  # fmt: skip
_SAVE = re.compile(
    r"[,;.]?\s*(?:\b(?:and|then)\s+)*\b(?:write|save|store|put|record)\s+(?:it|that|this|(?:the|its|your)\s+(?:\w+\s+){0,2}?(?:result|answer|number|total|value|output|count|sum|text|list|name|price|rate|fee|status|date|code|amount|owner|line|average|figure|address|phone)s?)\s+"
    r"(?:(?:in|to|into|as|under)\s+)?(?:a\s+|the\s+)?(?:new\s+)?(?:file\s+)?(?:called\s+|named\s+)?[\"'`]?(?P<file>[\w./-]+\.\w{1,7})[\"'`]?\s*[.!]?\s*$", re.I
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing to do. `save_to`: the file that the answer of the clause before goes into, "" for any other clause."""

    text: str
    save_to: str = ""


def split(goal: str) -> list[Clause]:
    """The clauses of a goal; one for a simple goal."""
    text, found = asked.bounded(goal), []
    saved = _SAVE.search(text)
    if saved and saved.start() > 0:
        text, tail = text[: saved.start()].rstrip(" ,;."), saved["file"]
        found = [Clause(saved[0].strip(" ,;."), tail)]
    masked = asked.QUOTED.sub(lambda m: "x" * len(m[0]), text)
    cuts = [m for m in _BREAK.finditer(masked) if m.start() > 8][: MOST - 1]
    parts, at = [], 0
    for cut in cuts:
        parts.append(text[at : cut.start()])
        at = cut.end()
    parts.append(text[at:])
    if not all(_ASKS.search(part) for part in parts):
        parts = [text]  # a story whose last sentence asks is one question
    clauses = [Clause(part.strip(" ,;.")) for part in parts if len(part.strip()) > 3]
    return [*_with_file(clauses), *found] if clauses else [Clause(goal)]


def _with_file(clauses: list[Clause]) -> list[Clause]:
    """A clause without a file of its own means the file of the clause before: "… in sales.csv, and how many rows"."""
    out: list[Clause] = []
    last = thing = day = ""
    for clause in clauses:
        if day and not asked.FILE.search(clause.text):
            said = re.sub(
                r"\b(from|after|since) (?:then|that (?:day|date)|there)\b", rf"\1 {day}", clause.text, flags=re.I
            )
            clause = replace(clause, text=said)
        day = next((match[0] for one in asked.DATES for match in one.finditer(clause.text)), day)
        files = asked.FILE.findall(clause.text)
        if (
            not files
            and last
            and re.search(
                r"\b(?:it|its|there|rows?|column|average|total|highest|lowest|that file|most|least|fewest|cheapest|oldest|youngest|longest|shortest|largest|smallest|biggest)\b",
                clause.text,
                re.I,
            )
        ):
            clause = replace(clause, text=f"{clause.text} in {last}")
        if thing and re.search(r"\b(?:it|its|that|this)\b", clause.text, re.I) and not re.search(r"\d", clause.text):
            clause = replace(clause, text=re.sub(r"\b(?:it|that|this)\b", thing, clause.text, count=1, flags=re.I))
        named = re.search(r"\b[a-z]+ (?:[A-Z]{0,4}-?\d[\w-]*)\b(?! *[-+*/%])", clause.text)
        thing = named[0] if named else thing
        last = files[-1] if files else last
        out.append(clause)
    return out


_THEY = re.compile(r"\b(?:they|them|their|theirs|those|these)\b", re.I)


def meant(clauses: list[Clause]) -> str:
    """Whom "they" of the last clause are: the clauses before, back to one that names them; "" where nobody is meant."""
    at = len(clauses) - 1
    while at > 0 and _THEY.search(clauses[at].text):
        at -= 1
    return " ".join(clause.text for clause in clauses[at:-1])


def now(view: View, clauses: list[Clause]) -> View | None:
    """What is to be decided now: the next clause with nothing done for it, or None when each had its call."""
    at = len(view.history)
    if at >= len(clauses) or clauses[at].save_to:
        return None
    return replace(view, goal=clauses[at].text, history=())


def each(view: View, clauses: list[Clause]) -> list[tuple[Clause, View]]:
    """Every clause that had its call, with that call alone, to be answered."""
    pairs: list[tuple[Clause, Step]] = list(zip(clauses, view.history, strict=False))
    return [(clause, View(clause.text, (), (done,))) for clause, done in pairs]
