"""Whether an answer says that it reached the goal: the mark the model is told to use, and plain admissions in its words.
Touches nothing. Does not promise: to catch every admission (it reads a few plain ones, where they open a sentence), nor
that an answer without one is right. It only ever lowers: no words can turn what was not done into "answered".

docs/cli.md, "How a run ends", lists what is read.
"""

from __future__ import annotations

import re

from outrider.memory.events import Outcome

LOOKED_AT = 4000  # characters of an answer
_MARK = re.compile(
    r"\A[\s*_`#>]*status[\s*_`]*:[\s*_`]*(answered|done|partial|not[ _-]found|refused|failed|unable)\b[\s*_`.:]*",
    re.IGNORECASE,
)
_MARKS: dict[str, Outcome] = {"partial": "partial", "not_found": "not_found", "refused": "refused", "failed": "unable"}


def outcome_of(text: str, goal: str) -> tuple[Outcome, str, str]:
    """(outcome, the answer without its mark, why it is not "answered" in words)."""
    outcome: Outcome = "answered"
    if mark := _MARK.match(text):
        text = text[mark.end() :].lstrip()
        word = re.sub(r"[ -]", "_", mark[1].lower())
        outcome = _MARKS.get("failed" if word == "unable" else word, "answered")
    if outcome != "answered":
        return outcome, text, f"the model marked its answer so: {outcome.replace('_', ' ')}"
    outcome, sentence = _admitted(text, goal)
    return outcome, text, f"the answer says so: {sentence[:200]}" if sentence else ""


def _admitted(text: str, goal: str) -> tuple[Outcome, str]:
    """What the answer's own words admit, and the sentence that does; ("answered", "") if nothing."""
    sentences = _sentences(text)
    if not sentences:
        return "answered", ""
    lead = sentences[0]
    plain = _APOLOGY.sub("", _straight(lead))
    if found := _of_lead(plain, goal):
        before = plain[: found[1]]
        half = re.search(r"\b(but|however|although|though|except)\b", before) and len(before.split()) > 3
        return "partial" if half else found[0], lead
    if len(sentences) == 1 and _ANNOUNCED.match(plain):
        return "unable", lead
    for sentence in sentences[1:]:
        if _LATER.match(_straight(sentence)):
            return "partial", sentence
    return "answered", ""


def _of_lead(plain: str, goal: str) -> tuple[Outcome, int] | None:
    for outcome, pattern in _LEAD:
        found = pattern.search(plain)
        if found and not (pattern is _ABSENT and _ASKS_WHETHER.match(_straight(goal))):
            return outcome, found.start()
    return None


def _sentences(text: str) -> list[str]:
    """Its sentences, without code blocks, quotations of others and marks of formatting."""
    text = re.sub(r"```.*?(```|\Z)", " ", text[:LOOKED_AT], flags=re.DOTALL)
    text = re.sub(r"\"[^\"\n]{0,400}\"|“[^”\n]{0,400}”|^>.*$", "…", text, flags=re.MULTILINE)
    parts = re.split(r"(?<=[.!?])\s+|\n+", text)
    return [part for one in parts if (part := one.strip(" *_#>-\t"))]


def _straight(text: str) -> str:
    return text.replace("’", "'").lower().strip()


_CANNOT = (
    r"(could not|couldn't|cannot|can not|can't|was unable to|were unable to|was not able to|wasn't able to|am unable to|'m unable to"
    r"|am not able to|'m not able to|failed to|did not manage to|didn't manage to|have not been able to|haven't been able to)"
)
_I = r"(?<![\w'])(i|we)(?= |'m )\s*(still |also |sadly |unfortunately )?"
_APOLOGY = re.compile(
    r"\A(((i'm|i am) (very |so )?sorry|sorry|unfortunately|sadly|i apologi[sz]e|my apologies|regrettably)"
    r"( (that|for [^,.]{1,60}))?[,.:;]? ?(but )?)+"
)
_ABSENT = re.compile(
    r"\b(was|were|is|are) not found\b|\b(could not|couldn't|cannot|can't) be (found|located|read|opened|reached)\b"
    r"|\b(does not|doesn't|do not|don't|did not) exist\b|\bthere (is|was)( no|n't any) such\b|\A(no such|not found)\b"
)
_LEAD: tuple[tuple[Outcome, re.Pattern[str]], ...] = (
    (
        "refused",
        re.compile(
            rf"{_I}(will not|won't|refuse to|decline to|must decline|have to decline|(am|'m) not (allowed|permitted) to)\b"
            rf"|{_I}(can't|cannot|can not|am unable to|'m unable to|am not able to|'m not able to) (help|assist|comply)\b"
        ),
    ),
    (
        "not_found",
        re.compile(
            rf"{_I}({_CANNOT}|did not|didn't) (find|locate)\b|\Aunable to (find|locate)\b|\A(no|could not|couldn't) find\b"
            r"|\bich (habe|konnte) .{0,80}nicht (gefunden|finden)\b|\bje n'ai (pas|rien) trouvé\b|\bno (he encontrado|encontré|pude encontrar)\b"
        ),
    ),
    ("not_found", _ABSENT),
    (
        "unable",
        re.compile(
            rf"{_I}({_CANNOT}|(do not|don't) (know|have (access|permission|the ability|any tool|a tool|a way))|have no (tool|way|access)\b)"
            rf"|{_I}(did not|didn't|have not|haven't) (do|done|finish(ed)?|completed?|send|sent|deleted?|write|written|saved?|created?|make|made|run|changed?)\b"
            r"|\A(unable to|could not|couldn't|cannot|can't|failed to)\b|\bnone of my tools\b|\A(it was )?not (possible|done|completed?)\b"
            r"|\bich (konnte|kann) .{0,80}nicht\b|\bje n'ai pas pu\b|\bje ne peux pas\b|\bno (pude|puedo|he podido)\b"
        ),
    ),
)
_LATER = re.compile(
    rf"\A(however|but|unfortunately|sadly|note that|still)?[, ]*(i|we) (still |also )?({_CANNOT}|did not (find|finish|complete)"
    r"|didn't (find|finish|complete)|have not (done|finished|completed)|haven't (done|finished|completed))\b"
)
_ANNOUNCED = re.compile(
    r"\A(?!.*: *\S)((okay|ok|sure|certainly|great|first)[,.!]? )?(i will|i'll|i am going to|i'm going to|let me|let's) (now |first |then |start by )?"
    r"(read|look|check|search|open|run|us(e|ing)|call|list|find|calculate|write|creat|try|fetch|inspect|examin|go)"
)
_ASKS_WHETHER = re.compile(
    r"\A(is|are|was|were|does|do (you|we|they|i|any|the|these|those)|did|has|have|can|check (if|whether)|tell me (if|whether))\b"
)
