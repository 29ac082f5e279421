"""Whether a text has begun to say one thing again and again, as small models do until their limit.
Touches nothing. Used while a reply is being written, to stop it there. Two looks: the same characters over and over, and
(less often) two or three sentences that come again and again with other spaces, capitals or numbers.
Does not promise: to see a phrase longer than MOST_PERIOD characters, or sentences that are told in new words each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

MOST_PERIOD = 400  # characters of the phrase
TIMES = 5  # it must have been said at least this often …
LEAST_CHARS = 400  # … and fill at least this much: a ruled line or a row of zeros is no loop
LEAST_HOSTED = 1600  # the same for a model on a server: it may be asked to repeat itself, and can
EVERY = 64  # characters between two looks
_PROBE = 24  # characters: where they stood before, a phrase may have begun
_TAIL = MOST_PERIOD * TIMES + LEAST_HOSTED  # as far back as a look goes

ALIKE_EVERY = 512  # characters between two looks for sentences that are only alike
ALIKE_KINDS = 3  # so many different sentences may take turns
ALIKE_TIMES = 8  # each comes about this often
LEAST_WORDS = 6  # of a sentence in which a number changes: "line 7 of the file" may be work
COUNTER_WITHIN = 3  # words before the number that counts a sentence: "Step 12:", "Let me try 12 …"
_SENTENCE = re.compile(r"[^.!?\n。！？]*[.!?\n。！？]+[ \t\n]*|[^.!?\n。！？]+\Z")
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_DATA = re.compile(
    r"[\[\](){}<>=|;\"`_\\/@$]|\B'|'\B"
)  # of code, a table, a statement: a value that changes there is work
_MOST_DIGITS = 4000  # the most Python reads


def repeated_tail(text: str, least: int = LEAST_CHARS) -> str:
    """The shortest phrase that `text` ends with, said over and over; "" if it does not end so."""
    if not text:
        return ""
    probe = text[-_PROBE:]
    at = len(text) - len(probe)
    while (at := text.rfind(probe, 0, at + len(probe) - 1)) >= 0:
        period = len(text) - len(probe) - at
        if period > MOST_PERIOD:
            break
        size = period * max(TIMES, -(-least // period))
        if size <= len(text) and text[-size:-period] == text[-size + period :]:
            return text[-period:]
    return ""


def loop(text: str, least: int = LEAST_CHARS) -> str:
    """What a whole `text` repeats at its end, in the same characters or in sentences that are alike; "" for nothing."""
    return repeated_tail(text, least) or alike_tail(text[-_TAIL:], least)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """shape: what stands around its numbers, without its spaces and capitals. at: where it begins."""

    shape: tuple[str, ...]
    numbers: tuple[int, ...]
    at: int


def alike_tail(text: str, least: int = LEAST_CHARS) -> str:
    """What `text` ends with from where two or three sentences begin to come again and again, alike but not the same;
    "" if it does not end so.

    Spaces and capitals never tell them apart. Numbers do, unless they stand still, or one at the beginning of a sentence
    of words counts on evenly: rows, statements and measurements are work, "Step 12: I check the file once more" is not.
    """
    found = [each for each in _SENTENCE.finditer(text) if not each[0].isspace()]
    kinds: dict[tuple[str, ...], list[_Sentence]] = {}
    start = len(text)
    for taken, each in enumerate(reversed(found[1:-1]), start=1):  # not the first, which may have lost its beginning,
        sentence = _sentence(each)  # nor the last, which may still be written
        if sentence.shape not in kinds and len(kinds) == ALIKE_KINDS:
            break
        kinds.setdefault(sentence.shape, []).append(sentence)
        enough = taken >= ALIKE_TIMES * len(kinds) and len(text) - sentence.at >= least
        if enough and all(map(_says_nothing_new, kinds.values())):
            start = sentence.at
        elif start < len(text):
            break
    return text[start:]


def _sentence(found: re.Match[str]) -> _Sentence:
    words = " ".join(found[0].split()).lower()
    numbers = tuple(int(each[:_MOST_DIGITS]) for each in _NUMBER.findall(words))
    return _Sentence(tuple(_NUMBER.split(words)), numbers, found.start())


def _says_nothing_new(alike: list[_Sentence]) -> bool:
    """Whether sentences of one shape (the newest first) differ in nothing, or in the number that counts them."""
    shape = " ".join(alike[0].shape)
    words = len(_WORD.findall(shape))
    if words == 0 or len(alike) < 2:
        return False
    columns = list(zip(*(each.numbers for each in alike), strict=True))
    changing = [at for at, column in enumerate(columns) if len(set(column)) > 1]
    if not changing:
        return True
    before = " ".join(alike[0].shape[: changing[0] + 1])
    steps = {newer - older for newer, older in pairwise(columns[changing[0]])}
    counts = len(changing) == 1 and len(steps) == 1 and len(before.split()) <= COUNTER_WITHIN
    return counts and words >= LEAST_WORDS and not _DATA.search(shape)


def said_once(text: str, phrase: str) -> str:
    """`text` without the repetitions of `phrase` at its end: it is left there once."""
    end = len(text)
    while phrase and text.startswith(phrase, end - 2 * len(phrase)) and end >= 2 * len(phrase):
        end -= len(phrase)
    if end < len(text):
        return text[:end]
    alike = alike_tail(text, 0) if phrase else ""
    first = _SENTENCE.match(alike)  # of sentences that are only alike
    return text[: len(text) - len(alike) + first.end()].rstrip() if first else text


class Watch:
    """Feed it the pieces of a reply; `phrase` is what it has begun to repeat, "" so far."""

    def __init__(self, on_text: Callable[[str], None] | None = None, *, least: int = LEAST_CHARS) -> None:
        self.phrase, self._least = "", least
        self._pieces: list[str] = []
        self._tail, self._new, self._unseen = "", 0, 0
        self._on_text = on_text

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    def __call__(self, piece: str) -> bool:
        """Take a piece. True: it repeats itself, stop it."""
        if not piece:
            return bool(self.phrase)
        self._pieces.append(piece)
        self._new += len(piece)
        self._tail = (self._tail + piece)[-_TAIL:]
        if self._on_text:
            self._on_text(piece)
        if self._new >= EVERY:
            self._unseen += self._new
            self._new = 0
            self.phrase = repeated_tail(self._tail, self._least)
            if not self.phrase and self._unseen >= ALIKE_EVERY:
                self._unseen = 0
                self.phrase = alike_tail(self._tail, self._least)
        return bool(self.phrase)
