"""Tool calls that a model wrote as text, in every dialect in use, read by one small grammar.
Touches nothing. A reply counts as calls only if it is calls to its end, after some prose perhaps; text that quotes or
explains a call is an answer. Does not promise: that a call fits its tool; reader.py looks at that.

A call is written as JSON (`{"name": …, "arguments": …}` and its spellings), as a name before its arguments (Mistral,
DeepSeek, Kimi, GLM), as tags (`<function=ping><parameter=x>`), or as Python (`[ping(x=1)]`); around it stand markers that
mean nothing by themselves.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.chat.blocks import plain_marks
from outrider.agent.models.chat.reasoning import is_quoted
from outrider.tools.arguments import matching_name, read_object

MOST_OPENERS = 12  # places in one reply where calls are looked for
_LONGEST = 400_000  # characters of a reply that is looked into

_WRAP = (
    r"</?(?:tool_calls?|toolcalls?|TOOLCALLS?|function_?calls?|functioncalls?|tools|minimax:tool_call|seed:tool_call|"
    r"｜DSML｜(?:function|tool)_calls|invoke_calls|json)>"
)
_SPECIAL = (
    r"<\|?(?:/)?\|?(?:tool_calls?|tool_call_begin|tool_call_end|tool_calls_section_begin|tool_calls_section_end|tool_call_start|"
    r"python_tag|python_start|python_end|eom_id|eot_id|eot|im_end|endoftext|end|call|action_start|action_end|plugin|"
    r"START_ACTION|END_ACTION|START_RESPONSE|END_RESPONSE|user|observation|return|tool_call_separator|tools_prefix|tools_suffix)\|?>"
    r"|</?(?:start|end)_function_call>|<\|tool_call>|<tool_call\|>"
)
_DEEPSEEK = r"<｜(?:tool[▁_]calls?[▁_](?:begin|end)|end▁of▁sentence)｜>|<\|tool▁\w+\|>|function<｜tool_sep｜>"
_NEUTRAL = re.compile(
    rf"\s+|[;,](?=\s*[<{{\[\w])|{_WRAP}|{_SPECIAL}|{_DEEPSEEK}|</s>|\[TOOL_CALLS\]|\[/TOOL_CALLS\]|functools(?=\[)|Action:\s*(?=[`{{\[])",
    re.I,
)
_STRONG = re.compile(  # nobody writes these by accident
    r"<(?:tool_calls?|toolcalls?|TOOLCALLS?|function_?calls?|functioncalls?|minimax:tool_call|seed:tool_call|｜DSML｜(?:function|tool)_calls)>"
    r"|<function=|<function name=|<(?:｜DSML｜|steptml:|antml:)?invoke name=|<start_function_call>|<\|tools_prefix\|>|\[TOOL_CALLS\]|<\|python_tag\|>|<\|python_start\|>|<\|/?tool_calls?\|?>|<\|tool_call_start\|>"
    r"|<\|tool_calls_section_begin\|>|<\|tool_call_begin\|>|<｜tool[▁_]calls?[▁_]begin｜>|<\|tool▁calls?▁begin\|>|<\|action_start\|>|<\|START_ACTION\|>|functools\[",
    re.I,
)
_WEAK = re.compile(
    r"^[ \t]{0,3}(?:(?:Action:\s*)?(?:`{3}|~{3})[ \t]*(?:json|jsonc|tool_calls?|tool_code|function_call|python|xml|)[ \t]*$|(?=[{\[])|Action:[ \t]*[\w.-]+[ \t]*\n[ \t]*Action Input:)",
    re.M,
)
_FENCE = re.compile(r"[ \t]*(?:`{3}|~{3})[ \t]*(?:\w+)?[ \t]*(?:\n|\Z|(?=<))")
_EXPLAINS = re.compile(
    r"\b(?:for example|e\.g\.|example|for instance|such as|like this|looks? like|syntax|the format|in this format|"
    r"(?:you|one|they|users?) (?:can|could|would|should|may|might|must)|would (?:be|look|call|write|use)|how (?:to|you)|"
    r"as follows|is written|is called|called with)\b",
    re.I,
)
_NAME = r"[A-Za-z_][\w.\-/]{0,120}"
_SPACE = r"(?:｜DSML｜|steptml:|antml:)?"  # namespaces of tags


@dataclass(frozen=True, slots=True)
class TextCall:
    """One call as it stands in the text; `arguments` as JSON, or as the model wrote them if they are none."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a text held: the prose before the calls, the calls, and whether they were marked as calls beyond doubt.

    broken: calls began beyond doubt, and what follows cannot be read as any. open: the last one has no end of its own.
    """

    prose: str
    calls: tuple[TextCall, ...]
    strong: bool
    broken: bool = False
    open: bool = False


def find_calls(
    text: str, names: Sequence[str], kinds: Callable[[str, str], str] = lambda tool, key: ""
) -> Found | None:
    """The calls a whole reply is made of, after prose perhaps; None if it is an answer.

    names: the tools on offer. kinds(tool, parameter): its JSON type, to read a tag's text as ("" if not known).
    """
    if len(text) > _LONGEST:
        return None
    text = plain_marks(text)
    broken: Found | None = None
    for start, strong in _openers(text):
        prose = text[:start].strip()
        if is_quoted(text, start, start + 1) or (prose and _explains(prose)):
            continue
        reader = _Reader(text[start:], names, kinds, strong)
        if calls := reader.calls():
            return Found(prose, tuple(calls), strong, open=reader.open)
        if strong and reader.broken() and broken is None:
            broken = Found(prose, (_guess(text[start:], names),), strong, broken=True)
    if broken is None and (call := _name_above_json(text, names)):
        return Found("", (call,), strong=False)
    return broken


def begins_call(text: str) -> bool:
    """Whether calls begin in the text beyond doubt (it may have been cut before they end)."""
    for start, strong in _openers(text):
        if strong and not is_quoted(text, start, start + 1) and not _explains(text[:start]):
            return True
    return False


def _openers(text: str) -> list[tuple[int, bool]]:
    found = [(each.start(), True) for each in _STRONG.finditer(text)] + [
        (each.start(), False) for each in _WEAK.finditer(text)
    ]
    return sorted(found)[:MOST_OPENERS]


def _explains(prose: str) -> bool:
    """Whether the words before a call speak about calls."""
    return bool(_EXPLAINS.search(prose[-200:]))


def _guess(text: str, names: Sequence[str]) -> TextCall:
    """A call that cannot be read: the tool it seems to be for, and the text, which the toolbox will refuse in words."""
    words = re.findall(_NAME, text[:400])
    named = next((name for word in words if (name := matching_name(word, names))), "")
    return TextCall(named, text[:20_000])


def _name_above_json(text: str, names: Sequence[str]) -> TextCall | None:
    """GLM-4: the tool's name on a line, its arguments below, and nothing else."""
    name, _, rest = text.strip().partition("\n")
    if matching_name(name.strip(), names) != name.strip() or not rest.lstrip().startswith("{"):
        return None
    return TextCall(name.strip(), rest.strip()) if read_object(rest) is not None else None


