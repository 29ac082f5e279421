"""What a server's words say of its limits: the window, what the prompt took of it, the longest reply, when to come again.
Touches nothing. Wordings of OpenAI, vLLM, SGLang, TGI, llama-server, Ollama, LM Studio, Gemini, Anthropic, Mistral, Cohere,
DeepSeek, Qwen, Groq, xAI, OpenRouter and Together; in any other wording a request that is too long is found out by trying.
Does not promise: that the numbers are true; whoever uses them asks for less, never for more.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from outrider.tools.net.retry_after import retry_after_s

MAX_WAIT_S = 3600.0  # a server that asks for more is believed to mean "not today"; the loop's deadline decides
_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum (?:context|prompt|input|sequence) length|context (?:length|size|window)"
    r"|exceed\w* (?:the )?(?:available )?(?:model'?s )?context|prompt is too long|prompt too long|too many (?:input |total )?tokens"
    r"|(?:input|prompt|request) (?:is )?too (?:long|large)\b|too large for model|max_model_len|max_seq_len|n_keep|n_ctx"
    r"|input token count|input length|inputs?`? tokens\b.{0,60}must|range of input length|string_above_max_length"
    r"|request entity too large|payload too large|content too large|token limit exceeded|reduce the length|longer than the model"
    r"|tokens per minute.{0,80}requested|requested token count|total number of tokens in the prompt",
    re.I | re.S,
)
_NUMBER = r"(\d[\d,_]{2,10})"
_WINDOW = [
    re.compile(pattern, re.I | re.S)
    for pattern in (
        rf"n_ctx\W{{0,6}}{_NUMBER}",
        rf"maximum (?:context|prompt|input|sequence) length(?: is| of|:)?\D{{0,12}}{_NUMBER}",
        rf"{_NUMBER} maximum context length",
        rf"context (?:length|size|window)\D{{0,40}}?{_NUMBER}",
        rf"maximum number of tokens allowed\D{{0,4}}{_NUMBER}",
        rf"range of input length should be \[\d+,\s*{_NUMBER}",
        rf"max_(?:model|seq)_len\D{{0,12}}{_NUMBER}",
        rf"must be <=?\s*{_NUMBER}\.?\s*given",
        rf"must have less than {_NUMBER} tokens",
        rf"tokens\s*(?:>|exceeds?|is greater than)\s*{_NUMBER}",
        rf"cannot exceed {_NUMBER}",
        rf"token limit(?: is| of|:)?\s*{_NUMBER}",
        rf"limit\s+{_NUMBER},\s*requested",
    )
]
_PROMPT = [
    re.compile(pattern, re.I | re.S)
    for pattern in (
        rf"n_prompt_tokens\W{{0,6}}{_NUMBER}",
        rf"{_NUMBER} (?:tokens )?(?:in|from|of) (?:the |your )?(?:input )?(?:messages|prompt|text input|input)",
        rf"{_NUMBER} input tokens",
        rf"{_NUMBER} `?inputs`? tokens",
        rf"input token count\D{{0,4}}{_NUMBER}",
        rf"prompt contains(?: at least)? {_NUMBER}",
        rf"(?:request|input) \({_NUMBER} tokens",
        rf"prompt is too long: {_NUMBER}",
    )
]
_REPLY = re.compile(
    r"max_(?:completion_|output_|new_)?tokens|maxoutputtokens|completion tokens|output tokens|output length", re.I
)
_BOUNDED = re.compile(
    r"at most|range|less than|<=?|≤|maximum|max(?:imum)? (?:value|allowed)|exceed|too (?:large|high|big)|greater than|limit|larger",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a refusal for length told, in tokens: `window` of the model, `prompt` of this request; None: it did not say."""

    window: int | None
    prompt: int | None


def is_overflow(text: str) -> bool:
    """Whether a server's words say that the request was too long for the model."""
    return bool(_OVERFLOW.search(text))


def told_by(text: str) -> Told:
    """The numbers in a refusal for length."""
    window, prompt = _first(_WINDOW, text), _first(_PROMPT, text)
    return Told(window if window and 256 <= window <= 20_000_000 else None, prompt)


def _first(patterns: list[re.Pattern[str]], text: str) -> int | None:
    found = next((hit for pattern in patterns if (hit := pattern.search(text))), None)
    return int(re.sub(r"[,_]", "", found[1])) if found else None


