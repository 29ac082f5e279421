"""Asks the model: reserves the worst case, sends, settles, tries again what may be tried again.
Touches the model and, through `LiveRun`, the journal. Every attempt is an event, so the ledger sees every attempt.
Does not promise: that a reply makes sense; the loop checks that.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from outrider.agent.context.compaction import cut, fit
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import ContextOverflow, Message, Model, ModelFailure, Reply, Request, Seen, ToolSpec
from outrider.memory.events import Amount, ModelAsked, ModelReplied
from outrider.memory.text import for_storage

if TYPE_CHECKING:
    from tenacity import RetryCallState

ATTEMPTS = 5  # of one step
LONGEST_WAIT_S = 120.0  # a server that asks for more is taken as out of reach
LATE_S = 0.5  # a model keeps its own deadline; this much later it is kept for it
NO_LIMIT_S = 600.0  # for one request of a run without a limit of seconds


class OutOfBudget(Exception):
    """A request does not fit; `unit` is the limit that says so, `why` the numbers."""

    def __init__(self, unit: str, why: str = "") -> None:
        super().__init__(unit)
        self.unit, self.why = unit, why or f"the limit of {unit} was reached"


async def think(live: LiveRun) -> ModelReplied:
    """The model's reply to everything so far, held for the next commit.

    Raises OutOfBudget when a request does not fit beside the slice for the ending, ModelFailure when all attempts failed.
    """
    if unit := live.ledger.reached():
        raise OutOfBudget(unit)
    await fit(live)
    step = live.state.step + 1
    for share in (2, 4, 8):
        try:
            return await ask(live, live.context.messages, live.specs, step=step, seen=live.context.seen)
        except ContextOverflow:  # a window nobody had told us; the server has
            if not cut(live, share):
                raise
    return await ask(live, live.context.messages, live.specs, step=step, seen=live.context.seen)


async def ask(
    live: LiveRun,
    messages: Sequence[Message],
    tools: Sequence[ToolSpec],
    *,
    step: int,
    purpose: Literal["step", "ending"] = "step",
    seen: Seen | None = None,
    max_tokens: int | None = None,
) -> ModelReplied:
    """One request with retries. Raises OutOfBudget, ModelFailure."""
    from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

    failed: ModelFailure | None = None
    async for attempt in AsyncRetrying(
        retry=retry_if_exception(lambda e: isinstance(e, ModelFailure) and e.retryable and not live.stopping),
        stop=stop_after_attempt(ATTEMPTS),
        wait=lambda state: _wait_s(state, live),
        sleep=partial(_sleep, live),
        reraise=True,
    ):
        with attempt:
            if failed and live.stopping:
                raise failed
            try:
                return await _attempt(live, messages, tools, step, purpose, seen, max_tokens)
            except ModelFailure as failure:
                failed = failure
                raise
    raise AssertionError("tenacity returns or raises")


def _wait_s(state: RetryCallState, live: LiveRun) -> float:
    """Seconds before the next attempt: what the server asked for, else 0.5 s doubling with full jitter, 30 s at most.

    Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015. Raises the failure if there is no time for it.
    """
    from tenacity import wait_random_exponential

    failure = state.outcome.exception() if state.outcome else None
    asked_s = failure.retry_after_s if isinstance(failure, ModelFailure) else None
    wait_s = asked_s if asked_s is not None else wait_random_exponential(multiplier=0.5, max=30)(state)
    if failure and wait_s > LONGEST_WAIT_S:
        raise failure
    if wait_s >= live.ledger.seconds_left():
        raise OutOfBudget("seconds")
    return wait_s


async def _sleep(live: LiveRun, wait_s: float) -> None:
    """Wait, but not when the run is told to stop."""
    end = time.monotonic() + wait_s
    while (left_s := end - time.monotonic()) > 0 and not live.stopping:  # noqa: ASYNC110  (whoever stops it may be a signal)
        await asyncio.sleep(min(left_s, 0.2))


async def _attempt(
    live: LiveRun,
    messages: Sequence[Message],
    tools: Sequence[ToolSpec],
    step: int,
    purpose: Literal["step", "ending"],
    seen: Seen | None,
    max_tokens: int | None,
) -> ModelReplied:
    ending = purpose == "ending"
    seconds_left = live.ledger.seconds_left(ending=ending)
    if seconds_left <= 0:
        raise OutOfBudget("seconds")
    model = live.model
    most, timeout_s = max_tokens or model.limits.max_output, min(seconds_left, NO_LIMIT_S)
    request = Request(messages, tools, most, timeout_s, live.on_text, live.answer_schema)
    bound = await model.count_bound(request, seen)
    reserved, output = _reserve(live, bound, request.max_tokens, ending)
    request = replace(request, max_tokens=output)
    live.commit(
        ModelAsked(
            step=step,
            purpose=purpose,
            reserved=reserved,
            max_tokens=output,
            request_digest="" if ending else live.context.digest(),
            elapsed_s=live.ledger.elapsed_s,
        )
    )
    began = time.monotonic()
    try:
        reply = await _send(model, request)
    except ModelFailure as failure:
        cost = reserved if failure.billed else Amount()
        if failure.usage is not None:
            cost = live.ledger.settle(reserved, failure.usage)
        live.commit(_failed(live, step, cost, began, f"{failure.what}: {failure.why}"))
        if failure.retryable and not math.isinf(seconds_left) and live.ledger.seconds_left(ending=ending) <= 0:
            raise OutOfBudget("seconds") from failure
        raise
    finally:
        if live.on_text:
            live.on_text.end()
    replied = ModelReplied(
        step=step,
        text=reply.text,
        reasoning=reply.reasoning,
        calls=reply.calls,
        kept=dict(reply.kept),
        usage=reply.usage,
        cost=live.ledger.settle(reserved, reply.usage),
        finish_reason=reply.finish_reason,
        outcome=reply.outcome,
        latency_s=round(time.monotonic() - began, 6),
        elapsed_s=live.ledger.elapsed_s,
    )
    live.stage(replied)
    return replied


async def _send(model: Model, request: Request) -> Reply:
    """The reply, in time. Raises ModelFailure and nothing else, whatever a provider does."""
    try:
        async with asyncio.timeout(request.timeout_s + LATE_S) as limit:
            reply = await model.reply(request)
            return replace(reply, text=for_storage(reply.text))  # so what is kept, shown and sent again is the same
    except ModelFailure:
        raise
    except Exception as error:
        late = isinstance(error, TimeoutError) and limit.expired()
        why = f"it did not keep to {request.timeout_s:.0f} s" if late else f"{type(error).__name__}: {error}"
        fix = "try again, or use another model"
        raise ModelFailure(f"{model.name} failed", why[:2000], fix, retryable=late, billed=True) from error


def _reserve(live: LiveRun, bound: int, max_output: int, ending: bool) -> tuple[Amount, int]:
    window = live.model.limits.context
    if window is not None:
        max_output = min(max_output, window - bound)
        if max_output < 1:
            raise ModelFailure(
                "the conversation no longer fits the model's window",
                f"it may need {bound:,} tokens and the window is {window:,}",
                "give the run a smaller goal, or a model with a larger window",
            )
    fits = live.ledger.reserve(bound, max_output, ending=ending)
    if isinstance(fits, str):
        why = f"the next request may take {bound:,} tokens of input at most, too many for the limit of {fits}"
        raise OutOfBudget(fits, f"{why} ({live.ledger.line()}; a part is kept for the ending)")
    return fits


def _failed(live: LiveRun, step: int, cost: Amount, began: float, why: str) -> ModelReplied:
    return ModelReplied(
        step=step,
        error=why,
        cost=cost,
        latency_s=round(time.monotonic() - began, 6),
        elapsed_s=live.ledger.elapsed_s,
    )


def is_truncated(reply: Reply | ModelReplied) -> bool:
    """Whether the reply was cut at its `max_tokens`."""
    return reply.finish_reason == "length"
