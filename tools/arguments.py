"""Reads the arguments of a call as a model wrote them: JSON, or what can only mean one JSON object, told in words.
Touches nothing. Used by the toolbox before a call is checked, and by the reader of replies to see whether a call fits.
Does not promise: a guess. What could mean two things, or may have been cut, is refused, and the caller says what is right.
"""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from outrider.memory.text import whole_characters
from outrider.tools.coercion import as_wanted

MAX_ARGUMENTS = 1_000_000  # characters of arguments a model may write
MAX_DEPTH = 64
MAX_REPAIR = 8_000  # characters given to the repair library: on hostile text its time grows with the square

_BLANK = " \t\r\n\ufeff"
_NOTHING = ("", "null", "None", "undefined")
_WRAPPERS = frozenset({"arguments", "args", "parameters", "params", "input", "properties"})
_BESIDE = frozenset({"name", "function", "tool", "type", "id", "tool_name", "required", "recipient_name"})
_TAIL = re.compile(  # what models write behind an object: closing tags, special tokens, a fence, one brace too many
    r"(?:\s|</?[a-zA-Z_:]{1,40}>|<\|[\w:/-]{1,60}\|>|</s>|<｜[^｜]{1,60}｜>|`{3}|[}\]])*\Z"
)
_HEAD = re.compile(r"\A(?:\s|`{3}(?:json|JSON)?|<(?:tool_call|arguments|json)>|<\|[\w:/-]{1,60}\|>)*")


class BadArguments(ValueError):
    """The text is no arguments. `str()` says why, in a few words for the model."""


def read_arguments(text: str, schema: Mapping[str, Any], tool: str = "") -> tuple[dict[str, Any], tuple[str, ...]]:
    """(the arguments, what was put right to read them) of `text` for a tool with this JSON Schema.

    Raises BadArguments for text that is no object, is too long or too deep, or could mean two things.
    """
    if len(text) > MAX_ARGUMENTS:
        raise BadArguments(f"{len(text):,} characters are too long")
    repairs: list[str] = []
    try:
        value = _value(text.strip(_BLANK), repairs)
        arguments = _unwrapped(_as_object(value, repairs), schema, tool, repairs)
        if depth(arguments) > MAX_DEPTH:
            raise BadArguments(f"nested too deep, over {MAX_DEPTH} levels")
        fitted = as_wanted(arguments, schema, repairs)
    except (RecursionError, MemoryError):
        raise BadArguments("nested too deep") from None
    except BadArguments:
        raise
    except ValueError as error:  # a whole number of thousands of digits
        raise BadArguments(str(error)[:100]) from None
    return _sound(fitted, text), tuple(dict.fromkeys(repairs))


def read_object(text: str) -> dict[str, Any] | None:
    """The one object `text` can mean, whatever the tool; None if there is none."""
    try:
        value = _as_object(_value(text.strip(_BLANK), []), [])
        return value if depth(value) <= MAX_DEPTH else None
    except (ValueError, RecursionError, MemoryError):
        return None


