"""START HERE: the life of a run. think → act → observe until answered or out of budget.
Touches everything through `Parts`, nothing by itself. Does not promise: to be the writer of the run; run.py took its lease.
"""

from __future__ import annotations

from outrider.agent.act import act, open_call, run_one
from outrider.agent.answer import with_evidence
from outrider.agent.ending import end_early
from outrider.agent.live_run import Parts
from outrider.agent.models.model import ModelFailure
from outrider.agent.think import OutOfBudget, is_truncated, think
from outrider.memory.events import Interrupted, ModelReplied, Noted, Stopped, ToolCalled, ToolReturned

BAD_REPLIES = 3  # in a row, then the model is given up on
DENIALS = 3  # in a row, then the run is: it wants what it may not have
EMPTY = "Your reply was empty. Call one of the tools, or write the answer to the goal."
UNKNOWN = (
    "Interrupted: the process stopped while this call was under way, and its outcome is unknown. It was not repeated. "
    "Look whether it took effect before doing it again."
)


async def pursue(parts: Parts) -> None:
    """Work on the run until it is answered, out of budget, stuck or told to stop; everything that happens is recorded."""
    await finish_open_work(parts)
    while not parts.stopping:
        try:
            reply = await think(parts)
        except OutOfBudget as out:
            await end_early(parts, "budget", limit=out.unit, detail=out.why)
            return
        except ModelFailure as failure:
            if gave_way(parts, failure):
                break
            await end_early(parts, "model", detail=str(failure))
            return
        if not reply.calls and reply.text.strip():
            conclude(parts, reply)
            return
        if reply.calls:
            await act(parts, reply)
        else:
            parts.put(Noted(by="outrider", text=EMPTY))
        if why := lost(parts):
            await end_early(parts, "denied" if parts.state.denials >= DENIALS else "stuck", detail=why)
            return
    parts.record(Interrupted(reason=parts.stopping, elapsed_s=parts.ledger.elapsed_s))


def conclude(parts: Parts, reply: ModelReplied) -> None:
    """Record the answer, tied to what was observed."""
    cut = is_truncated(reply)
    answered = with_evidence(reply.text.strip(), parts.state.goal, parts.state.seen, partial=cut)
    elapsed_s = parts.ledger.elapsed_s
    if cut:
        stopped = Stopped(
            reason="budget", limit="tokens", detail="the answer was cut at its limit", elapsed_s=elapsed_s
        )
    else:
        stopped = Stopped(reason="answered", elapsed_s=elapsed_s)
    parts.record(answered, stopped)


def gave_way(parts: Parts, failure: ModelFailure) -> bool:
    """Whether it would have tried again, but was told to stop while it waited."""
    return failure.retryable and bool(parts.stopping)


def lost(parts: Parts) -> str:
    """Why going on would only burn money, "" if it would not."""
    state = parts.state
    if state.replans > 1:
        return "the model repeats the same calls"
    if state.bad_replies >= BAD_REPLIES:
        return f"{BAD_REPLIES} replies in a row held neither text nor a tool call"
    if state.denials >= DENIALS:
        return f"{DENIALS} calls in a row were not allowed"
    return ""


async def finish_open_work(parts: Parts) -> None:
    """What a killed process left open: an unanswered request stays spent, reads run again, the rest is told as unknown."""
    asked = parts.state.asked
    if asked is not None:
        said = "the process stopped before the reply came"
        parts.put(ModelReplied(step=asked.step, error=said, cost=parts.ledger.open))  # a fork does not pay its parent's
    for called in list(parts.state.open.values()):
        parts.put(await _settle_open(parts, called))
    if parts.pending:
        parts.record()
    if parts.state.reply is not None:
        await act(parts, parts.state.reply)


async def _settle_open(parts: Parts, called: ToolCalled) -> ToolReturned:
    ready = None if "/" in called.call_id else open_call(parts, called)  # the code that made a nested call is gone
    if ready is None:
        return ToolReturned(
            call_id=called.call_id, tool=called.tool, text=UNKNOWN, ok=False, elapsed_s=parts.ledger.elapsed_s
        )
    return await run_one(parts, ready)
