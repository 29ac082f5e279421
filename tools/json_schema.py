"""JSON Schemas that strangers wrote (MCP servers, LangChain tools): kept if they are sound, arguments checked against them.
Touches nothing: no reference is ever fetched, from the network or a file.
Does not promise: that arguments which fit a schema make sense to the tool.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from outrider.tools.tool import Arguments, ToolError

if TYPE_CHECKING:
    from jsonschema_rs import Validator

MOST_SCHEMA = 20_000  # characters of one schema; a larger one is shown as "any object"
ANYTHING = {"type": "object"}


def usable(theirs: Any) -> dict[str, Any]:
    """The schema if it is one that refers to nothing outside itself; else any object is taken and the tool checks.

    Types by the names that programming languages give them ("dict", "float", "ArrayList") are taken as what they mean.
    """
    try:
        theirs = _plain(theirs, 0)
        if not isinstance(theirs, dict) or len(json.dumps(theirs, default=str)) > MOST_SCHEMA or not _is_local(theirs):
            return dict(ANYTHING)
        validator(theirs)
    except Exception:  # the library has several; a schema that is none says nothing about arguments
        return dict(ANYTHING)
    return theirs if theirs.get("type") == "object" or "properties" in theirs else dict(ANYTHING)


_MEANT = {
    "object": ("dict", "dictionary", "map", "hashmap", "hashtable", "struct", "record"),
    "array": ("list", "tuple", "set", "arraylist", "vector", "sequence"),
    "integer": ("int", "long", "short", "byte", "bigint"),
    "number": ("float", "double", "decimal", "real"),
    "string": ("str", "text", "char", "varchar", "date", "datetime"),
    "boolean": ("bool",),
    "null": ("none", "nil", "void"),
}
_TYPES = {word: name for name, words in _MEANT.items() for word in (name, *words)}
_INSIDE = ("properties", "$defs", "definitions", "patternProperties")  # tables of schemas, whose keys are names


def _plain(node: Any, depth: int) -> Any:
    """The schema with its types by their own names; a type nobody knows ("any") says nothing."""
    if depth > 60:
        raise ValueError("nested too deep")
    if isinstance(node, list):
        return [_plain(one, depth + 1) for one in node]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "type":
            names = [_TYPES.get(str(one).lower()) for one in (value if isinstance(value, list) else [value])]
            if all(names):
                made[key] = names if isinstance(value, list) else names[0]
        elif key in _INSIDE and isinstance(value, dict):
            made[key] = {name: _plain(one, depth + 1) for name, one in value.items()}
        elif key in ("default", "const", "enum", "examples", "required"):
            made[key] = value
        else:
            made[key] = _plain(value, depth + 1)
    return made


def checker(name: str, schema: dict[str, Any]) -> Callable[[Arguments], dict[str, Any]]:
    """A check of a tool's arguments against its schema. It raises ToolError with what does not fit, and the schema."""
    compiled: list[Any] = []  # at the first call, and once: most tools of a long list are never called

    def check(arguments: Arguments) -> dict[str, Any]:
        if not compiled:
            compiled.append(validator(schema))
        wrong = next(iter(compiled[0].iter_errors(dict(arguments))), None)
        if wrong is not None:
            where = "/".join(str(part) for part in wrong.instance_path)
            raise ToolError(
                f"the arguments of {name} do not fit", f"{where}: {wrong.message}"[:400].removeprefix(": "),
                f"its schema is {json.dumps(schema, ensure_ascii=False)[:600]}",
            )  # fmt: skip
        return dict(arguments)

    return check


def _is_local(schema: Any) -> bool:
    """Whether every `$ref` stays inside: nothing is ever fetched for a schema."""
    todo, count = [schema], 0
    while todo:
        node, count = todo.pop(), count + 1
        if count > 20_000:
            return False
        if isinstance(node, dict):
            refs = [node.get(key) for key in ("$ref", "$dynamicRef")]
            if any(isinstance(r, str) and not r.startswith("#") for r in refs):
                return False
            todo += node.values()
        elif isinstance(node, list):
            todo += node
    return True


def validator(schema: dict[str, Any]) -> Validator:
    """What checks a value. Raises ValueError for what is no schema, or refers to something outside it: nothing is fetched."""
    import jsonschema_rs  # late: most runs need none

    return jsonschema_rs.validator_for(schema, retriever=_refuse)


def _refuse(address: str) -> Any:
    raise ValueError(f"{address} is outside the schema, and nothing is fetched")
