"""JSON Schemas that strangers wrote (MCP servers, LangChain tools): kept if they are sound, arguments checked against them.
Touches nothing: no reference is ever fetched, from the network or a file.
Does not promise: that arguments which fit a schema make sense to the tool.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from outrider.tools.tool import Arguments, ToolError

MOST_SCHEMA = 20_000  # characters of one schema; a larger one is shown as "any object"
ANYTHING = {"type": "object"}


def usable(theirs: Any) -> dict[str, Any]:
    """The schema if it is one that refers to nothing outside itself; else any object is taken and the tool checks."""
    try:
        if not isinstance(theirs, dict) or len(json.dumps(theirs, default=str)) > MOST_SCHEMA or not _is_local(theirs):
            return dict(ANYTHING)
        _validator(theirs)
    except Exception:  # the library has several; a schema that is none says nothing about arguments
        return dict(ANYTHING)
    return theirs if theirs.get("type") == "object" or "properties" in theirs else dict(ANYTHING)


def checker(name: str, schema: dict[str, Any]) -> Callable[[Arguments], dict[str, Any]]:
    """A check of a tool's arguments against its schema. It raises ToolError with what does not fit, and the schema."""

    def check(arguments: Arguments) -> dict[str, Any]:
        wrong = next(iter(_validator(schema).iter_errors(dict(arguments))), None)
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


def _validator(schema: dict[str, Any]) -> Any:
    import jsonschema_rs

    def refuse(uri: str) -> Any:
        raise ValueError(f"{uri} is not fetched")

    return jsonschema_rs.validator_for(schema, retriever=refuse)
