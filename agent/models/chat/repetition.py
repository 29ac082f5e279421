"""Whether a text has begun to say one phrase again and again, as small models do until their limit.
Touches nothing. Used while a reply is being written, to stop it there.
Does not promise: to see a phrase longer than MOST_PERIOD characters, or one that changes a little each time.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_PERIOD = 400  # characters of the phrase
TIMES = 5  # it must have been said at least this often …
LEAST_CHARS = 400  # … and fill at least this much: a ruled line or a row of zeros is no loop
LEAST_HOSTED = 1600  # the same for a model on a server: it may be asked to repeat itself, and can
EVERY = 64  # characters between two looks
_TAIL = MOST_PERIOD * TIMES + LEAST_HOSTED  # as far back as a look goes


def repeated_tail(text: str, least: int = LEAST_CHARS) -> str:
    """The shortest phrase that `text` ends with, said over and over; "" if it does not end so."""
    for period in range(1, min(MOST_PERIOD, len(text) // TIMES) + 1):
        size = period * max(TIMES, -(-least // period))
        if size <= len(text) and text[-size:-period] == text[-size + period :]:
            return text[-period:]
    return ""


def said_once(text: str, phrase: str) -> str:
    """`text` without the repetitions of `phrase` at its end: it is left there once."""
    end = len(text)
    while phrase and text.startswith(phrase, end - 2 * len(phrase)) and end >= 2 * len(phrase):
        end -= len(phrase)
    return text[:end]


class Watch:
    """Feed it the pieces of a reply; `phrase` is what it has begun to repeat, "" so far."""

    def __init__(self, on_text: Callable[[str], None] | None = None, *, least: int = LEAST_CHARS) -> None:
        self.phrase, self._least = "", least
        self._pieces: list[str] = []
        self._tail, self._new = "", 0
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
            self._new = 0
            self.phrase = repeated_tail(self._tail, self._least)
        return bool(self.phrase)
