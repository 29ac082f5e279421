"""Stories that ask back: for what was before, for the one compared with, for the other part of a share.

What it is: `is_turned(text)` knows them by their words, in plain small letters with numbers in digits. A shape that reads
stories forwards would have the right numbers and the wrong operator. What it may touch: nothing. Does not promise: every
such story. Used by stories.py.
"""

from __future__ import annotations

import re

from outrider.agent.models.brain.sums.words import N, singular

_BEFORE = re.compile(
    r"\b(?:before|original(?:ly)?|initially|at first|at the (?:start|beginning)|to (?:start|begin) with)\b"
    r"|\bafter (?:he|she|it|they|i|we|an? \d)"
)
_PERCENT = re.compile(r"%|per ?cent")
_CHANGE_ITSELF = re.compile(
    r"\bhow (?:much|many) (?:more|less|fewer|higher|lower|cheaper|dearer)\b|\bhow much (?:do|does|did|will|would|can) \w+ sav"
)
_TIPS = re.compile(r"\b(?:tip|tax|vat)\b")
_PART = re.compile(r"\bhow many (?:of (?:them|the \w+) )?(?:(?:are|were) (\w+)|(\w+) (?:are|were)\b)")
_REST = frozenset(
    ["left", "free", "not", "still", "that", "there", "they", "remaining", "now", "it", "in", "over", "of", "them"]
)
_COMPARED = re.compile(
    r"(?:\b(?:twice|double|half|triple|\w+ times) as \w+(?: \w+)? as|\b(?:more|less|\w+er)(?: \w+)? than) (?:the |in |on |his |her |my )?([a-z]+)"
)
_WORKERS = re.compile(
    rf"{N} (?:\w+ )?(?:workers?|painters?|taps?|pipes?|pumps?|machines?|robots?|builders?|gardeners?|men|women|people|persons?|bakers?|cooks?|cleaners?|printers?|tractors?|diggers?|excavators?|horses?|cows?|friends)\b"
)
_DURATION = re.compile(rf"{N} (?:minutes?|hours?|days?|weeks?|months?)\b")
_WORK = re.compile(
    r"\b(?:needs?|takes?|took|fills?|empt\w+|finish\w*|digs?|paints?|builds?|lasts?|mows?|cleans?|ploughs?|complet\w+|repairs?)\b"
)


def is_turned(text: str) -> bool:
    """Whether a story is one that the forward shapes would read the wrong way round."""
    if _BEFORE.search(text) or _asks_of_the_other(text):
        return True
    if _PERCENT.search(text) and ((_CHANGE_ITSELF.search(text) and not _TIPS.search(text)) or _asks_of_the_rest(text)):
        return True
    return bool(_WORKERS.search(text) and _DURATION.search(text) and _WORK.search(text))  # more of them need less time


def _asks_of_the_rest(text: str) -> bool:
    """ "40% are girls. How many are boys?": a part that was not named before."""
    found = _PART.search(text)
    word = (found[1] or found[2]) if found else ""
    named = {singular(one) for one in re.findall(r"[a-z]+", text[: found.start()])} if found else set()
    return bool(word) and word not in _REST and singular(word) not in named


def _asks_of_the_other(text: str) -> bool:
    """ "Lisa has 30, twice as many as Max. How many does Max have?": the number is of the one that is compared."""
    for found in _COMPARED.finditer(text):
        other = found[1]
        if other in ("that", "this", "it"):
            continue
        before = re.sub(rf"{N} ?$", "", text[: found.start()])
        if re.search(N, before) and not re.search(rf"\b{other}\b", before):
            return True
        if re.search(
            rf"\bhow [^.?!]*\b(?:does|do|did|has|have|is|are|was|were) (?:the |his |her |my )?{other}\b",
            text[found.end() :],
        ):
            return True
    return False
