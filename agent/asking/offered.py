"""Which tools a model is offered: all, or, where they would fill a small window, those that fit the goal, and a way to the rest.
Touches nothing: it follows from the goal, the window and the calls of the run. Every tool can be called, offered or not.
Does not promise: that the words of a goal name the tool it needs; `find_tool` looks the others up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from outrider.agent.models.model import ToolSpec, tools_bytes

MOST_SHARE = 0.4  # of the window: a longer list is shortened …
SHORT_SHARE = 0.2  # … to this
MOST_TOOLS = 40  # a longer list is shortened too: models choose worse among many, and every request pays for all …
SHOWN = 20  # … to this
FINDER = "find_tool"
_ALWAYS = ("python", "read_file")  # what most goals need, words or not


def offered(
    specs: Sequence[ToolSpec], goal: str, window: int | None, tokens_a_byte: float, called: Sequence[str]
) -> tuple[ToolSpec, ...]:
    """The tools to send: `called` and found ones first in their order, then by their fit to the goal, as many as the window has room for."""
    every = tuple(spec for spec in specs if spec.name != FINDER)
    fits = window is None or tools_bytes(every) * tokens_a_byte <= window * MOST_SHARE
    if fits and len(every) <= MOST_TOOLS:
        return every
    room = math.inf if window is None or fits else window * SHORT_SHARE / tokens_a_byte
    finder = [spec for spec in specs if spec.name == FINDER]
    room -= tools_bytes(finder)
    chosen: set[str] = set()
    for spec in sorted(every, key=lambda spec: -_fit(spec, goal, called)):
        size = tools_bytes((spec,))
        if (size <= room and len(chosen) < SHOWN) or not chosen:
            chosen.add(spec.name)
            room -= size
    return tuple(spec for spec in specs if spec.name in chosen or spec.name == FINDER)


def _fit(spec: ToolSpec, goal: str, called: Sequence[str]) -> float:
    words = _words(goal)
    score = 2.0 * len(words & _words(spec.name)) + len(words & _words(spec.description))
    score += (100 - min(called.index(spec.name), 90)) if spec.name in called else 0
    score += 0.5 * (spec.name in _ALWAYS) + 1.5 * (not spec.ours)
    return score + 20 * (spec.name in goal)


def found_names(specs: Sequence[ToolSpec], query: str, most: int = 4) -> list[ToolSpec]:
    """The tools whose words fit `query` best, best first; all of the best ones if no word fits."""
    scored = sorted(((_fit(spec, query, ()), spec) for spec in specs if spec.name != FINDER), key=lambda pair: -pair[0])
    good = [spec for score, spec in scored if score >= 1]
    return (good or [spec for _, spec in scored])[:most]


@lru_cache(maxsize=512)
def _words(text: str) -> frozenset[str]:
    """The stems of the longer words."""
    return frozenset(word[:5] for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in _COMMON)


_COMMON = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "from",
        "this",
        "that",
        "you",
        "are",
        "its",
        "one",
        "all",
        "into",
        "what",
        "how",
        "many",
        "much",
        "which",
        "give",
        "gives",
        "its",
    ]
)