class _Reader:
    """Reads calls from the start of a text to its end. `calls()` is None if something else stands there."""

    def __init__(self, text: str, names: Sequence[str], kinds: Callable[[str, str], str], strong: bool) -> None:
        self._text, self._names, self._kinds, self._strong = text, names, kinds, strong
        self._at = 0
        self._made = 0
        self.open = False

    def calls(self) -> list[TextCall] | None:
        """All calls, [] if there are only markers."""
        made: list[TextCall] = []
        while True:
            self._skip()
            if self._at >= len(self._text):
                return made
            for way in (self._tagged, self._json, self._gemma, self._react, self._name_first, self._python):
                at = self._at
                found = way()
                if found:
                    made += found
                    self._made += len(found)
                    break
                self._at = at
            else:
                return None

    def broken(self) -> bool:
        """Whether a call began and cannot be read: no prose stands in its place, nor behind it."""
        made = self._made
        rest = self._text[self._at :]
        behind = re.split(r"</(?:tool_call|function|invoke)s?>", rest)[-1] if "</" in rest else ""
        return (
            not made and rest[:1] in ("{", "[", "<") and not re.search(r"[A-Za-z]{2}", re.sub(r"<[^>]*>", "", behind))
        )

    def _skip(self) -> None:
        while self._at < len(self._text):
            found = _NEUTRAL.match(self._text, self._at) or self._fence()
            if found is None:
                return
            self._at = found.end()

    def _fence(self) -> re.Match[str] | None:
        at_line_start = self._text[: self._at].rpartition("\n")[2].strip() in ("", "Action:")
        return _FENCE.match(self._text, self._at) if at_line_start else None

    def _take(self, pattern: str) -> re.Match[str] | None:
        found = re.compile(pattern, re.S).match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    # <function=ping><parameter=x>1</parameter></function>, <function=ping>{"x": 1}</function>, <invoke name="ping">…
    def _tagged(self) -> list[TextCall] | None:
        opened = self._take(
            rf'<(?:function=|{_SPACE}(?:function|invoke) name=)["\']?({_NAME})["\']?\s*(?:>|\(|(?=\{{))\s*'
        )
        if not opened:
            return None
        name, arguments = opened[1], dict[str, Any]()
        if (value := self._object()) is not None:
            body = value
            self._take(r"\s*\)?>?")  # of a tag that was never ended before its arguments
        else:
            tag = rf'<{_SPACE}parameter(?:=|\s+name=)["\']?([^"\'>\s]+)["\']?([^>]*)>'
            while parameter := self._take(rf"\s*{tag}(.*?)(?:</{_SPACE}parameter>|(?=<parameter[= ])|(?=</function>))"):
                arguments[parameter[1]] = self._typed(name, parameter[1], parameter[3], 'string="true"' in parameter[2])
            body = json.dumps(arguments, ensure_ascii=False)
        self.open = not self._take(rf"\s*</{_SPACE}(?:function|invoke)>|\s*(?=</tool_call>)")
        return None if self.open and self._text[self._at :].strip() else [TextCall(name, body)]

    def _typed(self, tool: str, key: str, text: str, is_text: bool) -> Any:
        """A tag's text as the schema's kind; text stays text."""
        plain = re.sub(r"\A\n|\n\Z", "", text)
        meant = matching_name(tool, self._names) or tool
        kind = self._kinds(meant, key)
        if is_text or kind == "string":
            return plain
        try:
            value = json.loads(plain)
            return plain if kind == "" and isinstance(value, str) else value
        except ValueError:
            return plain

    # {"name": …, "arguments": …}, or a list of them
    def _json(self) -> list[TextCall] | None:
        if self._text[self._at] not in "{[":
            return None
        value = self._value()
        if isinstance(value, dict) and len(value) == 1 and isinstance(inner := next(iter(value.values())), list):
            value = inner if set(value) <= {"tool_calls", "function_calls", "calls", "tools"} else value
        items = value if isinstance(value, list) else [value]
        calls = [call for item in items if (call := self._keyed(item) or _as_call(item, self._strong))]
        if value is None or len(calls) != len(items) or not calls:
            return None
        if self._strong:
            self._take(r"[}\]]{1,2}(?=\s*(?:<|\Z))")  # one bracket too many
        return calls

    def _keyed(self, item: Any) -> TextCall | None:
        """Apertus: `{"ping": {"x": 1}}`."""
        if not self._strong or not isinstance(item, dict) or len(item) != 1:
            return None
        ((name, body),) = item.items()
        return (
            TextCall(name, json.dumps(body, ensure_ascii=False))
            if name in self._names and isinstance(body, dict)
            else None
        )

    def _value(self) -> Any:
        """The JSON value here, as strict as need be; None: there is none, and nothing was taken."""
        decoder = json.JSONDecoder(strict=False)
        try:
            value, end = decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            return self._repaired()
        self._at = end
        return value

    def _repaired(self) -> Any:
        """A value that is nearly JSON: up to the next marker, or to the end."""
        end = re.compile(r"</?[a-zA-Z_:]{3,40}>|<[|｜]|\n[ \t]*(?:`{3}|~{3})|\Z").search(self._text, self._at)
        stop = end.start() if end else len(self._text)
        closed = self._text[stop : stop + 2] == "</"  # then nothing was cut: a brace that is missing was forgotten
        for end_ in ("", "}", "}}") if closed else ("",):
            if value := read_object(self._text[self._at : stop].rstrip() + end_):
                self._at = stop
                return value
        return None

    def _object(self) -> str | None:
        """The text of the object here."""
        if self._at >= len(self._text) or self._text[self._at] != "{":
            return None
        start = self._at
        return self._text[start : self._at] if isinstance(self._value(), dict) else None

    # call:ping{x:<escape>text<escape>,n:1} and the same with <|"|> (Gemma)
    def _gemma(self) -> list[TextCall] | None:
        found = self._take(rf"call:({_NAME})\s*(\{{.*?\}})(?=\s*(?:<end_function_call>|<tool_call\|>|call:|\Z))")
        if not found:
            return None
        pieces = re.split(r'<escape>|<\|"\|>', found[2])
        pieces[::2] = [re.sub(r"([{,]\s*)([A-Za-z_]\w*)\s*:", r'\1"\2":', piece) for piece in pieces[::2]]
        pieces[1::2] = [json.dumps(piece, ensure_ascii=False) for piece in pieces[1::2]]
        self.open = not re.compile(r"\s*<").match(self._text, self._at)
        return [TextCall(found[1], "".join(pieces))]

    # Action: ping, Action Input: {"x": 1}
    def _react(self) -> list[TextCall] | None:
        found = self._take(rf"Action:[ \t]*({_NAME})[ \t]*\n[ \t]*Action Input:\s*(?:`{{3}}(?:json)?\s*)?")
        body = self._object() if found else None
        if found is None or body is None:
            return None
        self._take(r"(?:\s*`{3})?\s*(?:Observation:\s*)?\Z")
        return [TextCall(found[1], body)]

    # ping[ARGS]{"x": 1}, functions.ping:0<|tool_call_argument_begin|>{…}, ping<｜tool▁sep｜>{…}, ping<arg_key>…
    def _name_first(self) -> list[TextCall] | None:
        opened = self._take(rf"(?:(?:function|type)?<[｜|]tool▁sep[｜|]>)?({_NAME}(?::\d+)?)\s*")
        if not opened:
            return None
        name = opened[1]
        if name == "function" and self._take(r"<[｜|]tool▁sep[｜|]>"):
            inner = self._take(rf"({_NAME})\s*")
            name = inner[1] if inner else name
        keys = self._pairs(name)
        if keys is not None:
            return [TextCall(name, keys)]
        mark = self._take(
            r"(?:\[CALL_ID\][\w-]*)?\s*(?:\[ARGS\]|<\|tool_call_argument_begin\|>|<[｜|]tool▁sep[｜|]>|\n)?\s*(?:`{3}(?:json)?\s*)?"
        )
        before = self._text[max(0, self._at - 60) : self._at]
        body = self._object()
        if body is None or not mark:
            return None
        known = matching_name(name, self._names) is not None
        return [TextCall(name, body)] if known or re.search(r"ARGS\]|argument_begin|tool▁sep", before) else None

    def _pairs(self, name: str) -> str | None:
        """GLM: `<arg_key>x</arg_key><arg_value>1</arg_value>` …"""
        arguments = dict[str, Any]()
        pair = r"\s*<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>"
        while found := self._take(pair):
            arguments[found[1].strip()] = self._typed(name, found[1].strip(), found[2], False)
        if arguments:
            self.open = not re.compile(r"\s*<[/|]").match(self._text, self._at)
            return json.dumps(arguments, ensure_ascii=False)
        alone = re.compile(r"\s*(?:</tool_call>|<\|tool_call_end\|>)").match(self._text, self._at)
        return "{}" if alone and matching_name(name, self._names) else None

    # [ping(x=1), pong()] or ping(x=1), and ping.call(x=1) after <|python_tag|>
    def _python(self) -> list[TextCall] | None:
        end = re.compile(r"</?[a-zA-Z_:]{3,40}>|<[|｜]|\n[ \t]*(?:`{3}|~{3})|\Z").search(self._text, self._at)
        stop = end.start() if end else len(self._text)
        source = self._text[self._at : stop].strip()
        if not re.match(rf"\[?\s*{_NAME}\s*\(", source):
            return None
        calls = _python_calls(source)
        if calls and all(matching_name(call.name, self._names) for call in calls):
            self._at = stop
            return calls
        return None


