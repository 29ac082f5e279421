"""The contract a model keeps: one request in, one reply out. Everything else (retries, money, history) is not its job.
Touches nothing. A provider is one file that implements `Model` and one line in `PROVIDERS`.
Does not promise: that a reply makes sense; the loop checks everything in it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, Protocol

from outrider.memory.errors import OutriderError
from outrider.memory.events import CallDraft, Origin, Outcome, Usage
from outrider.memory.text import for_model

Role = Literal["system", "user", "assistant", "tool"]

__all__ = [
    "CallDraft",
    "ContextOverflow",
    "Limits",
    "Message",
    "Model",
    "ModelFailure",
    "Price",
    "Reply",
    "Request",
    "Seen",
    "ToolSpec",
    "Usage",
    "as_shown",
    "byte_bound",
]


GOAL = "goal"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that goes with a message. name: what the person calls it."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Message:
    """One turn. Compared and hashed by identity, so a provider can keep the encoded bytes of each message once.

    role "assistant" may carry `calls`; role "tool" answers the call at the same position of the assistant turn
    before it: `call_id` is ours ("3.1", unique in the run) and is also the id that `calls[i].id` holds here.
    `label` is the tool's name on a "tool" message, and GOAL on a "user" message that says what is wanted. `ok` is False for an observation that is an error.
    `origin` "untrusted": the text was written by strangers. `note` is a line from Outrider (what is left of the budget).
    An ordinary model is shown `as_shown(message)`; a small one may be shown less. `kept`: fields of an assistant's turn that
    its provider wants back as they were (DeepSeek's reasoning_content, OpenRouter's reasoning_details).
    """

    role: Role
    text: str
    calls: tuple[CallDraft, ...] = ()
    call_id: str = ""
    label: str = ""
    ok: bool = True
    origin: Origin = "trusted"
    note: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()  # of a "user" message, for a model that sees
    fence: str = ""  # the run's own marker: a stranger cannot know it, and so cannot close the fence


def as_shown(message: Message) -> str:
    """The text of a message as an ordinary model reads it: strangers' text fenced and labelled, the note last.

    Nothing inside the fence can close it, and nothing but a model's own words holds special tokens of a chat template.
    """
    text = message.text if message.role == "assistant" else for_model(message.text)
    if message.role in ("tool", "user") and message.origin == "untrusted":
        text = fenced(text, message.label, message.fence)
    return f"{text}\n[{message.note}]" if message.note else text


def fenced(text: str, label: str, marker: str) -> str:
    """Strangers' text between tags it cannot close, labelled with where it is from; `marker` is the run's own."""
    tag = f"untrusted-{marker}" if marker else "untrusted"
    return f'<{tag} from="{_LABEL.sub("_", label)}">\n{_FENCE.sub("‹untrusted", text)}\n</{tag}>'


_LABEL = re.compile(r"[^\w. -]")
_FENCE = re.compile(r"<\s*/?\s*untrusted", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ToolSpec:
    """What a model sees of a tool. `parameters` is a JSON Schema object. ours: it is built in, so its words are known
    (model.py counts them by a measured ratio, and strangers' words by their bytes)."""

    name: str
    description: str
    parameters: dict[str, Any]
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A provider's own count: the first `messages` messages (tools included) were `tokens` input tokens."""

    messages: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `max_tokens` bounds the reply; `timeout_s` is all the time there is, connection included.

    `on_text` receives streamed pieces of the reply's text as they come (None: nobody watches).
    `tools` empty means: answer in words. `answer_schema`: the answer must be JSON that fits it (the messages say so too; a
    provider that can hold a model to a grammar does). `answer_now`: an answer was given, and only its form was wrong.
    """

    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    max_tokens: int
    timeout_s: float = 600.0
    on_text: Callable[[str], None] | None = None
    answer_schema: dict[str, Any] | None = None
    answer_now: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `calls[i].arguments` is the raw text the model wrote. `usage` None: nothing was reported.

    `finish_reason`: stop, tool_calls, length (cut at its limit: the text, or the arguments of the last call, end in the
    middle), repetition (stopped, for it said one phrase over and over; it is left in the text once) …; empty means the
    reply was cut and must not be trusted to be whole.
    `outcome`: what a model that knows says of its answer, beside its words.
    reasoning: what was thought before it was said. kept: see `Message.kept`. flaw: why this is no reply to act on
    ("" if it is): what came is then booked and the request sent once more.
    """

    text: str = ""
    calls: tuple[CallDraft, ...] = ()
    usage: Usage | None = None
    finish_reason: str = "stop"
    outcome: Outcome = "answered"
    reasoning: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the model can take, in tokens. `context` None: not known."""

    context: int | None = None
    max_output: int = 4096


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens, and where the number is from ("local", "--price-in", "genai-prices 0.2.3", "config").

    cached, cache_write: input read from, or written to, a prompt cache; audio_input, audio_output: sound. None: as other
    input and output.
    """

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    source: str = ""
    cache_write: Decimal | None = None
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> Price | None:
        """A price as it was stored with a run."""
        if stored is None:
            return None
        special = {key: Decimal(stored[key]) for key in _SPECIAL if stored.get(key) is not None}
        return cls(Decimal(stored["input"]), Decimal(stored["output"]), source=stored["source"], **special)

    def as_json(self) -> dict[str, Any]:
        """What is stored with a run."""
        plain = {"input": str(self.input), "output": str(self.output), "source": self.source}
        return plain | {key: str(rate) for key in _SPECIAL if (rate := getattr(self, key)) is not None}

    def usd(self, usage: Usage) -> Decimal:
        """Dollars for `usage`; a special part costs its own rate if the price has one, else that of other tokens."""
        into = ((usage.cached_tokens, self.cached), (usage.cache_write_tokens, self.cache_write),
                (usage.audio_input_tokens, self.audio_input))  # fmt: skip
        out = ((usage.audio_output_tokens, self.audio_output),)
        total = _parts(usage.input_tokens, self.input, into) + _parts(usage.output_tokens, self.output, out)
        return total / 1_000_000

    def most(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Dollars that so many tokens can cost at most, whichever part of the input a cache takes."""
        rate = max(self.input, self.cached or self.input, self.cache_write or self.input)
        return (input_tokens * rate + output_tokens * self.output) / 1_000_000


_SPECIAL = ("cached", "cache_write", "audio_input", "audio_output")


def _parts(tokens: int, rate: Decimal, special: Sequence[tuple[int, Decimal | None]]) -> Decimal:
    total, left = Decimal(0), tokens
    for count, own in special:
        part = min(count, left)
        total, left = total + part * (rate if own is None else own), left - part
    return total + left * rate


class ModelFailure(OutriderError):
    """One attempt failed.

    retryable: trying again may help. billed: the provider may have charged for it (a cut stream, a time-out after
    the request was sent, a 5xx): the ledger then keeps the reservation as spent. retry_after_s: what the server asked for.
    maybe_long: refused in words nobody knows; a shorter request may be the cure.
    usage: what was read and written before it failed, where that is known: it is spent, whatever `billed` says.
    """

    exit_code = 5

    def __init__(
        self,
        what: str,
        why: str,
        fix: str,
        *,
        retryable: bool = False,
        billed: bool = False,
        retry_after_s: float | None = None,
        maybe_long: bool = False,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(what, why, fix)
        self.retryable, self.billed, self.retry_after_s = retryable, billed, retry_after_s
        self.usage = usage
        self.maybe_long = maybe_long

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {"retryable": self.retryable, "billed": self.billed, "retry_after_s": self.retry_after_s}
        return _failure, (self.args, kept | {"usage": self.usage, "maybe_long": self.maybe_long})


def _failure(args: tuple[str, str, str], kept: dict[str, Any]) -> ModelFailure:
    return ModelFailure(*args, **kept)


class ContextOverflow(ModelFailure):
    """The request is longer than the model takes: sending it again is no use, a shorter one may pass.

    context: the model's window in tokens, if the server said it.
    """

    def __init__(self, what: str, why: str, fix: str, *, context: int | None = None) -> None:
        super().__init__(what, why, fix)
        self.context = context

    def __reduce__(self) -> tuple[Any, ...]:
        return _overflow, (self.args, self.context)


def _overflow(args: tuple[str, str, str], context: int | None) -> ContextOverflow:
    return ContextOverflow(*args, context=context)


class Model(Protocol):
    """A language model. One instance may serve many runs at once (its methods are called on one event loop)."""

    name: str  # "provider:model", as the user would write it
    limits: Limits
    price: Price | None  # None: not known

    async def reply(self, request: Request) -> Reply:
        """Send one request, once: no retries here. Raises ModelFailure."""
        ...

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """At least as many input tokens as `request` can be. Exact where the tokenizer is ours, else `byte_bound`."""
        ...

    async def aclose(self) -> None:
        """Give back connections and processes. May be called twice."""
        ...


# The most that a picture of at most 1568 pixels a side costs: Claude 1,600, GPT-4o 1,445, GPT-4.1-nano 3,779 …
PICTURE_TOKENS = 4_000
DEAR_PICTURE_TOKENS = 50_000  # … and GPT-4o-mini, which counts each one 33 times
PER_MESSAGE = 16  # tokens a chat template may add around one message: the widest we know of adds 9


def byte_bound(request: Request, seen: Seen | None, picture_tokens: int = PICTURE_TOKENS) -> int:
    """An upper bound on input tokens without a tokenizer: a byte-level token is at least one byte of UTF-8.

    What the provider already counted (`seen`) is taken as counted; only what came after is bounded by its bytes.
    """
    start, total = (seen.messages, seen.tokens) if seen else (0, sum(map(_spec_tokens, request.tools)))
    for message in request.messages[start:]:
        total += PER_MESSAGE + len(as_shown(message).encode("utf-8", "replace")) + len(message.call_id)
        total += picture_tokens * len(message.pictures)
        for call in message.calls:
            total += PER_MESSAGE + len(call.name) + len(call.id) + len(call.arguments.encode("utf-8", "replace"))
            total += _extra_bytes(call.extra)
        total += _extra_bytes(message.kept)
    return total


def _extra_bytes(fields: Mapping[str, Any]) -> int:
    return len(json.dumps(fields, default=dict).encode("utf-8", "replace")) if fields else 0


def tools_bytes(specs: Sequence[ToolSpec]) -> int:
    """UTF-8 bytes of the tool list as JSON, with room for what a template writes around each tool."""
    return sum(_spec_bytes(spec) for spec in specs)


@lru_cache(maxsize=4096)  # specs are compared by identity, and a run sends the same ones at every step
def _spec_bytes(spec: ToolSpec) -> int:
    return 64 + len(spec.name) + len(spec.description.encode()) + len(json.dumps(spec.parameters))


# Our own tool list was counted with seven tokenizers (o200k, cl100k, p50k, Llama 2 and 3, Mistral, Claude): 3.85 to 4.55
# bytes a token. Templates write it again with spaces and line ends, so half as much is added to the worst.
OUR_BYTES_A_TOKEN = 2.5


@lru_cache(maxsize=4096)
def _spec_tokens(spec: ToolSpec) -> int:
    """An upper bound on the tokens of one tool: ours by the measured ratio, a stranger's by its bytes."""
    size = _spec_bytes(spec)
    return math.ceil(size / OUR_BYTES_A_TOKEN) if spec.ours else size
