"""The shape an answer must have: written in words, in a file, or as a Python type; nothing is ever fetched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from outrider.agent.structured.reading import check_of, claims, read_answer, shown, spelt
from outrider.agent.structured.schema import schema_of, schema_of_type
from outrider.memory.errors import UsageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_words_make_a_schema() -> None:
    """ "name, age int, tags str[]: what about" is three fields, all needed."""
    schema = schema_of("name, age int, tags str[]: what about, ok bool")
    assert schema["properties"]["age"] == {"type": "integer"}
    assert schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}, "description": "what about"}
    check = check_of(schema)
    assert check({"name": "a", "age": 1, "tags": [], "ok": True}) == ""
    assert "age" in check({"name": "a", "age": "1", "tags": [], "ok": True})
    assert check({"name": "a"}) != ""


@pytest.mark.parametrize(
    "written",
    ["", "a b c", "1x", "age number?", "name,,age", "{", "[]", '{"type": 3}', '{"$ref": "http://127.0.0.1:1/x"}',
     '{"$ref": "file:///etc/passwd"}', '{"$ref": "#/nowhere"}', "none.json", "/no/such", '{"pattern": "("}',
     '{"a": ' * 5000],
)  # fmt: skip
def test_what_is_no_schema_is_refused_and_nothing_is_fetched(written: str) -> None:
    """Exit code 2 before anything runs, not a crash in the middle."""
    with pytest.raises(UsageError):
        schema_of(written)


def test_a_file_is_read(tmp_path: Path) -> None:
    """A JSON Schema file may hold local references."""
    file = tmp_path / "s.json"
    file.write_text(json.dumps({"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n"}))
    assert check_of(schema_of(str(file)))(3) == ""


def test_types_make_schemas() -> None:
    """Pydantic models, dataclasses and plain types alike."""

    class Person(BaseModel):
        name: str

    @dataclass
    class Point:
        x: int

    assert check_of(schema_of_type(Person))({"name": "a"}) == ""
    assert check_of(schema_of_type(Point))({"x": "no"}) != ""
    assert check_of(schema_of_type(list[int]))([1]) == ""
    with pytest.raises(UsageError):
        schema_of_type(object())


@given(JSON)
def test_any_value_is_found_bare_and_fenced_and_after_words(value: object) -> None:
    """Models wrap JSON in words and fences; the value is the same."""
    check = check_of({})
    assert read_answer(spelt(value), check) == (value, "")
    if isinstance(value, dict | list):
        assert read_answer(f"Here it is:\n```json\n{spelt(value)}\n```\nDone.", check) == (value, "")
        assert read_answer(f"It is {spelt(value)}, I think.", check)[1] == ""
    assert json.loads(shown(spelt(value))) == value
    claims(value)


@pytest.mark.parametrize("text", ["NaN", '{"a": Infinity}', "no json", "{", "[" * 100_000, '{"a": 1'])
def test_what_is_not_json_is_said(text: str) -> None:
    """Never a crash, whatever was written."""
    assert read_answer(text, check_of({"type": "object"}))[1] != ""


def test_what_a_terminal_must_not_be_sent_is_spelt_out() -> None:
    """A value may hold an escape sequence; the program that reads it gets the same value."""
    assert shown(spelt({"a": "\x1b[31m\u202e"})) == '{"a": "\\u001b[31m\\u202e"}'
    assert shown(spelt({"a": "é"})) == '{"a": "é"}'
