"""`outrider models check`: a minute of small questions that show how a model behaves: calls, streams, limits, speed.
Touches the model, with a handful of short requests, and the server's list of models. Nothing it says is run.
Does not promise: that a model always does what it did here; one question each is a look, not a benchmark.
Start reading at `check`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from outrider.agent.models.detect import listed_models
from outrider.agent.models.findings import Findings
from outrider.agent.models.model import CallDraft, Message, Model, ModelFailure, Reply, Request, ToolSpec

REPLY = 700  # tokens of a reply: a thinking model needs some before it says anything
SHORT = 24  # tokens of the reply that must be cut
SYSTEM = Message("system", "You are being tested. Do exactly what is asked, with the tools if there are any.")
NOTE = ToolSpec(
    "note_number",
    "Write a number down.",
    {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
)
WEATHER = ToolSpec(
    "weather",
    "The weather in one city now.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
ORDER = ToolSpec(
    "order",
    "Order goods.",
    {
        "type": "object",
        "properties": {
            "customer": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"what": {"type": "string"}, "many": {"type": "integer"}},
                    "required": ["what", "many"],
                },
            },
        },
        "required": ["customer", "items"],
    },
)
_DIALECTS = (  # how the text of a call begins, in the order in which they are told apart
    ("Hermes, Qwen", "<tool_call>"), ("Mistral", "[TOOL_CALLS]"), ("Llama 3", "<|python_tag|>"),
    ("Qwen-coder", "<function="), ("DeepSeek", "tool▁call"), ("GLM", "<arg_key>"), ("gpt-oss channels", "<|channel|>"),
    ("fenced JSON", "```"), ("JSON", "{"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. good: None where it is neither good nor bad, or could not be told."""

    question: str
    answer: str
    good: bool | None = None


