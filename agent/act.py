"""Runs the calls of one reply: checks, decides, runs together what may run together, observes.
Touches the tools and, through `LiveRun`, the journal: `ToolCalled` is on disk before a tool runs.
Does not promise: that a call succeeded; whatever happened is an observation.

It looks only at what the events say, so it also goes on where a killed process stopped.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

from outrider.agent.live_run import LiveRun
from outrider.agent.permission import Left, Ready, decide, note_flags, origin_of, private_in, refused
from outrider.agent.plan.filling import fill_of
from outrider.agent.state import MAX_CALLS, REPEATED, REPLAN, SAME_IN_A_ROW, Mark, mark_of
from outrider.memory.events import (
    Artifact,
    CallDraft,
    FileChange,
    ModelReplied,
    Noted,
    ToolCalled,
    ToolReturned,
)
from outrider.memory.store import digest_of
from outrider.tools.tool import Change, Observation, ToolError, shape
from outrider.tools.toolbox import Prepared, Returned, trim

TOGETHER = 8  # calls of one reply that run at the same time


async def act(live: LiveRun, reply: ModelReplied) -> None:
    """Run every call of `reply` that has not returned yet; the last result is held for the next commit."""
    batch: list[Ready] = []
    first: dict[Mark, str] = {}
    for position, draft in enumerate(reply.calls[:MAX_CALLS]):
        call_id = f"{reply.step}.{position}"
        if call_id in live.state.returned:
            continue
        try:
            ready = await _ready(live, call_id, draft, batch, first)
        except Left:  # what was allowed and did not begin yet is found again when the run is resumed
            return
        if isinstance(ready, ToolReturned):
            live.stage(ready)
            continue
        if batch and (ready.call.tool.serial or batch[-1].call.tool.serial or len(batch) == TOGETHER):
            await _run_together(live, batch)
            batch = []
            if full := no_room(live, call_id, ready.call.tool.name, batch):  # what ran may have called tools itself
                live.stage(full)
                continue
        batch.append(ready)
    if batch:
        await _run_together(live, batch)
    if len(reply.calls) > MAX_CALLS:
        live.stage(Noted(by="outrider", text=f"Only the first {MAX_CALLS} calls of your reply were run."))
    if live.state.in_a_cycle() or _was_refused(live, reply):
        live.stage(Noted(by="outrider", text=f"{REPLAN} the result will not change. {_OTHERWISE}"))


_OTHERWISE = "Try another tool or other arguments, or answer with what you have."


def _was_refused(live: LiveRun, reply: ModelReplied) -> bool:
    """Whether a call of this very reply was refused as a repetition."""
    last = live.state.seen[-min(len(reply.calls), MAX_CALLS) :]
    return any(seen.text.startswith(REPEATED) for seen in last)


async def _ready(
    live: LiveRun, call_id: str, draft: CallDraft, batch: list[Ready], first: dict[Mark, str]
) -> Ready | ToolReturned:
    """The call, ready to run; or the observation that says why it does not. `first`: calls of this reply so far."""
    stored = live.masker.model(draft)  # as the journal tells it: earlier calls are only known that way
    name, mark = draft.name, mark_of(stored.name, stored.arguments)
    tool = live.toolbox.meant(name)
    times = live.state.in_a_row(mark) + 1
    if (tool is None or tool.fresh_s > 0) and (times >= SAME_IN_A_ROW or mark in live.state.warned):
        return refused(live, call_id, name, f"{REPEATED} it is the same call as before. {_OTHERWISE}")
    try:
        call = live.toolbox.prepare(name, draft.arguments, None if name == "plan" else fill_of(live))
    except ToolError as error:
        return refused(live, call_id, name, str(error))
    if known := _known_already(live, call_id, call, first):
        return known
    if full := no_room(live, call_id, call.tool.name, batch):
        return full
    return await decide(live, call_id, call)


def no_room(live: LiveRun, call_id: str, name: str, batch: list[Ready]) -> ToolReturned | None:
    """The observation of a call that passes a limit of calls, once those of `batch` have run; None if it fits."""
    left = live.ledger.calls_left()
    if left is not None and left <= len(batch):
        return refused(live, call_id, name, "Not run: the run's limit of tool calls is reached. Answer now.")
    own = live.ledger.calls_left(name)
    if own is not None and own <= sum(ready.call.tool.name == name for ready in batch):
        return refused(live, call_id, name, f"Not run: {name} was called as often as this run may. Go on without it.")
    return None


def _known_already(live: LiveRun, call_id: str, call: Prepared, first: dict[Mark, str]) -> ToolReturned | None:
    """The result of an identical call of this reply, or of an identical read that still holds, in place of running it again."""
    mark = mark_of(call.tool.name, call.plain)
    if call.tool.fresh_s > 0 and (twin := first.setdefault(mark, call_id)) != call_id:
        return refused(live, call_id, call.tool.name, f"The same call as {twin}; see its result.")
    if call.effect != "read":
        return None
    earlier = live.state.fresh.get(mark_of(call.tool.name, live.masker.value(call.plain)))
    age_s = live.ledger.elapsed_s - earlier.elapsed_s if earlier else 0.0  # below 0 in a fork of a run that took longer
    if earlier is None or call.tool.fresh_s <= 0 or age_s >= call.tool.fresh_s:
        return None
    return ToolReturned(
        call_id=call_id,
        tool=call.tool.name,
        text=f"You already did this at step {earlier.call_id.partition('.')[0]}: {earlier.text}",
        ran=False,
        origin="untrusted" if earlier.origin == "untrusted" else "trusted",
        elapsed_s=live.ledger.elapsed_s,
    )


async def _run_together(live: LiveRun, batch: list[Ready]) -> None:
    for ready in batch:
        called = called_event(ready)
        live.stage(called)
        note_flags(live, called)
    await live.commit()
    if len(batch) == 1:
        await run_and_put(live, batch[0])
        return
    tasks = [asyncio.ensure_future(run_and_put(live, ready)) for ready in batch]
    try:
        for done, finished in enumerate(asyncio.as_completed(tasks), 1):
            await finished
            if done < len(batch):  # the last one waits for the commit that the next request needs anyway
                await live.commit()
    finally:
        for task in tasks:
            task.cancel()


async def run_and_put(live: LiveRun, ready: Ready) -> None:
    """Run a call, whose `ToolCalled` is on disk, and hold what came back."""
    put_return(live, await run_one(live, ready))  # at once: what came back is not lost if the run is cancelled now


def put_return(live: LiveRun, returned: ToolReturned) -> None:
    """Hold what came back for the next commit, and the flags it raises (permission.py)."""
    live.stage(returned)
    note_flags(live, returned)


def called_event(ready: Ready) -> ToolCalled:
    """The event of a call that is about to run."""
    return ToolCalled(
        call_id=ready.call_id,
        tool=ready.call.tool.name,
        arguments=ready.call.plain,
        effect=ready.call.effect,
        decision="ask" if ready.decision == "ask" else "allow",
        reason=ready.reason,
        repaired=ready.call.repaired,
        sends=ready.sends,
        repeats=ready.repeats,
    )


async def run_one(live: LiveRun, ready: Ready) -> ToolReturned:
    """Run one call, whose `ToolCalled` is on disk, and say what came back."""
    context = replace(
        live.tool_context,
        call_id=ready.call_id,
        call_tool=partial(call_from_code, live, ready.call_id),
        delegate=partial(live.delegate, live, ready.call_id) if live.delegate else None,
        prompt=partial(live.prompt, live, ready.call_id) if live.prompt else None,
        run_steps=partial(live.run_steps, live, ready.call_id) if live.run_steps else None,
    )
    began, waiting_s = time.monotonic(), live.ledger.waiting_s
    tool = ready.call.tool
    timeout_s = tool.timeout_s if tool.waits else min(tool.timeout_s, live.ledger.seconds_left())
    returned = await live.toolbox.run(ready.call, context, timeout_s)
    event = observed(live, ready, returned, time.monotonic() - began)
    waited_s = live.ledger.waiting_s - waiting_s
    return event.model_copy(update={"waited_s": round(waited_s, 3)}) if waited_s else event


async def call_from_code(live: LiveRun, caller: str, name: str, arguments: dict[str, Any]) -> Observation:
    """A call that code in the sandbox makes: read tools only, through policy, budget and journal like any other.

    Raises ToolError when it may not run.
    """
    call = live.toolbox.prepare(name, arguments)
    if call.effect != "read":
        raise ToolError(f"code may not call {name}", f"its effect is {call.effect}", "call it as a tool of its own")
    async with live.door:  # while a person is asked about one call, no other may take its number or the last of a limit
        for limit in (live.ledger.calls_left(), live.ledger.calls_left(name)):
            if limit is not None and limit <= 0:
                raise ToolError(f"{name} was not run", "the limit of tool calls is reached", "go on without it")
        call_id = f"{caller}/{sum(i.startswith(caller + '/') for i in live.state.begun) + 1}"
        try:
            ready = await decide(live, call_id, call, from_code=True)
        except Left as left:
            raise ToolError(f"{name} was not run", str(left), "end here") from left
        if isinstance(ready, ToolReturned):
            raise ToolError(f"{name} was not run", ready.text, "go on without it")
        await _begin(live, ready)
    returned = await _ended(live, ready)
    return Observation(returned.text, returned.ok, returned.origin)


async def run_decided(live: LiveRun, ready: Ready) -> ToolReturned:
    """Run one call that no model asked for (another program did, over MCP), recorded like any other."""
    await _begin(live, ready)
    return await _ended(live, ready)


async def _begin(live: LiveRun, ready: Ready) -> None:
    called = called_event(ready)
    live.stage(called)
    note_flags(live, called)
    await live.commit()


async def _ended(live: LiveRun, ready: Ready) -> ToolReturned:
    returned = await run_one(live, ready)
    put_return(live, returned)
    await live.commit()
    return returned


def observed(live: LiveRun, ready: Ready, returned: Returned, wall_s: float) -> ToolReturned:
    """The event of a result: trimmed for the model, the whole text and the files as blobs."""
    seen, blob = returned.seen, None
    whole = live.masker.text(seen.text)  # before it is trimmed: half a secret is not recognised
    text = trim(whole, live.observation_chars, ready.call_id)
    if text is not whole:
        blob = _keep(live, whole.encode())
    return ToolReturned(
        call_id=ready.call_id,
        tool=ready.call.tool.name,
        text=text,
        ok=seen.ok,
        blob=blob,
        size=len(whole),
        wall_s=round(wall_s, 6),
        origin=origin_of(live, ready.call, seen),
        private=private_in(live, ready.call, seen),
        artifacts=_artifacts(live, seen),
        changes=tuple(_change(live, change) for change in seen.changes),
        detail=returned.detail,
        elapsed_s=live.ledger.elapsed_s,
    )


def _artifacts(live: LiveRun, seen: Observation) -> tuple[Artifact, ...]:
    return tuple(
        Artifact(name=f.name, media_type=f.media_type, digest=_keep(live, data), size=len(data))
        for f in seen.files
        for data in (live.masker.data(f.data),)
    )


def _change(live: LiveRun, change: Change) -> FileChange:
    before, after = _keep_side(live, change.before), _keep_side(live, change.after)
    kept, after = not change.after_digest, after or change.after_digest or None
    return FileChange(path=change.path, before=before, after=after, after_kept=kept, form=change.form)


def _keep_side(live: LiveRun, data: bytes | None) -> str | None:
    """One side of a changed file, for `undo`: whole and exact, but unreadable in the database if it holds a secret."""
    if data is None:
        return None
    return _keep(live, data if live.masker.data(data) is data else live.sealer.seal(data))


def _keep(live: LiveRun, data: bytes) -> str:
    digest = digest_of(data)
    live.blobs[digest] = data
    return digest


def open_call(live: LiveRun, called: ToolCalled) -> Ready | None:
    """A call that was under way when its process died, ready to run again; None if its tool is gone or would refuse."""
    try:
        call = live.toolbox.prepare(called.tool, called.arguments)
    except ToolError:
        return None
    return Ready(called.call_id, call, called.decision, called.reason) if call.effect == "read" else None


def describe(call: Prepared) -> str:
    """A call in one line, for people: `python(code="print(1)")`."""
    written = ", ".join(f"{key}={value!r}" for key, value in call.plain.items())
    return f"{call.tool.name}({written})" if written else shape(call.tool.name, call.tool.parameters)
