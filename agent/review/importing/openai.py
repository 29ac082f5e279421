"""Chat JSON lines: {"messages": […]} a line, as OpenAI's fine-tuning and TRL use it, or one list of messages a line; and the
same under other names: `traj` with a reward (tau-bench), `conversations` of "from" and "value" (ShareGPT).
"""

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
    one = from_messages(_messages(data), source="openai", **about)
    if isinstance(data, dict):
        told = [(name, data.get(name)) for name in ("task_id", "id", "reward", "termination_reason")]
        one.ended = ", ".join(f"{name} {value}" for name, value in told if isinstance(value, str | int | float))
    yield one


def _messages(data: Any) -> list[Any]:
    found: Any = data
    if isinstance(data, dict):
        found = data.get("messages") or data.get("traj") or _shared(data.get("conversations"))
    right = isinstance(found, list) and found and all(isinstance(m, dict) and "role" in m for m in found)
    return found if right and isinstance(found, list) else []


ROLES = {
    "human": "user",
    "gpt": "assistant",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def _shared(turns: Any) -> list[Any]:
    """ShareGPT's turns as messages."""
    if not isinstance(turns, list):
        return []
    right = all(isinstance(t, dict) and str(t.get("from")) in ROLES for t in turns)
    return [{"role": ROLES[str(t["from"])], "content": t.get("value")} for t in turns] if right else turns