@dataclass(slots=True)
class Checkup:
    """The questions under way. `rows` is the table so far; `tokens` what the model reported; `raw` its last reply as sent."""

    model: Model
    until: float
    on_row: Callable[[Row], None]
    rows: list[Row] = field(default_factory=list)
    tokens: int = 0
    usd: Decimal = Decimal(0)
    raw: str = ""

    async def ask(
        self,
        words: str | Sequence[Message],
        tools: tuple[ToolSpec, ...] = (),
        *,
        limit: int = REPLY,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """One request in what is left of the time. Raises ModelFailure."""
        left_s = self.until - time.monotonic()
        if left_s < 1:
            raise ModelFailure("no time left", "the time of the check is over", "give it more with --seconds")
        messages = (SYSTEM, Message("user", words)) if isinstance(words, str) else (SYSTEM, *words)
        limit = min(limit, self.model.limits.max_output)
        reply = await self.model.reply(Request(messages, tools, limit, left_s, on_text))
        if reply.usage:
            self.tokens += reply.usage.input_tokens + reply.usage.output_tokens
            self.usd += self.model.price.usd(reply.usage) if self.model.price else Decimal(0)
        return reply

    def row(self, question: str, answer: str, good: bool | None = None) -> None:
        """Add a line to the table."""
        self.rows.append(Row(question, answer, good))
        self.on_row(self.rows[-1])


Probe = Callable[[Checkup, Findings], Awaitable[Findings]]


async def check(model: Model, base_url: str, seconds: float, on_row: Callable[[Row], None]) -> tuple[Findings, Checkup]:
    """What the model does with a few questions, each told as it is known. Raises ModelFailure if it answers none at all.

    seconds: for all of it. The findings hold None for what could not be told.
    """
    checkup = Checkup(model, time.monotonic() + seconds, on_row)
    if hasattr(model, "on_body"):
        model.on_body = lambda body: setattr(checkup, "raw", body[:100_000].decode("utf-8", "replace"))
    found = Findings(model.name, base_url, datetime.now(UTC).isoformat(timespec="seconds"))
    found = await _answers(checkup, found)
    for probe in _PROBES:
        found = await probe(checkup, found)
    return found, checkup


async def _answers(checkup: Checkup, found: Findings) -> Findings:
    """The first question must be answered one way or the other, or there is nothing to check."""
    words = "Reply with the single word: ready"
    whole: Reply | None = None
    try:
        whole = await checkup.ask(words)
        checkup.row("answers", _quoted(whole.text) or "with no words", bool(whole.text.strip()))
    except ModelFailure as failure:
        found = await _streamed(checkup, replace(found, whole=False))
        if not found.streams:
            raise
        checkup.row("answers", f"only when it streams ({failure.why[:120]})", None)
    else:
        found = await _streamed(checkup, replace(found, whole=True, usage=whole.usage is not None))
        checkup.row(
            "reports tokens", _yes(found.usage, "no: the whole reservation is booked for each request"), found.usage
        )
    thinks = bool(whole and whole.reasoning)
    checkup.row("reasons before it answers", "yes: kept apart from the answer" if thinks else "not here", None)
    return replace(found, thinks=thinks)


async def _streamed(checkup: Checkup, found: Findings) -> Findings:
    pieces: list[float] = []
    began = time.monotonic()
    try:
        reply = await checkup.ask(
            "Count from 1 to 40 in words, separated by commas.", on_text=lambda _: pieces.append(time.monotonic())
        )
    except ModelFailure as failure:
        checkup.row("streams", f"no: {failure.why[:120]}", False)
        return replace(found, streams=False)
    took_s = time.monotonic() - began
    checkup.row("streams", f"yes, {len(pieces)} pieces" if len(pieces) > 1 else "no: all at once", len(pieces) > 1)
    reported = reply.usage is not None
    checkup.row("reports tokens when it streams", _yes(reported, "no: the whole reservation is booked"), reported)
    first_s = pieces[0] - began if pieces else took_s
    written = reply.usage.output_tokens if reply.usage else len(reply.text + reply.reasoning) / 4
    speed = written / max(0.001, took_s - first_s) if len(pieces) > 1 else written / max(0.001, took_s)
    checkup.row("speed", f"first words after {first_s:.1f} s, then {speed:.0f} tokens a second", None)
    found = replace(found, first_s=round(first_s, 2), tokens_per_s=round(speed, 1))
    return replace(found, streams=True, stream_usage=reported)


async def _calls(checkup: Checkup, found: Findings) -> Findings:
    reply = await checkup.ask("Call note_number with the number 7.", (NOTE,))
    call = next((one for one in reply.calls if one.name == NOTE.name), None)
    if call is None:
        checkup.row("calls a tool", f"no: it said {_quoted(reply.text) or 'nothing'}", False)
        return replace(found, calls="none")
    how = _dialect(checkup, call)
    right = _arguments(call) == {"number": 7}
    checkup.row("calls a tool", f"yes, {how}" + ("" if right else f", with {call.arguments[:80]}"), right)
    return replace(found, calls=how)


def _dialect(checkup: Checkup, call: CallDraft) -> str:
    if checkup.model.name.partition(":")[0] in ("llama", "starter"):
        return "grammar"
    if call.id:
        return "native"
    return next(
        (f"text ({name})" for name, mark in _DIALECTS if mark in _content(checkup.raw)), "native, without an id"
    )


def _content(raw: str) -> str:
    """The words of the last reply as the server sent them, whole or streamed."""
    texts = re.findall(r'"content"\s*:\s*("(?:[^"\\]|\\.)*")', raw)
    return "".join(json.loads(text, strict=False) for text in texts)


async def _parallel(checkup: Checkup, found: Findings) -> Findings:
    reply = await checkup.ask("Get the weather of Oslo and of Rome: call weather for both, in one reply.", (WEATHER,))
    cities = {str((_arguments(call) or {}).get("city", "")).lower()[:4] for call in reply.calls}
    both = {"oslo", "rome"} <= cities
    checkup.row(
        "calls several at once", _yes(both, f"no: {len(reply.calls)} in one reply; it takes more steps"), both or None
    )
    return replace(found, parallel=both)


async def _nested(checkup: Checkup, found: Findings) -> Findings:
    words = "Call order for the customer named Ada: 2 apples and 3 pears."
    reply = await checkup.ask(words, (ORDER,))
    given = next((_arguments(call) for call in reply.calls if call.name == ORDER.name), None)
    items = given.get("items") if given else None
    fits = isinstance(items, list) and len(items) == 2 and isinstance(given and given.get("customer"), dict)
    checkup.row("nested arguments", _yes(fits, f"no: {json.dumps(given)[:100] if given else 'no call'}"), fits)
    return replace(found, nested=fits)


async def _results(checkup: Checkup, found: Findings) -> Findings:
    call = CallDraft(id="1.0", name=WEATHER.name, arguments='{"city": "Oslo"}')
    history = (
        Message("user", "What is the temperature in Oslo?"),
        Message("assistant", "", (call,)),
        Message("tool", "Oslo: 17 degrees, rain", call_id="1.0", label=WEATHER.name),
    )
    reply = await checkup.ask(history, (WEATHER,))
    used = "17" in reply.text
    checkup.row("answers from a result", _yes(used, f"no: {_quoted(reply.text) or 'it called again'}"), used)
    return replace(found, uses_results=used)


async def _limit(checkup: Checkup, found: Findings) -> Findings:
    reply = await checkup.ask("Write the numbers from 1 to 500, separated by commas.", limit=SHORT)
    written = reply.usage.output_tokens if reply.usage else len(reply.text + reply.reasoning) // 3
    kept = written <= SHORT
    why = f"no: {written} tokens where {SHORT} were allowed; a budget of tokens or dollars cannot be kept with it"
    checkup.row("keeps the reply's limit", _yes(kept, why), kept)
    return replace(found, keeps_limit=kept)


async def _window(checkup: Checkup, found: Findings) -> Findings:
    window = checkup.model.limits.context
    source = "as the model says"
    if window is None and checkup.model.name.startswith("openai:"):
        window, source = await listed_window(checkup.model)
    told = (
        f"{window:,} tokens, {source}" if window else "not told: give --max-context if replies seem to forget the start"
    )
    checkup.row("window", told, None)
    return replace(found, window=window)


def _guarded(probe: Probe, question: str) -> Probe:
    async def guarded(checkup: Checkup, found: Findings) -> Findings:
        try:
            return await probe(checkup, found)
        except ModelFailure as failure:
            checkup.row(question, f"not told: {failure.what} ({failure.why[:100]})", None)
            return found

    return guarded


_PROBES: tuple[Probe, ...] = (
    _guarded(_calls, "calls a tool"),
    _guarded(_results, "answers from a result"),
    _guarded(_limit, "keeps the reply's limit"),
    _guarded(_window, "window"),
    _guarded(_parallel, "calls several at once"),
    _guarded(_nested, "nested arguments"),
)
_WINDOW_KEYS = (
    "max_model_len",
    "loaded_context_length",
    "max_context_length",
    "context_length",
    "context_window",
    "n_ctx",
)


async def listed_window(model: Any) -> tuple[int | None, str]:
    """(the window of an `openai:` model as its server's list tells it, where that was said); (None, "") if it does not."""
    key = next(iter(model.secrets.values()), "")
    try:
        entries = await asyncio.to_thread(listed_models, model.base_url, key, timeout_s=5)
    except (OSError, ValueError, RecursionError):
        return None, ""
    for entry in entries:
        if isinstance(entry, dict) and entry.get("id") == model.model:
            told = (entry["meta"] if isinstance(entry.get("meta"), dict) else {}) | entry
            for key in _WINDOW_KEYS:
                size = told.get(key)
                if isinstance(size, int) and not isinstance(size, bool) and 256 <= size <= 1 << 30:
                    return size, f"the server's list says ({key})"
    return None, ""


def _arguments(call: CallDraft) -> dict[str, Any] | None:
    try:
        read = json.loads(call.arguments, strict=False)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _yes(good: bool | None, otherwise: str) -> str:
    return "yes" if good else otherwise


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line[:60]}{'…' if len(line) > 60 else ''}”" if line else ""
