"""A GBNF grammar for one reply, from the live tool list: a call of one of these tools, or an answer; always strict JSON.

What it is: JSON Schema in, llama.cpp grammar text out: objects (required and optional properties, in order), strings,
numbers, booleans, null, enum, const, arrays, anyOf/oneOf, local `$ref`s, recursive ones too. What a grammar cannot say
(patterns, ranges, formats) is left to the toolbox, which checks every call; a schema this cannot read becomes "any
JSON object", so its tool is still offered. What it may touch: nothing. Does not promise: sensible values.
Start reading at `reply_grammar`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]
# Strings hold no raw control characters (strict JSON), and white space is bounded: models like to loop on it.
_BASE = r"""
ws ::= " "?
string ::= "\"" char* "\""
char ::= [^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])
integer ::= "-"? ("0" | [1-9] [0-9]{0,17})
number ::= integer ("." [0-9]{1,17})? ([eE] [-+]? [0-9]{1,3})?
boolean ::= "true" | "false"
null ::= "null"
value ::= object | array | string | number | boolean | null
object ::= "{" ws (string ws ":" ws value (ws "," ws string ws ":" ws value)*)? ws "}"
array ::= "[" ws (value (ws "," ws value)*)? ws "]"
""".strip()
MAX_DEPTH = 12


class Unsupported(Exception):
    """A schema (or part of one) no grammar is made for."""


def reply_grammar(tools: Sequence[tuple[str, Schema]], answer_schema: Schema | None = None) -> str:
    """The grammar of `{"tool": name, "arguments": {…}}` for each (name, schema), or `{"answer": …}`: text, or a value of
    `answer_schema`. Never raises."""
    rules = _Rules()
    choices = [_tool_rule(rules, name, schema) for name, schema in tools]
    held = "string" if answer_schema is None else _value_rule(rules, answer_schema)
    answer = f'"{{" ws "\\"answer\\"" ws ":" ws {held} ws "}}"'
    choices.append(rules.add("answer", answer))
    return f"root ::= {' | '.join(choices)}\n{rules.text()}\n{_BASE}\n"


def value_grammar(schema: Schema) -> str:
    """The grammar of a value of `schema` alone; any JSON value where it cannot be said. Never raises."""
    rules = _Rules()
    held = _value_rule(rules, schema)
    return f"root ::= {held}\n{rules.text()}\n{_BASE}\n"


def _value_rule(rules: _Rules, schema: Schema) -> str:
    kept = rules.mark()
    try:
        return _node(rules, schema, schema, 0)
    except (Unsupported, RecursionError):
        rules.back_to(kept)
        return "value"


def _tool_rule(rules: _Rules, name: str, schema: Schema) -> str:
    kept = rules.mark()
    try:
        arguments = _node(rules, schema, schema, 0) if isinstance(schema, dict) else "object"
    except (Unsupported, RecursionError):
        rules.back_to(kept)
        arguments = "object"
    body = f'"{{" ws "\\"tool\\"" ws ":" ws {literal(json.dumps(name))} ws "," ws "\\"arguments\\"" ws ":" ws {arguments} ws "}}"'
    return rules.add(f"tool-{name}", body)


class _Rules:
    """Named rules, each name once."""

    def __init__(self) -> None:
        self._rules: dict[str, str] = {}
        self._refs: dict[tuple[int, str], str] = {}

    def add(self, wanted: str, body: str) -> str:
        """Keep `body` under a name made of `wanted`; the same body under the same wish is kept once."""
        base = re.sub(r"[^a-zA-Z0-9]+", "-", wanted).strip("-") or "rule"
        name, number = f"r-{base}", 1
        while self._rules.get(name, body) != body:
            number += 1
            name = f"r-{base}-{number}"
        self._rules[name] = body
        return name

    def reference(self, root: Schema, path: str) -> tuple[str, bool]:
        """The rule of a `$ref`, and whether it is new; its body is set later, so that it may refer to itself."""
        key = (id(root), path)
        if key in self._refs:
            return self._refs[key], False
        name = f"ref-{len(self._refs) + 1}"
        self._refs[key] = name
        self._rules[name] = ""
        return name, True

    def set(self, name: str, body: str) -> None:
        """Give a referenced rule its body."""
        self._rules[name] = body

    def mark(self) -> tuple[dict[str, str], dict[tuple[int, str], str]]:
        """What there is now, for `back_to`."""
        return dict(self._rules), dict(self._refs)

    def back_to(self, mark: tuple[dict[str, str], dict[tuple[int, str], str]]) -> None:
        """Forget everything added since `mark`."""
        self._rules, self._refs = dict(mark[0]), dict(mark[1])

    def text(self) -> str:
        """All rules, one a line."""
        return "\n".join(f"{name} ::= {body}" for name, body in self._rules.items())


def literal(text: str) -> str:
    """`text` as a GBNF literal; what the grammar's own reader would trip over is escaped."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif ord(char) < 32 or ord(char) == 127:
            out.append(f"\\x{ord(char):02X}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def _node(rules: _Rules, node: Any, root: Schema, depth: int) -> str:
    if node is True or node == {}:
        return "value"
    if not isinstance(node, dict) or depth > MAX_DEPTH:
        raise Unsupported
    if "$ref" in node:
        return _reference(rules, str(node["$ref"]), root, depth)
    if "const" in node or "enum" in node:
        return _one_of(node.get("enum", [node.get("const")]))
    for union in ("anyOf", "oneOf"):
        if union in node:
            return "(" + " | ".join(_node(rules, one, root, depth + 1) for one in node[union]) + ")"
    if len(node.get("allOf") or ()) == 1:
        return _node(rules, node["allOf"][0], root, depth + 1)
    if "not" in node or "allOf" in node:
        raise Unsupported
    return _typed(rules, node, root, depth)


def _one_of(values: Any) -> str:
    if not isinstance(values, list) or not values:
        raise Unsupported
    return "(" + " | ".join(literal(json.dumps(value, ensure_ascii=False)) for value in values) + ")"


def _typed(rules: _Rules, node: Schema, root: Schema, depth: int) -> str:
    kind = node.get("type", "object" if "properties" in node else "value")
    if isinstance(kind, list):
        return "(" + " | ".join(_typed(rules, {**node, "type": one}, root, depth) for one in kind) + ")"
    if kind == "object":
        return _object(rules, node, root, depth)
    if kind == "array":
        return _array(rules, node, root, depth)
    if kind in {"string", "integer", "number", "boolean", "null", "value"}:
        return str(kind)
    raise Unsupported


def _array(rules: _Rules, node: Schema, root: Schema, depth: int) -> str:
    item = _node(rules, node.get("items", {}), root, depth + 1)
    return f'"[" ws ({item} (ws "," ws {item})*)? ws "]"'


def _object(rules: _Rules, node: Schema, root: Schema, depth: int) -> str:
    properties = node.get("properties") or {}
    if not properties:
        return '"{" ws "}"' if node.get("additionalProperties") is False else "object"
    required = set(node.get("required") or ())
    if len(properties) > 60 or not required <= set(properties):
        raise Unsupported
    pairs = {
        name: f'{literal(json.dumps(name))} ws ":" ws {_node(rules, one, root, depth + 1)}'
        for name, one in properties.items()
    }
    must = [pairs[name] for name in properties if name in required]
    may = [rules.add(f"optional-{name}", pairs[name]) for name in properties if name not in required]
    return '"{" ws ' + _members(rules, must, may) + ' ws "}"'


def _members(rules: _Rules, must: list[str], may: list[str]) -> str:
    """The required members in order, then any of the optional ones in order."""
    comma = ' ws "," ws '
    rest = "".join(f"({comma}{one})?" for one in may)
    if must:
        return comma.join(must) + rest
    starts = [f"{one}" + "".join(f"({comma}{later})?" for later in may[i + 1 :]) for i, one in enumerate(may)]
    return "(" + " | ".join(starts) + ")?"


def _reference(rules: _Rules, path: str, root: Schema, depth: int) -> str:
    target: Any = root
    if not path.startswith("#"):
        raise Unsupported
    for key in (part for part in path[1:].split("/") if part):
        target = target.get(key.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
    if not isinstance(target, dict):
        raise Unsupported
    name, new = rules.reference(root, path)
    if new:
        rules.set(name, _node(rules, target, root, depth + 1))
    return name
