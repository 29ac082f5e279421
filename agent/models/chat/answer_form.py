"""The form a server can hold an answer to (`response_format: json_schema`): the schema that was asked for, in an envelope
that leaves a way to say in words that there is no answer. Without it a model would have to make one up.
Touches nothing. Does not promise: that a server keeps to it; every answer is checked again.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from outrider.agent.models.model import Reply

Schema = dict[str, Any]
STATES = ("answered", "partial", "not found", "refused", "failed")
_REFUSED = re.compile(
    r"response_format|text\.format|json_schema|schema|grammar|guided|structured.?output|\bformat\b", re.I
)
_STRICT = re.compile(
    r"strict|additionalProperties|required|invalid_json_schema|not permitted|keyword|invalid schema", re.I
)


def form_of(schema: Schema, *, strict: bool = True) -> dict[str, Any] | None:
    """`response_format` for this schema; None where it cannot stand in an envelope (it refers to itself as a whole).

    strict: as tight as servers take it, where the schema says of every field whether it is there.
    """
    if not _movable(schema):
        return None
    tight = _closed(schema) if strict else None
    inner = tight if tight is not None else schema
    shared = {key: inner[key] for key in ("$defs", "definitions") if key in inner}
    inner = {key: value for key, value in inner.items() if key not in (*shared, "$schema", "$id")}
    envelope = {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": list(STATES), "description": "answered, or how the goal was missed"},
            "says": {"type": "string", "description": "why it was missed, in words; empty where status is answered"},
            "answer": {"anyOf": [inner, {"type": "null"}], "description": "the answer; null if there is none"},
        },
        "required": ["status", "says", "answer"],
        "additionalProperties": False,
    }
    form: dict[str, Any] = {"name": "answer", "schema": envelope | shared}
    return {"type": "json_schema", "json_schema": form | ({"strict": True} if tight is not None else {})}


def unwrapped(reply: Reply) -> Reply:
    """The reply as if no form had been asked for: the data alone, or the mark of how it fell short and the words.

    An envelope may stand in a code fence, or have words after it. One that breaks off comes back without text.
    """
    text = _unfenced(reply.text.strip())
    if reply.calls or not text.startswith("{"):
        return reply
    try:
        read, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return replace(reply, text="") if _BEGUN.match(text) else reply
    if not (isinstance(read, dict) and set(read) == {"status", "says", "answer"} and read["status"] in STATES):
        return reply
    data = "" if read["answer"] is None else json.dumps(read["answer"], ensure_ascii=False)
    if read["status"] == "answered":
        return replace(reply, text=data or "null")
    said = data if read["status"] == "partial" and data else str(read["says"]) or data
    return replace(reply, text=f"STATUS: {read['status']}\n{said}".strip())


_FENCE = re.compile(r"```(?:json)?\s*\n(?=\s*\{)", re.I)
_BEGUN = re.compile(rf'\{{\s*"status"\s*:\s*(?:"(?:{"|".join(STATES)})"\s*,\s*"says"|"?[a-z ]*\Z)')


def _unfenced(text: str) -> str:
    return text[found.end() :].strip() if (found := _FENCE.match(text)) else text


def refused_part(words: str, form: dict[str, Any]) -> str:
    """What of a form a server's refusal is about: "strict", "form", or "" if neither."""
    if not _REFUSED.search(words):
        return ""
    return "strict" if form["json_schema"].get("strict") and _STRICT.search(words) else "form"


def _movable(schema: Any) -> bool:
    """Whether every reference in it still holds one level further down."""
    if isinstance(schema, dict):
        to = schema.get("$ref")
        if isinstance(to, str) and not to.startswith(("#/$defs/", "#/definitions/")):
            return False
        return not schema.keys() & {"$dynamicRef", "$anchor"} and all(map(_movable, schema.values()))
    return all(map(_movable, schema)) if isinstance(schema, list) else True


def _closed(schema: Any) -> Any:
    """The schema with every object closed to other fields, as strict servers want it; None where a field may be left out."""
    if isinstance(schema, list):
        made = [_closed(one) for one in schema]
        return None if any(one is None for one in made) else made
    if not isinstance(schema, dict):
        return schema
    closed = {}
    for key, value in schema.items():
        if key in ("enum", "const", "default", "examples", "required"):
            closed[key] = value
            continue
        inside = {name: _closed(one) for name, one in value.items()} if key in _NAMED else _closed(value)
        if inside is None or (key in _NAMED and None in inside.values()):
            return None
        closed[key] = inside
    if schema.get("type") == "object" or "properties" in schema:
        if set(schema.get("required", ())) != set(schema.get("properties", ())) or not schema.get("properties"):
            return None
        if closed.setdefault("additionalProperties", False) is not False:
            return None
    return closed


_NAMED = ("properties", "$defs", "definitions")  # whose keys are names and not words of the schema