def matching_name(name: str, known: Iterable[str]) -> str | None:
    """The one tool of `known` that `name` can mean (`functions.Ping`, `ping<|channel|>json`, `ping-it`); None: none or two."""
    names = list(known)
    if name in names:
        return name
    bare = re.split(r"<\||\(|:\d+\s*$", name.strip().strip("`'\""))[0].strip()
    tails = [bare, re.sub(r"^(?:functions?|tools?|default_api|api|multi_tool_use)[./:]", "", bare, flags=re.I)]
    for tail in tails:
        found = [one for one in names if _letters(one) == _letters(tail)]
        if len(found) == 1 and _letters(tail):
            return found[0]
    return None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def depth(value: Any) -> int:
    """Levels of nesting; counting stops just above MAX_DEPTH."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        node, level = todo.pop()
        deepest = max(deepest, level)
        if level <= MAX_DEPTH:
            inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            todo.extend((child, level + 1) for child in inner)
    return deepest


# -- text → value ---------------------------------------------------------------------------------------------------


def _value(text: str, repairs: list[str]) -> Any:
    """What the text is as JSON. Raises BadArguments."""
    if text in _NOTHING:
        if text:
            repairs.append(f"{text} read as no arguments")
        return {}
    try:
        return _loads(text, strict=True)
    except json.JSONDecodeError as error:
        why = str(error)
    for way, said in _WAYS:
        if (found := way(text)) is not None:
            repairs.append(said)
            return found[0]
    raise BadArguments(why)


def _loads(text: str, *, strict: bool) -> Any:
    """Strict JSON (strict=False: raw line ends in strings too). A key that is given twice with two values means two things."""
    return (_STRICT if strict else _LENIENT)(text)


def _no_double(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made and made[key] != value:
            raise BadArguments(f"{key[:60]!r} is given twice with different values")
        made[key] = value
    return made


def _finite(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise BadArguments(f"{digits[:20]} is too large a number")
    return number


def _no_constant(name: str) -> Any:
    raise BadArguments(f"{name} is not JSON")


def _decoder(*, strict: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        strict=strict, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_no_double
    )


_STRICT, _LENIENT = _decoder(strict=True).decode, _decoder(strict=False).decode


def _with_controls(text: str) -> tuple[Any] | None:
    try:
        return (_loads(text, strict=False),)
    except json.JSONDecodeError:
        return None


def _one_of_several(text: str) -> tuple[Any] | None:
    """The one object among empty ones, copies of itself and markup around it."""
    decoder = _decoder(strict=False)
    found, at = list[Any](), _end(_HEAD, text)
    while at < len(text) and not _TAIL.match(text, at):
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            return None
        found += [value] if value not in ({}, None) and value not in found else []
        at = _end(_GAP, text, at)
    if len(found) > 1:
        raise BadArguments("they are several objects, and which one is meant cannot be known")
    return (found[0] if found else {},) if at > _end(_HEAD, text) or found else None


_GAP = re.compile(r"[\s,;]*")


def _end(pattern: re.Pattern[str], text: str, at: int = 0) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _inside(text: str) -> str:
    """The text without the markup around it, one closing brace too many included only where it balances."""
    start = _end(_HEAD, text)
    end = re.search(r"(?:\s|</?[a-zA-Z_:]{1,40}>|<\|[\w:/-]{1,60}\|>|</s>|`{3})*\Z", text)
    return text[start : end.start() if end else len(text)]


def _python_literal(text: str) -> tuple[Any] | None:
    inner = _inside(text)
    python = bool(re.search(r"[{,:\[]\s*'|\b(?:True|False|None)\b", inner))
    if _mixes_escapes(inner) or (_PYTHON_ESCAPE.search(inner) and not python):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes that Python does not know
            tree = ast.parse(inner, mode="eval")
        if not isinstance(tree.body, ast.Dict) or any(_means_two(node, inner) for node in ast.walk(tree)):
            return None
        return (_loads(json.dumps(ast.literal_eval(tree)), strict=True),)
    except (ValueError, SyntaxError, TypeError):
        return None


_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?(?:\*/|\Z)', re.S)


def _without_comments(text: str) -> tuple[Any] | None:
    """JavaScript's comments in JSON, outside of strings."""
    inner = _inside(text)
    plain = _COMMENT.sub(lambda found: found[0] if found[0][0] == '"' else "", inner)
    return _with_controls(plain) if plain != inner else None


_ONE_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|["](?:[^"\\]|\\.)*["]""", re.S)


def _means_two(node: ast.AST, text: str) -> bool:
    """A key that is given twice, or two strings side by side, which Python would join."""
    if isinstance(node, ast.Dict):
        keys = [ast.dump(key) if key else "" for key in node.keys]
        return len(set(keys)) < len(keys)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        written = ast.get_source_segment(text, node) or ""
        return _ONE_STRING.fullmatch(written) is None
    return False


def _mixed_literals(text: str) -> tuple[Any] | None:
    """Python's words in JSON (`{"a": True}`), outside of strings."""
    words = {"True": "true", "False": "false", "None": "null"}
    swapped = re.sub(
        r'"(?:[^"\\]|\\.)*"|\b(?:True|False|None)\b', lambda m: words.get(m[0], m[0]), _inside(text), flags=re.S
    )
    return _with_controls(swapped)


def _by_library(text: str) -> tuple[Any] | None:
    """What json-repair makes of it, if every letter and bracket is kept: then nothing was cut, dropped or made up."""
    inner = _inside(text)
    if len(inner) > MAX_REPAIR or not inner.endswith("}") or _is_ambiguous(inner):
        return None
    from json_repair import loads  # late: 35 ms, and sound models never need it

    try:
        value = loads(inner, skip_json_loads=True, strict=True)
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return None
    kept = _skeleton(_flat(value)) == _skeleton(_unescaped(inner))
    brackets = all(written.count(each) == inner.count(each) for each in "{}[]")
    quoted = written.count('\\"') <= inner.count('\\"') + (inner.count('"') == 0) * len(written)
    return (value,) if isinstance(value, dict) and kept and brackets and quoted else None


