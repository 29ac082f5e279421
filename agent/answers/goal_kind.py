"""What a goal asks for, as far as it decides whether words of trouble in an answer are the answer or an admission.
Touches nothing. Does not promise: to understand a goal; it looks at how it opens and at the words in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from outrider.agent.answers.languages import TRANSLATE, WHETHER

MAX_GOAL = 20_000  # characters looked at
_REQUEST = re.compile(r"\A((can|could|would|will) you( please)?|please|kindly|bitte|hey|hi|hello)[, ]+")
_WHETHER = re.compile(
    r"\A(is|are|was|were|does|do (you|we|they|i|any|the|these|those)|did|has|have|can|am|will|should"
    r"|(check|see|find out|verify|tell me|say|confirm|test) (if|whether|that))\b|\bor not\b"
)
_COUNTS = re.compile(r"\b(how many|how much|number of|count|list|any|all|every|each)\b")
_EXPLAINS = re.compile(
    r"\b(why|explain|mean|means|meaning|how (do|can|to|should|does|would|could)|define|difference)\b"
)
_ASKS = re.compile(
    r"\A(who|whose|whom|what|when|where|which|why|how|list|find|count|print|return|show|give|get|compute|calculate|evaluate"
    r"|sum|add|say|answer|name|tell|repeat|echo|output|is|are|was|were|does|do|did|has|have|can)\b|\?\s*\Z"
)
_AUTHORS = re.compile(
    r"\b(write|draft|compose|rephrase|reword|rewrite|proofread|reply|respond|poem|story|haiku|letter|mail|e-?mail|message|messages"
    r"|dialogue|script|say|repeat|echo|quote|lyrics|sentence|examples?|apology|apologi[sz]e|excuses?|refusal|invent|imagine|pretend|joke)\b"
)
_TROUBLE = re.compile(
    r"\b(errors?|fail\w*|problems?|issues?|exceptions?|warnings?|broken|bugs?|bugfix|404|crash\w*|logs?|happen\w*|missing|tracebacks?|debug\w*)\b"
    r"|\b(fehler|erreurs?|errores|errori|erros?|fout|fouten|fel|feil|fejl|hata)\b|ошиб|błęd|错误|錯誤|エラー|오류"
)
_FALLBACK = re.compile(r"\b(if|when|unless|otherwise|else|falls|wenn|sonst|si|sinon)\b")
_NAME = re.compile(r"(?<![\w/-])[\w/-]*\w\.\w{1,5}\b")  # from where a word begins, or a long one costs its square
_STEMS = (
    "fail", "miss", "error", "exception", "traceback", "denied", "denial", "forbid", "unreach", "broke", "found", "404", "exist", "empty", "unknown",
    "null", "none", "n/a", "unavail", "absent", "lack", "sorry", "apolog", "refus", "declin", "reject", "unable", "impossib", "invalid", "undefin",
    "without", "permission", "offline", "wrong", "problem", "issue", "trouble", "sent", "nothing", "incomplete", "cannot",
    "can't", "couldn't", "not done", "undone", "unfinished", "blank",
)  # fmt: skip


@dataclass(frozen=True)
class GoalKind:
    """A goal, read once. `text`: in lower case, without the courtesy it opens with."""

    text: str
    names: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, goal: str) -> GoalKind:
        """Of a goal as it was given."""
        plain = " ".join(goal[:MAX_GOAL].replace("’", "'").lower().split())
        while found := _REQUEST.match(plain):
            plain = plain[found.end() :]
        return cls(plain, frozenset(_NAME.findall(plain)))

    @cached_property
    def _words(self) -> str:
        return _NAME.sub(" ", self.text)

    @cached_property
    def whether(self) -> bool:
        """A question whether something is so: a no is an answer."""
        return bool(_WHETHER.search(self.text) or WHETHER.search(self.text))

    @cached_property
    def counts(self) -> bool:
        """How many, which all: none is an answer."""
        return bool(_COUNTS.search(self.text))

    @cached_property
    def asks(self) -> bool:
        """A question, or an order to say something, rather than to do something."""
        return bool(_ASKS.search(self.text))

    @cached_property
    def authors(self) -> bool:
        """Words are to be made or repeated: what they say is not said of the run."""
        return bool(_AUTHORS.search(self.text) or TRANSLATE.search(self.text))

    @cached_property
    def translates(self) -> bool:
        """A text is to be put into another language."""
        return bool(TRANSLATE.search(self.text))

    @cached_property
    def inline(self) -> bool:
        """A text to translate stands in the goal itself."""
        return self.translates and not self.names

    @cached_property
    def removes(self) -> bool:
        """Something is to be gone."""
        return any(map(self.has, ("delet", "remov", "rid ", "get rid", "clear", "clean", "move", "rename")))

    def is_about(self, words: str, *, wide: bool = True) -> bool:
        """Whether such trouble is what the goal asks about: it has a word of it, or wants it explained.

        Not where the words name a file of the goal: "Explain a.py" is not answered by "a.py does not exist".
        """
        if any(re.search(rf"(?<![a-z]){re.escape(stem)}", words) and self.has(stem) for stem in _STEMS):
            return True
        return ((wide and self.troubled) or bool(_EXPLAINS.search(self.text))) and not self.named_in(words)

    @cached_property
    def troubled(self) -> bool:
        """About what went wrong somewhere: a log, a bug, a list of errors."""
        return bool(_TROUBLE.search(self._words))

    def has(self, stem: str) -> bool:
        """Whether a word of the goal begins so; the names of files are no words."""
        return re.search(rf"(?<![a-z]){re.escape(stem)}", self._words) is not None

    def named_in(self, words: str) -> bool:
        """Whether a file the goal names is named in `words`."""
        return any(name in words for name in self.names)

    def holds(self, sentence: str) -> bool:
        """Whether the goal dictates a sentence: says it, and not only for the case that something fails."""
        return len(sentence) > 5 and sentence.strip(" .!\"'") in self.text and not _FALLBACK.search(self.text)
