"""The grammar of a reply: what it lets through is strict JSON for one of the live tools, and it never refuses a tool."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from outrider.agent.models.llama.grammar import literal, reply_grammar, value_grammar

TEXT = {"type": "string"}


def arguments_of(schema: dict[str, Any]) -> str:
    """The rule of the arguments of a tool with this schema."""
    line = next(line for line in reply_grammar([("t", schema)]).splitlines() if line.startswith("r-tool-t "))
    return line.split('"\\"arguments\\"" ws ":" ws ', 1)[1].removesuffix(' ws "}"')


def test_grammar_names_every_tool_and_the_answer() -> None:
    """A model can call each live tool or answer, and nothing else."""
    text = reply_grammar(
        [("stock", {"type": "object", "properties": {}}), ("mail", {"type": "object", "properties": {}})]
    )
    assert text.splitlines()[0] == "root ::= r-tool-stock | r-tool-mail | r-answer"
    assert '"\\"stock\\""' in text
    assert '"\\"mail\\""' in text


def test_grammar_requires_what_the_schema_requires() -> None:
    """A required argument cannot be left out; an optional one can."""
    schema = {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a"]}
    rule = arguments_of(schema)
    assert '"\\"a\\"" ws ":" ws string' in rule
    assert re.search(r'\( ws "," ws r-optional-b\)\?', rule)


def test_grammar_lists_enum_values_as_json() -> None:
    """An argument with an enum takes only its values, whatever characters they hold."""
    schema = {"type": "object", "properties": {"u": {"enum": ["km", 'a "b"', 3, None]}}, "required": ["u"]}
    rule = arguments_of(schema)
    for value in ("km", 'a "b"', 3, None):
        assert literal(json.dumps(value)) in rule


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"type": "string"}},
        {"type": "object", "properties": {"x": {"$ref": "https://elsewhere/schema"}}, "required": ["x"]},
        {"type": "object", "properties": {"x": {"type": "strange"}}},
        {"type": "object", "properties": {"x": {"$ref": "#/$defs/missing"}}},
        {"type": "object", "properties": {"x": 5}},
        {"type": "object", "required": ["ghost"], "properties": {"x": TEXT}},
    ],
)
def test_grammar_offers_a_tool_whose_schema_it_cannot_read(schema: dict[str, Any]) -> None:
    """A tool is never lost: its arguments become any JSON object."""
    assert arguments_of(schema) == "object"


def test_grammar_follows_a_recursive_reference() -> None:
    """A schema that refers to itself becomes a rule that refers to itself, not an endless loop."""
    tree = {"type": "object", "properties": {"name": TEXT, "child": {"$ref": "#/$defs/tree"}}, "required": ["name"]}
    text = reply_grammar([("t", {**tree, "$defs": {"tree": tree}})])
    assert text.count("ref-1") >= 2


def test_grammar_strings_hold_no_raw_control_character() -> None:
    """What the model writes is read by a strict JSON parser, which refuses a raw line end in a string."""
    line = next(line for line in reply_grammar([]).splitlines() if line.startswith("char ::="))
    assert r"\x00-\x1F" in line
    assert r"\x7F" in line


def test_grammar_rule_names_are_unique_for_alike_tools() -> None:
    """Two tools whose names differ only in a symbol keep their own rules."""
    one = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
    two = {"type": "object", "properties": {"b": TEXT}, "required": ["b"]}
    text = reply_grammar([("get_it", one), ("get-it", two)])
    names = [line.split(" ::=")[0] for line in text.splitlines()]
    assert len(names) == len(set(names))
    assert text.splitlines()[0] == "root ::= r-tool-get-it | r-tool-get-it-2 | r-answer"


TREE = {"type": "object", "properties": {"name": TEXT, "child": {"$ref": "#/$defs/tree"}}, "required": ["name"]}


@pytest.mark.llama
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {
            "type": "object",
            "properties": {"a": TEXT, "b": {"type": "integer"}, "c": {"type": "boolean"}},
            "required": ["b"],
        },
        {"type": "object", "properties": {"a": TEXT, "b": TEXT}},
        {
            "type": "object",
            "properties": {"unit": {"enum": ["km", 'a "quoted" \\ one', "zwölf", 3, None]}},
            "required": ["unit"],
        },
        {
            "type": "object",
            "properties": {"x": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "number"}}]}},
        },
        {**TREE, "$defs": {"tree": TREE}},
        {"not": {}},
        {"type": "object", "properties": {"l": {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 3}}},
        {
            "type": "object",
            "properties": {"l": {"type": "array", "maxItems": 0}, "m": {"type": "array", "minItems": 10**9}},
        },
        {
            "type": "object",
            "properties": {
                "s": {"type": "string", "minLength": 3, "maxLength": 5},
                "t": {"type": "string", "minLength": 2},
            },
        },
        {"type": "object", "properties": {"p": {"type": "array", "prefixItems": [TEXT, {"type": "integer"}]}}},
        {
            "type": "object",
            "properties": {f: {"type": "string", "format": f} for f in ("date", "time", "date-time", "uuid", "email")},
        },
    ],
)
def test_grammar_is_one_llama_cpp_reads(schema: dict[str, Any]) -> None:
    """Every grammar made here is one llama.cpp accepts; a broken one is not (the control)."""
    llama_cpp = pytest.importorskip("llama_cpp")
    from outrider.agent.models.builtin import STARTER_PATH

    model = llama_cpp.Llama(str(STARTER_PATH), vocab_only=True, verbose=False)
    vocab = llama_cpp.llama_model_get_vocab(model.model)
    assert llama_cpp.llama_sampler_init_grammar(vocab, reply_grammar([("a-tool_1", schema)]).encode(), b"root")
    assert not llama_cpp.llama_sampler_init_grammar(vocab, b"root ::= nowhere", b"root")


def test_an_answer_that_must_be_data_is_held_to_its_schema() -> None:
    """With tools the answer's place holds a value of the schema; without, the whole reply is one."""
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    with_tools = reply_grammar([("plan", {"type": "object"})], schema)
    answer = next(line for line in with_tools.splitlines() if line.startswith("r-answer"))
    assert '"\\"age\\""' in answer
    assert "string" not in answer
    assert value_grammar(schema).startswith('root ::= "{" ws "\\"age\\""')
    assert value_grammar({"not": {}}).startswith("root ::= value")


