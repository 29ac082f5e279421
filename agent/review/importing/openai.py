"""Chat JSON lines: {"messages": […]} a line, as OpenAI's fine-tuning and TRL use it, or one list of messages a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from outrider.agent.review.importing.turns import Conversation, from_messages


def recognises(data: Any) -> bool:
    """Whether one decoded value of the file is a conversation of this kind."""
    return bool(_messages(data))


def read(data: Any) -> Iterator[Conversation]:
    """The conversation of one value."""
    about = {"model": str(data.get("model") or "unknown")} if isinstance(data, dict) else {}
    yield from_messages(_messages(data), source="openai", **about)


def _messages(data: Any) -> list[Any]:
    found = data.get("messages") if isinstance(data, dict) else data
    right = isinstance(found, list) and found and all(isinstance(m, dict) and "role" in m for m in found)
    return found if right and isinstance(found, list) else []
