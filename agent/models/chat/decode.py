"""What a chat-completions server sent, as a Reply: whole JSON or a stream of events.
Touches nothing. Every shape here was sent by some server in the wild; nothing in the bytes is trusted.
Does not promise: that calls make sense; arguments stay the text the model wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from outrider.agent.models.chat.call_parts import CallParts
from outrider.agent.models.chat.characters import content_text, plain_text
from outrider.agent.models.chat.encode import SENT_BACK
from outrider.agent.models.chat.errors import error_text, short
from outrider.agent.models.chat.reader import CUT, read_reply
from outrider.agent.models.chat.reasoning import in_fields
from outrider.agent.models.chat.repetition import LEAST_HOSTED, Watch, loop, said_once
from outrider.agent.models.chat.usage import usage_of
from outrider.agent.models.chat.visible import Visible
from outrider.agent.models.model import Reply, ToolSpec, Usage
from outrider.memory.text import whole_characters

MOST_KEPT = 400_000  # characters of reasoning fields that are sent back


class BadReply(Exception):
    """The bytes are not a reply. `str()` says what they are, in short."""


class ServerSaidError(BadReply):
    """A 200 that reports an error in its body or in mid-stream; `body` is what was said, as it came."""

    def __init__(self, words: str, body: bytes = b"") -> None:
        super().__init__(words)
        self.body = body


def decode_whole(data: bytes, tools: Sequence[ToolSpec] = ()) -> Reply:
    """The reply in a complete body: JSON, or a stream that was not asked for. Raises BadReply."""
    if data.lstrip()[:6] in (b"data: ", b"data:{", b"event:") or data.lstrip()[:1] == b":":
        decoder = StreamDecoder(None, tools)
        with suppress(Repeating):
            decoder.feed(data)
        return decoder.reply()
    body = _object(data)
    choice = _choice(body)
    if choice is None:
        raise BadReply(f"no choices in it: {short(json.dumps(body), 200)}")
    message = choice.get("message")
    if not isinstance(message, dict):
        raise BadReply(f"the choice holds no message: {short(json.dumps(choice), 200)}")
    parts = _Parts(tools)
    parts.add(message, pieces=False)
    reply = parts.reply(choice.get("finish_reason"), usage_of(body.get("usage")))
    phrase = reply.finish_reason == CUT and (loop(reply.text, LEAST_HOSTED) or loop(reply.reasoning, LEAST_HOSTED))
    return once(reply, phrase) if phrase else reply


def once(reply: Reply, phrase: str) -> Reply:
    """A reply that said `phrase` over and over until it was stopped: once is enough, and a call in it is nothing to run."""
    return replace(reply, text=said_once(reply.text, phrase), calls=(), finish_reason="repetition", kept={}, flaw="")


class Repeating(BadReply):
    """A streamed reply says one phrase over and over: stop reading, and take `StreamDecoder.reply` as it is."""


class StreamDecoder:
    """Server-sent events in, one Reply out. Feed it bytes as they come, cut anywhere; `on_text` sees the answer's words at
    once, and no reasoning or markup. held: `on_text` sees nothing before the end (see Visible)."""

    def __init__(
        self, on_text: Callable[[str], None] | None, tools: Sequence[ToolSpec] = (), *, held: bool = False
    ) -> None:
        self._visible = Visible(on_text, [spec.name for spec in tools], held=held) if on_text else None
        self._lines: list[bytes] = []  # of a line whose end has not come: joined once, so a long line costs no square
        self._data: list[bytes] = []
        self._tools, self._parts = tools, _Parts(tools)
        self._usage: Usage | None = None
        self._finish: Any = None
        self._done = False
        self._said, self._thought = Watch(least=LEAST_HOSTED), Watch(least=LEAST_HOSTED)
        self._pieces = 0  # events that held a delta
        self.events = 0

    @property
    def complete(self) -> bool:
        """Whether the server said that this was all: a finish reason or [DONE]."""
        return self._done or bool(plain_text(self._finish).strip())

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises BadReply."""
        if not self.events and not self._lines:
            data = data.removeprefix(b"\xef\xbb\xbf")
        if b"\n" not in data:
            self._lines.append(data)
            return
        *lines, rest = (b"".join(self._lines) + data if self._lines else data).split(b"\n")
        self._lines = [rest] if rest else []
        for line in lines:
            self._line(line)

    def reply(self) -> Reply:
        """The whole reply. Raises BadReply if the stream ended before its end."""
        if phrase := self._said.phrase or self._thought.phrase:
            return once(self._parts.reply("", self._usage), phrase)
        if self._lines or self._data:  # a last event without its blank line
            self._line(b"".join(self._lines))
            self._line(b"")
        if not self.complete:
            raise BadReply(f"the stream ended after {self.events} events with neither a finish reason nor [DONE]")
        reply = self._parts.reply(self._finish, self._usage)
        if self._visible and not reply.flaw:
            self._visible.finish(reply.text)
        return reply

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
        choice = _choice(body)
        for holder in (body, body.get("x_groq"), choice):
            if isinstance(holder, dict) and isinstance(holder.get("usage"), dict):
                self._usage = usage_of(holder["usage"]) or self._usage
        if choice is None:  # the event that carries the usage
            return
        self._finish = choice.get("finish_reason") or self._finish
        delta = choice.get("delta") or self._whole_message(choice)
        if not isinstance(delta, dict):
            return
        self._pieces += 1
        text = self._parts.add(delta)
        if text and self._visible:
            self._visible.feed(whole_characters(text))
        if self._said(text) or self._thought(in_fields(delta)):
            raise Repeating("the reply says one phrase over and over")

    def _whole_message(self, choice: dict[str, Any]) -> Any:
        """What an event holds in place of a delta: a whole message, unless its pieces came before; a completion's text."""
        if self._pieces:
            return None
        return choice.get("message") or {"content": plain_text(choice.get("text"))}