def never_fits(text: str) -> bool:
    """Whether one request asked for more tokens than a whole minute allows: waiting does not help, a shorter one does."""
    found = re.search(rf"limit\s+{_NUMBER},\s*requested\s+{_NUMBER}", text, re.I)
    return bool(found) and int(found[2].replace(",", "")) > int(found[1].replace(",", "")) if found else False


def longest_reply(text: str, sent: int) -> int | None:
    """The longest reply a server says it gives, when it refused `sent` tokens; None: its words are about something else."""
    told = told_by(text)
    if not _REPLY.search(text) or not _BOUNDED.search(text) or (told.window and told.prompt):
        return None
    numbers = [int(re.sub(r"[,_]", "", each)) for each in re.findall(r"(?<![\w.])\d[\d,_]*(?![\w.]*\w)", text)]
    below = [number for number in numbers if 16 <= number < sent]
    return max(below, default=None)


# -- when to come again ---------------------------------------------------------------------------------------------


def wait_told_s(headers: Mapping[str, str], words: str = "") -> float | None:
    """What the server asked for, in seconds, 0 … MAX_WAIT_S; None: nothing.

    `retry-after-ms`, `retry-after` (seconds or a date), the words ("try again in 7.15s", `retryDelay`), then the limits
    that are used up (`x-ratelimit-reset-…`, `anthropic-ratelimit-…-reset`).
    """
    for way in (_from_header, _from_words, _from_limits):
        wait_s = way(headers, words)
        if wait_s is not None and math.isfinite(wait_s):
            return min(max(wait_s, 0.0), MAX_WAIT_S)
    return None


def _from_header(headers: Mapping[str, str], words: str) -> float | None:
    return retry_after_s(headers)


def _from_words(headers: Mapping[str, str], words: str) -> float | None:
    found = re.search(
        r"(?:try again|retry|wait|available)(?: again)?(?: in| after| for)?\s+((?:[\d.]+\s*(?:ms|milliseconds?|s|secs?|seconds?|"
        r"m|mins?|minutes?|h|hours?)\s*)+)|\"?retryDelay\"?\W{1,4}([\d.]+s)|\"?retry_after(?:_seconds)?\"?\W{1,4}([\d.]+)",
        words,
        re.I,
    )
    if not found:
        return None
    return duration_s(found[1] or found[2] or f"{found[3]}s")


def _from_limits(headers: Mapping[str, str], words: str) -> float | None:
    waits: list[tuple[bool, float]] = []
    for name, value in headers.items():
        if not re.search(r"ratelimit.*reset", name):
            continue
        wait_s = _reset_s(value)
        left = headers.get(name.replace("reset", "remaining"))
        if wait_s is not None:
            waits.append((left is not None and left.strip() in ("0", "0.0"), wait_s))
    used_up = [wait for gone, wait in waits if gone]
    return max(used_up) if used_up else min((wait for _, wait in waits), default=None)


def _reset_s(value: str) -> float | None:
    """Seconds until a reset: "6m0s", "120ms", "7.66", an epoch in seconds or milliseconds, or a date."""
    if (wait_s := duration_s(value)) is not None:
        return wait_s
    try:
        if re.fullmatch(r"[\d.]+", value.strip()):
            number = float(value)
            epoch = number / 1000 if number > 1e11 else number
            return epoch - time.time() if epoch > 1e9 else number
        return datetime.fromisoformat(value.strip()).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None


_UNITS = {"ms": 0.001, "mi": 60.0, "m": 60.0, "s": 1.0, "h": 3600.0}


def duration_s(text: str) -> float | None:
    """Seconds of "1m2.5s", "120ms", "20 seconds"; None for anything else."""
    parts = re.findall(r"([\d.]+)\s*([a-z]+)", text.lower())
    if not parts or re.sub(r"[\d.]+\s*[a-z]+|\s|,|and", "", text.lower()):
        return None
    total = 0.0
    for number, unit in parts:
        scale = _UNITS.get("ms" if unit.startswith(("ms", "milli")) else unit[0])
        try:
            total += float(number) * (scale if scale is not None else math.nan)
        except ValueError:
            return None
    return None if math.isnan(total) else total


def failed_generation(body: bytes) -> str | None:
    """What a model wrote that its server could not read (Groq's tool_use_failed); None: this is another refusal."""
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(error, dict) or "tool_use_failed" not in (error.get("code"), error.get("type")):
        return None
    written = error.get("failed_generation")
    return written if isinstance(written, str) else ""
