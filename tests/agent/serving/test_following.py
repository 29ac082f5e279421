"""Listeners of runs: told of the end where there is one, and of what a restart goes on with; nothing is kept of who left."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from starlette.requests import Request

from outrider.agent.agent import Agent
from outrider.agent.serving.api import Api
from outrider.agent.serving.following import Hub
from outrider.agent.serving.worker import STOPPED, Worker
from outrider.memory.events import Event, Interrupted, Noted, RunStarted, Stopped
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from tests.agent.helpers import Actor, says

START = RunStarted(goal="g", model="actor:test")


def left(store: Store, run_id: str, *events: Event) -> int:
    """A run with these events that nobody drives; the number of the last."""
    journal = Journal.create(store, START, run_id=run_id)
    journal.append(Noted(text="at work"), *events)
    journal.release()
    return journal.head_seq


def worker(store: Store, hub: Hub) -> Worker:
    return Worker(Agent(Actor(says("seven")), tools=["plan"], memory=store), 1, hub)


async def kinds(hub: Hub, store: Store, run_id: str, after: int) -> list[str]:
    return [stored.kind async for stored in hub.follow(store, run_id, after) if stored]


@pytest.mark.parametrize("last", [(), (Interrupted(reason=STOPPED),)])
async def test_a_run_that_is_taken_up_after_a_restart_is_not_told_as_over(
    store: Store, last: tuple[Interrupted, ...]
) -> None:
    """Killed in the middle or stopped with its server: who asks before it is taken up follows it to its end."""
    hub = Hub()
    made = worker(store, hub)
    asked = await made.agent.prepare("what is it", run_id="s1-a")
    if last:
        await asked.commit(*last)
    head = asked.journal.head_seq
    asked.journal.release()
    following = asyncio.create_task(kinds(hub, store, "s1-a", head))
    done, _ = await asyncio.wait([following], timeout=1.5)
    assert not done, "it goes on, so nobody is told that it is over"
    made.start()
    try:
        assert (await asyncio.wait_for(following, 30))[-1] == "stopped"
    finally:
        await made.close()


@pytest.mark.parametrize(
    ("run_id", "last"),
    [("s1-a", Stopped(reason="answered")), ("s1-a", Interrupted(reason="stopped through the API")), ("other", Noted(text="x"))],
)  # fmt: skip
async def test_a_run_that_nobody_takes_up_is_told_as_over(store: Store, run_id: str, last: Event) -> None:
    """Ended, left because somebody said so, or no run of a server."""
    hub = Hub()
    worker(store, hub)
    assert (await asyncio.wait_for(kinds(hub, store, run_id, left(store, run_id, last) - 1), 30)) == [last.kind]


async def test_a_run_that_was_given_up_is_told_as_over(store: Store) -> None:
    """One that could not be taken up: its listeners do not wait for ever."""
    hub = Hub()
    made = worker(store, hub)
    head = left(store, "s1-a")  # its first event names no workspace that is there, so it cannot be put together
    following = asyncio.create_task(kinds(hub, store, "s1-a", head))
    made._given_up["s1-a"] = head
    assert await asyncio.wait_for(following, 30) == []


async def test_nothing_is_kept_of_listeners_that_left(store: Store) -> None:
    """Runs that are driven elsewhere and were looked at once leave nothing behind in the server."""
    hub = Hub()
    journals = [Journal.create(store, START) for _ in range(3)]
    for journal in journals:
        async with aclosing(hub.follow(store, journal.run_id, 0)) as events:
            assert await anext(events) is not None
        journal.release()
    assert len(hub._news) == 0


async def test_a_run_that_somebody_stopped_is_not_read_at_every_look(store: Store) -> None:
    """Its row says why it was left; only a run that may go on, or whose process died, has its events looked at."""
    made = worker(store, Hub())
    for number in range(5):
        journal = Journal.create(store, START, run_id=f"s{number}-stopped")
        journal.append(Interrupted(reason="stopped through the API"))
        journal.release()
    left(store, "s8-restarted", Interrupted(reason=STOPPED))
    left(store, "s9-killed")
    asked: list[str] = []
    event.listen(store._readers, "checkout", lambda raw, *_: raw.set_trace_callback(asked.append))
    assert [run_id for run_id, _ in made._left()] == ["s8-restarted", "s9-killed"]
    assert len([one for one in asked if "FROM events" in one]) == 2


@pytest.mark.parametrize("number", ["9" * 18, str(2**63 - 1), "9" * 30, "9" * 5000])
async def test_a_number_beyond_all_events_waits_for_the_end(store: Store, tmp_path: Path, number: str) -> None:
    """Whoever says it has more events than there can be is told of the end, and gets no error."""
    hub = Hub()
    journal = Journal.create(store, START, run_id="other")
    for stored in journal.append(Noted(text="one")):
        hub.on_event(stored)
    given = {"type": "http", "path_params": {"run": "other"}, "headers": [(b"last-event-id", number.encode())]}
    reply: Any = await Api(worker(store, hub), hub, tmp_path).events(Request(given | {"query_string": b""}))
    waiting = asyncio.ensure_future(anext(reply.body_iterator))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    journal.release()
    hub.ended("other")
    assert (await asyncio.wait_for(waiting, 30)).startswith("event: end")
