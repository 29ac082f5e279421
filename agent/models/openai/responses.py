"""`openai-responses:NAME`: models that want OpenAI's Responses API, with their reasoning items kept between steps.
Touches the network: the one base_url it is given. Nothing is stored at the provider (`store: false`): reasoning comes encrypted and
goes back as it came. Does not promise: the API's own tools (web search, files); only functions are offered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from outrider.agent.models.chat.characters import content_text, plain_text
from outrider.agent.models.chat.decode import BadReply, ServerSaidError, StreamDecoder
from outrider.agent.models.chat.encode import data_url, to_bytes, wire_call, wire_id, wire_tool
from outrider.agent.models.chat.errors import Endpoint, error_text, short
from outrider.agent.models.chat.reader import read_reply
from outrider.agent.models.chat.usage import usage_of
from outrider.agent.models.model import CallDraft, Message, Reply, Request, ToolSpec, as_shown
from outrider.agent.models.openai.model import OpenAIModel
from outrider.agent.models.prices import find_price, find_window
from outrider.memory.errors import UsageError
from outrider.memory.text import whole_characters

KEPT = "items"  # where the output of a reply with calls is kept, to go back as it came
MOST_KEPT = 400_000  # characters
_ENDS = ("response.completed", "response.incomplete", "response.failed")


class ResponsesModel(OpenAIModel):
    """As OpenAIModel, on the Responses API: the same settings, keys, limits and failures."""

    path = "/responses"

    def __init__(self, name: str, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.endpoint = Endpoint(f"openai-responses:{name}", self.base_url, self.endpoint.key_from)
        if self._price == ():
            self._price = find_price(self.name, base_url=self.base_url)
        if not self._looked_up:
            self._limits, self._looked_up = self._with_window(find_window(self.name, base_url=self.base_url)), True
        self.name = f"openai-responses:{name}"
        self._habits.limit_field = "max_output_tokens"
        self._habits.extra = in_its_words(self._habits.extra)
        self._items: WeakKeyDictionary[Message, bytes] = WeakKeyDictionary()

    def _decoder(self, request: Request) -> StreamDecoder:
        return ResponsesDecoder(request.on_text, request.tools)

    def _whole(self, body: bytes, tools: Sequence[ToolSpec]) -> Reply:
        return decode_response(body, tools)

    def _settings(self, request: Request, stream: bool) -> dict[str, Any]:
        settings = super()._settings(request, stream)
        settings.pop("stream_options", None)
        limit = self._habits.limit_field
        settings[limit] = max(16, settings[limit])  # the least the API takes
        return {"store": False} | settings

    def _form(self, request: Request) -> dict[str, Any]:
        return {} if "format" in self._habits.extra.get("text", {}) else super()._form(request)

    def _body(self, request: Request, settings: dict[str, Any]) -> bytes:
        pieces = [self._encoded(message) for message in request.messages]
        tools = [{"type": "function", "strict": False, **wire_tool(spec)["function"]} for spec in request.tools]
        if form := settings.get("response_format"):
            rest = {name: value for name, value in settings.items() if name != "response_format"}
            settings = rest | {"text": rest.get("text", {}) | {"format": _flat(form)}}
        head = {"model": self.model, **settings} | ({"tools": tools} if tools else {})
        return to_bytes(head)[:-1] + b',"input":[' + b",".join(piece for piece in pieces if piece) + b"]}"

    def _encoded(self, message: Message) -> bytes:
        known = self._items.get(message)
        if known is None:
            known = self._items[message] = to_bytes(input_items(message))[1:-1]
        return known


_KINDS: dict[str, tuple[type, str]] = {
    "text": (dict, '{"verbosity": "low"}'),
    "reasoning": (dict, '{"summary": "auto"}'),
    "response_format": (dict, '{"type": "json_object"}'),
    "include": (list, '["message.output_text.logprobs"]'),
}


def in_its_words(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that a person gave, as this API has them: `response_format` and `reasoning_effort` have other places here,
    and what is asked for beside them stays. Raises UsageError for a field of another kind than the API's.
    """
    made = dict(extra)
    for name, (kind, right) in _KINDS.items():
        if name in made and not isinstance(made[name], kind):
            why = f"the Responses API takes {'a list' if kind is list else 'an object'} there"
            raise UsageError(
                f"the model option {name} cannot be {str(made[name])[:80]!r}", why, f"write {name}={right}"
            )
    if form := made.pop("response_format", None):
        made["text"] = {"format": _flat(form)} | made.get("text", {})
    if effort := made.pop("reasoning_effort", None):
        made["reasoning"] = made.get("reasoning", {}) | {"effort": effort}
    needed, asked = "reasoning.encrypted_content", made.get("include", [])
    made["include"] = asked if needed in asked else [needed, *asked]
    return made


def _flat(form: Mapping[str, Any]) -> dict[str, Any]:
    """A `response_format` as `text.format`: without the level of `json_schema`."""
    inner = form.get("json_schema")
    return {"type": form.get("type"), **inner} if isinstance(inner, dict) else dict(form)


