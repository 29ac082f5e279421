"""Whether an answer says that it reached the goal: the mark the model is told to use, and plain admissions in its words.
Touches nothing. Does not promise: to catch every admission (it reads plain ones, where they open the answer or a later
sentence), nor that an answer without one is right. It only ever lowers: no words can turn what was not done into "answered".

docs/cli.md, "How a run ends", lists what is read; admissions.py and languages.py hold the words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from outrider.agent.answers.admissions import CANNOT, OF_THE_WORK, I, admitted
from outrider.agent.answers.goal_kind import GoalKind
from outrider.agent.answers.languages import COULD_NOT, NOT_THERE, SORRY
from outrider.memory.events import Outcome

LOOKED_AT = 4000  # characters of an answer
SENTENCE = 600  # of a sentence: what a stranger wrote may not take long
_MARK = re.compile(
    r"\A[\s*_`#>\[(]*status[\s*_`]*:[\s*_`]*(answered|done|ok|success|complete|completed|partial|incomplete|not[ _-]found|refused|failed|failure"
    r"|unable|error|blocked)(?=[\s*_`]*(?:[\])\n.:;,–—-]|\Z))[\s*_`.:\])]*",
    re.IGNORECASE,
)
_MARKS: dict[str, Outcome] = {
    "partial": "partial", "incomplete": "partial", "not_found": "not_found", "refused": "refused",
    "failed": "unable", "failure": "unable", "unable": "unable", "error": "unable", "blocked": "unable",
}  # fmt: skip


def outcome_of(text: str, goal: str, seen: Sequence[str] = ()) -> tuple[Outcome, str, str]:
    """(outcome, the answer without its mark, why it is not "answered" in words).

    seen: what calls that succeeded showed; a sentence of the answer that stands there word for word is quoted.
    """
    outcome: Outcome = "answered"
    if mark := _MARK.match(text):
        text = text[mark.end() :].lstrip(" -–—\n\t")
        outcome = _MARKS.get(re.sub(r"[ -]", "_", mark[1].lower()), "answered")
    if outcome != "answered":
        return outcome, text, f"the model marked its answer so: {outcome.replace('_', ' ')}"
    outcome, sentence = _admitted(text, GoalKind.of(goal))
    if sentence and _is_personal(sentence) and any(" ".join(sentence.split()) in " ".join(one.split()) for one in seen):
        return "answered", text, ""
    return outcome, text, f"the answer says so: {sentence[:200]}" if sentence else ""


def _is_personal(sentence: str) -> bool:
    """Whether it speaks as a person: what tools print does not say "I"."""
    return bool(re.search(rf"{I}", _straight(sentence)) or COULD_NOT.search(_straight(sentence)))


def _admitted(text: str, goal: GoalKind) -> tuple[Outcome, str]:
    """What the answer's own words admit, and the sentence that does; ("answered", "") if nothing."""
    if (whole := _of_the_whole(text.strip(), goal)) != "answered":
        return whole, text.strip().splitlines()[0]
    sentences = _sentences(text)
    while len(sentences) > 1 and _PLEASANTRY.fullmatch(_straight(sentences[0])):
        del sentences[0]
    if not sentences or goal.holds(_straight(sentences[0])):
        return "answered", ""
    found = _of_lead(sentences[0], goal, alone=len(sentences) == 1)
    if found != "answered":
        return found, sentences[0]
    for sentence in sentences[1:]:
        if _of_later(_straight(sentence), goal):
            return "partial", sentence
    return "answered", ""


def _of_lead(sentence: str, goal: GoalKind, *, alone: bool) -> Outcome:
    """What the sentence that opens the answer admits."""
    said, label = _unlabelled(_straight(sentence))
    plain, inner = _unlabelled(_APOLOGY.sub("", said))
    told = _reported(plain, goal)
    for admission, found in admitted(told, goal):
        return "partial" if _is_half(told[: found.start()]) or told.startswith("but ") else admission.outcome
    if any(word.endswith("error") for word in (label, inner)) and not goal.is_about("error"):
        return "unable"
    if plain != said and not goal.authors and not goal.whether and (len(plain.split()) < 3 or _NEGATIVE.search(told)):
        return "unable"
    if "status" in label and re.match(r"(failed|failure|error|blocked|incomplete|unfinished)\b\W*\Z", plain):
        return "unable"
    if (foreign := _foreign(told, goal)) != "answered":
        return foreign
    if (alone and _ANNOUNCED.match(plain)) or (alone and _UNDER_WAY.fullmatch(plain)):
        return "unable"
    return "partial" if _leaves_out(told, goal) else "answered"


