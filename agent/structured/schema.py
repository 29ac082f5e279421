"""The JSON Schema an answer must fit: from a file, from words such as "name, age int", or from a Python type.
May touch: reads one file. Does not promise: to fetch anything; a `$ref` outside the schema is refused, never looked up.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from outrider.memory.errors import UsageError, words_of
from outrider.memory.given.file import read_given_text
from outrider.tools.json_schema import validator

Schema = dict[str, Any]
MOST_BYTES = 64 * 1024  # it is told to the model with every request
TYPES = {"str": "string", "text": "string", "int": "integer", "float": "number", "number": "number", "bool": "boolean",
         "object": "object"}  # fmt: skip
_FIELD = re.compile(
    r"(?P<name>[A-Za-z_][\w-]{0,63})(?:\s+(?P<type>[a-z]+)(?P<many>\[\])?)?(?:\s*:\s*(?P<says>.{1,500}))?"
)


def schema_of(written: str, *, files: bool = True) -> Schema:
    """The schema a person means: a JSON file, a JSON object, or fields such as "name, age int, tags str[]: what it is about".

    files: whether it may name a file; not where it comes from another machine. Raises UsageError for what is none of these,
    or is no valid schema.
    """
    text = written.strip()
    if text.startswith("{"):
        return checked(_parsed(text, "what you wrote"), "what you wrote")
    if not files:
        return _from_words(text)
    if text.endswith(".json") or "/" in text or (len(text) < 200 and Path(text).is_file()):
        return checked(_parsed(_read(Path(text).expanduser()), text), text)
    return _from_words(text)


def schema_of_type(wanted: Any) -> Schema:
    """The schema of a pydantic model, a dataclass, a TypedDict or any other type; a dict is taken as the schema itself.

    Raises UsageError for a type no schema can be made of.
    """
    if isinstance(wanted, dict):
        return checked(wanted, "the answer's schema")
    from pydantic import PydanticUserError, TypeAdapter
    from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

    try:
        return checked(TypeAdapter(wanted).json_schema(), "the answer's type")
    except (PydanticUserError, PydanticInvalidForJsonSchema, PydanticSchemaGenerationError) as error:
        raise UsageError(
            f"{wanted!r} is no type of an answer",
            str(error).split("\n")[0],
            "give a pydantic model, a dataclass or a schema",
        ) from error


def checked(schema: Any, where: str) -> Schema:
    """The schema, if it is one. Raises UsageError."""
    if not isinstance(schema, dict):
        raise UsageError(f"{where} is no schema", "a JSON Schema is an object", 'for example {"type": "object", …}')
    if len(json.dumps(schema)) > MOST_BYTES:
        raise UsageError(f"the schema of {where} is too long", f"it is above {MOST_BYTES // 1024} KiB", "shorten it")
    try:
        validator(schema)
    except ValueError as error:
        raise UsageError(f"{where} is no valid JSON Schema", str(error).split("\n")[0][:300], "correct it") from error
    return schema


def _read(file: Path) -> str:
    try:
        return read_given_text(file, MOST_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the schema {str(file)!r} cannot be read",
            words_of(error),
            'name a JSON file, or write fields: "name, age int"',
        ) from error


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where[:100]} is not JSON", str(error), "a schema is one JSON object") from error


def _from_words(text: str) -> Schema:
    properties: Schema = {}
    for part in re.split(r"[,\n]", text):
        found = _FIELD.fullmatch(part.strip())
        kind = TYPES.get(found["type"] or "str") if found else None
        if found is None or kind is None:
            raise UsageError(
                f"{part.strip()[:100]!r} is no field of a schema",
                f"a field is NAME TYPE, and types are {', '.join(TYPES)}",
                'for example --schema "name, age int, tags str[]: what it is about", or name a JSON file',
            )
        held: Schema = {"type": "array", "items": {"type": kind}} if found["many"] else {"type": kind}
        properties[found["name"]] = held | ({"description": found["says"].strip()} if found["says"] else {})
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
