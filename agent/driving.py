"""Drives a run that was put together: holds it while somebody works on it, gives it another goal, gives back what it held.
May touch: the journal, the sandbox, by way of the LiveRun. Does not promise: to outlive the process; what is on disk does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from outrider.agent.history.file_changes import drifted
from outrider.agent.live_run import LiveRun
from outrider.agent.loop import pursue
from outrider.memory.appending.group import until_free
from outrider.memory.errors import LeaseLost, StoreError, UsageError
from outrider.memory.events import Attachment, GoalGiven, Noted, Resumed, ToolCalled, ToolReturned
from outrider.memory.journal import Journal
from outrider.memory.lease import BEAT_S
from outrider.memory.text import for_storage
from outrider.tools.tool import ToolError

LISTEN_S = 1.0  # between two looks whether the run is to stop


async def drive(live: LiveRun) -> None:
    """Work until the run ends, keeping its lease alive; then give back what it held."""
    async with held(live):
        await pursue(live)


@asynccontextmanager
async def held(live: LiveRun) -> AsyncIterator[None]:
    """While inside, this task keeps the run's lease alive; then it gives back what the run held. Raises LeaseLost."""
    driver, lost = asyncio.current_task(), list[LeaseLost]()
    beat = asyncio.create_task(_keep_lease(live, driver, lost))
    told = asyncio.create_task(_listen(live))
    try:
        await _restore_python(live)
        yield
    except asyncio.CancelledError:
        if lost and driver and driver.uncancel() == 0:
            raise lost[0] from None
        raise
    finally:
        beat.cancel()
        told.cancel()
        try:
            with suppress(Exception):  # what came back before; if that cannot be kept, the error is known
                await live.commit()
        finally:
            await _give_back(live)


async def _give_back(live: LiveRun) -> None:
    """Close what its tools hold and end the lease, also when this is cancelled: a lease nobody ends keeps others waiting."""
    try:
        await asyncio.shield(asyncio.to_thread(_close_scratch, live))
        with suppress(StoreError):
            await until_free(live.journal.store)
    finally:
        with suppress(StoreError):
            if live.inbox:
                live.inbox.clear(live.state.begun | live.state.returned)
        with suppress(StoreError):
            live.journal.release()


async def _listen(live: LiveRun) -> None:
    """Leave after the step when somebody says so from another process."""
    while live.inbox is not None and not live.stopping:
        await asyncio.sleep(LISTEN_S)
        if said := live.inbox.told_to_stop(live.journal.fence):
            live.stop = str(said)


async def _restore_python(live: LiveRun) -> None:
    """Give the code of a run that is taken up its variables back, as far as that repeats nothing, and say what is gone."""
    if not any(seen.tool == "python" and seen.ok for seen in live.state.seen):
        return
    from outrider.tools.code.code_tools import restore

    try:
        told = await restore(live.tool_context, _python_cells(live.journal))
    except ToolError as error:
        told = str(error)
    if told:
        await live.commit(Noted(by="outrider", text=told))


def _python_cells(journal: Journal) -> list[str]:
    code: dict[str, str] = {}
    cells = []
    for stored in journal.read():
        event = stored.event
        if isinstance(event, ToolCalled) and event.tool == "python":
            code[event.call_id] = str(event.arguments.get("code", ""))
        elif isinstance(event, ToolReturned) and event.ok and event.call_id in code:
            cells.append(code[event.call_id])
    return cells


async def _keep_lease(live: LiveRun, driver: asyncio.Task[Any] | None, lost: list[LeaseLost]) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        try:
            await until_free(live.journal.store)
            live.journal.beat()
        except LeaseLost as error:
            lost.append(error)
            if driver:
                driver.cancel()
            return
        except StoreError:
            continue  # the next append will tell, and nothing was lost


def _close_scratch(live: LiveRun) -> None:
    for value in live.tool_context.scratch.values():
        if callable(close := getattr(value, "close", None)):
            with suppress(Exception):
                close()


def give_goal(live: LiveRun, goal: str, attachments: Sequence[Attachment] = ()) -> None:
    """Another goal for a run that is held and not being driven, on disk when this returns. Raises UsageError for none."""
    goal = for_storage(goal)
    if not goal.strip():
        raise UsageError("there is no goal", "the goal is empty", "say what you want")
    if live.changes or live.state.stopped is None:  # something differs, or what was under way is left
        go_on(live)
    live.stop = ""
    live.blobs |= {one.picture: one.data for one in attachments if one.data}
    live.commit_now(GoalGiven(goal=goal, attachments=tuple(attachments)))


def go_on(live: LiveRun) -> None:
    """Take up the goal of a run that is held and was left in the middle; on disk when this returns."""
    live.stop, changes, live.changes = "", live.changes, {}
    stage_resumed(live, changes)
    live.commit_now()


def stage_resumed(live: LiveRun, changes: dict[str, Any]) -> None:
    """Hold the event that a run goes on, with what is different and what else changed meanwhile."""
    unknown = tuple(c.call_id for c in live.state.open.values() if c.effect != "read")
    live.stage(Resumed(changes=changes, unknown=unknown))
    if moved := drifted(live.journal.read(), live.tool_context.workspace):
        names = ", ".join(moved[:20])
        live.stage(Noted(by="outrider", text=f"While the run was left, these files changed: {names}. Read them again."))
