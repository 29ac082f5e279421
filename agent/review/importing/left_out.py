"""Counts what an importer cannot read, by kind, so that nothing of a file is missing without a word.
Touches nothing. Does not promise: what such an entry meant; it names its kind as the file spells it, on one line.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from outrider.agent.review.lines import count, one_line

LeftOut = Counter[str]  # kind → how many
MOST_KINDS = 6  # that are named


def objects(value: Any, kind: str, left_out: LeftOut) -> list[dict[str, Any]]:
    """The objects of a list; whatever else stands where they were expected is counted as a `kind` that is none."""
    if value is None:
        return []
    entries = value if isinstance(value, list) else [value]
    found = [one for one in entries if isinstance(one, dict)] if entries is value else []
    if len(found) < len(entries):
        left_out[f"{kind} that is no object"] += len(entries) - len(found)
    return found


def parts_without_words(content: Any) -> list[str]:
    """The kind of each part of a message's content that holds no text: pictures, sound, files."""
    if not isinstance(content, list):
        return []
    odd = [one for one in content if isinstance(one, dict) and not any(map(one.get, _WORDS))]
    return [f"part {named(one.get('type') or 'of no type')}" for one in odd if one.get("type") not in _TEXTS]


_WORDS = ("text", "content", "reasoning", "thinking")
_TEXTS = ("text", "input_text", "output_text", "reasoning", "thinking")  # an empty one of these is nothing lost


def named(name: Any) -> str:
    """A name out of a file of others, short and on one line."""
    return repr(one_line(str(name), 40))


def kind_of(value: Any) -> str:
    """What a value of a file is, for a person who must find it there."""
    if isinstance(value, dict):
        return f"object with the keys {one_line(', '.join(map(str, value)), 60)}" if value else "empty object"
    names = {list: "list", str: "text", bool: "true or false", int: "number", float: "number", type(None): "null"}
    return names[type(value)]


def in_words(left_out: LeftOut) -> str:
    """How many entries of what kinds: "3 entries: part 'image_url' (2), message that is no object"."""
    told = [f"{kind} ({number:,})" if number > 1 else kind for kind, number in left_out.most_common(MOST_KINDS)]
    rest = len(left_out) - len(told)
    more = f", and {count(rest, 'other kind')}" if rest else ""
    entries = "entry" if left_out.total() == 1 else "entries"
    return f"{left_out.total():,} {entries}: {', '.join(told)}{more}"
