"""Whose words a call repeats: its arguments against what strangers wrote, by runs of letters that are equal.
Touches nothing. Does not promise: to find words that were encoded or put otherwise; it tells a person more, it is no wall.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from outrider.tools.net.named_secrets import texts_in

GRAM = 12  # letters; LEAST + GRAM - 1 shared in a row are always found
LEAST = 24
MOST = 20_000  # letters of an argument that are looked at
_SPACE = re.compile(r"\s+")


class Strangers:
    """What strangers wrote so far, ready to be compared with. Cheap to add to; the work is done when it is asked."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str]] = []
        self._grams: dict[str, str] = {}

    def add(self, source: str, text: str) -> None:
        """Learn of a text; `source` names it ("read_page, call 2.0")."""
        self._waiting.append((source, text))

    def repeats(self, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        """For each argument that repeats strangers' words: which, how many letters in a row, and whose."""
        self._learn()
        if not self._grams:
            return ()
        found = []
        for name, value in arguments.items():
            source, length = self._longest(texts_in(value))
            if length >= LEAST:
                found.append(f"{name} repeats {length} characters of {source}")
        return tuple(found)

    def _learn(self) -> None:
        for source, text in self._waiting:
            flat = _flat(text)
            for at in range(0, len(flat) - GRAM + 1, GRAM):
                self._grams.setdefault(flat[at : at + GRAM], source)
        self._waiting = []

    def _longest(self, texts: Iterable[str]) -> tuple[str, int]:
        """(source, letters) of the longest part that is made of strangers' words, to within a dozen letters."""
        best, whose = 0, ""
        for text in texts:
            flat, at = _flat(text[:MOST]), 0
            while at <= len(flat) - GRAM:
                source = self._grams.get(flat[at : at + GRAM])
                if source is None:
                    at += 1
                    continue
                begin = at
                while self._grams.get(flat[at : at + GRAM]) == source:
                    at += GRAM
                if at - begin > best:
                    best, whose = at - begin, source
        return whose, best


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).lower()
