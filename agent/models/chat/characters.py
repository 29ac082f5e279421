"""Text fields of decoded JSON, fit to keep. Touches nothing."""

from __future__ import annotations

from typing import Any


def plain_text(value: Any) -> str:
    """The value if it is text, else ""."""
    return value if isinstance(value, str) else ""


def content_text(content: Any) -> str:
    """Words of a content field: a string, or a list of parts (thinking parts are not words)."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type") not in _THOUGHTS]
        return "".join(plain_text(part.get("text")) for part in parts)
    return ""


_THOUGHTS = ("thinking", "reasoning", "reasoning_text", "redacted_thinking")
