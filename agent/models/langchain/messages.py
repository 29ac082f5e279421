"""LangChain's messages as Replies: their words, thoughts, calls and refusals go through the reader that all providers share.
Touches nothing. Does not promise: what an integration leaves out (some keep no reasoning, some no usage).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from outrider.agent.models.chat.characters import content_text, plain_text
from outrider.agent.models.chat.decode import once
from outrider.agent.models.chat.reader import CUT, read_reply
from outrider.agent.models.chat.reasoning import in_fields
from outrider.agent.models.chat.repetition import LEAST_HOSTED, Watch, loop
from outrider.agent.models.chat.usage import token_count
from outrider.agent.models.chat.visible import Visible
from outrider.agent.models.langchain.threads import Tell
from outrider.agent.models.model import CallDraft, ModelFailure, Reply, Request, ToolSpec, Usage
from outrider.memory.text import whole_characters

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk

_FINISH_FIELDS = ("finish_reason", "stop_reason", "done_reason", "stopReason", "finishReason")


class Watched:
    """Gathers the chunks of a stream: shows the answer's words as they come, and stops a reply that repeats itself."""

    def __init__(self, request: Request) -> None:
        self._tools = request.tools
        names = [spec.name for spec in request.tools]
        self._visible = Visible(request.on_text, names) if request.on_text else None
        self._said, self._thought = Watch(least=LEAST_HOSTED), Watch(least=LEAST_HOSTED)
        self._whole: AIMessageChunk | None = None

    def take(self, chunk: AIMessageChunk, tell: Tell | None = None) -> bool:
        """Take a chunk; True: it repeats itself, stop it. tell: how another thread speaks to the loop."""
        self._whole = chunk if self._whole is None else self._whole + chunk
        text = _text(chunk)
        if text and self._visible:
            tell(self._visible.feed, text) if tell else self._visible.feed(text)
        return self._said(text) or self._thought(_thoughts(chunk))

    def reply(self) -> Reply:
        """The whole reply. Raises ValueError for a stream without chunks, ModelFailure for one that was cut."""
        if self._whole is None:
            raise ValueError("the stream was empty")
        if phrase := self._said.phrase or self._thought.phrase:
            return once(_read(self._whole, self._tools, "stop"), phrase)
        reply = read_message(self._whole, self._tools)
        if self._visible and not reply.flaw:
            self._visible.finish(reply.text)
        return reply


def read_message(answer: AIMessage, tools: Sequence[ToolSpec]) -> Reply:
    """The reply in a whole message. Raises ModelFailure for one that was cut."""
    told: Mapping[str, Any] = answer.response_metadata
    finish = next((told[field] for field in _FINISH_FIELDS if told.get(field)), None)
    if finish is None and told:  # every integration that reports anything reports this
        why = "LangChain gave a reply without a finish reason: the stream was cut"
        raise ModelFailure("the reply was cut", why, "it is tried again", retryable=True, billed=True)
    reply = _read(answer, tools, str(finish or "")[:40])
    phrase = reply.finish_reason == CUT and (loop(reply.text, LEAST_HOSTED) or loop(reply.reasoning, LEAST_HOSTED))
    return once(reply, phrase) if phrase else reply


def _read(answer: AIMessage, tools: Sequence[ToolSpec], finish: str) -> Reply:
    reply = read_reply(
        _text(answer),
        tuple(_drafts(answer)),
        tools=tools,
        reasoning=_thoughts(answer),
        refusal=_refusal(answer),
        finish=finish,
        usage=_usage(answer),
    )
    lowered = reply.finish_reason.lower()
    return reply if lowered == reply.finish_reason else replace(reply, finish_reason=lowered)


def _drafts(answer: AIMessage) -> Iterable[CallDraft]:
    """The calls, those with broken arguments too: the loop tells the model what was wrong.

    After a stream the raw pieces are read: LangChain repairs half a call silently ("{broken" becomes {}), which would run.
    """
    pieces: Iterable[Any] = getattr(answer, "tool_call_chunks", ()) or (
        *({**call, "args": json.dumps(call["args"], ensure_ascii=False)} for call in answer.tool_calls),
        *answer.invalid_tool_calls,
    )
    for call in pieces:
        fields = (whole_characters(str(call.get(field) or "")) for field in ("id", "name", "args"))
        call_id, name, arguments = fields
        yield CallDraft(id=call_id, name=name, arguments=arguments or "{}")


def _usage(answer: AIMessage) -> Usage | None:
    given: Mapping[str, Any] = answer.usage_metadata or {}
    read, written = token_count(given.get("input_tokens")), token_count(given.get("output_tokens"))
    if read is None or written is None:
        return None
    cached = token_count((given.get("input_token_details") or {}).get("cache_read")) or 0
    return Usage(input_tokens=read, output_tokens=written, cached_tokens=min(cached, read))


def _parts(message: AIMessage) -> list[Any]:
    content = message.content
    return (
        [{"type": "text", "text": each} if isinstance(each, str) else each for each in content]
        if isinstance(content, list)
        else []
    )


def _text(message: AIMessage) -> str:
    """The words of a message, thinking left out, whichever way the integration holds them."""
    content = message.content
    return whole_characters(content if isinstance(content, str) else content_text(_parts(message)))


def _thoughts(message: AIMessage) -> str:
    """The reasoning that came apart from the words: in a field of its own, or as parts."""
    return whole_characters(in_fields({**message.additional_kwargs, "content": _parts(message)}))


def _refusal(message: AIMessage) -> str:
    said = [plain_text(part.get("refusal")) for part in _parts(message) if isinstance(part, dict)]
    return whole_characters("".join(said) or plain_text(message.additional_kwargs.get("refusal")))