def _is_ambiguous(text: str) -> bool:
    """Whether a string's end or an escape could be read in two ways, or a bare word is no value."""
    plain = re.sub(r"\\\\", "", text)
    odd = len(re.findall(r'(?<!\\)"', plain)) % 2 == 1
    single = bool(re.search(r"[{,:\[]\s*'", plain))
    return (
        odd
        or single
        or bool(_PYTHON_ESCAPE.search(text))
        or _mixes_escapes(text)
        or bool(re.search(r":\s*(?:undefined|NaN|-?Infinity)\b", text))
    )


_PYTHON_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8})")


def _mixes_escapes(text: str) -> bool:
    """C:\\temp\\docs with single backslashes: is it a tab, or two letters?"""
    plain = re.sub(r"\\\\", "", text)
    return bool(re.search(r"\\[^\"'\\/bfnrtu\n]", plain)) and bool(re.search(r"\\[bfnrtu]", plain))


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(str(key) + _flat(inner) for key, inner in value.items())
    if isinstance(value, list):
        return "".join(map(_flat, value))
    return value if isinstance(value, str) else json.dumps(value)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        return chr(int(found[1][1:], 16)) if len(found[1]) == 5 else _ESCAPES.get(found[1], found[1])

    return re.sub(r"\\(u[0-9a-fA-F]{4}|[\"\\/bfnrt'])", plain, text)


def _skeleton(text: str) -> str:
    return re.sub(r"[\s\"'`,:;{}\[\]()\\“”‘’\x00-\x1f]", "", text).lower().replace("none", "null")


_WAYS: tuple[tuple[Callable[[str], tuple[Any] | None], str], ...] = (
    (_with_controls, "raw line ends or tabs inside a string were read as they stand"),
    (_one_of_several, "text around the object was left out"),
    (_without_comments, "comments were left out"),
    (_mixed_literals, "Python's True, False or None were read as JSON"),
    (_by_library, "the JSON was put right (quotes, commas)"),
    (_python_literal, "a Python dict was read as JSON"),
)


# -- value → the arguments of this tool -------------------------------------------------------------------------------


def _as_object(value: Any, repairs: list[str]) -> dict[str, Any]:
    if isinstance(value, str):
        repairs.append("arguments that were encoded twice were decoded twice")
        value = _value(value.strip(), repairs)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        repairs.append("a list around the one object was left out")
        value = value[0]
    if value is None:
        repairs.append("null read as no arguments")
        return {}
    if not isinstance(value, dict):
        raise BadArguments(f"they are a {_KINDS.get(type(value), 'value')}, not an object")
    return value


_KINDS = {list: "list", str: "text", int: "number", float: "number", bool: "truth value"}


def _unwrapped(arguments: dict[str, Any], schema: Mapping[str, Any], tool: str, repairs: list[str]) -> dict[str, Any]:
    """The arguments inside `{"name": …, "arguments": {…}}` and its like, where the tool has no parameters of those names."""
    properties = schema.get("properties") or {}
    for _ in range(2):
        wraps = [key for key in arguments if key in _WRAPPERS and key not in properties]
        rest = [key for key in arguments if key not in wraps]
        if len(wraps) != 1 or any(key in properties or key not in _BESIDE for key in rest):
            break
        named = arguments.get("name")
        if isinstance(named, str) and tool and matching_name(named, [tool]) is None:
            raise BadArguments(f"they name another tool, {named[:60]!r}")
        inner = _as_object(arguments[wraps[0]], repairs)
        if wraps[0] == "properties" and inner and all(isinstance(v, dict) and "type" in v for v in inner.values()):
            raise BadArguments("they repeat the schema instead of values")
        arguments = inner
        repairs.append(f"the {wraps[0]} around the arguments were left out")
    return arguments


def _sound(arguments: dict[str, Any], text: str) -> dict[str, Any]:
    """The arguments in text that UTF-8 can hold: half a character is U+FFFD."""
    if text.isascii() and "\\ud" not in text and "\\uD" not in text:
        return arguments
    plain: dict[str, Any] = json.loads(whole_characters(json.dumps(arguments, ensure_ascii=False)))
    return plain
