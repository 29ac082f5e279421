"""Asks the model: reserves the worst case, sends, settles, tries again what may be tried again.
Touches the model and, through `Parts`, the journal. Every attempt is an event, so the ledger sees every attempt.
Does not promise: that a reply makes sense; the loop checks that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from outrider.agent.fit import fit
from outrider.agent.models.model import Message, ModelFailure, Reply, Request, Seen, ToolSpec
from outrider.agent.parts import Parts
from outrider.memory.events import Amount, ModelAsked, ModelReplied

if TYPE_CHECKING:
    from tenacity import RetryCallState

ATTEMPTS = 5  # of one step
LONGEST_WAIT_S = 120.0  # a server that asks for more is taken as out of reach
NO_LIMIT_S = 600.0  # for one request of a run without a limit of seconds


class OutOfBudget(Exception):
    """A request does not fit; `unit` is the limit that says so."""

    def __init__(self, unit: str) -> None:
        super().__init__(unit)
        self.unit = unit


async def think(parts: Parts) -> ModelReplied:
    """The model's reply to everything so far, held for the next commit.

    Raises OutOfBudget when a request does not fit beside the slice for the ending, ModelFailure when all attempts failed.
    """
    if unit := parts.ledger.reached():
        raise OutOfBudget(unit)
    await fit(parts)
    step = parts.state.step + 1
    return await ask(parts, parts.context.messages, parts.specs, step=step, seen=parts.context.seen)


async def ask(
    parts: Parts,
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

    async for attempt in AsyncRetrying(
        retry=retry_if_exception(lambda e: isinstance(e, ModelFailure) and e.retryable and not parts.stopping),
        stop=stop_after_attempt(ATTEMPTS),
        wait=lambda state: _wait_s(state, parts),
        reraise=True,
    ):
        with attempt:
            return await _attempt(parts, messages, tools, step, purpose, seen, max_tokens)
    raise AssertionError("tenacity returns or raises")


def _wait_s(state: RetryCallState, parts: Parts) -> float:
    """Seconds before the next attempt: what the server asked for, else 0.5 s doubling with full jitter, 30 s at most.

    Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015. Raises the failure if there is no time for it.
    """
    from tenacity import wait_random_exponential

    failure = state.outcome.exception() if state.outcome else None
    asked_s = failure.retry_after_s if isinstance(failure, ModelFailure) else None
    wait_s = asked_s if asked_s is not None else wait_random_exponential(multiplier=0.5, max=30)(state)
    if failure and wait_s > LONGEST_WAIT_S:
        raise failure
    if wait_s >= parts.ledger.seconds_left():
        raise OutOfBudget("seconds")
    return wait_s


async def _attempt(
    parts: Parts,
    messages: Sequence[Message],
    tools: Sequence[ToolSpec],
    step: int,
    purpose: Literal["step", "ending"],
    seen: Seen | None,
    max_tokens: int | None,
) -> ModelReplied:
    ending = purpose == "ending"
    seconds_left = parts.ledger.seconds_left(ending=ending)
    if seconds_left <= 0:
        raise OutOfBudget("seconds")
    model = parts.model
    request = Request(
        messages, tools, max_tokens or model.limits.max_output, min(seconds_left, NO_LIMIT_S), parts.on_text
    )
    bound = await model.count_bound(request, seen)
    reserved, output = _reserve(parts, bound, request.max_tokens, ending)
    request = Request(messages, tools, output, request.timeout_s, parts.on_text)
    parts.record(
        ModelAsked(
            step=step,
            purpose=purpose,
            reserved=reserved,
            max_tokens=output,
            request_digest="" if ending else parts.context.digest(),
            elapsed_s=parts.ledger.elapsed_s,
        )
    )
    began = time.monotonic()
    try:
        reply = await model.reply(request)
    except ModelFailure as failure:
        cost = reserved if failure.billed else Amount()
        parts.record(_failed(parts, step, cost, began, f"{failure.what}: {failure.why}"))
        if failure.retryable and not math.isinf(seconds_left) and parts.ledger.seconds_left(ending=ending) <= 0:
            raise OutOfBudget("seconds") from failure
        raise
    replied = ModelReplied(
        step=step,
        text=reply.text,
        calls=reply.calls,
        usage=reply.usage,
        cost=parts.ledger.settle(reserved, reply.usage),
        finish_reason=reply.finish_reason,
        latency_s=round(time.monotonic() - began, 6),
        elapsed_s=parts.ledger.elapsed_s,
    )
    parts.put(replied)
    return replied


def _reserve(parts: Parts, bound: int, max_output: int, ending: bool) -> tuple[Amount, int]:
    window = parts.model.limits.context
    if window is not None:
        max_output = min(max_output, window - bound)
        if max_output < 1:
            raise ModelFailure(
                "the conversation no longer fits the model's window",
                f"it may need {bound:,} tokens and the window is {window:,}",
                "give the run a smaller goal, or a model with a larger window",
            )
    fits = parts.ledger.reserve(bound, max_output, ending=ending)
    if isinstance(fits, str):
        raise OutOfBudget(fits)
    return fits


def _failed(parts: Parts, step: int, cost: Amount, began: float, why: str) -> ModelReplied:
    return ModelReplied(
        step=step,
        error=why,
        cost=cost,
        latency_s=round(time.monotonic() - began, 6),
        elapsed_s=parts.ledger.elapsed_s,
    )


def is_truncated(reply: Reply | ModelReplied) -> bool:
    """Whether the reply was cut at its `max_tokens`."""
    return reply.finish_reason == "length"
