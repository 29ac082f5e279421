"""Messages and tools as the bytes of a chat-completions request, each encoded once however often it is sent.
Touches nothing. A step then costs a join and a copy, not a walk over the history: flat to hundreds of steps.
Does not promise: that a server likes them; what a server refuses, `openai.py` learns.
"""

from __future__ import annotations

import base64
import json
import re
import weakref
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from pydantic_core import to_json

from outrider.agent.models.model import CallDraft, Message, Picture, ToolSpec, as_shown
from outrider.tools.arguments import read_object

SENT_BACK = ("reasoning_content", "reasoning_details")  # what DeepSeek, Kimi and OpenRouter want back beside calls

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8. Half a surrogate pair (a model can write one) becomes "?": no server would take it."""
    try:
        return to_json(value)
    except ValueError:
        return _dumps(value).encode("utf-8", "replace")


class MessageBytes:
    """The JSON of each message, kept as long as the message lives, found by identity.

    Keyed by `id()` and cleared by a weak reference's callback: a lookup then costs 40 ns; in a WeakKeyDictionary it
    costs ten times that, which at 800 messages would be half of what a whole step may take.
    `without`: fields of earlier replies that this server refused to take back. `empty_text`: it wants "" where there is
    no text beside calls, not null.
    """

    def __init__(self, without: frozenset[str] = frozenset(), *, empty_text: bool = False) -> None:
        self.without, self.empty_text = without, empty_text
        self._bytes: dict[int, bytes] = {}
        self._alive: dict[int, weakref.ref[Message]] = {}

    def __len__(self) -> int:
        return len(self._bytes)

    def pieces(self, messages: Sequence[Message]) -> list[bytes]:
        """The JSON of each message; [b""] for none."""
        keys = list(map(id, messages))
        for at in range(len(keys) - 1, -1, -1):  # what is new is at the end: stop at the first that is known
            if keys[at] in self._bytes:
                break
            self._add(messages[at])
        try:
            return list(map(self._bytes.__getitem__, keys)) or [b""]
        except KeyError:  # a gap further up: the history was shortened, or another run's is mixed in
            for message in messages:
                if id(message) not in self._bytes:
                    self._add(message)
            return list(map(self._bytes.__getitem__, keys))

    def _add(self, message: Message) -> None:
        key, known, alive = id(message), self._bytes, self._alive

        def forget(_: weakref.ref[Message]) -> None:
            known.pop(key, None)
            alive.pop(key, None)

        wire = wire_message(message)
        if self.without:
            wire = _left_out(wire, self.without)
        if self.empty_text and wire.get("content") is None:
            wire["content"] = ""
        known[key], alive[key] = to_bytes(wire), weakref.ref(message, forget)


class ToolBytes:
    """The JSON of the last tool list that was sent: runs send the same one at every step."""

    def __init__(self) -> None:
        self._specs: tuple[ToolSpec, ...] = ()
        self._bytes = b""

    def joined(self, specs: Sequence[ToolSpec]) -> bytes:
        """The tools as a JSON array."""
        if (given := tuple(specs)) != self._specs:  # specs compare by identity
            self._specs, self._bytes = given, to_bytes([wire_tool(spec) for spec in given])
        return self._bytes


def wire_tool(spec: ToolSpec) -> dict[str, Any]:
    """A tool as the API wants it; of our own, what costs tokens and tells a model nothing is left out."""
    parameters = _plain_schema(spec.parameters) if spec.ours else spec.parameters
    function = {"name": spec.name, "description": spec.description, "parameters": parameters}
    return {"type": "function", "function": function}


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without empty defaults, without "or null" and without the ban on other fields (our check says that)."""
    plain = {key: value for key, value in schema.items() if key != "additionalProperties"}
    if isinstance(properties := schema.get("properties"), dict):
        plain["properties"] = {name: _plain_property(node) for name, node in properties.items()}
    return plain


def _plain_property(node: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in node.items() if key != "default" or value not in ("", None)}
    kinds = [part for part in plain.get("anyOf", ()) if part != {"type": "null"}]
    if len(kinds) == 1:
        del plain["anyOf"]
        plain |= kinds[0]
    return plain


def wire_message(message: Message) -> dict[str, Any]:
    """A message as the API wants it: an assistant's calls and the tool's answers are tied by the same id."""
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": wire_id(message.call_id), "content": as_shown(message)}
    if message.pictures:
        shown = [{"type": "image_url", "image_url": {"url": data_url(one)}} for one in message.pictures]
        return {"role": message.role, "content": [{"type": "text", "text": as_shown(message)}, *shown]}
    if not message.calls:
        return {"role": message.role, "content": as_shown(message)}
    return {
        **{field: message.kept[field] for field in SENT_BACK if field in message.kept},
        "role": "assistant",
        "content": as_shown(message) or None,
        "tool_calls": [wire_call(call) for call in message.calls],
    }


def data_url(picture: Picture) -> str:
    """A picture as an address that holds it."""
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode('ascii')}"


def _left_out(wire: dict[str, Any], without: frozenset[str]) -> dict[str, Any]:
    """The message without these fields, in itself and in its calls."""
    kept = {key: value for key, value in wire.items() if key not in without}
    if "tool_calls" in kept:
        kept["tool_calls"] = [{k: v for k, v in call.items() if k not in without} for call in kept["tool_calls"]]
    return kept


def wire_call(call: CallDraft) -> dict[str, Any]:
    """A call the model once made, made sound: a name or arguments that no server would take back would end the run.

    Fields we have no use for go back as they came (Gemini's thought signatures).
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", call.name)[:64] or "unnamed"
    function = {"name": name, "arguments": wire_arguments(call.arguments)}
    more = call.extra.get("function")
    return {
        **call.extra,
        "id": wire_id(call.id),
        "type": "function",
        "function": {**more, **function} if isinstance(more, dict) else function,
    }


def wire_arguments(text: str) -> str:
    """`text` if it is a JSON object; else the object it can only mean; else one that quotes it (vLLM and Ollama parse
    what we send back). It grows by 16 bytes at most, so what was counted in bytes stays counted.
    """
    try:
        if isinstance(json.loads(text or "{}"), dict):
            return text or "{}"
    except (ValueError, RecursionError):
        pass
    meant = read_object(text)
    if meant is not None and len(written := _dumps(meant)) <= len(text) + 8:
        return written
    return _dumps({"broken": _UNQUOTABLE.sub(" ", text.replace('"', "'").replace("\\", "/"))})


_UNQUOTABLE = re.compile(r"[\x00-\x1f]")


def wire_id(call_id: str) -> str:
    """A call's id in the one form that all servers take: nine letters or digits (Mistral wants exactly that,
    Anthropic refuses a dot). "3.1" → "c00030001", so it stays readable in a server's log."""
    if re.fullmatch(r"[A-Za-z0-9]{9}", call_id):
        return call_id
    if found := re.fullmatch(r"(\d{1,4})\.(\d{1,4})", call_id):
        return f"c{int(found[1]):04d}{int(found[2]):04d}"
    return "h" + blake2b(call_id.encode("utf-8", "replace"), digest_size=4).hexdigest()
