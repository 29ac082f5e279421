"""Puts native tool calls together from a whole message or from streamed pieces, however a server numbers them.
Touches nothing. Does not promise: that calls make sense; arguments stay the text the model wrote.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from outrider.agent.models.chat.characters import plain_text
from outrider.agent.models.model import CallDraft
from outrider.memory.text import whole_characters

MOST_CALLS = 128  # of one reply; more is a loop in the model, and each costs an observation
MOST_EXTRA = 100_000  # characters of fields we have no use for and send back
_KNOWN = frozenset({"id", "type", "index", "function"})


@dataclass(slots=True)
class _Slot:
    index: object
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def whole(self) -> bool:
        """Whether the arguments so far are complete JSON."""
        text = "".join(self.arguments).strip()
        if not text.endswith(("}", "]")):
            return False
        try:
            json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return False
        return True


class CallParts:
    """Tool calls in the order they began. `names`: the tools on offer, to tell a name in pieces from a name said twice."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._slots: list[_Slot] = []
        self._names = frozenset(names)

    def add_all(self, message: dict[str, Any], *, pieces: bool = True) -> None:
        """Take what a delta holds, or (`pieces=False`) a whole message, where no two entries are the same call."""
        calls = message.get("tool_calls")
        if isinstance(calls, dict):
            calls = [calls]
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                index = call.get("index")
                known = pieces and isinstance(index, int)
                self._add(index if known else ("at", position), call, call.get("function"), pieces)
        if isinstance(message.get("function_call"), dict):  # the API's first form, still spoken
            self._add("function_call", {}, message["function_call"], pieces)

    def drafts(self) -> tuple[CallDraft, ...]:
        """The calls. One without a name keeps its place: the loop says what was wrong."""
        return tuple(
            CallDraft(
                id=whole_characters(slot.id),
                name=whole_characters(slot.name),
                arguments=whole_characters("".join(slot.arguments)) or "{}",
                extra=slot.extra if len(json.dumps(slot.extra)) <= MOST_EXTRA else {},
            )
            for slot in self._slots
        )

    def unwritten(self) -> bool:
        """Whether the last call has a name and not one character of arguments."""
        return bool(self._slots) and not "".join(self._slots[-1].arguments).strip()

    def _add(self, index: object, call: dict[str, Any], function: Any, pieces: bool) -> None:
        function = function if isinstance(function, dict) else {}
        call_id = plain_text(call.get("id"))
        name = plain_text(function.get("name")) or plain_text(call.get("name"))
        given = function.get("arguments", call.get("arguments"))
        slot = self._slot(index, call_id, name, bool(given)) if pieces else self._new(index)
        if slot is None:
            return
        slot.id = slot.id or call_id
        slot.name = self._joined(slot, name)
        slot.arguments.append(_arguments(given))
        slot.extra |= {
            key: value for key, value in call.items() if key not in _KNOWN and key not in ("name", "arguments")
        }
        if more := {key: value for key, value in function.items() if key not in ("name", "arguments")}:
            slot.extra["function"] = slot.extra.get("function", {}) | more

    def _joined(self, slot: _Slot, name: str) -> str:
        """The name with a piece more: some servers send it in pieces, some send it whole each time."""
        if not name or not slot.name:
            return slot.name or name
        if "".join(slot.arguments).strip() or name == slot.name:
            return slot.name
        if name in self._names and slot.name + name not in self._names:
            return name
        return slot.name + name

    def _slot(self, index: object, call_id: str, name: str, has_arguments: bool) -> _Slot | None:
        """The call that a piece belongs to. A piece that names a tool at a known place is a new call if it has another id,
        or if the call there is complete (some servers count nothing)."""
        for slot in reversed(self._slots):
            if slot.index == index:
                other = bool(call_id and slot.id and call_id != slot.id)
                again = bool(call_id) and call_id == slot.id
                if name and (other or (slot.whole() and not again and (has_arguments or name != slot.name))):
                    break
                return slot
        if not name and not call_id and self._slots and isinstance(index, tuple):
            return self._slots[-1]
        return self._new(index)

    def _new(self, index: object) -> _Slot | None:
        if len(self._slots) >= MOST_CALLS:
            return None
        self._slots.append(_Slot(index))
        return self._slots[-1]


def _arguments(given: Any) -> str:
    """Arguments as text; a server that sends an object meant its JSON."""
    if given is None or isinstance(given, str):
        return given or ""
    return json.dumps(given, ensure_ascii=False)
