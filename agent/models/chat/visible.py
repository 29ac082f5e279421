"""Lets through only the words of a streamed reply that are answer: no reasoning, no markup of calls.
Touches nothing. What may turn out to be markup is held back until that is clear; `finish` shows what is left of the answer.
Does not promise: to take back reasoning whose opening tag never came; a model that does so once is held back from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from outrider.agent.models.chat.reasoning import CLOSERS, OPENERS

_MARKS = tuple(
    each.lower()
    for each in (
        *OPENERS, *CLOSERS, "<tool", "<function", "<invoke", "<minimax:", "<seed:", "<|", "<｜", "[tool_calls]", "functools[",
        "analysis", "<toolcall", "```", "~~~", "action:", "thought:", "<start_function", "<steptml:", "<response>", "<answer>", "]<]minimax[>[",
    )
)  # fmt: skip
_HELD = re.compile(r"<|\](?:<|\Z)|\[tool|functools|(?:^|\n)[ \t]*(?:`{1,3}|~|\{|\[|action|thought)", re.I)
_LONGEST_MARK = max(map(len, _MARKS))


class Visible:
    """Feed it the text as it comes. held=True: nothing is shown before the end (its reasoning has no opening tag).
    names: the tools on offer, for a name that stands alone above its arguments."""

    def __init__(self, show: Callable[[str], None], names: Sequence[str] = (), *, held: bool = False) -> None:
        self._show, self._held, self._names = show, held, names
        self._text = ""
        self._shown = 0

    def feed(self, piece: str) -> None:
        """Take the next piece; show what is certainly answer."""
        self._text += piece
        if self._held:
            return
        upto = self._safe()
        if upto > self._shown:
            self._show(self._text[self._shown : upto])
            self._shown = upto

    def finish(self, answer: str) -> None:
        """The reply is whole: show the part of its answer that was held back."""
        shown = self._text[: self._shown]
        if not answer.strip():
            return
        rest = answer[len(shown) :] if answer.startswith(shown) else answer if not shown.strip() else ""
        if rest:
            self._show(rest)

    def _safe(self) -> int:
        """How far the text is answer whatever comes next."""
        if not self._shown and self._may_begin_a_mark():
            return 0
        for found in _HELD.finditer(self._text, max(0, self._shown - 1)):
            start = found.start() + len(found[0]) - len(found[0].lstrip())
            if start < self._shown:
                continue
            tail = self._text[start : start + _LONGEST_MARK].lower()
            if tail[:1] in ("{", "[") or any(tail.startswith(mark) for mark in _MARKS):
                self._held = True  # the whole reply will tell; looking again at each piece would cost a square
                return start
            if any(mark.startswith(tail) for mark in _MARKS):
                return start
        return len(self._text)

    def _may_begin_a_mark(self) -> bool:
        """Whether all of the text so far may be the beginning of a call or a thought."""
        start = self._text.strip().lower()
        if any(mark.startswith(start[: len(mark)]) for mark in _MARKS):
            return True
        name, _, rest = self._text.strip().partition("\n")
        return rest.lstrip()[:1] in ("", "{") and any(one.startswith(name.strip()) for one in self._names)
