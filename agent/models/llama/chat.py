"""An ordinary GGUF's side of a conversation: our messages as plain chat turns, its grammar-bound JSON as a reply.

What it is: tools are described in the system turn and observations come as user turns, because every chat template
knows system, user and assistant, and few know tools in the same way. What it may touch: nothing.
Does not promise: that the model follows; the grammar sees to the shape, the toolbox to the rest. Start at `turns`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from outrider.agent.models.model import CallDraft, Message, Reply, ToolSpec, Usage
from outrider.memory.text import for_model

HOW = (
    'Reply with one JSON object and nothing else. To use a tool: {"tool": "its name", "arguments": {…}}. '
    'When you know the answer to the goal: {"answer": "the answer"}.\nTools:'
)
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
    return f"- {spec.name}: {spec.description} arguments: {json.dumps(spec.parameters, ensure_ascii=False)}"


def _turn(message: Message) -> Turn:
    note = f"\n({message.note})" if getattr(message, "note", "") else ""
    if message.role == "tool":
        failed = "" if message.ok else " (failed)"
        return {
            "role": "user",
            "content": f"Observation from {message.label}{failed}:\n{for_model(message.text)}{note}",
        }
    if message.role == "assistant":
        said = [f'{{"tool": {json.dumps(call.name)}, "arguments": {call.arguments or "{}"}}}' for call in message.calls]
        return {"role": "assistant", "content": "\n".join([*said, message.text] if message.text else said)}
    return {"role": "user", "content": for_model(message.text) + note}


def _say(out: list[Turn], turn: Turn) -> None:
    """Add a turn; two of one role in a row become one, for many templates refuse them."""
    if out and out[-1]["role"] == turn["role"] != "system":
        out[-1]["content"] += "\n\n" + turn["content"]
    else:
        out.append(turn)


def read(text: str, usage: Usage, finish: str, on_text: Callable[[str], None] | None) -> Reply:
    """The reply in the JSON the grammar let through; text that was cut is handed on as it is, with finish "length"."""
    try:
        said = json.loads(text)
    except ValueError:
        return Reply(text=text, usage=usage, finish_reason="length" if finish != "stop" else "stop")
    if isinstance(said, dict) and "tool" in said:
        call = CallDraft(name=str(said["tool"]), arguments=json.dumps(said.get("arguments", {}), ensure_ascii=False))
        return Reply(calls=(call,), usage=usage, finish_reason="tool_calls")
    answer = said.get("answer", text) if isinstance(said, dict) else text
    if not isinstance(answer, str):  # data, where the run asked for it
        answer = json.dumps(answer, ensure_ascii=False)
    if on_text:
        on_text(answer)
    return Reply(text=answer, usage=usage)