def input_items(message: Message) -> list[dict[str, Any]]:
    """A message as items of the API's input: a model's turn as the very items it sent, its calls under our ids."""
    if message.role == "tool":
        return [{"type": "function_call_output", "call_id": wire_id(message.call_id), "output": as_shown(message)}]
    if message.pictures:
        shown = [{"type": "input_image", "image_url": data_url(one)} for one in message.pictures]
        return [{"role": message.role, "content": [{"type": "input_text", "text": as_shown(message)}, *shown]}]
    if message.role != "assistant":
        return [{"role": message.role, "content": as_shown(message)}]
    kept = message.kept.get(KEPT)
    items = [item for item in kept if isinstance(item, dict)] if isinstance(kept, list) else []
    if sum(item.get("type") == "function_call" for item in items) == len(message.calls) > 0:
        calls = iter(message.calls)
        return [
            item | {"call_id": wire_id(next(calls).id)} if item["type"] == "function_call" else item for item in items
        ]
    said = [{"role": "assistant", "content": as_shown(message)}] if message.text.strip() else []
    return [*said, *(_call_item(call) for call in message.calls)]


def _call_item(call: CallDraft) -> dict[str, Any]:
    wire = wire_call(call)
    return {"type": "function_call", "call_id": wire["id"], **wire["function"]}


def decode_response(data: bytes, tools: Sequence[ToolSpec] = ()) -> Reply:
    """The reply in a complete response object, or in a stream that was not asked for. Raises BadReply."""
    if data.lstrip()[:5] in (b"data:", b"event"):
        decoder = ResponsesDecoder(None, tools)
        decoder.feed(data)
        return decoder.reply()
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"not JSON: {short(data[:400].decode('utf-8', 'replace'), 200)!r}") from error
    return _read(body, tools, data)


def _read(body: Any, tools: Sequence[ToolSpec], data: bytes) -> Reply:
    if words := error_text(body):
        raise ServerSaidError(short(words), data)
    output = body.get("output") if isinstance(body, dict) else None
    if not isinstance(output, list):
        raise BadReply(f"no output in it: {short(json.dumps(body), 200)}")
    items = [item for item in output if isinstance(item, dict) and isinstance(item.get("type"), str)]
    calls = tuple(
        CallDraft(
            id=plain_text(item.get("call_id")),
            name=whole_characters(plain_text(item.get("name"))),
            arguments=whole_characters(plain_text(item.get("arguments"))) or "{}",
        )
        for item in items
        if item["type"] == "function_call"
    )
    parts = [
        part
        for item in items
        if item["type"] == "message"
        for part in item.get("content") or ()
        if isinstance(part, dict)
    ]
    kept = [item for item in items if item["type"] in ("reasoning", "message", "function_call")]
    return read_reply(
        whole_characters(content_text(parts)),
        calls,
        tools=tools,
        reasoning=whole_characters("\n".join(_thoughts(item) for item in items if item["type"] == "reasoning")),
        refusal=whole_characters("".join(plain_text(part.get("refusal")) for part in parts)),
        finish=_finish(body),
        usage=usage_of(body.get("usage")),
        kept={KEPT: kept} if len(json.dumps(kept)) <= MOST_KEPT else {},
    )


def _thoughts(item: dict[str, Any]) -> str:
    parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
    return "\n".join(plain_text(part.get("text")) for part in parts if isinstance(part, dict))


def _finish(body: dict[str, Any]) -> str:
    """Why it ended, in the words that chat completions have for it."""
    status = body.get("status")
    if status == "incomplete":
        details = body.get("incomplete_details")
        return plain_text(details.get("reason")) if isinstance(details, dict) else "length"
    return "" if status in ("completed", None) else plain_text(status)


class ResponsesDecoder(StreamDecoder):
    """The API's typed events: words as they come, and the whole response in the last one."""

    _whole: dict[str, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether the event that ends a response came."""
        return self._whole is not None

    def reply(self) -> Reply:
        """The whole reply. Raises BadReply if the stream ended before its end."""
        if self._lines or self._data:
            self._line(b"".join(self._lines))
            self._line(b"")
        if self._whole is None:
            raise BadReply(f"the stream ended after {self.events} events without response.completed")
        reply = _read(self._whole, self._tools, b"")
        if self._visible and not reply.flaw:
            self._visible.finish(reply.text)
        return reply

    def _event(self, event: bytes) -> None:
        try:
            body = json.loads(event)
        except (ValueError, RecursionError) as error:
            raise BadReply(f"not JSON: {short(event[:400].decode('utf-8', 'replace'), 200)!r}") from error
        self.events += 1
        kind = body.get("type") if isinstance(body, dict) else None
        if kind == "error" or (isinstance(body, dict) and body.get("error") and kind is None):
            raise ServerSaidError(short(error_text({"error": body.get("error") or body})), event)
        if kind == "response.output_text.delta" and self._visible:
            self._visible.feed(whole_characters(plain_text(body.get("delta"))))
        elif kind in _ENDS and isinstance(body.get("response"), dict):
            self._whole = body["response"]
