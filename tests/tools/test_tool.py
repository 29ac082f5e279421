"""What `@tool` makes of a function: its schema, its checks, and what becomes of what it returns."""

from __future__ import annotations

import enum
import functools
import inspect
import json
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from outrider.memory.errors import UsageError
from outrider.tools.signature import read_callable
from outrider.tools.tool import Observation, Tool, ToolContext, ToolError, observe, shape, tool


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Place(BaseModel):
    city: str
    floor: int = 0


@dataclass
class Point:
    x: int
    y: int


@tool(effect="network", timeout_s=5)
def many(
    symbol: str,
    where: Place,
    at: Point,
    colour: Colour = Colour.RED,
    kind: Literal["day", "week"] = "day",
    days: int = 5,
    tags: list[str] | None = None,
    extra: dict[str, float] | None = None,
    old: Optional[int] = None,  # noqa: UP045  (people still write it)
) -> str:
    """Closing price
    of a share.

    symbol: ticker, for example "ABC"
    days (int): how many, 1 to 365
    """
    return f"{symbol} {where.city} {at.x} {colour.value} {kind} {days} {tags} {extra} {old}"


CONTEXT = ToolContext(Path())


def test_tool_has_the_schema_of_its_hints_when_made() -> None:
    """Every kind of hint people write reaches the model, with defaults and what is required."""
    properties = many.parameters["properties"]
    assert many.parameters["required"] == ["symbol", "where", "at"]
    assert many.parameters["additionalProperties"] is False
    assert properties["kind"]["enum"] == ["day", "week"]
    assert properties["days"] == {"default": 5, "description": "how many, 1 to 365", "type": "integer"}
    assert properties["tags"]["anyOf"][0] == {"items": {"type": "string"}, "type": "array"}
    assert many.parameters["$defs"]["Place"]["required"] == ["city"]
    assert set(many.parameters["$defs"]["Point"]["properties"]) == {"x", "y"}
    assert many.parameters["$defs"]["Colour"]["enum"] == ["red", "blue"]
    json.dumps(many.parameters)


def test_tool_takes_its_description_from_the_docstring_when_made() -> None:
    """The first paragraph is the summary, on one line; lines about parameters go to the parameters."""
    assert many.description == "Closing price of a share."
    assert many.parameters["properties"]["symbol"]["description"] == 'ticker, for example "ABC"'


def test_tool_reads_google_style_args_when_a_docstring_has_them() -> None:
    """The style many people write is understood too."""

    @tool
    def look(path: str) -> str:
        """Look at a file.

        Args:
            path (str): where it is
        """
        return path

    assert look.description == "Look at a file."
    assert look.parameters["properties"]["path"]["description"] == "where it is"


def test_tool_gets_real_values_when_its_arguments_are_json() -> None:
    """The function sees models, dataclasses and enums, not the dicts and words a model wrote."""
    written = {"symbol": "A", "where": {"city": "Oslo"}, "at": {"x": 1, "y": 2}, "colour": "blue", "extra": {"a": 1}}
    assert many.run(many.check(written), CONTEXT) == "A Oslo 1 blue day 5 None {'a': 1.0} None"


@pytest.mark.parametrize("name", ["context", "ctx", "anything"])
@pytest.mark.parametrize("hint", [ToolContext, ToolContext | None])
def test_context_is_handed_in_whatever_its_parameter_is_called(name: str, hint: Any) -> None:
    """A parameter annotated ToolContext is filled by us and never shown to the model."""

    def asks(**given: Any) -> str:
        assert given[name] is CONTEXT
        return str(given["what"])

    keyword = inspect.Parameter.KEYWORD_ONLY
    what = inspect.Parameter("what", keyword, annotation=str)
    asks.__signature__ = inspect.Signature([what, inspect.Parameter(name, keyword, annotation=hint)])  # type: ignore[attr-defined]
    asks.__annotations__ = {"what": str, name: hint}
    made = tool(asks)
    assert list(made.parameters["properties"]) == ["what"]
    assert made.run(made.check({"what": "x"}), CONTEXT) == "x"


async def test_async_function_stays_async_when_made_a_tool() -> None:
    """An async tool is seen to be one, so that it runs on the loop."""

    @tool
    async def later(n: int) -> int:
        """Wait."""
        return n + 1

    assert inspect.iscoroutinefunction(inspect.unwrap(later.run))
    assert await later.run({"n": 1}, CONTEXT) == 2


