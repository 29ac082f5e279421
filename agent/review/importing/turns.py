"""What every importer makes: a conversation in turns, and the events a run of it would have left.
Touches nothing. Does not promise: times and costs the other system did not keep; they are 0, and the run says it is imported.

Everything in such a file is untrusted: results are marked so, and no text becomes anything but text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from outrider.memory.events import (
    Amount,
    Answered,
    CallDraft,
    Event,
    ModelAsked,
    ModelReplied,
    Noted,
    RunStarted,
    Stopped,
    ToolCalled,
    ToolReturned,
    Usage,
)

MOST_TURNS = 100_000
LABEL = "imported"


@dataclass(slots=True)
class CallTurn:
    """A call of another system with its result; `result` None: none was recorded."""

    tool: str
    arguments: dict[str, Any]
    result: str | None = None
    ok: bool = True
    id: str = ""


@dataclass(slots=True)
class Turn:
    """What the model said and called, or (`role` "user") what it was told later on."""

    text: str = ""
    calls: list[CallTurn] = field(default_factory=list)
    role: str = "assistant"
    usage: Usage | None = None


@dataclass(slots=True)
class Conversation:
    """One run of another system. `answer`: what it came back with, if that is not its last words. `ended`: its own word."""

    goal: str
    turns: list[Turn]
    model: str = "unknown"
    system: str = ""
    answer: str = ""
    ended: str = ""
    source: str = ""


def events(one: Conversation) -> Iterator[Event]:
    """The events of a conversation, in order."""
    imported: dict[str, Any] = {"format": one.source, "ended": one.ended}
    yield RunStarted(
        goal=one.goal or "(no goal was recorded)", model=f"imported:{one.model}", system=one.system,
        settings={"imported": imported}, label=LABEL,
    )  # fmt: skip
    step, last = 0, ""
    for turn in one.turns[:MOST_TURNS]:
        if turn.role != "assistant":
            yield Noted(text=turn.text, by="person")
            continue
        step += 1
        yield from _turn(step, turn)
        last = "" if turn.calls else turn.text
    answer = one.answer or last
    if answer.strip():
        yield Answered(text=answer)
        yield Stopped(reason="answered", detail=one.ended)
    else:
        yield Stopped(reason="interrupted", detail=one.ended or "the transcript ends without an answer")


def _turn(step: int, turn: Turn) -> Iterator[Event]:
    drafts = tuple(
        CallDraft(id=call.id, name=call.tool, arguments=json.dumps(call.arguments, ensure_ascii=False, default=str))
        for call in turn.calls
    )
    tokens = turn.usage.input_tokens + turn.usage.output_tokens if turn.usage else 0
    yield ModelAsked(step=step)
    yield ModelReplied(
        step=step, text=turn.text, calls=drafts, usage=turn.usage, cost=Amount(tokens=tokens),
        finish_reason="tool_calls" if drafts else "stop",
    )  # fmt: skip
    for position, call in enumerate(turn.calls):
        call_id = f"{step}.{position}"
        yield ToolCalled(call_id=call_id, tool=call.tool, arguments=json.loads(json.dumps(call.arguments, default=str)))
        if call.result is not None:
            yield ToolReturned(call_id=call_id, tool=call.tool, text=call.result, ok=call.ok, origin="untrusted")


def text_of(content: Any) -> str:
    """The text of a message's content, whichever of the usual shapes it has."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return text_of(content.get("text") or content.get("content") or "")
    if isinstance(content, list):
        return "\n".join(filter(None, (text_of(part) for part in content)))
    return "" if content is None else str(content)


def object_of(value: Any) -> dict[str, Any]:
    """Arguments as an object: JSON text is read, anything else is kept under "value"."""
    if isinstance(value, str):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return {"value": value}
    return value if isinstance(value, dict) else {} if value is None else {"value": value}


def from_messages(messages: list[Any], **about: Any) -> Conversation:
    """Chat messages (system, user, assistant with tool_calls, tool) as a conversation.

    The first user message is the goal. Results are paired by id, and where ids repeat or lack, by order.
    """
    one = Conversation(goal="", turns=[], **about)
    waiting: list[CallTurn] = []
    for message in messages:
        if not isinstance(message, dict):
            continue
        role, text = str(message.get("role", "")), text_of(message.get("content"))
        if role in ("system", "developer"):
            one.system = f"{one.system}\n{text}".strip()
        elif role == "user":
            if one.goal or one.turns:
                one.turns.append(Turn(text, role="user"))
            else:
                one.goal = text
        elif role == "assistant":
            turn = Turn(text, [_call(raw) for raw in message.get("tool_calls") or [] if isinstance(raw, dict)])
            waiting = list(turn.calls)
            one.turns.append(turn)
        elif role in ("tool", "function"):
            _give(waiting, message, text)
    return one


def _call(raw: dict[str, Any]) -> CallTurn:
    function = raw.get("function")
    if isinstance(function, dict):
        return CallTurn(str(function.get("name", "")), object_of(function.get("arguments")), id=str(raw.get("id", "")))
    return CallTurn(str(function or raw.get("name", "")), object_of(raw.get("arguments")), id=str(raw.get("id", "")))


def _give(waiting: list[CallTurn], message: dict[str, Any], text: str) -> None:
    wanted = str(message.get("tool_call_id") or "")
    call = next((c for c in waiting if wanted and c.id == wanted), waiting[0] if waiting else None)
    if call is None:
        return
    waiting.remove(call)
    call.result, call.ok = text, not message.get("error")