@pytest.mark.llama
def test_grammar_holds_a_model_to_lengths_and_forms() -> None:
    """What llama.cpp lets through under the grammar is strict JSON and fits the schema, whatever the model would say."""
    llama_cpp = pytest.importorskip("llama_cpp")
    import jsonschema_rs

    from outrider.agent.models.builtin import STARTER_PATH
    from outrider.agent.models.llama.grammar import value_grammar

    schema = {
        "type": "object",
        "properties": {
            "many": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3},
            "pair": {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "integer"}], "items": False},
            "short": {"type": "string", "minLength": 2, "maxLength": 4},
            "when": {"type": "string", "format": "date-time"},
            "id": {"type": "string", "format": "uuid"},
            "odd": {"enum": ['a "b"', "line\nend", None]},
            "zip": {"type": "string", "pattern": r"^[A-Z]{2}-\d{3,5}\.\w?$"},
            "both": {
                "allOf": [{"$ref": "#/$defs/named"}, {"properties": {"age": {"type": "integer"}}, "required": ["age"]}]
            },
        },
        "required": ["many", "pair", "short", "when", "id", "odd", "zip", "both"],
        "$defs": {
            "named": {
                "type": "object",
                "properties": {"name": {"type": "string", "maxLength": 5}},
                "required": ["name"],
            }
        },
    }
    check = jsonschema_rs.validator_for(schema, validate_formats=False)
    llm = llama_cpp.Llama(str(STARTER_PATH), n_ctx=1024, n_threads=1, n_threads_batch=1, verbose=False)
    grammar = llama_cpp.LlamaGrammar.from_string(value_grammar(schema), verbose=False)
    for seed in range(4):
        said = llm.create_completion("go", max_tokens=600, temperature=1.2, grammar=grammar, seed=seed)["choices"][0]
        assert said["finish_reason"] == "stop"
        read = json.loads(said["text"])
        assert check.is_valid(read), read