def test_decorator_makes_a_tool_when_bare_and_when_given_options() -> None:
    """`@tool` and `@tool(…)` both work, and options are the fields of Tool."""

    def plain() -> None: ...

    bare, named = tool(plain), tool(name="other", effect="spend", serial=True)(plain)
    assert isinstance(bare, Tool)
    assert (bare.name, bare.effect, bare.description) == ("plain", "read", "plain")
    assert (named.name, named.effect, named.serial) == ("other", "spend", True)


def positional(*args: str) -> None: ...
def keywords(**more: str) -> None: ...
def only(a: str, /) -> None: ...
def hidden(_a: str) -> None: ...
def undefined(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


class Opaque: ...


def opaque(a: Opaque) -> None: ...
def takes_a_function(a: type(print)) -> None: ...  # type: ignore[valid-type]


@pytest.mark.parametrize("function", [positional, keywords, only, hidden, undefined, opaque, takes_a_function])
def test_function_that_cannot_be_a_tool_is_refused_when_decorated(function: Any) -> None:
    """The author learns at once, by tool and reason, and never from the insides of another library."""
    with pytest.raises(UsageError) as caught:
        tool(function)
    assert function.__name__ in caught.value.what


@pytest.mark.parametrize("name", ["1st", "has space", "a" * 65, "<lambda>", "naïve", "x\n"])
def test_name_no_server_takes_is_refused_when_decorated(name: str) -> None:
    """A name that a provider would refuse never gets that far."""
    with pytest.raises(UsageError, match="cannot be a tool's name"):
        tool(name=name)(only)


@pytest.mark.parametrize("name", ["schema", "copy", "json", "model_config", "model_fields", "validate"])
def test_parameter_keeps_its_name_when_the_checker_uses_that_name_too(name: str) -> None:
    """Names that mean something to the library behind the checks are ordinary words for a tool."""
    space: dict[str, Any] = {}
    exec(f"def act({name}: str, n: int = 1) -> str:\n    return {name} * n", space)
    made = tool(space["act"])
    assert made.run(made.check({name: "ab", "n": 2}), CONTEXT) == "abab"
    assert set(made.parameters["properties"]) == {name, "n"}


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ({"where": {"city": "x"}, "at": {"x": 1, "y": 1}}, "symbol:"),
        ({"symbol": "A", "where": {"city": "x"}, "at": {"x": "no", "y": 1}}, "at.x:"),
        ({"symbol": "A", "where": {"city": "x"}, "at": {"x": 1, "y": 1}, "kind": "year"}, "kind:"),
        ({"symbol": "A", "where": {"city": "x"}, "at": {"x": 1, "y": 1}, "more": 1}, "more:"),
    ],
)
def test_bad_arguments_name_the_field_and_what_is_right(written: dict[str, Any], named: str) -> None:
    """A model can mend its call from the message alone."""
    with pytest.raises(ToolError) as caught:
        many.check(written)
    assert named in caught.value.why
    assert 'kind: "day" | "week" = "day"' in caught.value.fix


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(list(many.parameters["properties"])) | st.text(max_size=5)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=9))
def test_any_arguments_are_taken_or_refused_as_a_tool_error(written: dict[str, Any]) -> None:
    """Nothing a model writes breaks a checker."""
    try:
        assert set(many.check(written)) == set(many.parameters["properties"])
    except ToolError:
        return


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "done (no output)"),
        ("as it is", "as it is"),
        (b"caf\xc3\xa9 \xff", "café \ufffd"),
        (Point(1, 2), '{"x":1,"y":2}'),
        (Place(city="Oslo"), '{"city":"Oslo","floor":0}'),
        ({"a": float("nan"), "b": float("inf")}, '{"a":NaN,"b":Infinity}'),
        ([Point(1, 2), Colour.RED], '[{"x":1,"y":2},"red"]'),
        (Observation("mine", ok=False), "mine"),
    ],
)
def test_result_becomes_text_when_observed(value: Any, text: str) -> None:
    """A tool returns what is natural to it."""
    assert observe(value).text == text


@pytest.mark.parametrize("value", [object(), Point, [object()], {"a": lambda: 1}])
def test_result_without_a_json_form_is_a_tool_error_when_observed(value: Any) -> None:
    """What cannot be shown is said to be so, not shown as a memory address."""
    with pytest.raises(ToolError, match="cannot be shown"):
        observe(value)


def test_shape_is_one_line_with_kinds_and_defaults() -> None:
    """The signature in a message is short enough to act on."""
    schema = {"properties": {"symbol": {"type": "string"}, "days": {"type": "integer", "default": 5}}}
    assert shape("stock", schema | {"required": ["symbol"]}) == "stock(symbol: string, days: integer = 5)"


class Shop:
    """Sells things."""

    async def __call__(self, what: str, many: int = 1) -> str:
        """Sell a thing."""
        return f"{many} {what}"

    def price(self, what: str) -> str:
        """Price of a thing."""
        return f"{what}: 3"


