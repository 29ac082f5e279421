"""Masks text that comes in pieces: what may be the beginning of a secret is held until it is known.
Touches nothing. Does not promise: a private key of more than MOST_HELD characters; nor more than the masker promises.

Text is let go where a word ends, but no secret with blanks in it, and nothing that a shape knows by the words before it, is
parted: it is looked for what may go on after the cut.
"""

from __future__ import annotations

import re

from outrider.memory.redaction.masker import Masker

MOST_HELD = 32_768  # characters
LONGEST = 20_500  # of what has a shape and no blank in it (shapes.py)
_TAIL = 120  # characters of what announces a key
# What has the shape of a key only with what follows: these stay with it.
_ANNOUNCES = re.compile(
    r"(?i)(?:authorization[\"']?\s{0,3}[:=]?\s{0,3}(?:basic)?\s{0,3}|bearer\s{1,3}"
    r"|aws_?secret_?(?:access_?)?key[\"']?\s{0,3}[:=]?\s{0,3}[\"']?)\Z"
)
_PEM = re.compile(r"-----BEGIN (?:[A-Z0-9 ]{0,60}\Z|[A-Z0-9 ]{0,40}PRIVATE KEY)")
_PEM_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


class Stream:
    """Masks one stream of text."""

    def __init__(self, masker: Masker) -> None:
        self._masker, self._held = masker, ""

    def piece(self, text: str) -> str:
        """What may be shown once `text` has come."""
        self._held += text
        if len(self._held) >= MOST_HELD:
            return self._endless()
        if not (cut := self._cut()):
            return ""
        ready, self._held = self._held[:cut], self._held[cut:]
        return self._masker.text(ready)

    def rest(self) -> str:
        """What was held, at the end."""
        held, self._held = self._held, ""
        return self._masker.text(held)

    def _cut(self) -> int:
        """How much of what is held may go: up to the end of a word, and nothing begins there that goes on after it."""
        cut = _word_at(self._held, len(self._held))
        while cut and (earlier := self._begins_before(cut)) < cut:
            cut = _word_at(self._held, earlier)
        return cut

    def _begins_before(self, cut: int) -> int:
        """Where the first thing begins that may reach over the cut; the cut itself if nothing does."""
        held, first = self._held, cut
        if announced := _ANNOUNCES.search(held, max(0, cut - _TAIL), cut):
            first = announced.start()
        open_keys = (key.start() for key in _PEM.finditer(held) if not _PEM_ENDS.search(held, key.start(), cut))
        first = min(first, next(open_keys, first))
        for form in self._masker.spaced:
            first = min(first, _reaching(held, form, first))
        return first

    def _endless(self) -> str:
        """What goes of a text that never offers a place to cut: all but as much as the longest key."""
        masked = self._masker.text(self._held)
        ready, self._held = masked[:-LONGEST], masked[-LONGEST:]
        return ready


def _word_at(text: str, end: int) -> int:
    """Where the word begins that stands before `end`, 0 if no blank is before it."""
    return max(text.rfind(" ", 0, end), text.rfind("\n", 0, end)) + 1


def _reaching(held: str, form: str, cut: int) -> int:
    """The first place before the cut where `form` stands and ends after it, or may yet stand; the cut if there is none."""
    at = held.find(form[0], max(0, cut - len(form) + 1), cut)
    while at >= 0:
        if held.startswith(form, at) or form.startswith(held[at:]):
            return at
        at = held.find(form[0], at + 1, cut)
    return cut