_ARGUMENTS = ("arguments", "parameters", "args", "input", "params", "function_args")


def _as_call(item: Any, strong: bool) -> TextCall | None:
    """A call written as a JSON object, in any of its spellings; without arguments only where it is marked as a call."""
    if not isinstance(item, dict):
        return None
    inner = item.get("function") or item.get("function_call") or item.get("tool_call")
    if isinstance(inner, dict):
        return _as_call(inner, strong)
    name = next(
        (item[k] for k in ("name", "tool_name", "function", "tool", "action") if isinstance(item.get(k), str)), ""
    )
    key = next((k for k in (*_ARGUMENTS, "action_input") if k in item), "")
    beside = set(item) - {
        "name",
        "tool_name",
        "function",
        "tool",
        "action",
        key,
        "type",
        "id",
        "tool_call_id",
        "index",
        "thought",
    }
    if not name or beside or not (key or strong):
        return None
    value = item.get(key, {}) if key else {}
    if isinstance(value, str) and value.strip() and not strong and value.strip()[0] not in "{\"'`[":
        return None  # a sentence: data that happens to have such keys
    return TextCall(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _python_calls(source: str) -> list[TextCall] | None:
    """Calls written as Python with literal arguments; None for any other code."""
    try:
        tree = ast.parse(source, mode="exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    nodes: list[ast.expr] = []
    for statement in tree.body:
        if not isinstance(statement, ast.Expr):
            return None
        nodes += statement.value.elts if isinstance(statement.value, ast.List) else [statement.value]
    calls = [_python_call(node) for node in nodes]
    return [call for call in calls if call] if calls and all(calls) else None


def _python_call(node: ast.expr) -> TextCall | None:
    if not isinstance(node, ast.Call) or node.args or any(word.arg is None for word in node.keywords):
        return None
    name = ast.unparse(node.func)
    try:
        arguments = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
        return TextCall(name.removesuffix(".call"), json.dumps(arguments, ensure_ascii=False, allow_nan=False))
    except (ValueError, TypeError, RecursionError):
        return None
