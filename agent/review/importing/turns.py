"""What every importer makes: a conversation in turns, and the events a run of it would have left.
Touches nothing. Does not promise: times and costs the other system did not keep; they are 0, and the run says it is imported.

Everything in such a file is untrusted: results are marked so, and no text becomes anything but text.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from outrider.agent.review.importing.left_out import LeftOut, in_words, named, objects, parts_without_words
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
    StopReason,
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
    wall_s: float = 0.0


@dataclass(slots=True)
class Turn:
    """What the model said and called, or (`role` "user") what it was told later on."""

    text: str = ""
    calls: list[CallTurn] = field(default_factory=list)
    role: str = "assistant"
    usage: Usage | None = None
    reasoning: str = ""


@dataclass(slots=True)
class Conversation:
    """One run of another system. `answer`: what it came back with, if that is not its last words. `ended`: its own word.

    usd: what all of it cost, where the other system says so. failed: it says that it broke off. left_out: entries of the
    file that belong to it and could not be read.
    """

    goal: str
    turns: list[Turn]
    model: str = "unknown"
    system: str = ""
    answer: str = ""
    ended: str = ""
    source: str = ""
    usd: Decimal = Decimal(0)
    failed: bool = False
    left_out: LeftOut = field(default_factory=Counter)


def events(one: Conversation) -> Iterator[Event]:
    """The events of a conversation, in order."""
    if len(one.turns) > MOST_TURNS:
        one.left_out[f"turn beyond the first {MOST_TURNS:,}"] += len(one.turns) - MOST_TURNS
    imported: dict[str, Any] = {"format": one.source, "ended": one.ended}
    imported |= {"left_out": dict(one.left_out)} if one.left_out else {}
    yield RunStarted(
        goal=one.goal or "(no goal was recorded)", model=f"imported:{one.model}", system=one.system,
        settings={"imported": imported}, label=LABEL,
    )  # fmt: skip
    if one.left_out:
        yield Noted(text=f"not read from the file this was imported from: {in_words(one.left_out)}", by="outrider")
    step, last, clock_s = 0, "", 0.0
    paid = next((turn for turn in reversed(one.turns[:MOST_TURNS]) if turn.role == "assistant"), None)
    for turn in one.turns[:MOST_TURNS]:
        if turn.role != "assistant":
            yield Noted(text=turn.text, by="person")
            continue
        step += 1
        yield from _turn(step, turn, one.usd if turn is paid else Decimal(0), clock_s)
        clock_s += sum(call.wall_s for call in turn.calls)
        last = "" if turn.calls else turn.text
    answer = one.answer or last
    if answer.strip() and not one.failed:
        yield Answered(text=answer)
        yield Stopped(reason="answered", detail=one.ended)
    else:
        reason: StopReason = "error" if one.failed else "interrupted"
        yield Stopped(reason=reason, detail=one.ended or "the transcript ends without an answer")


def _turn(step: int, turn: Turn, usd: Decimal, clock_s: float) -> Iterator[Event]:
    drafts = tuple(
        CallDraft(id=call.id, name=call.tool, arguments=json.dumps(call.arguments, ensure_ascii=False, default=str))
        for call in turn.calls
    )
    tokens = turn.usage.input_tokens + turn.usage.output_tokens if turn.usage else 0
    yield ModelAsked(step=step, elapsed_s=clock_s)
    yield ModelReplied(
        step=step, text=turn.text, reasoning=turn.reasoning, calls=drafts, usage=turn.usage,
        cost=Amount(tokens=tokens, usd=usd), finish_reason="tool_calls" if drafts else "stop", elapsed_s=clock_s,
    )  # fmt: skip
    for position, call in enumerate(turn.calls):
        call_id = f"{step}.{position}"
        yield ToolCalled(call_id=call_id, tool=call.tool, arguments=json.loads(json.dumps(call.arguments, default=str)))
        if call.result is not None:
            clock_s += call.wall_s
            yield ToolReturned(
                call_id=call_id, tool=call.tool, text=call.result, ok=call.ok, origin="untrusted", wall_s=call.wall_s,
                elapsed_s=clock_s,
            )  # fmt: skip


def text_of(content: Any) -> str:
    """The text of a message's content, whichever of the usual shapes it has."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return text_of(content.get("text") or content.get("content") or "")
    if isinstance(content, list):
        return "\n".join(filter(None, (text_of(part) for part in content)))
    return "" if content is None else str(content)


