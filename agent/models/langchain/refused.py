"""Calls that LangChain refused to make a message of: their arguments are JSON, but no object.
Reads the traceback of that refusal, which is the only place that still holds the tool's name. Touches nothing else.
Does not promise: to find them; then the request is tried again.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from typing import Any

from outrider.agent.models.model import CallDraft
from outrider.memory.text import whole_characters


def refused_calls(error: BaseException) -> tuple[CallDraft, ...]:
    """All calls of the message that was refused for the arguments of one, raw: the toolbox says what was wrong."""
    if type(error).__name__ != "ValidationError" or "tool_calls" not in str(error):
        return ()
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in (frame.f_locals.get("kwargs"), frame.f_locals.get("data"), frame.f_locals):
            calls = tuple(_drafts(value.get("tool_calls"))) if isinstance(value, dict) else ()
            if calls:
                return calls
    return ()


def _drafts(calls: Any) -> Iterator[CallDraft]:
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(call.get("name"), str) and "args" in call:
            arguments = json.dumps(call["args"], ensure_ascii=False, default=str)
            yield CallDraft(
                id=whole_characters(str(call.get("id") or "")),
                name=whole_characters(call["name"]),
                arguments=whole_characters(arguments),
            )
