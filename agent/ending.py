"""The paid-for ending: a run that runs out still says the best it knows, marked partial, with what is unfinished.
Touches the model, once, from the slice the ledger held back; if even that cannot be paid, no model at all.
Does not promise: a good answer; it has a page of findings and a paragraph to write.
"""

from __future__ import annotations

from outrider.agent.answers.answer import with_evidence
from outrider.agent.budget import ENDING_OUTPUT
from outrider.agent.limits.purse import PeriodSpent
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import Message, ModelFailure
from outrider.agent.structured.reading import claims, how, read_answer, spelt
from outrider.agent.think import OutOfBudget, ask
from outrider.memory.events import Answered, Stopped, StopReason

SIZES = (4000, 1500, 500, 0)  # characters of findings, the most that can be paid for is taken
ONE_FINDING = 600
REASONED = 1000  # characters of reasoning shown where there is nothing else
ASK = "Your budget is used up: no more tools. Answer the goal as well as the findings allow, and say what is missing."


async def end_early(live: LiveRun, reason: StopReason, *, limit: str = "", detail: str = "", text: str = "") -> None:
    """Record the best answer so far and why the run stops. A model that failed is not asked again.

    text: what the model said last, where that is all there will be.
    """
    if live.state.cut:  # an answer had begun: what came of it is better than a summary
        text = "".join(live.state.halves)
    elif reason not in ("model", "invalid"):
        text = await _ask_for_ending(live)
    live.stage(evidence_of(text or summary(live), live).model_copy(update={"partial": True}))
    unfinished = "; ".join(live.state.plan) or live.state.goal
    await live.commit(
        Stopped(
            reason=reason,
            limit=limit,
            detail=detail,
            unfinished=unfinished,
            elapsed_s=min(live.ledger.elapsed_s, live.ledger.budget.seconds or live.ledger.elapsed_s),
        )
    )


def evidence_of(text: str, live: LiveRun) -> Answered:
    """The answer tied to what was observed; data, where the run asked for data and this is it, in its own spelling."""
    state, value, wrong = live.state, None, "no data was asked for"
    if live.check_answer is not None:
        value, wrong = read_answer(text, live.check_answer)
    told = text if wrong else claims(value)
    answered = with_evidence(told, state.goal, state.seen, undone=bool(state.undone))
    return answered if wrong else answered.model_copy(update={"text": spelt(value)})


async def _ask_for_ending(live: LiveRun) -> str:
    for size in SIZES:
        if not live.ledger.room_for_ending():
            return ""
        try:
            reply = await ask(
                live, _request(live, size), (), step=live.state.step + 1, purpose="ending", max_tokens=ENDING_OUTPUT
            )
            return reply.text.strip()
        except OutOfBudget:
            continue
        except (ModelFailure, PeriodSpent):
            return ""
    return ""


def _request(live: LiveRun, size: int) -> list[Message]:
    """A request of its own, not the whole history: the slice that pays for it is small."""
    found = findings(live, size)
    said = f"{ASK}\n\nGoal: {live.state.goal[: size or 300]}\n\nFindings:\n{found or '(none)'}"
    if live.answer_schema is not None:
        said += f"\n\n{how(live.answer_schema)}"
    return [Message("user", said)]


def findings(live: LiveRun, size: int) -> str:
    """The newest observations in at most `size` characters, oldest first."""
    lines: list[str] = []
    for seen in reversed([s for s in live.state.seen if s.ok]):
        text = " ".join(seen.text.split())
        where = f"step {seen.call_id.partition('.')[0]}" if seen.call_id else "given"
        line = f"- {where}, {seen.tool}: {text[:ONE_FINDING]}"
        if sum(map(len, lines)) + len(line) > size:
            break
        lines.insert(0, line)
    return "\n".join(lines)


def summary(live: LiveRun) -> str:
    """What is known, without a model."""
    found = findings(live, SIZES[0])
    if not found and live.state.reasoned:
        last = " ".join(live.state.reasoned.split())[-REASONED:]
        return f"No answer was reached: the model only reasoned. The last of its reasoning:\n{last}"
    return (
        f"No answer was reached. What was found:\n{found}" if found else "No answer was reached, and nothing was found."
    )
