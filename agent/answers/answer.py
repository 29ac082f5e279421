"""Ties an answer to its citations: each claim to the observation it came from, and a mark on what has no support.
Touches nothing; no model is asked. Does not promise: that a claim is true, or that a paraphrase without any number,
name or quoted word is recognised; it is then left uncited rather than called unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from outrider.agent.state import Seen
from outrider.memory.events import Answered, Citation

MAX_CLAIMS = 50
MAX_FACTS = 30  # of one claim
LOOKED_AT = 2000  # characters of one claim: what a stranger wrote may not take long
QUOTE = 160  # characters of the observation shown beside a claim


class Answer(str):
    """What a run came back with: text that carries its citations.

    citations: each claim and the seq of the event that bears it out. unsupported: claims nothing bears out.
    partial: a limit came before the run was done, or something of the goal is left out.
    """

    __slots__ = ("citations", "partial", "unsupported")
    citations: tuple[Citation, ...]
    unsupported: tuple[str, ...]
    partial: bool

    @classmethod
    def of(cls, event: Answered | None) -> Answer:
        """The answer of an event; empty text when there is none."""
        answer = cls(event.text if event else "")
        answer.citations = event.citations if event else ()
        answer.unsupported = event.unsupported if event else ()
        answer.partial = event.partial if event else False
        return answer


def with_evidence(
    text: str, goal: str, seen: Sequence[Seen], *, partial: bool = False, undone: bool = False
) -> Answered:
    """The `Answered` event of a text: a claim is a sentence or a line of it.

    undone: a call with effects was refused or failed, and nothing made up for it: a claim to have done something is
    then supported by nothing.

    A claim is supported by the newest observation that holds all its facts (numbers, names, quoted words, file names)
    that the goal did not already hold; it is unsupported when it has such facts and no observations hold them.
    """
    good = [(s.seq, s.text, _facts_text(s.text)) for s in seen if s.ok]
    known = _facts_text(goal)
    citations, unsupported = [], []
    for claim in _claims(text):
        facts = [fact for fact in _facts(claim) if not _holds(known, fact)]
        empty = undone and _DEED.search(claim) is not None
        if not facts and not empty:
            continue
        found = None if empty else _best(facts, good)
        citations.append(Citation(claim=claim, seq=found[0] if found else None, quote=found[1] if found else ""))
        if not found:
            unsupported.append(claim)
    return Answered(text=text, citations=tuple(citations), unsupported=tuple(unsupported), partial=partial)


def claims_undone(answered: Answered, undone: Sequence[str]) -> str:
    """The first claim to have done something, where calls of the tools `undone` came to nothing; "" if there is none."""
    claim = next((one for one in answered.unsupported if undone and _DEED.search(one)), "")
    return f"{claim[:200]} ({', '.join(undone)} did not run, or failed)" if claim else ""


_DEEDS = (
    r"(sent|e-?mailed|mailed|posted|published|uploaded|deleted|removed|wrote|written|saved|stored|created|updated|changed|edited|renamed"
    r"|moved|copied|bought|ordered|booked|paid|transferred|installed|submitted|added|done)"
)
_DEED = re.compile(
    rf"\b(I|we)(['’]ve| have)?( now| just| also| successfully)* {_DEEDS}\b"
    rf"|\b(has|have|was|were|is|are)( now| just| also| successfully)*( been)?( successfully)? {_DEEDS}\b"
    rf"|^(successfully |all )?{_DEEDS}\b",
    re.IGNORECASE,
)


def _claims(text: str) -> list[str]:
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])|\n+", text)
    found = [part.strip(" -*#>\t") for part in parts]
    return [part for part in found if part and not _READ_AS.fullmatch(part)][:MAX_CLAIMS]


_READ_AS = re.compile(r"\(SELECT .*\)")  # the statement an answer came from: how the goal was read, not a claim


_FACT = re.compile(
    r"\"[^\"\n]{2,80}\"|`[^`\n]{1,80}`|\d[\d,]*(?:\.\d+)?|\b(?=[\w-]{0,80}[./]+\w)[\w./-]{1,200}|(?<!^)\b[A-Z][\w-]{2,}\b"
)


def _facts(claim: str) -> list[str]:
    """What could be looked up in a claim, in one spelling: numbers without separators, names and quotes in lower case."""
    return [_spelling(fact) for fact in _FACT.findall(claim[:LOOKED_AT])][:MAX_FACTS]


def _spelling(fact: str) -> str:
    if fact[0].isdigit():
        return fact.replace(",", "").rstrip(".")
    return fact.strip('"`').rstrip("./-").lower()


def _facts_text(text: str) -> str:
    """A text in which `_facts` can be looked up."""
    return re.sub(r"(?<=\d),(?=\d{3})", "", text).lower()


def _best(facts: Sequence[str], good: Sequence[tuple[int, str, str]]) -> tuple[int, str] | None:
    """(seq, quote) of the newest observation that holds every fact; failing that, of the one that holds most of them
    while all observations together hold the rest."""
    for seq, text, plain in reversed(good):
        if all(_holds(plain, fact) for fact in facts):
            return seq, _quote(text, plain, facts[0])
    counts = [(sum(_holds(plain, fact) for fact in facts), seq, text, plain) for seq, text, plain in good]
    if counts and all(any(_holds(plain, fact) for _, _, plain in good) for fact in facts):
        _, seq, text, plain = max(counts)
        return seq, _quote(text, plain, next(f for f in facts if _holds(plain, f)))
    return None


def _holds(plain: str, fact: str) -> bool:
    if fact not in plain:
        return False
    return not fact[:1].isdigit() or re.search(rf"(?<![\d.]){re.escape(fact)}(?!\d|\.\d)", plain) is not None


def _quote(text: str, plain: str, fact: str) -> str:
    spelt = ",?".join(map(re.escape, fact)) if fact[:1].isdigit() else re.escape(fact)
    found = re.search(spelt, text, re.IGNORECASE)
    at = max(0, (found.start() if found else plain.find(fact)) - QUOTE // 3)
    return " ".join(text[at : at + QUOTE].split())
