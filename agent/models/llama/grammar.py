"""A GBNF grammar for one reply, from the live tool list: a call of one of these tools, or an answer; always strict JSON.

What it is: JSON Schema in, llama.cpp grammar text out: objects (required and optional properties, in order), strings,
numbers, booleans, null, enum, const, arrays and their lengths, dates, ranges of whole numbers, anchored patterns of plain pieces and
groups, anyOf/oneOf, local `$ref`s, recursive ones too. What it does not say (other patterns, ranges of fractions) is left to the toolbox, which checks every call; a schema this cannot read becomes "any
JSON object", so its tool is still offered. What it may touch: nothing. Does not promise: sensible values.
Start reading at `reply_grammar`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]
# Strings hold no raw control characters (strict JSON), and white space is bounded: models like to loop on it.
_BASE = r"""
ws ::= " "?
string ::= "\"" char* "\""
char ::= [^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])
hex ::= [0-9a-f]
integer ::= "-"? ("0" | [1-9] [0-9]{0,17})
number ::= integer ("." [0-9]{1,17})? ([eE] [-+]? [0-9]{1,3})?
boolean ::= "true" | "false"
null ::= "null"
value ::= object | array | string | number | boolean | null
object ::= "{" ws (string ws ":" ws value (ws "," ws string ws ":" ws value)*)? ws "}"
array ::= "[" ws (value (ws "," ws value)*)? ws "]"
""".strip()
_DATE = '[0-9] [0-9] [0-9] [0-9] "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])'
_TIME = '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("Z" | [-+] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])'
_FORMATS = {
    "date": rf'"\"" {_DATE} "\""',
    "time": rf'"\"" {_TIME} "\""',
    "date-time": rf'"\"" {_DATE} "T" {_TIME} "\""',
    "uuid": r'"\"" hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12} "\""',
}
MAX_DEPTH = 12
MOST_REPEATS = 200


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
    if node.get("allOf"):
        return _node(rules, _merged(node, root), root, depth + 1)
    if "not" in node:
        raise Unsupported
    return _typed(rules, node, root, depth)


def _merged(node: Schema, root: Schema) -> Schema:
    """Objects that must all hold, as one object. Raises Unsupported for anything else."""
    parts = [{key: value for key, value in node.items() if key != "allOf"}, *node["allOf"]]
    whole: Schema = {"type": "object", "properties": {}, "required": []}
    for part in parts:
        if isinstance(part, dict) and "$ref" in part:
            part = _target(str(part["$ref"]), root)
        if (
            not isinstance(part, dict)
            or part.get("type", "object") != "object"
            or part.keys() & {"anyOf", "oneOf", "allOf", "not"}
        ):
            raise Unsupported
        whole["properties"] |= part.get("properties") or {}
        whole["required"] += part.get("required") or ()
    return whole


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
    if kind == "string":
        return _string(node)
    if kind == "integer":
        return _integer(node)
    if kind in {"number", "boolean", "null", "value"}:
        return str(kind)
    raise Unsupported


def _integer(node: Schema) -> str:
    """A whole number within the node's range."""
    least, most = _whole(node, "minimum", "exclusiveMinimum", 1), _whole(node, "maximum", "exclusiveMaximum", -1)
    if least is None and most is None:
        return "integer"
    if least is not None and most is not None and least > most:
        raise Unsupported
    below = _upward(max(1, -most) if most is not None else 1, None if least is None else -least)
    above = _upward(max(0, least) if least is not None else 0, most)
    negative = f'"-" ({below})' if below and (least is None or least < 0) else ""
    return "(" + " | ".join(part for part in (negative, above) if part) + ")"


def _whole(node: Schema, name: str, exclusive: str, inward: int) -> int | None:
    """The bound of whole numbers that the schema names; None for none, and for one too large to spell out."""
    given = node.get(name)
    beyond = node.get(exclusive)
    if isinstance(beyond, int | float) and not isinstance(beyond, bool):
        given = beyond + inward if float(beyond).is_integer() else beyond
    if not isinstance(given, int | float) or isinstance(given, bool) or abs(given) >= 10**15:
        return None
    return math.ceil(given) if inward > 0 else math.floor(given)


def _upward(least: int, most: int | None) -> str:
    """Whole numbers from `least` (0 or more) to `most`, as digits; "" if there are none; without end for None."""
    if most is not None and most < least:
        return ""
    parts = []
    for size in range(len(str(least)), 16 if most is None else len(str(most)) + 1):
        low = max(least, 10 ** (size - 1) if size > 1 else 0)
        if most is None and size > len(str(least)):
            parts.append(f"[1-9] [0-9]{{{size - 1},17}}")
            break
        parts.append(_digits(str(low), str(min(10**size - 1, most if most is not None else 10**size))))
    return " | ".join(parts)


