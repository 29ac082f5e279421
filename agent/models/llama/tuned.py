"""`builtin`, and any llama-architecture GGUF under an adapter that `outrider tune` made: the small language model.

What it is: brain/ says what is asked and what becomes of it; this drives the process, counts tokens and time. Where a
model's own answer leaves a deed undone, it is asked once more with nothing but the tools for it. What it may touch: the
base, the adapter and the process that holds them. Does not promise: good choices. Start reading at `TunedModel.reply`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from outrider.agent.models.brain import decide, english, prompt
from outrider.agent.models.brain.lines import Card
from outrider.agent.models.choice import ask
from outrider.agent.models.choice.steps import View
from outrider.agent.models.llama.process import LlamaProcess
from outrider.agent.models.model import CallDraft, Limits, Message, ModelFailure, Price, Reply, Request, Seen, Usage
from outrider.memory.errors import ModelUnavailable

CONTEXT = 2048  # a prompt is at most about 1,000 tokens (brain/prompt.py bounds it)
NAME = "builtin"
SURE = "sure"  # where a reply keeps how sure the model was of its call: the answer may come in another process
NOTHING = Usage(input_tokens=0, output_tokens=0)


class TunedModel:
    """A base with an adapter, asked in the format of brain/prompt.py. Safe for several runs on one event loop.

    name: "builtin", or what `llama:` takes. adapter: a GGUF made by `outrider tune` (default: ours). threads: default 2.
    Raises UsageError, ModelUnavailable.
    """

    def __init__(
        self,
        name: str = NAME,
        *,
        adapter: str | None = None,
        threads: int | None = None,
        max_context: int | None = None,
    ) -> None:
        path, lora = _files(name, adapter)
        self.name = NAME if name == NAME and adapter is None else f"llama:{name}"
        self.price: Price | None = Price(Decimal(0), Decimal(0), source="local")
        self.limits = Limits(context=None, max_output=2 * decide.TOKENS)
        self._process = LlamaProcess(path, context=max_context or CONTEXT, threads=threads or 2, adapter=lora)
        self._starting: asyncio.Task[Any] | None = None
        with contextlib.suppress(RuntimeError):  # no loop yet: the first request starts it
            asyncio.get_running_loop()
            self._starting = asyncio.ensure_future(self._process.start())

    async def ready(self) -> None:
        """Load the model if it is not loaded. Raises ModelUnavailable."""
        mine = self._starting is not None and not self._starting.cancelled()
        if not mine or (self._starting and self._starting.get_loop() is not asyncio.get_running_loop()):
            self._starting = asyncio.ensure_future(self._process.start())
        if self._starting is not None:
            await asyncio.shield(self._starting)

    async def reply(self, request: Request) -> Reply:
        """One move: a tool call or an answer. Raises ModelFailure, ModelUnavailable."""
        until = time.monotonic() + request.timeout_s
        view = ask.read_view(request.messages, request.tools)
        if not request.tools:
            said = decide.findings(request.messages[-1].text if request.messages else "")
            return Reply(text=said, usage=NOTHING, outcome="partial")
        if not view.history and (why := english.not_english(view.goal)):
            return Reply(text=why, usage=NOTHING, outcome="unable")
        move, usage = await self._move(request, view, until)
        move = decide.doubted(move, view.goal, _cards(view), view.history, _sure_of(request.messages))
        if move.call is not None:
            name, arguments = move.call
            draft = CallDraft(name=name, arguments=decide.dumped(arguments))
            kept = {} if move.sure is None else {SURE: move.sure}
            return Reply(calls=(draft,), usage=usage, finish_reason="tool_calls", kept=kept)
        if request.on_text:
            request.on_text(move.text)
        return Reply(text=move.text, usage=usage, outcome=move.outcome)

    async def _move(self, request: Request, view: View, until: float) -> tuple[decide.Move, Usage]:
        cards = _cards(view)
        first = decide.begin(view.goal, cards, view.history)
        if isinstance(first, decide.Move):
            return first, NOTHING
        move, usage = await self._asked(first, cards, request, until, NOTHING)
        wanted = decide.nudge(move, cards) if move.call is None else frozenset()
        if not wanted:
            return move, usage
        again = decide.prepare(view.goal, cards, view.history, force=wanted)
        if not again.grammar or not self._room(request, usage):
            return move, usage
        other, usage = await self._asked(again, cards, request, until, usage)
        return (other if other.call is not None else move), usage

    def _room(self, request: Request, usage: Usage) -> bool:
        return usage.output_tokens + decide.TOKENS <= request.max_tokens

    async def _asked(
        self, one: decide.Ask, cards: list[Card], request: Request, until: float, so_far: Usage
    ) -> tuple[decide.Move, Usage]:
        await self._ready_by(until)
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise _late(self.name, request.timeout_s)
        most = min(decide.TOKENS, request.max_tokens - so_far.output_tokens)
        done = await self._process.ask(
            "write", timeout_s=left_s, prompt=one.prompt, grammar=one.grammar, max_tokens=most, most=CONTEXT
        )
        usage = Usage(
            input_tokens=so_far.input_tokens + done["tokens"],
            output_tokens=so_far.output_tokens + min(done["made"], most),
            cached_tokens=so_far.cached_tokens + done["cached"],
        )
        move = decide.read(one, done["text"], cards, done["sure"])
        if move.call is not None and not one.by_code:
            call = prompt.call_line(*move.call)
            own = any(card.name == move.call[0] and card.form is None for card in cards)
            put_right = (
                own and call != done["text"].strip()
            )  # an optional guess was left out: that was half of its doubt
            sure = 0.0 if move.overruled else done["sure"]  # sure of another sum: nothing bears this one out
            move = replace(move, sure=sure**0.5 if put_right else sure)
        return move, usage

    async def _ready_by(self, until: float) -> None:
        left_s = until - time.monotonic()
        try:
            await asyncio.wait_for(self.ready(), max(0.01, left_s))
        except TimeoutError as error:
            raise _late(self.name, left_s) from error

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """At most what a step reads: its prompt, twice where it may be asked once more."""
        if not request.tools:
            return 1
        view = ask.read_view(request.messages, request.tools)
        one = decide.begin(view.goal, _cards(view), view.history)
        if isinstance(one, decide.Move):
            return 1
        return 2 * (len(one.prompt.encode()) + 16)

    async def aclose(self) -> None:
        """End the process. May be called twice."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, ModelUnavailable, ModelFailure):
                await self._starting
        elif self._starting is not None and not self._starting.cancelled():
            self._starting.exception()
        await self._process.aclose()


