"""Options of a model: how it samples, how long a reply may be, how hard it thinks; and any other field a server takes.
Touches nothing. One dict of names and values, checked here, kept with the run, and handed to the provider when it is opened.
Does not promise: that a server knows an option; what it says of one it refuses is shown.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from outrider.memory.errors import UsageError

NAMED = (
    "temperature",
    "top_p",
    "seed",
    "max_output",
    "reasoning_effort",
)  # those with a flag and a setting of their own
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LEAST_CONTEXT = 256  # tokens: less holds no question
MOST_OPTIONS = 64
# Outrider writes these itself: one set by hand would break the reading of replies or the budget.
OURS = {
    "model": "--model", "messages": "the goal", "input": "the goal", "tools": "--tool", "functions": "--tool", "stream": "nothing: it is chosen",
    "stream_options": "nothing: it is chosen", "n": "nothing: one reply is read", "max_tokens": "--max-output",
    "max_completion_tokens": "--max-output", "max_output_tokens": "--max-output", "api_key": "--api-key-env",
    "base_url": "--base-url",
}  # fmt: skip


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given (None: not given), each of the right kind. Raises UsageError for the first that is not."""
    given = {str(name): value for name, value in options.items() if value is not None}
    if len(given) > MOST_OPTIONS:
        raise UsageError(f"{len(given)} options of the model were given", f"{MOST_OPTIONS} are the most", "give fewer")
    for name, value in given.items():
        _check(name, value)
    return given


def _check(name: str, value: Any) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", name):
        raise _wrong(name, value, "names are letters, digits, _, . and -", "--option top_k=40")
    if name in OURS:
        raise _wrong(name, value, "Outrider sets this field itself", OURS[name])
    if name == "temperature" and not _number(value, 0, 2):
        raise _wrong(name, value, "it is a number from 0 to 2", "--temperature 0.2")
    if name == "top_p" and not (_number(value, 0, 1) and value > 0):
        raise _wrong(name, value, "it is a number above 0, up to 1", "--top-p 0.9")
    if name == "seed" and not (_whole(value) and abs(value) < 1 << 63):
        raise _wrong(name, value, "it is a whole number", "--seed 7")
    if name == "max_output" and not (_whole(value) and value >= 1):
        raise _wrong(name, value, "it is a whole number of tokens, 1 or more", "--max-output 4096")
    if name == "reasoning_effort" and value not in EFFORTS:
        raise _wrong(name, value, f"it is one of {', '.join(EFFORTS)}", "--reasoning-effort low")
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise _wrong(
            name, "…", f"it cannot be sent as JSON: {error}"[:200], "a number, a text, true, false or JSON"
        ) from error


def _number(value: Any, least: float, most: float) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and least <= value <= most
    )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(name: str, value: Any, why: str, right: str) -> UsageError:
    return UsageError(f"the model option {name[:80]} cannot be {str(value)[:80]!r}", why, f"use {right}")


def check_context(tokens: int | None) -> None:
    """Raises UsageError for a window no question fits in."""
    if tokens is not None and (not _whole(tokens) or tokens < LEAST_CONTEXT):
        raise UsageError(
            f"a window of {tokens} tokens cannot be used",
            f"it is a whole number, {LEAST_CONTEXT} at least: the instructions alone need more than that",
            "use --max-context with what the model's page or server says, such as 8192",
        )


def read_option(words: str) -> tuple[str, Any]:
    """("top_k", 40) of "top_k=40": JSON where it is JSON, else text. Raises UsageError."""
    name, sign, value = words.partition("=")
    if not sign or not name.strip():
        raise UsageError(f"--option {words[:80]!r} is not NAME=VALUE", "it names no value", "write --option top_k=40")
    try:
        return name.strip(), json.loads(value)
    except (ValueError, RecursionError):
        return name.strip(), value


def split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the named ones, all others)."""
    named = {name: value for name, value in options.items() if name in NAMED}
    return named, {name: value for name, value in options.items() if name not in NAMED}
