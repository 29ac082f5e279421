"""START HERE: the life of a run. think → act → observe until answered or out of budget.
Touches everything through `LiveRun`, nothing by itself. Does not promise: to be the writer of the run; run.py took its lease.
"""

from __future__ import annotations

from collections.abc import Sequence

from outrider.agent.act import act, open_call, put_return, run_one
from outrider.agent.answers.answer import claims_undone
from outrider.agent.answers.outcome import outcome_of
from outrider.agent.ending import end_early, evidence_of
from outrider.agent.limits.purse import PeriodSpent
from outrider.agent.limits.soft import soft_note
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import ModelFailure
from outrider.agent.permission import refused
from outrider.agent.plan.graph import UNKNOWN
from outrider.agent.state import MAX_CALLS, State
from outrider.agent.structured.reading import MISFIT, TRIES, read_answer
from outrider.agent.think import OutOfBudget, is_truncated, think
from outrider.memory.events import Interrupted, ModelReplied, Noted, Stopped, StopReason, ToolCalled, ToolReturned

BAD_REPLIES = 3  # in a row, then the model is given up on
DENIALS = 3  # in a row, then the run is: it wants what it may not have
REPEATS = (
    "Your reply said one phrase over and over, so it was stopped. "
    "Call one of the tools, or write the answer to the goal once, in a few words."
)
EMPTY = "Your reply was empty. Call one of the tools, or write the answer to the goal."
REASONED = "Your reply held only reasoning. Call one of the tools, or write the answer to the goal."
CONTINUE = "Your reply was cut at its limit. Go on exactly where it stopped; repeat nothing."
_NOTES = {
    "repetition": REPEATS,
    "length": "Your reply was cut at its limit before it was whole, and nothing of it was run. Write less at once: long text in parts, "
    "one call each.",
    "tool_calls": "Your reply announced a tool call and held none. Make the call, or write the answer to the goal.",
    "content_filter": "The provider's content filter stopped your reply. Put it in other words, or take another way.",
}
CONTINUED = 1  # times a cut answer is asked to go on
FILTERED_REPLIES = 2  # in a row, then the run ends
DROPPED = "Not run: the person gave another goal."


async def pursue(live: LiveRun) -> None:
    """Work on the run until it is answered, out of budget, stuck or told to stop; everything that happens is recorded."""
    await finish_open_work(live)
    if live.state.cut and live.context.messages[-1].role == "assistant":
        live.stage(Noted(by="outrider", text=CONTINUE))  # taken up in the middle of an answer
    while not live.stopping:
        if (note := soft_note(live.ledger)) and not live.state.told_to_wrap_up:
            live.stage(Noted(by="outrider", text=note))
        try:
            reply = await think(live)
        except (OutOfBudget, PeriodSpent) as out:
            await end_early(live, "budget", limit=out.unit, detail=out.why)
            return
        except ModelFailure as failure:
            if gave_way(live, failure):
                break
            await end_early(live, "model", detail=str(failure))
            return
        if reply.calls:
            await act(live, reply)
        elif not says_answer(reply) or (is_truncated(reply) and len(live.state.halves) <= CONTINUED):
            live.stage(Noted(by="outrider", text=note_on(reply)))
        elif wrong := misfit(live, reply):
            live.stage(Noted(by="outrider", text=wrong))
        else:
            await conclude(live, reply)
            return
        if why := lost(live):
            reason = _reason(live.state)
            await end_early(live, reason, detail=why, text=reply.text if reason == "invalid" else "")
            return
    await live.commit(Interrupted(reason=live.stopping, elapsed_s=live.ledger.elapsed_s))


def misfit(live: LiveRun, reply: ModelReplied) -> str:
    """What to tell the model of an answer that is not the data it must be; "" if it is, or says that there is none."""
    outcome, text, _ = outcome_of(joined(live.state.halves).strip() or reply.text.strip(), live.state.goal)
    if live.check_answer is None or outcome != "answered" or reply.outcome != "answered" or is_truncated(reply):
        return ""
    _, wrong = read_answer(text, live.check_answer)
    return f"{MISFIT} {wrong}. Reply with the JSON value and nothing else." if wrong else ""


