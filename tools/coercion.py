"""Makes arguments the kind of value their JSON Schema wants, where only one value can be meant: "7" for a number.
Touches nothing. Does not promise: that the result fits; the tool's own check comes after.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
_INTEGER, _NUMBER = (
    re.compile(r"[+-]?\d{1,30}(?:\.0+)?"),
    re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?"),
)
_LEVELS = 12  # of nesting that are looked into; deeper values stay as they are
_ABSENT = object()


def as_wanted(arguments: dict[str, Any], schema: Schema, repairs: list[str]) -> dict[str, Any]:
    """`arguments` with values, and keys in another spelling, made what the schema names; each change is told in `repairs`."""
    return _object(arguments, schema, _Root(schema, repairs), 0)


class _Root:
    """The whole schema, for `$ref`, and where repairs are told."""

    def __init__(self, schema: Schema, repairs: list[str]) -> None:
        self.definitions, self.repairs = schema.get("$defs") or schema.get("definitions") or {}, repairs

    def options(self, node: Any, level: int = 0) -> list[Schema]:
        """The plain schemas a value may follow: `$ref` and unions resolved."""
        if not isinstance(node, Mapping) or level > _LEVELS:
            return []
        if isinstance(ref := node.get("$ref"), str):
            return self.options(self.definitions.get(ref.rpartition("/")[2]), level + 1)
        unions = [part for key in ("anyOf", "oneOf", "allOf") for part in node.get(key) or ()]
        if unions:
            return [option for part in unions for option in self.options(part, level + 1)]
        if isinstance(kinds := node.get("type"), list):
            return [{**node, "type": kind} for kind in kinds]
        return [node]

    def say(self, key: str, what: str) -> None:
        """Tell of a repair to one argument."""
        self.repairs.append(f"{key[:60]}: {what}")


def _object(given: dict[str, Any], schema: Schema, root: _Root, level: int) -> dict[str, Any]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or level > _LEVELS:
        return given
    required = schema.get("required") or ()
    made: dict[str, Any] = {}
    for key, value in given.items():
        name = _spelled(key, properties, given)
        if name != key:
            root.say(name, f"was written {key[:60]}")
        fitted = _fitted(value, properties.get(name), root, name, level)
        if fitted is None and name in properties and name not in required and not _takes(root, properties[name], None):
            root.say(name, "null was taken as not given")
            continue
        made[name] = fitted
    return made


def _spelled(key: str, properties: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    if key in properties:
        return key
    near = [name for name in properties if _letters(name) == _letters(key) and name not in given]
    return near[0] if len(near) == 1 else key


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _fitted(value: Any, node: Any, root: _Root, key: str, level: int) -> Any:
    """The value, made the one thing the schema can mean by it; as it was if it fits, or if that is not clear."""
    options = root.options(node)
    if not options or any("type" not in o and "enum" not in o and "const" not in o for o in options):
        return value  # anything may stand here
    for option in options:
        if isinstance(value, dict) and option.get("type") == "object":
            return _object(value, option, root, level + 1)
        if isinstance(value, list) and option.get("type") == "array":
            return [_fitted(one, option.get("items"), root, key, level + 1) for one in value]
    if _takes(root, node, value):
        return value
    readings: list[Any] = []
    for option in options:
        reading = _reading(value, option)
        if reading is not _ABSENT and not any(_same(reading, other) for other in readings):
            readings.append(reading)
    if len(readings) != 1:
        return value
    root.say(key, f"{_short(value)} read as {_short(readings[0])}")
    made = readings[0]
    return _fitted(made, node, root, key, level + 1) if isinstance(made, dict | list) and level < _LEVELS else made


def _takes(root: _Root, node: Any, value: Any) -> bool:
    return any(_is(option, value) for option in root.options(node))


def _is(option: Schema, value: Any) -> bool:
    if "enum" in option:
        return value in option["enum"]
    if "const" in option:
        return bool(value == option["const"])
    kind = option.get("type")
    if kind in ("integer", "number"):
        whole = isinstance(value, int) or (isinstance(value, float) and (kind == "number" or value.is_integer()))
        return whole and not isinstance(value, bool)
    python = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}.get(str(kind))
    return python is not None and isinstance(value, python)


def _reading(value: Any, option: Schema) -> Any:
    """The one value of this option that `value` can mean, else `_ABSENT`."""
    if choices := option.get("enum"):
        near = [c for c in choices if str(c).strip().lower() == str(value).strip().lower()]
        return near[0] if len(near) == 1 and not isinstance(value, bool) else _ABSENT
    kind = option.get("type")
    if kind == "string":
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return json.dumps(value) if plain else _ABSENT
    return _from_text(value.strip(), str(kind)) if isinstance(value, str) else _ABSENT


def _from_text(text: str, kind: str) -> Any:
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text.partition(".")[0])
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "null" and text in ("null", "None"):
        return None
    if kind in ("array", "object"):
        return _parsed(text, list if kind == "array" else dict)
    return _ABSENT


def _parsed(text: str, kind: type) -> Any:
    """A list or object that was sent as its text."""
    if text[:1] not in ("[", "{"):
        return _ABSENT
    for read in (lambda t: json.loads(t, strict=False), ast.literal_eval):
        try:
            value = read(text)
            return json.loads(json.dumps(value, allow_nan=False)) if isinstance(value, kind) else _ABSENT
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return _ABSENT


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:39]}…"
