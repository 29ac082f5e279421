"""The tokens a server reported, in the shapes they come in. Touches nothing.
Does not promise: that a server counts honestly; what cannot be a count is taken as no report.
"""

from __future__ import annotations

from typing import Any

from outrider.agent.models.model import Usage

MOST_TOKENS = 100_000_000  # more than any window or reply: a server that reports more is broken


def usage_of(given: Any) -> Usage | None:
    """The usage a server reported; None if it is missing, half there, negative or absurd: then it is not believed.

    A total above the sum of the two counts (thoughts of Gemini and xAI) is what is billed: the rest counts as written.
    """
    if not isinstance(given, dict):
        return None
    read = token_count(given.get("prompt_tokens", given.get("input_tokens")))
    written = token_count(given.get("completion_tokens", given.get("output_tokens")))
    if read is None or written is None or read + written == 0:  # no prompt has no tokens
        return None
    total = token_count(given.get("total_tokens")) or 0
    into, out = _details(given, "prompt", "input"), _details(given, "completion", "output")
    thought = token_count(out.get("reasoning_tokens", given.get("reasoning_tokens"))) or 0
    written = max(
        written, total - read, written + thought if thought > written else 0
    )  # more thought than written: beside it
    cached = into.get("cached_tokens", given.get("prompt_cache_hit_tokens", given.get("cached_tokens")))
    fresh = into.get("cache_creation_tokens", given.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=min(token_count(cached) or 0, read),
        cache_write_tokens=min(token_count(fresh) or 0, read),
        audio_input_tokens=min(token_count(into.get("audio_tokens")) or 0, read),
        reasoning_tokens=min(thought, written),
        audio_output_tokens=min(token_count(out.get("audio_tokens")) or 0, written),
    )


def _details(given: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if isinstance(found := given.get(f"{name}_tokens_details"), dict):
            return found
    return {}


def token_count(value: Any) -> int | None:
    """A reported number of tokens; None if it is no number, negative or absurd."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_TOKENS:
        return None
    return int(value)