async def conclude(live: LiveRun, reply: ModelReplied) -> None:
    """Record the answer, tied to what was observed."""
    state = live.state
    seen = [one.text for one in state.seen if one.ok]
    outcome, text, why = outcome_of(joined(state.halves).strip() or reply.text.strip(), state.goal, seen)
    if reply.outcome != "answered":
        outcome, why = reply.outcome, why or "the model says so of its answer"
    answered = evidence_of(text or why, live)
    if outcome == "answered" and (claim := claims_undone(answered, state.undone)):
        outcome, why = "partial", f"the answer claims what no call did: {claim}"
    if is_truncated(reply):
        outcome, why = (
            "partial",
            "the answer was cut at the reply's limit, and so was what followed: raise --max-output",
        )
    reason: StopReason = outcome
    await live.commit(
        answered.model_copy(update={"partial": reason == "partial"}),
        Stopped(
            reason=reason,
            detail=why,
            unfinished="" if reason == "answered" else state.goal,
            elapsed_s=live.ledger.elapsed_s,
        ),
    )


def says_answer(reply: ModelReplied) -> bool:
    """Whether a reply without calls holds an answer: words, whole as far as its maker knows."""
    return bool(reply.text.strip()) and reply.finish_reason not in ("repetition", "content_filter")


def note_on(reply: ModelReplied) -> str:
    """What a model is told of a reply that was neither answer nor call."""
    if reply.text.strip() and is_truncated(reply):
        return CONTINUE
    if reply.finish_reason in _NOTES:
        return _NOTES[reply.finish_reason]
    return REASONED if reply.reasoning.strip() else EMPTY


def joined(halves: Sequence[str]) -> str:
    """The parts of an answer as one text; words that a part repeats from the one before are said once."""
    text = ""
    for half in halves:
        overlap = next((n for n in range(min(len(text), len(half), 400), 11, -1) if text.endswith(half[:n])), 0)
        text += half[overlap:]
    return text


def gave_way(live: LiveRun, failure: ModelFailure) -> bool:
    """Whether it would have tried again, but was told to stop while it waited."""
    return failure.retryable and bool(live.stopping)


def _reason(state: State) -> StopReason:
    if state.misfits >= TRIES:
        return "invalid"
    return "denied" if state.denials >= DENIALS else "model" if state.filtered >= FILTERED_REPLIES else "stuck"


def lost(live: LiveRun) -> str:
    """Why going on would only burn money, "" if it would not."""
    state = live.state
    if state.replans > 1:
        return "the model repeats the same calls"
    if state.filtered >= FILTERED_REPLIES:
        return "the provider's content filter stopped the reply twice (finish_reason: content_filter): reword the goal, or use another model"
    if state.bad_replies >= BAD_REPLIES and state.reasoned:
        return f"{BAD_REPLIES} replies in a row held only reasoning, no answer and no call"
    if state.bad_replies >= BAD_REPLIES:
        return f"{BAD_REPLIES} replies in a row held neither text nor a tool call, or one phrase over and over"
    if state.misfits >= TRIES:
        return f"{TRIES} answers were not the data that was asked for"
    if state.denials >= DENIALS:
        return f"{DENIALS} calls in a row were not allowed"
    return ""


async def finish_open_work(live: LiveRun) -> None:
    """What a killed process left open: an unanswered request stays spent, reads run again, the rest is reported as unknown."""
    asked = live.state.asked
    if asked is not None:
        said = "the process stopped before the reply came"
        live.stage(ModelReplied(step=asked.step, error=said, cost=live.ledger.open))  # a fork does not pay its parent's
    for called in list(live.state.open.values()):
        if called.call_id in live.state.returned:  # the plan it is a step of was taken up before it
            continue
        put_return(live, await _settle_open(live, called))
    if live.pending:
        await live.commit()
    if live.state.reply is not None and live.state.abandoned:
        drop(live, live.state.reply)
    elif live.state.reply is not None:
        await act(live, live.state.reply)


def drop(live: LiveRun, reply: ModelReplied) -> None:
    """Answer the calls of a reply that did not begin: another goal was given, and they were for the one before."""
    for position, draft in enumerate(reply.calls[:MAX_CALLS]):
        call_id = f"{reply.step}.{position}"
        if call_id not in live.state.returned:
            live.stage(refused(live, call_id, draft.name, DROPPED))


async def _settle_open(live: LiveRun, called: ToolCalled) -> ToolReturned:
    gone = "/" in called.call_id or live.state.abandoned
    ready = None if gone else open_call(live, called)  # the code that made a nested call is gone
    if ready is None:
        return ToolReturned(
            call_id=called.call_id, tool=called.tool, text=UNKNOWN, ok=False, elapsed_s=live.ledger.elapsed_s
        )
    return await run_one(live, ready)
