"""Schemas that strangers wrote: types by any name, references that lead out, and plain nonsense, none of it an error of ours."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

import pytest

from outrider.agent.models.llama.grammar import reply_grammar
from outrider.tools.json_schema import ANYTHING, checker, usable
from outrider.tools.signature import shape
from outrider.tools.tool import ToolError

TYPES = ("string", "dict", "float", "tuple", "any", "String", "ArrayList", "HashMap", "long", "", None, 7, ["string", "None"],
         "integer", "boolean", "array", "object", "list<int>", [])  # fmt: skip
NAMES = (
    "a",
    "a b",
    "a.b",
    "größe",
    "",
    "$ref",
    "type",
    "properties",
    "x" * 300,
    "\u202e",
    '"',
    "\\",
    "0",
    "-",
    "class",
)


def nonsense(rnd: random.Random, depth: int = 0) -> Any:
    """A schema as somebody in a hurry, or of bad will, writes it."""
    made: dict[str, Any] = {"type": rnd.choice(TYPES)}
    for key, value in (
        ("enum", [1, "1", None, {"a": 1}]), ("enum", []), ("default", object.__name__), ("description", 5),
        ("pattern", "(unclosed"), ("pattern", "^[a-z]{2,9999999}$"), ("minimum", "low"), ("maxItems", -1), ("format", "date"),
        ("required", "a"), ("required", ["nobody"]), ("$ref", "#/nowhere"), ("$ref", "#"), ("$ref", "http://127.0.0.1:1/s.json"),
        ("$ref", "file:///etc/passwd"), ("anyOf", []), ("oneOf", [True, False]), ("additionalProperties", {"type": "any"}),
        ("minLength", 10**9), ("items", [{}, {}]), ("const", {"deep": [1]}), ("properties", ["a"]),
    ):  # fmt: skip
        if rnd.random() < 0.08:
            made[key] = value
    if depth < 4 and rnd.random() < 0.6:
        made["properties"] = {rnd.choice(NAMES): nonsense(rnd, depth + 1) for _ in range(rnd.randrange(5))}
    if depth < 4 and rnd.random() < 0.3:
        made["items"] = nonsense(rnd, depth + 1)
    return made


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_given_for_a_schema_becomes_a_checked_tool_and_a_grammar(seed: int) -> None:
    """A hundred a seed: no exception, nothing fetched, and arguments are checked or refused with a word."""
    rnd = random.Random(seed)
    for number in range(100):
        given = nonsense(rnd)
        schema = usable(given)
        check = checker(f"tool_{number}", schema)
        for arguments in ({}, {"a": 1}, {"a b": "x", "type": [None]}):
            with suppress(ToolError):
                check(arguments)
        assert shape("tool", schema).startswith("tool(")
        assert reply_grammar([("tool", schema), ("raw", given)]).startswith("root ::=")


@pytest.mark.parametrize(
    "given",
    [None, 7, "text", [], [{}], {"type": "object", "$ref": "http://127.0.0.1:1/x"}, {"a": {"$ref": "other.json"}}],
)
def test_what_is_no_schema_or_leads_out_takes_any_object(given: Any) -> None:
    """The tool is offered all the same, and checks for itself."""
    assert usable(given) == ANYTHING


def test_a_schema_that_never_ends_takes_any_object() -> None:
    """Nested beyond reason, or large beyond reason."""
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(500):
        deep = {"type": "object", "properties": {"a": deep}}
    assert usable(deep) == ANYTHING
    assert usable({"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(5000)}}) == ANYTHING


def test_types_by_the_names_of_programming_languages_are_checked() -> None:
    """`dict` and `float` are not "anything": wrong values are refused."""
    schema = usable(
        {"type": "dict", "properties": {"x": {"type": "float"}, "of": {"type": "tuple", "items": {"type": "int"}}}}
    )
    assert schema == {
        "type": "object",
        "properties": {"x": {"type": "number"}, "of": {"type": "array", "items": {"type": "integer"}}},
    }
    check = checker("move", schema)
    assert check({"x": 1.5, "of": [1]}) == {"x": 1.5, "of": [1]}
    for wrong in ({"x": "far"}, {"of": ["a"]}):
        with pytest.raises(ToolError, match="do not fit"):
            check(wrong)
    assert json.dumps(schema)
