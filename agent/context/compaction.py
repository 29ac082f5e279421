"""Keeps the conversation inside the model's window: the oldest steps become one line each, with a handle to the rest.
Touches the journal through `LiveRun` (a `Compacted` event); asks no model. What is left out stays in the journal.
Does not promise: that a model looks up what it was pointed to.

It cuts deep and seldom: every cut changes the start of the request, which providers' prompt caches do not forgive.
"""

from __future__ import annotations

from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import Request
from outrider.agent.state import Seen
from outrider.memory.events import Compacted

REPLY_SHARE = 4  # a quarter of the window, at most `max_output`, is kept for the reply
UNKNOWN_SIZE = 4000  # characters, where the window is not known
GLIMPSE = 80  # characters of an observation shown in its line


async def fit(live: LiveRun) -> None:
    """Compact until the next request fits the window, by the model's own upper bound; nothing to do without a window."""
    window = live.model.limits.context
    if window is None:
        return
    room = window - min(live.model.limits.max_output, window // REPLY_SHARE)
    for share in (2, 4, 8, 16):  # keep this fraction of the steps; fewer when that is not enough
        if await _bound(live) <= room or not cut(live, share, room // REPLY_SHARE):
            return


def cut(live: LiveRun, share: int, size: int = UNKNOWN_SIZE) -> bool:
    """Keep the newest 1/share of the steps, the rest as lines of `size` characters in all. False: nothing can be cut."""
    steps = live.context.steps()
    if len(steps) < 2:
        return False
    upto = steps[-min(len(steps) - 1, max(1, len(steps) // share))]
    live.stage(Compacted(upto=upto, text=digest(live.state.seen, upto, live.state.plan, size)))
    return True


async def _bound(live: LiveRun) -> int:
    request = Request(live.context.messages, live.specs, 1)
    return await live.model.count_bound(request, live.context.seen)


def digest(seen: list[Seen], upto: int, plan: tuple[str, ...], size: int) -> str:
    """The steps up to event `upto`, one line each, newest kept, in about `size` characters; the plan first."""
    lines: list[str] = []
    length = 0
    older = [one for one in seen if one.seq <= upto and one.call_id]  # what came with a goal stays with it
    for one in reversed(older):
        line = _pointer(one)
        length += len(line) + 1
        if length > size:
            break
        lines.insert(0, line)
    left_out = len(older) - len(lines)
    head = ["Earlier steps of this run, in short; recall reads any of them in full."]
    head += [f"Plan: {'; '.join(plan)}"[:size]] if plan else []
    head += [f"[{left_out} steps before these are left out; recall finds them by their words]"] if left_out else []
    return "\n".join(head + lines)


def _pointer(one: Seen) -> str:
    text = " ".join(one.text.split())
    glimpse = text if len(text) <= GLIMPSE else f"{text[:GLIMPSE]}…"
    state = "" if one.ok else "failed, "
    return f'[step {one.call_id}: {one.tool}, {state}{len(one.text):,} characters: {glimpse} · recall("{one.call_id}")]'