def _digits(low: str, high: str) -> str:
    """Numbers of one length from `low` to `high`."""
    if not low:
        return '""'
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    if not rest:
        return f"[{first}-{last}]"
    if first == last:
        return f'"{first}" ({_digits(low[1:], high[1:])})'
    parts = [f'"{first}" ({_digits(low[1:], "9" * rest)})', f'"{last}" ({_digits("0" * rest, high[1:])})']
    if last - first > 1:
        parts.insert(1, f"[{first + 1}-{last - 1}] [0-9]{{{rest}}}")
    return " | ".join(parts)


def _array(rules: _Rules, node: Schema, root: Schema, depth: int) -> str:
    if isinstance(node.get("prefixItems"), list):
        return _tuple(rules, node, root, depth)
    item = _node(rules, node.get("items", {}), root, depth + 1)
    least, most = _bound(node.get("minItems"), 0), _bound(node.get("maxItems"), None)
    if most == 0:
        return '"[" ws "]"'
    more = f'{item} (ws "," ws {item}){_times(max(0, least - 1), None if most is None else most - 1)}'
    return f'"[" ws {more} ws "]"' if least else f'"[" ws ({more})? ws "]"'


def _tuple(rules: _Rules, node: Schema, root: Schema, depth: int) -> str:
    """Each place its own kind, all of them: fewer would often be allowed, more seldom, and a model is helped by neither."""
    places = [_node(rules, one, root, depth + 1) for one in node["prefixItems"]]
    return '"[" ws ' + ' ws "," ws '.join(places) + ' ws "]"' if places else "array"


def _string(node: Schema) -> str:
    """Text of the lengths and in the form that are asked for, as far as a grammar of ours says them."""
    if known := _FORMATS.get(str(node.get("format"))) or _pattern(node.get("pattern")):
        return known
    least, most = _bound(node.get("minLength"), 0), _bound(node.get("maxLength"), None)
    if not least and most is None:
        return "string"
    return f'"\\"" char{_times(least, most)} "\\""'


_PIECE = re.compile(r"\[[\w\-/:., ]+\]|\\[dw.\-/+]|[\w \-/:,@#%]", re.ASCII)
_COUNT = re.compile(r"\{\d{1,3}(?:,\d{0,3})?\}|[*+?]")
_CLASSES = {"\\d": "[0-9]", "\\w": "[A-Za-z0-9_]"}


def _pattern(given: Any) -> str:
    """A string by a plain, anchored pattern ("^[a-z]{3}-(x|y[0-9]+)$"); "" for any other, which is left to the check."""
    if not (isinstance(given, str) and given.startswith("^") and given.endswith("$")):
        return ""
    said, at = _sequence(given[:-1], 1, MAX_DEPTH)
    return f'"\\"" {said} "\\""' if said and at == len(given) - 1 else ""


def _sequence(text: str, at: int, depth: int) -> tuple[str, int]:
    """(the rule of what stands at `at` up to its end or a sign it cannot read, where that is)."""
    terms = []
    while at < len(text):
        if text[at] == "(" and depth:
            said, at = _group(text, at + (3 if text.startswith("(?:", at) else 1), depth - 1)
        elif piece := _PIECE.match(text, at):
            one, at = piece[0], piece.end()
            said = one if one.startswith("[") else _CLASSES.get(one) or literal(one[-1])
        else:
            break
        times = _COUNT.match(text, at)
        if not said or (times and any(int(count) > MOST_REPEATS for count in re.findall(r"\d+", times[0]))):
            return "", at
        terms.append(said + (times[0] if times else ""))
        at = times.end() if times else at
    return " ".join(terms), at


def _group(text: str, at: int, depth: int) -> tuple[str, int]:
    """(the rule of a group's choices, where it ends); ("", …) for one that is none."""
    choices = []
    while True:
        said, at = _sequence(text, at, depth)
        choices.append(said)
        if text[at : at + 1] != "|":
            break
        at += 1
    good = text[at : at + 1] == ")" and all(choices)
    return (f"({' | '.join(choices)})", at + 1) if good else ("", at)


def _bound(given: Any, otherwise: int | None) -> Any:
    """A limit that is a number a grammar can repeat; llama.cpp unrolls repetitions, so large ones are left to the check."""
    good = isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_REPEATS
    return given if good else otherwise


def _times(least: int, most: int | None) -> str:
    if most is None:
        return "*" if least == 0 else f"{{{least},}}"
    return f"{{{least},{max(least, most)}}}"


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
    target = _target(path, root)
    name, new = rules.reference(root, path)
    if new:
        rules.set(name, _node(rules, target, root, depth + 1))
    return name


def _target(path: str, root: Schema) -> Schema:
    """The part of `root` that a local reference names. Raises Unsupported."""
    target: Any = root if path.startswith("#") else None
    for key in (part for part in path[1:].split("/") if part):
        target = target.get(key.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
    if not isinstance(target, dict):
        raise Unsupported
    return target
