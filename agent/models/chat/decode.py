"""What a chat-completions server sent, as a Reply: whole JSON or a stream of events.
Touches nothing. Every shape here was sent by some server in the wild; nothing in the bytes is trusted.
Does not promise: that calls make sense; arguments stay the text the model wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from outrider.agent.models.chat.errors import error_text, short
from outrider.agent.models.model import CallDraft, Reply, Usage
from outrider.memory.text import whole_characters

MOST_TOKENS = 100_000_000  # more than any window or reply: a server that reports more is broken
MOST_CALLS = 128  # of one reply; more is a loop in the model, and each costs an observation


class BadReply(Exception):
    """The bytes are not a reply. `str()` says what they are, in short."""


class ServerSaidError(BadReply):
    """A 200 that reports an error in its body or in mid-stream."""


def decode_whole(data: bytes) -> Reply:
    """The reply in a complete JSON body. Raises BadReply."""
    body = _object(data)
    choice = _choice(body)
    if choice is None:
        raise BadReply(f"no choices in it: {short(json.dumps(body), 200)}")
    message = choice.get("message")
    if not isinstance(message, dict):
        raise BadReply(f"the choice holds no message: {short(json.dumps(choice), 200)}")
    calls = _Calls()
    calls.add_all(message, pieces=False)
    text = _text(message.get("content")) or _text(message.get("refusal"))
    return _reply(text, calls, choice.get("finish_reason"), usage_of(body.get("usage")))


class StreamDecoder:
    """Server-sent events in, one Reply out. Feed it bytes as they come, cut anywhere; `on_text` sees words at once."""

    def __init__(self, on_text: Callable[[str], None] | None) -> None:
        self._on_text = on_text
        self._parts: list[bytes] = []  # of a line whose end has not come: joined once, so a long line costs no square
        self._data: list[bytes] = []
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls = _Calls()
        self._usage: Usage | None = None
        self._finish: Any = None
        self._done = False
        self.events = 0

    @property
    def complete(self) -> bool:
        """Whether the server said that this was all: a finish reason or [DONE]."""
        return self._done or bool(_plain(self._finish).strip())

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises BadReply."""
        if b"\n" not in data:
            self._parts.append(data)
            return
        *lines, rest = (b"".join(self._parts) + data if self._parts else data).split(b"\n")
        self._parts = [rest] if rest else []
        for line in lines:
            self._line(line)

    def reply(self) -> Reply:
        """The whole reply. Raises BadReply if the stream ended before its end."""
        if self._parts or self._data:  # a last event without its blank line
            self._line(b"".join(self._parts))
            self._line(b"")
        if not self.complete:
            raise BadReply(f"the stream ended after {self.events} events with neither a finish reason nor [DONE]")
        return _reply("".join(self._text) or "".join(self._refusal), self._calls, self._finish, self._usage)

    def _line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._data.append(line[5:])
        elif self._data and not line.rstrip(b"\r"):
            event, self._data = b"\n".join(self._data).strip(), []
            if event == b"[DONE]":
                self._done = True
            elif event and not self._done:
                self._event(event)

    def _event(self, event: bytes) -> None:
        body = _object(event)
        self.events += 1
        if isinstance(body.get("usage"), dict):
            self._usage = usage_of(body["usage"])
        choice = _choice(body)
        if choice is None:  # the event that carries the usage
            return
        self._finish = choice.get("finish_reason") or self._finish
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return
        if text := _text(delta.get("content")):
            self._text.append(text)
            if self._on_text:
                self._on_text(whole_characters(text))
        if refusal := _text(delta.get("refusal")):
            self._refusal.append(refusal)
        self._calls.add_all(delta)


class _Calls:
    """Tool calls, whole or in pieces; pieces of one call share an index (or, where servers forget it, an id)."""

    def __init__(self) -> None:
        self._slots: list[tuple[object, list[str]]] = []  # (index, [id, name, arguments, arguments …])

    def add_all(self, message: dict[str, Any], *, pieces: bool = True) -> None:
        """Take what a delta holds, or (`pieces=False`) a whole message, where no two entries are the same call."""
        calls = message.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                index = call.get("index")
                known = pieces and isinstance(index, int)
                self._add(index if known else ("at", position), call, call.get("function"))
        if isinstance(message.get("function_call"), dict):  # the API's first form, still spoken
            self._add("function_call", {}, message["function_call"])

    def drafts(self) -> tuple[CallDraft, ...]:
        """The calls in the order they began. One without a name keeps its place: the loop says what was wrong."""
        return tuple(
            CallDraft(
                id=whole_characters(parts[0]),
                name=whole_characters(parts[1]),
                arguments=whole_characters("".join(parts[2:])) or "{}",
            )
            for _, parts in self._slots
        )

    def _add(self, index: object, call: dict[str, Any], function: Any) -> None:
        function = function if isinstance(function, dict) else {}
        call_id, name = _plain(call.get("id")), _plain(function.get("name"))
        slot = self._slot(index, call_id)
        if slot is not None:
            slot[0], slot[1] = slot[0] or call_id, slot[1] or name
            slot.append(_arguments(function.get("arguments")))

    def _slot(self, index: object, call_id: str) -> list[str] | None:
        """The call that a piece belongs to; a new id at a known index is a new call (some servers count nothing)."""
        for known, parts in reversed(self._slots):
            if known == index:
                if call_id and parts[0] and call_id != parts[0]:
                    break
                return parts
        if len(self._slots) >= MOST_CALLS:
            return None
        self._slots.append((index, ["", ""]))
        return self._slots[-1][1]


def usage_of(given: Any) -> Usage | None:
    """The usage a server reported; None if it is missing, half there, negative or absurd: then it is not believed."""
    if not isinstance(given, dict):
        return None
    read, written = token_count(given.get("prompt_tokens")), token_count(given.get("completion_tokens"))
    if read is None or written is None:
        return None
    details = given.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else given.get("prompt_cache_hit_tokens")
    return Usage(input_tokens=read, output_tokens=written, cached_tokens=min(token_count(cached) or 0, read))


def _reply(text: str, calls: _Calls, finish: Any, usage: Usage | None) -> Reply:
    drafts = calls.drafts()
    reason = short(_plain(finish), 40) or ("tool_calls" if drafts else "stop")
    if reason == "function_call" or (drafts and reason == "stop"):
        reason = "tool_calls"
    return Reply(text=whole_characters(text), calls=drafts, usage=usage, finish_reason=reason)


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"not JSON: {short(data[:400].decode('utf-8', 'replace'), 200)!r}") from error
    if isinstance(body, dict) and isinstance(body.get("choices"), list) and not body.get("error"):
        return body
    if words := error_text(body):
        raise ServerSaidError(short(words))
    if not isinstance(body, dict):
        raise BadReply(f"not an object: {short(json.dumps(body), 200)}")
    return body


def _choice(body: dict[str, Any]) -> dict[str, Any] | None:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def _text(content: Any) -> str:
    """Words of a content field: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(_plain(part.get("text")) for part in content if isinstance(part, dict))
    return ""


def _arguments(given: Any) -> str:
    """Arguments as text; a server that sends an object meant its JSON."""
    if given is None or isinstance(given, str):
        return given or ""
    return json.dumps(given, ensure_ascii=False)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else ""


def token_count(value: Any) -> int | None:
    """A reported number of tokens; None if it is no number, negative or absurd."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_TOKENS:
        return None
    return int(value)
