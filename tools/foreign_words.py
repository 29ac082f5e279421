"""What strangers say of their tools (MCP servers, OpenAPI documents), made fit to be shown to a model: cut, cleaned, quoted, named.
Touches nothing. Does not promise: that a model does not follow it; it is information about a tool, never an instruction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from outrider.memory.text import for_model
from outrider.tools.tool import Tool, ToolContext, ToolError

MOST = 600  # characters of a description
MOST_INSIDE = 300  # characters of each description inside a schema
MOST_DEPTH = 40
_LEFT_OUT = ("title", "examples", "example", "$comment", "externalDocs")


def quoted(words: str, most: int = MOST) -> str:
    """Words between quotation marks that nothing inside can close: on one line, without special tokens and what cannot be seen."""
    flat = " ".join(for_model(words[: most * 4]).split())
    said = flat if len(flat) <= most else flat[: most - 1] + "…"
    return "“" + said.replace("“", "'").replace("”", "'") + "”"


def plain_schema(schema: Any, depth: int = 0) -> Any:
    """A JSON Schema whose descriptions are cut and cleaned; what only explains and is not needed for a call is left out."""
    if depth > MOST_DEPTH:
        return {}
    if isinstance(schema, list):
        return [plain_schema(one, depth + 1) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "description" and isinstance(value, str):
            made[key] = quoted(value, MOST_INSIDE)
        elif key in ("properties", "$defs", "definitions", "patternProperties") and isinstance(value, dict):
            made[key] = {name: plain_schema(inner, depth + 1) for name, inner in value.items()}  # names, not keywords
        elif key in ("enum", "const", "default", "required"):
            made[key] = value
        elif key not in _LEFT_OUT:
            made[key] = plain_schema(value, depth + 1)
    return made


def digest_of_words(*said: Any) -> str:
    """What was said of a tool, as 32 letters: equal digests, equal words."""
    text = json.dumps(said, sort_keys=True, default=str)
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def held_to(tools: Iterable[Tool], told: Sequence[Mapping[str, Any]]) -> list[Tool]:
    """The tools of a run that is taken up; one that a stranger describes otherwise than when it began keeps its old words
    and is refused. told: the tools as the run's first event holds them."""
    began = {str(one.get("name")): one for one in told if one.get("digest")}
    return [
        _refusing(one, began[one.name]) if one.name in began and began[one.name]["digest"] != one.digest else one
        for one in tools
    ]


def _refusing(tool: Tool, told: Mapping[str, Any]) -> Tool:
    def run(arguments: dict[str, Any], context: ToolContext) -> Any:
        raise ToolError(
            f"{tool.name} was not called",
            "its server or document does not describe it as it did when this run began",
            "do without it, or start a new run",
        )

    return replace(
        tool,
        run=run,
        check=dict,
        description=str(told.get("description") or ""),
        parameters=dict(told.get("parameters") or {}),
        digest=str(told["digest"]),
    )