class _Parts:
    """The parts of one message, gathered from a whole one or from deltas."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._tools = tools
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._reasoning: list[str] = []
        self._kept: dict[str, Any] = {}
        self._calls = CallParts([spec.name for spec in tools])

    def add(self, message: dict[str, Any], *, pieces: bool = True) -> str:
        """Take what a message or a delta holds; returns its words."""
        text = content_text(message.get("content"))
        self._text.append(text)
        self._refusal.append(content_text(message.get("refusal")))
        self._reasoning.append(in_fields(message))
        for field in SENT_BACK:
            given = message.get(field)
            if given and isinstance(given, str | list):
                before = self._kept.get(field)
                if isinstance(given, list):
                    self._kept[field] = [*before, *given] if isinstance(before, list) else given
                else:
                    self._kept[field] = before + given if isinstance(before, str) else given
        self._calls.add_all(message, pieces=pieces)
        return text

    def reply(self, finish: Any, usage: Usage | None) -> Reply:
        kept = {key: value for key, value in self._kept.items() if len(json.dumps(value)) <= MOST_KEPT}
        return read_reply(
            whole_characters("".join(self._text)),
            self._calls.drafts(),
            tools=self._tools,
            reasoning=whole_characters("".join(self._reasoning)),
            refusal=whole_characters("".join(self._refusal)),
            finish=short(plain_text(finish), 40),
            usage=usage,
            kept=_clean(kept),
        )


def _clean(value: Any) -> Any:
    """The same JSON in text that UTF-8 can hold."""
    if not value:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return value if text.isascii() and "\\ud" not in text else json.loads(whole_characters(text))


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"not JSON: {short(data[:400].decode('utf-8', 'replace'), 200)!r}") from error
    if isinstance(body, dict) and isinstance(body.get("choices"), list) and not body.get("error"):
        return body
    if words := error_text(body):
        raise ServerSaidError(short(words), data)
    if not isinstance(body, dict):
        raise BadReply(f"not an object: {short(json.dumps(body), 200)}")
    return body


def _choice(body: dict[str, Any]) -> dict[str, Any] | None:
    choices = body.get("choices")
    ours = [each for each in choices if isinstance(each, dict)] if isinstance(choices, list) else []
    if len(ours) == 1 and isinstance(ours[0].get("index"), int) and ours[0]["index"] > 0 and "delta" in ours[0]:
        return None  # a piece of a second choice, which nobody asked for
    return next((each for each in ours if each.get("index") == 0), ours[0] if ours else None)
