"""One attempt at one request: reserves the worst case, sends, books what was reported, records what came.
Touches the model and, through `LiveRun`, the journal. Every attempt is two events, so the ledger sees every attempt.
Does not promise: to try again (think.py), nor that a reply makes sense (loop.py).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from outrider.agent.asking.window import CUT_PROMPT, reply_room, size_of
from outrider.agent.limits.purse import PeriodSpent
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import ContextOverflow, Message, Model, ModelFailure, Reply, Request, Seen, ToolSpec
from outrider.agent.structured.reading import MISFIT
from outrider.memory.events import Amount, ModelAsked, ModelReplied, Noted, Usage
from outrider.memory.text import for_storage

LATE_S = 0.5  # a model keeps its own deadline; this much later it is kept for it
OVERFLOW, MAYBE_LONG = (
    "overflow",
    "maybe_long",
)  # finish reasons of requests refused for their length, or perhaps for it
UNUSABLE = "no usable reply: "
NO_LIMIT_S = 600.0  # for one request of a run without a limit of seconds


class OutOfBudget(Exception):
    """A request does not fit; `unit` is the limit that says so, `why` the numbers."""

    def __init__(self, unit: str, why: str = "") -> None:
        super().__init__(unit)
        self.unit, self.why = unit, why or f"the limit of {unit} was reached"


class Flawed(ModelFailure):
    """A reply that came and is none to act on; it was paid for. `cut`: it ran into its limit of `max_tokens`."""

    def __init__(self, model: str, reply: Reply, max_tokens: int) -> None:
        fix = "raise --max-output" if reply.finish_reason == "length" else "try again, or use another model"
        super().__init__(f"{model} sent no usable reply", reply.flaw, fix, retryable=True, billed=True, retry_after_s=0)
        self.cut, self.max_tokens = reply.finish_reason == "length", max_tokens


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked: `max_tokens` is the reply's limit before the window and the budget lower it."""

    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    step: int
    max_tokens: int
    purpose: Literal["step", "ending"] = "step"
    seen: Seen | None = None

    @property
    def ending(self) -> bool:
        """Whether this is the paid-for ending."""
        return self.purpose == "ending"


async def attempt(live: LiveRun, asking: Asking, *, last: bool = False) -> ModelReplied:
    """Send once. last: a flawed reply is not asked for again, so it is recorded as an empty one.

    Raises OutOfBudget, PeriodSpent, ModelFailure; Flawed for a reply that came and is no use.
    """
    seconds_left = live.ledger.seconds_left(ending=asking.ending)
    if seconds_left <= 0:
        raise OutOfBudget("seconds")
    timeout_s = min(seconds_left, NO_LIMIT_S)
    asked = await _reserve(live, asking, timeout_s)
    request = _request(live, asking, asked.max_tokens, timeout_s)
    if live.share:
        await live.share.reserve(asked.reserved, live.ledger.ending_usd, ending=asking.ending)
    began = time.monotonic()
    try:
        async with live.turn():
            await _record(live, asked)
            began = time.monotonic()
            reply = await _send(live.model, request)
    except ModelFailure as failure:
        await _book_failure(live, asked, failure, began)
        if failure.retryable and not math.isinf(seconds_left) and live.ledger.seconds_left(ending=asking.ending) <= 0:
            raise OutOfBudget("seconds") from failure
        raise
    finally:
        if live.on_text:
            live.on_text.end()
    replied = await _book(live, asked, reply, began, last=last)
    if getattr(live.model, "blind", False) and live.context.pictured and not live.told_blind:
        live.told_blind = True
        live.stage(Noted(by="outrider", text="The model's server refused the pictures: it was not shown them."))
    return replied


async def _record(live: LiveRun, asked: ModelAsked) -> None:
    """Put the request on disk. Raises PeriodSpent; then nothing is reserved for it anywhere."""
    try:
        await live.commit(asked)
    except PeriodSpent:
        if live.share:
            live.share.settle(Amount())
        raise


def _request(live: LiveRun, asking: Asking, max_tokens: int, timeout_s: float) -> Request:
    now = bool(asking.messages) and asking.messages[-1].text.startswith(MISFIT)
    return Request(asking.messages, asking.tools, max_tokens, timeout_s, live.on_text, live.answer_schema, now)


async def _reserve(live: LiveRun, asking: Asking, timeout_s: float) -> ModelAsked:
    """The event of a request that fits the budget. Raises OutOfBudget, ModelFailure (an exact count says it cannot fit)."""
    model = live.model
    bound = await model.count_bound(_request(live, asking, asking.max_tokens, timeout_s), asking.seen)
    size = size_of(asking.messages, asking.tools) if asking.ending else live.size(asking.tools)
    output = _reply_limit(live, asking, bound, size)
    fits = live.ledger.reserve(bound, output, ending=asking.ending)
    if isinstance(fits, str):
        why = f"the next request may take {bound:,} tokens of input at most, too many for the limit of {fits}"
        raise OutOfBudget(fits, f"{why} ({live.ledger.line()}; a part is kept for the ending)")
    return ModelAsked(
        step=asking.step,
        purpose=asking.purpose,
        reserved=fits[0],
        max_tokens=fits[1],
        size=size,
        request_digest="" if asking.ending else live.context.digest(),
        elapsed_s=live.ledger.elapsed_s,
    )


