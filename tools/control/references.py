"""References to results: `@step2` in the arguments of a call stands for what step2 of the plan gave.
Touches nothing. Does not promise: anything about a name that is no step of the plan; such text is left as it is.

A whole argument becomes the result as the parameter wants it (text, or the JSON value); inside a longer text it is put in
as text. `@@step2` is the words "@step2".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Result = Callable[[str], str]


def finder(ids: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for references to these steps; None if there are none."""
    names = "|".join(re.escape(one) for one in sorted(ids, key=len, reverse=True))
    return re.compile(rf"(?<![\w@])(@?)@({names})(?![\w-])") if names else None


def named_in(value: Any, ids: Iterable[str]) -> tuple[str, ...]:
    """The steps that `value` refers to, each once."""
    pattern = finder(ids)
    found: dict[str, None] = {}
    for text in _texts(value) if pattern else ():
        found |= {m[2]: None for m in pattern.finditer(text) if not m[1]} if pattern else {}
    return tuple(found)


def filled(value: Any, schema: Mapping[str, Any], pattern: re.Pattern[str], result: Result) -> Any:
    """`value` with every reference replaced. result(id) -> the text of that step's result; it may raise.

    schema: of the value; where it takes no text, a whole reference becomes the JSON value that the result is.
    """
    if isinstance(value, str):
        whole = pattern.fullmatch(value.strip())
        if whole and not whole[1]:
            return _typed(result(whole[2]), schema)
        return pattern.sub(lambda m: f"@{m[2]}" if m[1] else result(m[2]), value)
    if isinstance(value, dict):
        inner = schema.get("properties")
        known = inner if isinstance(inner, dict) else {}
        return {key: filled(one, _table(known.get(key)), pattern, result) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, _table(schema.get("items")), pattern, result) for one in value]
    return value


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    """A result as an argument of this schema: text where text is taken, else the JSON value it spells, if it spells one."""
    if "string" in _types(schema):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, str) else value


def _types(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type")
    found = {kinds} if isinstance(kinds, str) else {one for one in kinds or () if isinstance(one, str)}
    for union in ("anyOf", "oneOf"):
        for part in schema.get(union) or ():
            found |= _types(_table(part))
    return found


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _table(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, dict) else {}