def _is_half(before: str) -> bool:
    """Whether something was said to be done before the admission: "The total is 12, but …"."""
    half = re.search(r"\b(but|however|although|though|except)\b|[;,] ?(and )?\w*\Z", before)
    return half is not None and len(before[: half.start()].split()) > 2 and not _TRIED.search(before)


_TRIED = re.compile(r"\b(tried|attempted|looked|looking|search\w*|trying|after|seems?|appears?)\b")


def _foreign(told: str, goal: GoalKind) -> Outcome:
    """What a sentence in another language admits."""
    if goal.translates and told.isascii() == goal.text.isascii() and not goal.named_in(told):
        return "answered"
    told = re.split(r"[:：](?=\s)", told)[0]
    if COULD_NOT.search(told):
        return "not_found" if NOT_THERE.search(told) or _FOUND.search(told) else "unable"
    if goal.whether or goal.authors or (goal.troubled and not goal.named_in(told)):
        return "answered"
    if NOT_THERE.search(told) and not _REPORTS.search(told):
        return "not_found"
    return "unable" if SORRY.search(told) else "answered"


_FOUND = re.compile(
    r"finden|gefunden|trouv|encontr|trovat|vind|gevonden|hitta|fant|fandt|наш[её]л|найти|znalaz|bulama|找到|見つけ|찾|أجد|العثور"
)
_REPORTS = re.compile(
    r"\b(sagt|steht|heißt|meldet|bedeutet|dit|indique|signifie|dice|indica|significa|says|zegt|говорит|сообщает)\b"
)


def _of_later(said: str, goal: GoalKind) -> bool:
    """Whether a sentence after the first admits that something is left out."""
    said, _ = _unlabelled(said)
    plain = _APOLOGY.sub("", said)
    if goal.authors and not (OF_THE_WORK.search(plain) and _LATER.match(plain)):
        return False
    if _LATER.match(plain) or (COULD_NOT.search(plain) and not goal.translates and not plain.isascii()):
        return True
    told = _reported(plain, goal)
    for admission, found in admitted(told, goal):
        before = len(told[: found.start()].split())
        if admission.kind in ("deed", "named", "undone", "of_it") or (admission.kind == "state" and before <= 5):
            return True
    return plain != said and bool(_NEGATIVE.search(told)) and not goal.whether and not goal.is_about(told)


def _of_the_whole(text: str, goal: GoalKind) -> Outcome:
    """What an answer admits that is no sentence: a bare word, an error as data, a traceback."""
    plain = _straight(text[:LOOKED_AT]).strip(" .*_`'\"!#")
    if plain in (
        "n/a",
        "na",
        "unknown",
        "undetermined",
        "no answer",
        "no result",
        "idk",
        "dunno",
        "tbd",
    ) and not goal.has(plain):
        return "not_found"
    if re.fullmatch(r"[?.…\s]*(\?|…|\.\.)[?.…\s]*", text[:LOOKED_AT]):
        return "unable"
    if plain in ("error", "failed", "failure", "sorry") and not goal.is_about(plain) and not goal.asks:
        return "unable"
    if plain in ("none", "null", "nil", "nothing", "undefined", "[]", "{}", "-") and not goal.asks and not goal.authors:
        return "unable"
    debugging = (
        goal.is_about("error")
        or goal.is_about("traceback")
        or any(map(goal.has, ("fix", "rais", "debug", "test", "json", "log")))
    )
    if not debugging and (
        re.match(r"traceback \(most recent call last\)|\w*(error|exception): ", plain) or _is_error(text)
    ):
        return "unable"
    return "answered"


def _is_error(text: str) -> bool:
    """Whether it is a JSON object that tells an error and nothing else."""
    if not text.startswith("{") or len(text) > LOOKED_AT:
        return False
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return False
    errors = {"error", "errors", "message", "detail", "reason", "code", "status", "success", "ok"}
    return bool(told) and set(told) <= errors and bool(told.get("error") or told.get("errors"))


def _leaves_out(told: str, goal: GoalKind) -> bool:
    """ "I read a but not b", where the goal speaks of b."""
    found = re.search(rf"{I}.*\bbut (not (the )?|(did not|didn't|have not|haven't) )([\w./-]+)", told)
    return found is not None and found.groups()[-1].strip(".") in re.split(r"[^\w./-]+", goal.text)


