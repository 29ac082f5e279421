"""Whether a text has begun to say one phrase again and again, as small models do until their limit.
Touches nothing. Used while a reply is being written, to stop it there.
Does not promise: to see a phrase longer than MOST_PERIOD characters, or one that changes a little each time.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_PERIOD = 400  # characters of the phrase
TIMES = 5  # it must have been said at least this often …
LEAST_CHARS = 240  # … and fill at least this much: a ruled line or a row of zeros is no loop
EVERY = 64  # characters between two looks


def repeated_tail(text: str) -> str:
    """The shortest phrase that `text` ends with, said over and over; "" if it does not end so."""
    for period in range(1, min(MOST_PERIOD, len(text) // TIMES) + 1):
        size = period * max(TIMES, -(-LEAST_CHARS // period))
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

    def __init__(self, on_text: Callable[[str], None] | None = None) -> None:
        self.text, self.phrase = "", ""
        self._on_text, self._looked = on_text, 0

    def __call__(self, piece: str) -> bool:
        """Take a piece. True: it repeats itself, stop it."""
        self.text += piece
        if self._on_text and piece:
            self._on_text(piece)
        if len(self.text) - self._looked >= EVERY:
            self._looked = len(self.text)
            self.phrase = repeated_tail(self.text)
        return bool(self.phrase)
