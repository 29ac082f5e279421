"""How full a model's window is: an estimate that learns from what this server reports; the server's refusal is the judge.
Touches nothing: a projection of the run's events, so a resumed or replayed run knows the same.
Does not promise: an upper bound. Money is bounded by bytes (budget.py); a bound that wide would leave half a window unused.
"""

from __future__ import annotations

from collections.abc import Sequence

from outrider.agent.models.model import Limits, Message, Seen, ToolSpec, Usage, as_shown, tools_bytes
from outrider.memory.events import Compacted, Event, ModelAsked, ModelReplied

TOKENS_A_BYTE = 0.30  # before this server has counted anything: 3.3 bytes a token, code and JSON in English
REPLY_SHARE = 4  # the most of a window that is asked for a reply: a quarter
LEAST_REPLY = 64
LEAST_SEEN = 500  # bytes or tokens below which a count teaches nothing
_WINDOWS = (1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)


class Counted:
    """What this server counted for the bytes it was sent."""

    def __init__(self) -> None:
        self.tokens_a_byte = TOKENS_A_BYTE
        self._asked: ModelAsked | None = None
        self._last: tuple[int, int] | None = None  # (bytes, tokens) of the last request of this history
        self._cuts = 0

    def add(self, event: Event) -> None:
        """Learn from one event of the run."""
        if isinstance(event, ModelAsked):
            self._asked = event if event.purpose == "step" else None
        elif isinstance(event, Compacted):
            self._last = None
        elif isinstance(event, ModelReplied) and self._asked is not None:
            asked, self._asked = self._asked, None
            self._cuts += event.error.startswith(CUT_PROMPT)
            if event.usage and asked.size >= LEAST_SEEN and not event.error:
                self._last = (asked.size, event.usage.input_tokens)
                if event.usage.input_tokens >= LEAST_SEEN // 4:
                    self.tokens_a_byte = min(1.0, max(0.05, event.usage.input_tokens / asked.size))

    def tokens(self, size: int, *, new: int = 0, seen: Seen | None = None) -> int:
        """About how many tokens a request of `size` bytes is; `new` of them came after what the server counted (`seen`)."""
        if seen is not None and seen.tokens >= LEAST_SEEN // 4:
            return seen.tokens + int(new * self.tokens_a_byte)
        return int(size * self.tokens_a_byte)

    def was_cut(self, size: int, usage: Usage | None) -> int | None:
        """The window of a server that cut a prompt of `size` bytes in silence; None: nothing says so.

        It counted too few tokens for so many bytes, or no more than before although the history grew (Ollama's default).
        """
        if usage is None or usage.cached_tokens or usage.input_tokens < 2 * LEAST_SEEN or self._cuts >= 2:
            return None
        tokens, (size_before, before) = usage.input_tokens, self._last or (size, 0)
        growth = (size - size_before) * self.tokens_a_byte  # what it should have grown by
        full = any(window - 8 <= tokens <= window for window in _WINDOWS) and tokens - before < 0.7 * growth
        stuck = growth > max(300, 0.05 * tokens) and (tokens <= before or full)
        if not stuck and tokens * 9 > size:
            return None
        most = max(tokens, before if stuck else 0)
        return next((window for window in _WINDOWS if most <= window <= 1.6 * most), most)


CUT_PROMPT = "the server cut the start of the prompt off without a word"


def reply_room(limits: Limits, wanted: int) -> int:
    """Tokens to ask for a reply: what is wanted, at most a quarter of a known window."""
    if limits.context is None:
        return wanted
    return min(wanted, max(limits.context // REPLY_SHARE, LEAST_REPLY))


def size_of(messages: Sequence[Message], specs: Sequence[ToolSpec]) -> int:
    """UTF-8 bytes of a request: what its messages and its tool list say, and what a template writes around them."""
    return tools_bytes(specs) + sum(map(message_bytes, messages))


PICTURE_BYTES = 6400  # what a picture takes of a window, as bytes of text: 1600 tokens of four


def message_bytes(message: Message) -> int:
    """UTF-8 bytes of one message as a model reads it, with room for what a template writes around it."""
    size = 16 + len(as_shown(message).encode("utf-8", "replace"))
    for call in message.calls:
        size += 32 + len(call.name) + len(call.arguments.encode("utf-8", "replace"))
    size += PICTURE_BYTES * len(message.pictures)
    return size + sum(len(str(value)) for value in message.kept.values())