def _sentences(text: str) -> list[str]:
    """Its sentences, without code blocks, headings, quotations of others and marks of formatting."""
    bare = re.sub(r"```.*?(```|\Z)", " ", text[:LOOKED_AT], flags=re.DOTALL)
    if not bare.strip():  # all of it is one block
        bare = text[:LOOKED_AT].replace("```", "\n")
    bare = re.sub(
        r"\"[^\"\n]{0,400}\"|“[^”\n]{0,400}”|«[^»\n]{0,400}»|„[^“\n]{0,400}“|^>.*$", "…", bare, flags=re.MULTILINE
    )
    without = re.sub(r"^#+ .*$", " ", bare, flags=re.MULTILINE)
    parts = re.split(r"(?<=[.!?])\s+|(?<=[。！？])|\n+", without if without.strip() else bare)
    return [part for one in parts if (part := _ORNAMENT.sub("", one[:SENTENCE]).rstrip(" *_#\t"))]


_ORNAMENT = re.compile(r"\A[^\w(\"'`¿…/.$€£%+]+")
_PLEASANTRY = re.compile(
    r"((hello|hi|hey|greetings)\b.{0,40}|(thanks|thank you)\b.{0,60}|(okay|ok|sure|certainly|of course|understood|great|right|yes|well)\b[^a-z]*"
    r"|(final answer|answer|result|response|summary)[^a-z]*)"
)


def _straight(text: str) -> str:
    return text.replace("’", "'").lower().strip()


def _unlabelled(plain: str) -> tuple[str, str]:
    """A sentence without the label it opens with, and that label."""
    if found := _LABEL.match(plain):
        return plain[found.end() :], found[1]
    return plain, ""


_LABEL = re.compile(
    r"\A(final answer|answer|result|response|summary|conclusion|note|warning|output|update|(?:\w+ )?error|(?:the )?status(?: is)?)\**\s*[:—–]\**\s*(?=\S)"
)


def _reported(plain: str, goal: GoalKind) -> str:
    """A sentence up to where it tells what somebody else says, or what a label stands for."""
    told = _SAYS.split(plain, maxsplit=1)[0]
    head, colon, rest = told.partition(": ")
    if goal.named_in(head) and _TROUBLED.match(rest):
        return told
    if colon and not (len(head.split()) <= 3 and re.match(I, rest) and not _OF_A_TEXT.search(head)):
        return head
    return told


_TROUBLED = re.compile(
    r"(not found|(could not|couldn't|cannot|can't) be|missing|unreadable|error|failed|n/a|unknown|no such)\b"
)
_SAYS = re.compile(
    r"\b(?<!tool )(?<!server )(?<!search )(?<!system )(?<!shell )(?<!i )(?<!we )(says?|said|states?|stated|writes?|wrote|means?|explains?|conclude[sd]?"
    r"|mentions?|mentioned|claims?|raises?|shows?|stands for) (that|the|she|he|they|it|you|we|there|how|for|\w+error|…)"
)
_OF_A_TEXT = re.compile(
    r"\b(line|row|says|said|reads|is|was|wrote|writes|steht|message|text|quote|title|entry|reply|answer)\b"
)
_APOLOGY = re.compile(
    r"\A(((i'm|i am) (very |so |truly )?(sorry|afraid)|sorry|apologies|unfortunately|sadly|alas|i apologi[sz]e|my apologies|regrettably|i regret)"
    r"( (that|to (say|inform you|tell you)|for [^,.]{1,60}))*[,.:;!]? ?(but |that )?)+"
)
_NEGATIVE = re.compile(
    r"\b(no|not|nothing|none|never|without|un(able|available|reachable|known|successful\w*|readable)|fail\w*|missing|impossible|empty|denied|beyond|lost|error)\b|n't\b"
)
_LATER = re.compile(
    rf"\A([^,:]{{0,40}}[,:] ?)?((however|but|unfortunately|sadly|note that|still|and)[, ]*)*(i|we) (still |also |just )?(({CANNOT}|only managed)"
    r"|did not (find|finish|complete)|didn't (find|finish|complete)|have not (done|finished|completed|found)|haven't (done|finished|completed|found))\b"
    rf"|.{{4,}}\b(but|however|though|although),? (i|we) {CANNOT}\b"
)
_ANNOUNCED = re.compile(
    r"\A(?!.*: *\S)((okay|ok|sure|certainly|great|first)[,.!]? )?(i will|i'll|i am going to|i'm going to|i need to|i have to|i want to|i would|i'd like to|(next|first|then),? i (would|will|need to)|let me|let's) (now |first |first |then |start by )?"
    r"(read|look|check|search|open|run|us(e|ing)|call|list|find|calculate|write|creat|try|fetch|inspect|examin|go|do)"
)
_UNDER_WAY = re.compile(r"(now )?[a-z]+ing [^!?:]{1,80}(\.\.\.|…)")
