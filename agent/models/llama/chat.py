"""An ordinary GGUF's side of a conversation: our messages as plain chat turns, its grammar-bound JSON as a reply.

What it is: tools are described in the system turn and observations come as user turns, because every chat template
knows system, user and assistant, and few know tools in the same way. What it may touch: nothing.
Does not promise: that the model follows; the grammar sees to the shape, the toolbox to the rest. Start at `turns`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from outrider.agent.models.model import CallDraft, Message, Reply, ToolSpec, Usage, as_shown
from outrider.memory.text import whole_characters
from outrider.tools.signature import shape

HOW = (
    'Reply with one JSON object and nothing else. To use a tool: {"tool": "its name", "arguments": {…}}. '
    'When you know the answer to the goal: {"answer": "the answer"}.\nTools:'
)
CUT_CALL = "its tool call was cut at the reply's limit"
REPETITION = "repetition"
Turn = dict[str, str]


def turns(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> list[Turn]:
    """The chat: one system turn, then user and assistant turns that alternate."""
    system = [message.text for message in messages if message.role == "system"]
    if tools:
        system.append("\n".join([HOW, *(_described(spec) for spec in tools)]))
    out: list[Turn] = [{"role": "system", "content": "\n\n".join(system)}] if system else []
    for message in messages:
        if message.role != "system":
            _say(out, _turn(message))
    return out


def _described(spec: ToolSpec) -> str:
    """A tool in few tokens: its signature, what it does, what its parameters are; the grammar knows the rest."""
    lines = [f"- {shape(spec.name, spec.parameters)}: {spec.description}"]
    properties = spec.parameters.get("properties")
    for name, one in properties.items() if isinstance(properties, dict) else ():
        if isinstance(one, dict) and (about := one.get("description")):
            lines.append(f"  {name}: {about}")
    return "\n".join(lines)


def _turn(message: Message) -> Turn:
    if message.role == "tool":
        failed = "" if message.ok else " (failed)"
        return {"role": "user", "content": f"Observation from {message.label}{failed}:\n{as_shown(message)}"}
    if message.role == "assistant":
        said = [f'{{"tool": {json.dumps(call.name)}, "arguments": {call.arguments or "{}"}}}' for call in message.calls]
        return {"role": "assistant", "content": "\n".join([*said, message.text] if message.text else said)}
    return {"role": "user", "content": as_shown(message)}


def _say(out: list[Turn], turn: Turn) -> None:
    """Add a turn; two of one role in a row become one, for many templates refuse them."""
    if out and out[-1]["role"] == turn["role"] != "system":
        out[-1]["content"] += "\n\n" + turn["content"]
    else:
        out.append(turn)


def read(text: str, usage: Usage, finish: str) -> Reply:
    """The reply in the JSON the grammar let through. finish: "stop", or why it ends in the middle ("length",
    "repetition" …).

    Of an answer that was cut the words so far are the text; a cut call keeps what was written of its arguments, and its
    flaw says that it is none to run: it is asked for again with more room. A call that was stopped in the middle of a loop
    is nothing to run or to ask for again: more room would be filled with the loop.
    """
    reply = _read(text, usage, finish)
    return replace(reply, calls=(), finish_reason=finish, flaw="") if finish == REPETITION else reply


def _read(text: str, usage: Usage, finish: str) -> Reply:
    try:
        said = json.loads(text)
    except ValueError:
        return _read_cut(text, usage, finish if finish != "stop" else "length")
    if isinstance(said, dict) and "tool" in said:
        arguments = whole_characters(json.dumps(said.get("arguments", {}), ensure_ascii=False))
        call = CallDraft(name=str(said["tool"]), arguments=arguments)
        return Reply(calls=(call,), usage=usage, finish_reason="tool_calls")
    answer = said.get("answer", text) if isinstance(said, dict) else text
    if not isinstance(answer, str):  # data, where the run asked for it
        answer = json.dumps(answer, ensure_ascii=False)
    return Reply(text=whole_characters(answer), usage=usage)


_CUT_ANSWER = re.compile(r'\s*\{\s*"answer"\s*:\s*"(.*)', re.DOTALL)
_CUT_CALL = re.compile(r'\s*\{\s*"tool"\s*:\s*("(?:[^"\\]|\\.)*")\s*(?:,\s*"arguments"\s*:\s*(.*))?', re.DOTALL)
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")


def _read_cut(text: str, usage: Usage, finish: str) -> Reply:
    if answer := _CUT_ANSWER.match(text):
        return Reply(text=_words(answer[1]), usage=usage, finish_reason=finish)
    if call := _CUT_CALL.match(text):
        draft = CallDraft(name=json.loads(call[1]), arguments=whole_characters(call[2] or ""))
        return Reply(calls=(draft,), usage=usage, finish_reason=finish, flaw=CUT_CALL)
    said = "" if text.lstrip().startswith("{") else text  # a few characters of JSON are no words
    return Reply(text=whole_characters(said), usage=usage, finish_reason=finish)


def _words(inside: str) -> str:
    """The words in a JSON string that may have lost its end: an escape that is cut in two is left out."""
    for end in range(len(inside), max(-1, len(inside) - 8), -1):
        part = _CUT_ESCAPE.sub("", inside[:end]) if end == len(inside) else inside[:end]
        try:
            return whole_characters(str(json.loads(f'"{part}"')))
        except ValueError:
            continue
    return whole_characters(inside)
