"""What a model wrote as arguments: read when it can mean one thing, refused when it can mean two or was cut."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.tools.arguments import MAX_REPAIR, BadArguments, matching_name, read_arguments

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "default": 1},
        "on": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "nest": {"anyOf": [{"$ref": "#/$defs/Nest"}, {"type": "null"}], "default": None},
        "kind": {"enum": ["Red", "Blue"]},
    },
    "required": ["city"],
    "$defs": {"Nest": {"type": "object", "properties": {"a": {"type": "integer"}}}},
}


def read(text: str) -> dict[str, Any]:
    return read_arguments(text, SCHEMA, "weather")[0]


@pytest.mark.parametrize("text", ["", " ", "null", "None", '"null"', "{}", "{}{}"])
def test_nothing_in_any_spelling_is_no_arguments(text: str) -> None:
    """`"arguments": "null"` costs no step."""
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('{"city": "a\nb\tc"}', {"city": "a\nb\tc"}),
        ('"{\\"city\\": \\"Rome\\"}"', {"city": "Rome"}),
        ('{"city": "R", "tags": "[\\"a\\"]"}', {"city": "R", "tags": ["a"]}),
        ('{"city": "R", "nest": "{\'a\': \'1\'}"}', {"city": "R", "nest": {"a": 1}}),
        ('{"city": "R",}', {"city": "R"}),
        ("{'city': 'R', 'on': True}", {"city": "R", "on": True}),
        ('{"city": "R", "on": True, "nest": None}', {"city": "R", "on": True, "nest": None}),
        ('{"city": "say True", "on": False}', {"city": "say True", "on": False}),
        ('```json\n{"city": "R"}\n```', {"city": "R"}),
        ('{"city": "R", "days": "7", "on": "false"}', {"city": "R", "days": 7, "on": False}),
        ('{"arguments": {"city": "R"}}', {"city": "R"}),
        ('{"name": "weather", "arguments": {"city": "R"}}', {"city": "R"}),
        ('{"name": "Weather", "parameters": "{\\"city\\": \\"R\\"}"}', {"city": "R"}),
        ('{"type": "object", "properties": {"city": "R"}}', {"city": "R"}),
        ('{}{"city": "R"}', {"city": "R"}),
        ('{"city": "R"}{"city": "R"}', {"city": "R"}),
        ('{"city": "R"}</tool_call>', {"city": "R"}),
        ('{"city": "R"}}', {"city": "R"}),
        ('{"city": "R"}<|call|>', {"city": "R"}),
        ('{city: "R"}', {"city": "R"}),
        ('{"city": "R" "days": 2}', {"city": "R", "days": 2}),
        ("{“city”: “R”}", {"city": "R"}),
        ('{"city": "\\d+"}', {"city": "\\d+"}),
        ('{"city": "R", "days": null}', {"city": "R"}),
        ('{"city": "R", "kind": "red"}', {"city": "R", "kind": "Red"}),
        ('{"City": "R"}', {"city": "R"}),
        ('{"city": 5}', {"city": "5"}),
        ('[{"city": "R"}]', {"city": "R"}),
        ('\ufeff{"city": "R"}', {"city": "R"}),
    ],
)
def test_what_can_mean_one_thing_is_read(text: str, right: dict[str, Any]) -> None:
    """Habits of local models that lose a step each elsewhere."""
    assert read(text) == right


@pytest.mark.parametrize(
    "text",
    [
        '{"city": "R"',
        '{"city": "R',
        '{"city": "R", "tags": ["a"',
        '{"city": "R"}{"city": "S"}',
        '{"city": "he said "hi" ok"}',
        '{"city": "C:\\temp\\docs"}',
        '{"city": "a", "city": "b"}',
        "{'city': 'a', 'city': 'b'}",
        "{'city': 'a' 'b'}",
        "{'city': 'it's'}",
        '{"city": "x, "days": 2}',
        '{"city": "R"} and so on',
        '{"city": NaN}',
        '{"city": undefined}',
        '{"city": "R", "days": 1e999}',
        '["R"]',
        "5",
        "Rome",
        '{"name": "other", "arguments": {"city": "R"}}',
        '{"type": "object", "properties": {"city": {"type": "string"}}}',
        "[" * 5000,
        '{"a":' * 5000,
        "{" * 7000,
        "{'a':" * 3000,
    ],
)
def test_what_can_mean_two_things_or_was_cut_is_refused(text: str) -> None:
    """Nothing runs on a guess: a cut `write_file` must not write half a file."""
    with pytest.raises(BadArguments):
        read(text)


def test_sound_arguments_are_told_as_sound_and_repairs_by_name() -> None:
    """The event says what was put right, and nothing where nothing was."""
    assert read_arguments('{"city": "R"}', SCHEMA)[1] == ()
    _, said = read_arguments("{'city': 'R', 'days': '7'}", SCHEMA)
    assert said == ("a Python dict was read as JSON", 'days: "7" read as 7')


def test_wrapping_words_that_are_parameters_stay_parameters() -> None:
    """A tool with a parameter `arguments` gets it."""
    schema = {"type": "object", "properties": {"arguments": {"type": "object"}}}
    assert read_arguments('{"arguments": {"x": 1}}', schema)[0] == {"arguments": {"x": 1}}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ping", "ping"), ("functions.ping", "ping"), ("Ping", "ping"), ("ping-it", "ping_it"), ("PingIt", "ping_it"),
        ("ping<|channel|>commentary", "ping"), ("functions.ping_it:0", "ping_it"), ("tools/ping", "ping"),
        ("ping()", "ping"), (" ping ", "ping"), ("pin", None), ("", None), ("p_i_n_g_i_t", "ping_it"),
    ],
)  # fmt: skip
def test_name_is_read_as_the_one_tool_it_can_mean(name: str, meant: str | None) -> None:
    """Prefixes and spellings are forgiven, guesses are not made."""
    assert matching_name(name, ["ping", "ping_it", "pong"]) == meant


def test_name_that_can_mean_two_tools_is_none() -> None:
    """`ping-it` beside `ping_it` and `pingIt`."""
    assert matching_name("ping-it", ["ping_it", "pingIt"]) is None


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="{}[]\"',:\\ \nabTrue019null", max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever is written, it is an object or a refusal."""
    with suppress(BadArguments):
        assert isinstance(read(text), dict)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_sound_json_and_python_are_read_as_they_are(arguments: dict[str, Any]) -> None:
    """Reading repairs nothing that was right."""
    assert read_arguments(json.dumps(arguments), {})[0] == arguments
    try:
        assert read_arguments(repr(arguments), {})[0] == arguments
    except BadArguments:  # escapes that Python and JSON read differently
        assert "\\" in repr(arguments)


def test_hostile_text_takes_no_time() -> None:
    """The library's time grows with the square: long text is not given to it."""
    with pytest.raises(BadArguments):
        read('{"a" ' * (MAX_REPAIR // 2) + "}")


@pytest.mark.timeout(30)  # it took minutes
def test_comments_that_never_end_take_no_time() -> None:
    """A reply of nothing but openings is looked through once, not once for each."""
    with pytest.raises(BadArguments):
        read_arguments('{"a": 1 ' + "/* " * 60_000, {"type": "object", "properties": {"a": {"type": "integer"}}}, "t")