def _reply_limit(live: LiveRun, asking: Asking, bound: int, size: int) -> int:
    """The reply's limit, lowered to what the window leaves. Raises ModelFailure if an exact count leaves nothing."""
    window = live.model.limits.context
    if window is None:
        return asking.max_tokens
    if live.counts_exactly:
        output = min(asking.max_tokens, window - bound)
        if output < 1:
            raise ModelFailure(
                "the conversation no longer fits the model's window",
                f"it may need {bound:,} tokens and the window is {window:,}",
                "give the run a smaller goal, or a model with a larger window",
            )
        return output
    room = window - live.counted.tokens(size, new=live.context.unseen_bytes, seen=asking.seen)
    output = reply_room(live.model.limits, asking.max_tokens)
    return min(output, room) if room >= output // 4 else output  # an estimate never forbids: the server is the judge


async def _send(model: Model, request: Request) -> Reply:
    """The reply, in time. Raises ModelFailure and nothing else, whatever a provider does."""
    try:
        async with asyncio.timeout(request.timeout_s + LATE_S) as limit:
            reply = await model.reply(request)
            # cleaned here, so that what is kept, shown and sent again is the same
            text, reasoning = for_storage(reply.text), for_storage(reply.reasoning)
            clean = (text, reasoning) == (reply.text, reply.reasoning)
            return reply if clean else replace(reply, text=text, reasoning=reasoning)
    except ModelFailure:
        raise
    except Exception as error:
        late = isinstance(error, TimeoutError) and limit.expired()
        why = f"it did not keep to {request.timeout_s:.0f} s" if late else f"{type(error).__name__}: {error}"
        fix = "try again, or use another model"
        raise ModelFailure(f"{model.name} failed", why[:2000], fix, retryable=late, billed=True) from error


async def _book(live: LiveRun, asked: ModelAsked, reply: Reply, began: float, *, last: bool) -> ModelReplied:
    """Record a reply. Raises Flawed or ContextOverflow for one that is no use, once it is booked."""
    cut_at = live.counted.was_cut(asked.size, reply.usage) if asked.purpose == "step" else None
    replied = _event(live, asked, began, reply.usage).model_copy(
        update={
            "text": reply.text,
            "reasoning": reply.reasoning,
            "calls": reply.calls,
            "kept": dict(reply.kept),
            "finish_reason": reply.finish_reason,
            "outcome": reply.outcome,
        }
    )
    nothing = {"text": "", "calls": (), "kept": {}}
    if cut_at is not None:
        said = f"{CUT_PROMPT}: it counted {reply.usage.input_tokens if reply.usage else 0:,} tokens"
        await live.commit(replied.model_copy(update=nothing | {"error": said, "window": cut_at}))
        await live.commit(Noted(by="warning", text=f"{said}. {_WIDER.format(window=cut_at)}"))
        raise ContextOverflow(f"{live.model.name} cannot hold the prompt", said, "--max-context", context=cut_at)
    if reply.flaw and not last:
        await live.commit(replied.model_copy(update=nothing | {"error": f"{UNUSABLE}{reply.flaw}"}))
        raise Flawed(live.model.name, reply, asked.max_tokens)
    live.stage(replied.model_copy(update=nothing) if reply.flaw else replied)
    if replied.over.tokens or replied.over.usd:
        live.stage(Noted(by="warning", text=_over(replied, asked)))
    return replied.model_copy(update=nothing) if reply.flaw else replied


_WIDER = (
    "From here on a window of {window:,} tokens is assumed; with Ollama set OLLAMA_CONTEXT_LENGTH (or num_ctx), elsewhere "
    "the server's context size, and give --max-context to match"
)


def _over(replied: ModelReplied, asked: ModelAsked) -> str:
    usage = replied.usage or Usage(input_tokens=0, output_tokens=0)
    return (
        f"the server reported {usage.input_tokens:,} tokens read and {usage.output_tokens:,} written, "
        f"{replied.over.tokens:,} more than the {asked.reserved.tokens:,} that were reserved; all of it is booked"
    )


async def _book_failure(live: LiveRun, asked: ModelAsked, failure: ModelFailure, began: float) -> None:
    event = _event(live, asked, began, failure.usage)
    if failure.usage is None:
        event = event.model_copy(update={"cost": asked.reserved if failure.billed else Amount(), "over": Amount()})
    if isinstance(failure, ContextOverflow) or failure.maybe_long:
        kind = OVERFLOW if isinstance(failure, ContextOverflow) else MAYBE_LONG
        event = event.model_copy(update={"finish_reason": kind})
    await live.commit(event.model_copy(update={"error": f"{failure.what}: {failure.why}"}))


def _event(live: LiveRun, asked: ModelAsked, began: float, usage: Usage | None) -> ModelReplied:
    """What every answered request records: its cost, its time, and a window that the server told."""
    cost = live.ledger.settle(asked.reserved, usage)
    known = live.model.limits.context
    return ModelReplied(
        step=asked.step,
        usage=usage,
        cost=cost,
        over=Amount(
            tokens=max(0, cost.tokens - asked.reserved.tokens), usd=max(cost.usd - asked.reserved.usd, Amount().usd)
        ),
        window=known if known != live.window else None,
        latency_s=round(time.monotonic() - began, 6),
        elapsed_s=live.ledger.elapsed_s,
    )
