"""From a Python callable to what a model is told of it, and back: names, hints, docstrings, schemas, one-line signatures.
Touches nothing. Functions, bound methods, partials and callable objects are all read here.
Does not promise: that every hint has a schema; one that has none is named in the error.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from outrider.memory.errors import UsageError

MOST_CHOICES = 12  # of an enum, in a line that shows a right call
MOST_DEPTH = 3  # of nested objects in such a line
_PLAIN = (bool, int, float, str, list, dict)  # a default of one of these says what an argument without a hint is


@dataclass(frozen=True, slots=True)
class Callee:
    """A callable as its author wrote it. `parameters` leaves out what a partial has already filled in."""

    name: str
    doc: str
    hints: dict[str, Any]
    parameters: tuple[inspect.Parameter, ...]


def read_callable(fn: Callable[..., Any], name: str = "") -> Callee:
    """What a model can be told of `fn`; `name` overrules its own. Raises UsageError for what is no tool."""
    if not callable(fn):
        raise UsageError(
            f"{fn!r} cannot be a tool"[:200], "it cannot be called", "give functions, Tools or names of built-in tools"
        )
    plain = inspect.unwrap(fn.func) if isinstance(fn, functools.partial) else fn
    named = hasattr(plain, "__name__")  # a callable object has none, and its class holds the hints
    name = name or (plain.__name__ if named else _snake(type(plain).__name__))
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", name):
        raise UsageError(
            f"{name!r} cannot be a tool's name", "names are letters, digits, _ and -, 64 at most", "rename it"
        )
    hinted = plain if named and not inspect.isclass(plain) else getattr(plain, "__init__" if named else "__call__")
    doc = inspect.getdoc(plain) if named else _own_doc(plain)
    return Callee(name, doc or name.replace("_", " "), _hints(name, hinted), _parameters(name, fn))


def _snake(title: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", title).lower()


def _own_doc(thing: Any) -> str:
    """The docstring of a callable object: of its call, else of its class."""
    return inspect.getdoc(getattr(type(thing), "__call__", None)) or inspect.getdoc(type(thing)) or ""  # noqa: B004


def _hints(name: str, fn: Any) -> dict[str, Any]:
    try:
        return get_type_hints(fn, include_extras=True)
    except TypeError:  # a builtin has none at all
        return {}
    except Exception as error:  # a hint that names something undefined: the author's mistake, reported as such
        raise UsageError(
            f"tool {name!r}: its type hints cannot be read", str(error), "import what the hints name"
        ) from error


def _parameters(name: str, fn: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    try:
        parameters = tuple(inspect.signature(fn).parameters.values())
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"tool {name!r}: its parameters cannot be read", str(error)[:200], "write a function that calls it"
        ) from error
    filled = fn.keywords if isinstance(fn, functools.partial) else {}
    kept = tuple(one for one in parameters if one.name not in filled)
    for one in kept:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY):
            raise UsageError(
                f"tool {name!r}: parameter {one} cannot be described to a model",
                "it has no single name",
                "use plain named parameters",
            )
    return kept


def hint_of(callee: Callee, parameter: inspect.Parameter) -> Any:
    """The parameter's hint; without one the type of its default, else anything."""
    if parameter.name in callee.hints:
        return callee.hints[parameter.name]
    return type(parameter.default) if type(parameter.default) in _PLAIN else Any


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """(what the tool does, {parameter: what it is}) from a docstring."""
    about = {m[1]: m[2].strip() for m in _ABOUT.finditer(text)}
    summary = " ".join(_ABOUT.sub("", text.split("\n\n")[0]).split())
    return summary, about


_ABOUT = re.compile(r"^\s*(\w+)(?:\s*\([^)]*\))?:[ \t]+(.+)$", re.MULTILINE)


def model_of(name: str, fields: dict[str, Any]) -> tuple[type[BaseModel], dict[str, Any]]:
    """The model that checks a tool's arguments, and the schema it shows. Raises UsageError for hints without one."""
    try:
        return _made(name, fields)
    except Exception as error:  # pydantic has several, and a hint's own class may raise anything
        raise UsageError(
            f"tool {name!r}: {_culprit(name, fields)} cannot be described to a model",
            str(error).splitlines()[0][:300] if str(error) else type(error).__name__,
            "use text, numbers, lists, dicts, enums, dataclasses or pydantic models",
        ) from error


def _made(name: str, fields: dict[str, Any]) -> tuple[type[BaseModel], dict[str, Any]]:
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    model: type[BaseModel] = create_model(name, __config__=config, **fields)
    return model, _plain_schema(model.model_json_schema())


def _culprit(name: str, fields: dict[str, Any]) -> str:
    """The first parameter whose hint alone has no schema, with the hint."""
    for key, (hint, described) in fields.items():
        try:
            _made(name, {key: (hint, described)})
        except Exception:
            shown = hint.__name__ if isinstance(hint, type) else str(hint)
            return f"the hint of {described.alias!r}, {shown[:100]},"
    return "a hint"


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without pydantic's titles and the docstring copied from the base: noise a model pays for."""

    def clean(node: Any, inside_properties: bool = False) -> Any:
        if isinstance(node, dict):
            return {k: clean(v, k == "properties") for k, v in node.items() if inside_properties or k != "title"}
        return [clean(v) for v in node] if isinstance(node, list) else node

    plain: dict[str, Any] = clean(schema)
    plain.pop("description", None)
    return plain


def shape(name: str, schema: Mapping[str, Any]) -> str:
    """A tool's signature in one line, for a message that says what would be right.

    `stock(symbol: string, unit: "eur" | "usd", where: {city: string} = null, days: integer = 5)`.
    """
    required, properties = schema.get("required") or (), schema.get("properties")
    parts = []
    for key, node in properties.items() if isinstance(properties, dict) else ():
        default = node.get("default") if isinstance(node, dict) else None
        parts.append(f"{key}: {_kind(node, schema, 0)}" + ("" if key in required else f" = {_json(default)}"))
    return f"{name}({', '.join(parts)})"


def _kind(node: Any, root: Mapping[str, Any], depth: int) -> str:
    """What a value may be: choices by name, a union by its parts, an object by its fields."""
    if not isinstance(node, dict) or depth > MOST_DEPTH:
        return "any"
    if isinstance(ref := node.get("$ref"), str):
        return _kind(_target(ref, root), root, depth + 1)
    if "const" in node:
        return _json(node["const"])
    if isinstance(node.get("enum"), list):
        return _choices(node["enum"])
    for union in ("anyOf", "oneOf", "allOf"):
        if isinstance(node.get(union), list):
            return " | ".join(dict.fromkeys(_kind(one, root, depth + 1) for one in node[union]))
    return _typed(node, root, depth)


def _typed(node: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> str:
    kind = node.get("type", "any")
    if kind == "array" and isinstance(node.get("items"), dict):
        return f"[{_kind(node['items'], root, depth + 1)}]"
    if kind == "object" and isinstance(node.get("properties"), dict):
        inside = (f"{key}: {_kind(one, root, depth + 1)}" for key, one in node["properties"].items())
        return "{" + ", ".join(inside) + "}"
    return " | ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _choices(values: list[Any]) -> str:
    more = f" | … {len(values) - MOST_CHOICES} more" if len(values) > MOST_CHOICES else ""
    return " | ".join(map(_json, values[:MOST_CHOICES])) + more


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _target(ref: str, root: Mapping[str, Any]) -> Any:
    """The part of a schema that a local `$ref` names; None if there is none."""
    node: Any = root if ref.startswith("#") else None
    for key in (part for part in ref[1:].split("/") if part):
        node = node.get(key.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return node