def test_tool_without_hints_takes_any_value_or_that_of_the_default() -> None:
    """`def f(a, b=3)` is a tool: a may be anything, b is what 3 is."""

    @tool
    def f(a, b=3, c=None):  # type: ignore[no-untyped-def]
        return [a, b, c]

    for a in (1, "x", [1], {"k": None}, None, True):
        assert f.run(f.check({"a": a}), CONTEXT) == [a, 3, None]
    assert f.run(f.check({"a": 1, "b": 4, "c": {"d": 1}}), CONTEXT) == [1, 4, {"d": 1}]
    with pytest.raises(ToolError):
        f.check({"a": 1, "b": "four"})
    assert shape(f.name, f.parameters) == "f(a: any, b: integer = 3, c: any = null)"


async def test_tool_is_made_of_callable_objects_partials_and_methods() -> None:
    """Whatever can be called with named arguments is a tool; what a partial has filled in is not shown to a model."""

    def lookup(table: str, key: str, limit: int = 5) -> str:
        """Look a key up.

        key: which one
        """
        return f"{table}/{key}/{limit}"

    half = tool(functools.partial(lookup, table="prices"))
    assert (half.name, half.description) == ("lookup", "Look a key up.")
    assert list(half.parameters["properties"]) == ["key", "limit"]
    assert half.run(half.check({"key": "a"}), CONTEXT) == "prices/a/5"
    first = tool(functools.partial(lookup, "prices"))
    assert first.run(first.check({"key": "a"}), CONTEXT) == "prices/a/5"
    shop = tool(Shop())
    assert (shop.name, shop.description) == ("shop", "Sell a thing.")
    assert await shop.run(shop.check({"what": "tea", "many": 2}), CONTEXT) == "2 tea"
    method = tool(Shop().price)
    assert method.run(method.check({"what": "tea"}), CONTEXT) == "tea: 3"


@pytest.mark.parametrize("thing", [3, "f", None, print, dict, max, lambda x: x, functools.partial(max, 1)])
def test_tool_of_what_cannot_be_one_says_so(thing: Any) -> None:
    """A wrong thing is our sentence with what to do, never an AttributeError from inside."""
    with pytest.raises(UsageError) as error:
        read_callable(thing)
    assert error.value.fix


def test_wrong_choice_is_told_the_choices() -> None:
    """The line that shows a right call names what an enum, an optional or a model takes."""

    def paint(
        colour: Colour, where: Place | None = None, at: Point | None = None, kinds: list[Colour] | None = None
    ) -> str:
        """Paint."""
        return str(colour)

    made = tool(paint)
    with pytest.raises(ToolError) as error:
        made.check({"colour": "green"})
    assert error.value.fix == (
        'call it as paint(colour: "red" | "blue", where: {city: string, floor: integer} | null = null, '
        'at: {x: integer, y: integer} | null = null, kinds: ["red" | "blue"] | null = null)'
    )


def test_shape_survives_any_schema() -> None:
    """The line is made of schemas that strangers wrote: none of them breaks it, none makes it endless."""
    loop = {
        "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}},
        "properties": {"a": {"$ref": "#/$defs/n"}},
    }
    assert shape("t", loop).startswith("t(a: {n: ")
    for odd in ({}, {"properties": None}, {"properties": {"a": None}}, {"properties": {"a": {"$ref": "#/$defs/none"}}},
                {"properties": {"a": {"enum": list(range(500))}}}, {"properties": {"a": {"type": ["string", "null"]}}},
                {"properties": {"a": {"$ref": 5, "anyOf": 7}}}, {"required": None, "properties": {"a": True}}):  # fmt: skip
        assert len(shape("t", odd)) < 300


def test_null_means_left_out_where_that_is_allowed() -> None:
    """Models write null for what they do not use; where null is a value of its own it stays one."""

    @tool
    def find(query: str, folder: str = ".", limit: int = 5, after: str | None = "x") -> list[Any]:
        """Find."""
        return [query, folder, limit, after]

    assert find.run(find.check({"query": "a", "folder": None, "limit": None, "after": None}), CONTEXT) == [
        "a",
        ".",
        5,
        None,
    ]
    with pytest.raises(ToolError):
        find.check({"query": None})


class Row(typing.TypedDict):
    when: Opaque


def test_hint_without_a_schema_is_named() -> None:
    """Of many parameters, the one to change is in the message, with its hint."""

    def load(path: str, row: Row) -> None: ...

    with pytest.raises(UsageError) as error:
        tool(load)
    assert "'row'" in str(error.value)
    assert "Row" in str(error.value)