def as_regex(rule: str) -> re.Pattern[str]:
    """A rule of literals, classes, groups and counts as a regular expression."""
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"|(\[[^\]]*\])|(.)', rule)
    return re.compile(
        "".join(re.escape(text.replace('\\"', '"')) if text else cls or sign.strip() for text, cls, sign in pieces)
    )


@pytest.mark.parametrize(
    "bounds",
    [
        (1, 5),
        (0, 0),
        (1, 10),
        (7, 123),
        (-3, 4),
        (-120, -8),
        (-10, 1000),
        (99, 101),
        (None, 5),
        (None, -7),
        (3, None),
        (-15, None),
    ],
)
def test_grammar_keeps_whole_numbers_in_their_range(bounds: tuple[int | None, int | None]) -> None:
    """Every number of the range can be written, and no other."""
    least, most = bounds
    schema = (
        {"type": "integer"}
        | ({} if least is None else {"minimum": least})
        | ({} if most is None else {"maximum": most})
    )
    rule = as_regex(
        arguments_of({"type": "object", "properties": {"n": schema}, "required": ["n"]})
        .split(' ws ":" ws ', 1)[1]
        .split(' ws "}"')[0]
    )
    for number in (*range(-1300, 1300), 10**6, -(10**6)):
        inside = (least is None or number >= least) and (most is None or number <= most)
        assert bool(rule.fullmatch(str(number))) == inside, number


def test_grammar_reads_exclusive_and_fractional_bounds() -> None:
    """`exclusiveMinimum: 0` leaves 1 as the least; 2.5 leaves 3."""
    for schema, good, bad in (
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 3}, ("1", "2"), ("0", "3")),
        ({"minimum": 2.5, "maximum": 4.5}, ("3", "4"), ("2", "5")),
    ):
        rule = as_regex(
            arguments_of({"type": "object", "properties": {"n": {"type": "integer"} | schema}, "required": ["n"]})
            .split(' ws ":" ws ', 1)[1]
            .split(' ws "}"')[0]
        )
        assert all(rule.fullmatch(text) for text in good)
        assert not any(rule.fullmatch(text) for text in bad)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^(red|green)$", ("red", "green"), ("blue", "redgreen")),
        ("^[a-z]{2}-(?:x|y[0-9]+)?$", ("ab-", "ab-x", "ab-y12"), ("ab", "ab-y", "ab-xy1")),
        ("^(a(b|c)+)*d$", ("d", "abd", "acbabd"), ("a", "ad", "b")),
    ],
)
def test_grammar_keeps_a_pattern_with_groups(pattern: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    """Choices and repeated groups, inside one another too."""
    schema = {"type": "object", "properties": {"s": {"type": "string", "pattern": pattern}}, "required": ["s"]}
    rule = as_regex(arguments_of(schema).split(' ws ":" ws ', 1)[1].split(' ws "}"')[0])
    assert all(rule.fullmatch(json.dumps(text)) for text in good)
    assert not any(rule.fullmatch(json.dumps(text)) for text in bad)


@pytest.mark.parametrize(
    "pattern", ["^a|b$", "(red|green)", "^(?=a)b$", "^(a|)$", "^(a$", "^a)b$", "^\\s+$", "^(a{500}|b)$"]
)
def test_grammar_leaves_other_patterns_to_the_check(pattern: str) -> None:
    """What it cannot say exactly becomes any text, and the toolbox looks."""
    schema = {"type": "object", "properties": {"s": {"type": "string", "pattern": pattern}}, "required": ["s"]}
    assert arguments_of(schema).split(' ws ":" ws ', 1)[1].startswith("string")


@pytest.mark.llama
@pytest.mark.parametrize(
    "schema", [{"type": "integer", "minimum": -17, "maximum": 2048}, {"type": "string", "pattern": "^(a(b|c)+)*d$"}]
)
def test_llama_cpp_takes_ranges_and_groups(schema: dict[str, Any]) -> None:
    """The grammar is one that llama.cpp can read."""
    llama_cpp = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (extra `local`)")
    assert llama_cpp.LlamaGrammar.from_string(value_grammar(schema), verbose=False)
