"""Asks the model until a reply comes that can be acted on: waits, tries again, shortens what does not fit, raises a limit
that cut a reply. Touches the model and the journal through attempt.py.
Does not promise: that a reply makes sense; the loop checks that.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from outrider.agent.asking.attempt import Asking, Flawed, OutOfBudget, attempt
from outrider.agent.context.compaction import Shortening, fit
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import ContextOverflow, Message, ModelFailure, Seen, ToolSpec
from outrider.memory.events import ModelReplied

__all__ = ["OutOfBudget", "ask", "is_truncated", "think"]

ATTEMPTS = 5  # of one step
FLAWED = 3  # attempts whose reply came and was no use
LONGEST_WAIT_S = 120.0  # a server that asks for more is taken as out of reach
WIDER = 4  # times its usual limit, the most a reply that was cut is asked again with


async def think(live: LiveRun) -> ModelReplied:
    """The model's reply to everything so far, held for the next commit.

    Raises OutOfBudget when a request does not fit beside the slice for the ending, ModelFailure when all attempts failed.
    """
    if unit := live.ledger.reached():
        raise OutOfBudget(unit)
    await fit(live)
    step, shortening = live.state.step + 1, Shortening(live)
    while True:
        try:
            return await ask(live, live.context.messages, live.offered(), step=step, seen=live.context.seen)
        except ModelFailure as failure:
            if not (isinstance(failure, ContextOverflow) or failure.maybe_long) or not await shortening.after(failure):
                raise


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
    asking = Asking(messages, tools, step, max_tokens or live.model.limits.max_output, purpose, seen)
    tries, flaws = 1, 0
    while True:
        try:
            return await attempt(live, asking, last=flaws >= FLAWED - 1)
        except ModelFailure as failure:
            if isinstance(failure, Flawed):
                flaws += 1
                asking = _with_more_room(live, asking, failure)
            if not failure.retryable or tries == ATTEMPTS or live.stopping:
                raise
            await _sleep(live, _wait_s(failure, tries, live))
            if live.stopping:
                raise
        tries += 1


def _with_more_room(live: LiveRun, asking: Asking, failure: Flawed) -> Asking:
    """The same request with twice the limit its reply ran into, if that is what was wrong."""
    if not failure.cut or asking.purpose == "ending":
        return asking
    most = max(live.model.limits.max_output * WIDER, asking.max_tokens)
    return replace(asking, max_tokens=min(max(failure.max_tokens, asking.max_tokens) * 2, most))


def _wait_s(failure: ModelFailure, tries: int, live: LiveRun) -> float:
    """Seconds before the next attempt: what the server asked for, else 0.5 s doubling with full jitter, 30 s at most.

    Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015. Raises the failure if there is no time for it.
    """
    asked_s = failure.retry_after_s
    wait_s = asked_s if asked_s is not None else random.uniform(0, min(30.0, 0.5 * 2 ** (tries - 1)))  # noqa: S311
    if wait_s > LONGEST_WAIT_S:
        raise failure
    if wait_s >= live.ledger.seconds_left():
        raise OutOfBudget("seconds")
    return wait_s


async def _sleep(live: LiveRun, wait_s: float) -> None:
    """Wait, but not when the run is told to stop."""
    end = time.monotonic() + wait_s
    while (left_s := end - time.monotonic()) > 0 and not live.stopping:  # noqa: ASYNC110  (whoever stops it may be a signal)
        await asyncio.sleep(min(left_s, 0.2))


def is_truncated(reply: ModelReplied) -> bool:
    """Whether the reply was cut at its `max_tokens`."""
    return reply.finish_reason == "length"
