"""Keeps the conversation inside the model's window: the oldest steps become one line each, with a handle to the rest, and
where that is not enough tool results are shown shorter. Touches the journal through `LiveRun` (`Compacted` events); asks
no model. What is left out stays in the journal. Does not promise: that a model looks up what it was pointed to.

It cuts deep and seldom: every cut changes the start of the request, which providers' prompt caches do not forgive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from outrider.agent.asking.window import LEAST_SEEN, REPLY_SHARE, reply_room
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import ContextOverflow, ModelFailure, Request
from outrider.agent.state import Seen
from outrider.memory.events import Compacted

UNKNOWN_SIZE = 4000  # characters, where the window is not known
GLIMPSE = 80  # characters of an observation shown in its line
SHARES = (2, 4, 8, 16)  # keep this fraction of the steps; fewer when that is not enough
RESULTS = (3000, 1000, 300)  # characters shown of each result that stays, when fewer steps are not enough
MARGIN = 0.97  # of the window: an estimate may be a little low, and a refused request costs time


async def fit(live: LiveRun) -> None:
    """Compact until the next request fits the window, as far as can be told; nothing to do without a window."""
    window = live.model.limits.context
    if window is None:
        return
    room = int(
        (window - reply_room(live.model.limits, live.model.limits.max_output)) * (1 if live.counts_exactly else MARGIN)
    )
    for share in SHARES:
        if await _needed(live) <= room:
            return
        if not cut(live, share, room // REPLY_SHARE):
            break
    for characters in RESULTS:
        if await _needed(live) <= room:
            return
        shorten(live, characters)


class Shortening:
    """What is done after a refusal for length, one thing more each time: a smaller reply, fewer steps, shorter results."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._ways = self._each_way()
        self._said: set[str] = set()

    async def after(self, failure: ModelFailure) -> bool:
        """Make the request shorter. False: there is nothing left to do, or the refusal was about something else."""
        told = isinstance(failure, ContextOverflow)
        if not told and failure.why in self._said:
            return False  # a shorter request was refused in the same words: length was not the reason
        self._said.add(failure.why)
        before = (self._live.context.size, len(self._live.offered()))
        if told and self._live.model.limits.context is not None:
            await fit(self._live)
            if (self._live.context.size, len(self._live.offered())) != before:
                return True
        return next(self._ways, False)

    def _each_way(self) -> Iterator[bool]:
        """Each yields True once the next request is shorter than the last."""
        live = self._live
        for share in SHARES:
            if cut(live, share):
                yield True
        for characters in RESULTS:
            if shorten(live, characters):
                yield True
        for _ in range(3):  # nobody told the window: it is smaller than what was refused
            window = live.model.limits.context or live.counted.tokens(live.size(live.offered()))
            if window < LEAST_SEEN:
                return
            live.model.limits = replace(live.model.limits, context=window * 2 // 3)
            yield True


def cut(live: LiveRun, share: int, size: int = UNKNOWN_SIZE) -> bool:
    """Keep the newest 1/share of the steps, the rest as lines of `size` characters in all. False: nothing can be cut."""
    steps = live.context.steps()
    if len(steps) < 2:
        return False
    upto = steps[-min(len(steps) - 1, max(1, len(steps) // share))]
    live.stage(Compacted(upto=upto, text=digest(live.state.seen, upto, live.state.plan, size)))
    return True


def shorten(live: LiveRun, characters: int) -> bool:
    """Show at most `characters` of each result that is still shown. False: none is longer."""
    if live.context.longest_result() <= characters + 200:
        return False
    live.stage(Compacted(upto=0, text="", shorten=characters))
    return True


async def _needed(live: LiveRun) -> int:
    """Tokens of the next request: counted where the tokenizer is ours, else estimated."""
    context, specs = live.context, live.offered()
    if live.counts_exactly:
        return await live.model.count_bound(Request(context.messages, specs, 1), context.seen)
    return live.counted.tokens(live.size(specs), new=context.unseen_bytes, seen=context.seen)


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