def _sure_of(messages: Sequence[Message]) -> dict[str, float]:
    """Call line → how sure the model was when it wrote the call last. One that is not there was made by code."""
    out: dict[str, float] = {}
    for message in messages:
        for call in message.calls:
            line, sure = _line(call), message.kept.get(SURE)
            out.pop(line, None)
            if isinstance(sure, int | float):
                out[line] = float(sure)
    return out


def _line(call: CallDraft) -> str:
    try:
        return prompt.call_line(call.name, json.loads(call.arguments))
    except (ValueError, RecursionError):  # another model wrote it
        return ""


def _cards(view: View) -> list[Card]:
    return [Card(tool.name, tool.description, tool.schema) for tool in view.tools]


def _late(name: str, seconds: float) -> ModelFailure:
    fix = "give the run more seconds"
    return ModelFailure(f"{name} did not finish in time", f"it had {max(0.0, seconds):.1f} s", fix, retryable=True)


def _files(name: str, adapter: str | None) -> tuple[Path, Path]:
    """The base and the adapter. Raises UsageError, ModelUnavailable."""
    from outrider.agent.models.builtin import ADAPTER_PATH
    from outrider.agent.models.llama.model import find_file
    from outrider.agent.models.llama.packaged import ready_smollm2

    lora = Path(adapter).expanduser() if adapter else ADAPTER_PATH
    if not lora.is_file():
        raise ModelUnavailable(
            f"there is no adapter {lora.name}", "no such file", "make one with `outrider tune`, or leave --adapter out"
        )
    return (ready_smollm2() if name == NAME else find_file(name)), lora
