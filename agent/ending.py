"""The paid-for ending: a run that runs out still says the best it knows, marked partial, with what is unfinished.
Touches the model, once, from the slice the ledger held back; if even that cannot be paid, no model at all.
Does not promise: a good answer; it has a page of findings and a paragraph to write.
"""

from __future__ import annotations

from outrider.agent.answer import with_evidence
from outrider.agent.budget import ENDING_OUTPUT
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import Message, ModelFailure
from outrider.agent.think import OutOfBudget, ask
from outrider.memory.events import Stopped, StopReason

SIZES = (4000, 1500, 500, 0)  # characters of findings, the most that can be paid for is taken
ONE_FINDING = 600
REASONED = 1000  # characters of reasoning shown where there is nothing else
ASK = "Your budget is used up: no more tools. Answer the goal as well as the findings allow, and say what is missing."


async def end_early(live: LiveRun, reason: StopReason, *, limit: str = "", detail: str = "") -> None:
    """Record the best answer so far and why the run stops. A model that failed is not asked again."""
    if live.state.cut:  # an answer had begun: what came of it is better than a summary
        text = "".join(live.state.halves)
    else:
        text = "" if reason == "model" else await _ask_for_ending(live)
    live.stage(with_evidence(text or summary(live), live.state.goal, live.state.seen, partial=True))
    unfinished = "; ".join(live.state.plan) or live.state.goal
    live.commit(
        Stopped(
            reason=reason,
            limit=limit,
            detail=detail,
            unfinished=unfinished,
            elapsed_s=min(live.ledger.elapsed_s, live.ledger.budget.seconds or live.ledger.elapsed_s),
        )
    )


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
        except ModelFailure:
            return ""
    return ""


def _request(live: LiveRun, size: int) -> list[Message]:
    """A request of its own, not the whole history: the slice that pays for it is small."""
    found = findings(live, size)
    said = f"{ASK}\n\nGoal: {live.state.goal[: size or 300]}\n\nFindings:\n{found or '(none)'}"
    return [Message("user", said)]


def findings(live: LiveRun, size: int) -> str:
    """The newest observations in at most `size` characters, oldest first."""
    lines: list[str] = []
    for seen in reversed([s for s in live.state.seen if s.ok]):
        text = " ".join(seen.text.split())
        line = f"- step {seen.call_id.partition('.')[0]}, {seen.tool}: {text[:ONE_FINDING]}"
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