def inside(value: Any, *names: str) -> Any:
    """What stands under these names, one within the other; None where there is nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def object_of(value: Any) -> dict[str, Any]:
    """Arguments as an object: JSON text is read, anything else is kept under "value"."""
    if isinstance(value, str):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return {"value": value}
    return value if isinstance(value, dict) else {} if value is None else {"value": value}


def from_messages(messages: Any, **about: Any) -> Conversation:
    """Chat messages (system, user, assistant with tool_calls, tool) as a conversation.

    The first user message is the goal. Results are paired by id, and where ids repeat or lack, by order.
    """
    one = Conversation(goal="", turns=[], **about)
    waiting: list[CallTurn] = []
    for message in objects(messages, "message", one.left_out):
        role, text = str(message.get("role", "")), text_of(message.get("content"))
        one.left_out.update(parts_without_words(message.get("content")))
        if role in ("system", "developer"):
            one.system = f"{one.system}\n{text}".strip()
        elif role == "user":
            if one.goal or one.turns:
                one.turns.append(Turn(text, role="user"))
            else:
                one.goal = text
        elif role == "assistant":
            raws = objects(message.get("tool_calls"), "tool call", one.left_out)
            raws += [old] if isinstance(old := message.get("function_call"), dict) else []  # the older way
            turn = Turn(text, [_call(raw) for raw in raws], reasoning=_reasoning(message))
            waiting = list(turn.calls)
            one.turns.append(turn)
        elif role in ("tool", "function"):
            if not _give(waiting, message, text):
                one.left_out["result without a call"] += 1
        else:
            one.left_out[f"message of the role {named(role)}"] += 1
    return one


def _call(raw: dict[str, Any]) -> CallTurn:
    function = raw.get("function")
    if isinstance(function, dict):
        return CallTurn(str(function.get("name", "")), object_of(function.get("arguments")), id=str(raw.get("id", "")))
    return CallTurn(str(function or raw.get("name", "")), object_of(raw.get("arguments")), id=str(raw.get("id", "")))


def _reasoning(message: dict[str, Any]) -> str:
    """What the model thought, where it was kept beside what it said."""
    parts = message.get("content") if isinstance(message.get("content"), list) else []
    found = [part.get("reasoning") or part.get("thinking") for part in parts or [] if isinstance(part, dict)]
    return "\n".join(
        text for text in (message.get("reasoning_content"), message.get("reasoning"), *found) if isinstance(text, str)
    )


def number_of(value: Any) -> float:
    """A number in a file of others that is zero or more and finite; else 0."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    return float(value) if right else 0.0


def dollars_of(value: Any) -> Decimal:
    """The same as dollars."""
    return Decimal(str(round(number_of(value), 9)))


def usage_of(raw: Any) -> Usage | None:
    """What a request used, as OpenAI, Anthropic and Inspect write it; None where nothing was kept."""
    if not isinstance(raw, dict):
        return None
    read = number_of(raw.get("input_tokens")) or number_of(raw.get("prompt_tokens"))
    wrote = number_of(raw.get("output_tokens")) or number_of(raw.get("completion_tokens"))
    return Usage(input_tokens=int(read), output_tokens=int(wrote)) if read or wrote else None


def _give(waiting: list[CallTurn], message: dict[str, Any], text: str) -> bool:
    """Whether a call waited for this result, and has it now."""
    several = message.get("tool_call_ids")
    wanted = str(
        message.get("tool_call_id")
        or (several[0] if isinstance(several, list) and several else message.get("id"))
        or ""
    )
    call = next((c for c in waiting if wanted and c.id == wanted), waiting[0] if waiting else None)
    if call is None:
        return False
    waiting.remove(call)
    call.result, call.ok = text, not message.get("error")
    return True
