"""How a small model reads text: lower-case words, identifiers taken apart, numbers as `#`; and which words carry meaning.

What it may touch: nothing; standard library only. What it does not promise: linguistics. Used by spans.py and candidates.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

# Words that separate: what stands between two of them is one span, and what follows one of them is another.
BREAKS = frozenset([
    "a", "an", "the", "in", "on", "of", "for", "to", "into", "from", "by", "with", "at", "as", "and", "or", "is",
    "are", "was", "were", "be", "do", "does", "did", "has", "have", "had", "what", "which", "who", "whom", "whose",
    "when", "where", "why", "how", "many", "much", "there", "this", "that", "these", "those", "it", "its", "my",
    "me", "i", "you", "your", "please", "can", "could", "would", "will", "tell", "show", "give", "find", "get",
    "write", "save", "put", "called", "named", "containing", "contains", "contain", "saying", "says", "say", "text",
    "content", "word", "words", "string", "sentence", "phrase", "file", "about", "between", "using", "than", "then",
    "if", "not", "no", "any", "all", "some", "each", "every", "per", "over", "under", "after", "before", "until",
    "during", "via", "let", "us", "we", "up",
])  # fmt: skip


_PIECE = re.compile(r"<\|[^|]*\|>|\d+(?:[.,]\d+)*|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|[^\w\s]|_")


# One spelling of a word is enough for a small vocabulary.
_SPELT = {
    "license": "licence", "licenses": "licences", "licensed": "licenced", "color": "colour", "colors": "colours",
    "summarize": "summarise", "favorite": "favourite", "center": "centre", "meters": "metres", "kilometers": "kilometres",
    "capitalize": "capitalise", "directory": "folder", "webpage": "page", "e-mail": "email",
}  # fmt: skip


def pieces(text: str, limit: int) -> list[str]:
    """The words of `text` as the small model reads them: lower case, identifiers taken apart, numbers as `#`.

    At most `limit`. Anything that looks like a special token is dropped here, so no text can become one.
    """
    return list(_pieces(text, limit))


@lru_cache(maxsize=4096)
def _pieces(text: str, limit: int) -> tuple[str, ...]:
    out: list[str] = []
    for match in _PIECE.finditer(text[: limit * 40]):
        word = match[0]
        if word.startswith("<|") or word == "_":
            continue
        lowered = word.lower()[:24]
        out.append("#" if word[0].isdigit() else _SPELT.get(lowered, lowered))
        if len(out) >= limit:
            break
    return tuple(out)


_STOP = BREAKS | frozenset(["s", "t", "re", "up", "out", "so", "such", "only", "also", "just", "one", "two"])


def stem(word: str) -> str:
    """A crude stem: `prices`, `priced` and `pricing` meet. Source: trial on the training goals, not a linguistic rule."""
    for ending in ("ing", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def stems(words: Iterable[str]) -> frozenset[str]:
    """The stems of the words that carry meaning: small words and symbols left out."""
    return frozenset(stem(word) for word in words if word not in _STOP and len(word) > 1)
