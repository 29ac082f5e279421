"""A session of tool calls over MCP, from inside: it is stopped like any other run, and is given back however it ends."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.agent import Agent
from outrider.agent.history.run_view import list_runs
from outrider.agent.serving.mcp_server import Offer
from outrider.agent.serving.mcp_session import Session
from outrider.memory.errors import LeaseLost, UsageError
from outrider.memory.events import Interrupted
from outrider.memory.inbox import open_questions, stop
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.tools import ToolContext, tool
from tests.agent.helpers import Actor, says

SENT: list[str] = []


@tool(effect="read")
def look() -> str:
    """Look."""
    return "seen"


@tool(effect="network")
def send(text: str) -> str:
    """Send a text.

    text: what
    """
    SENT.append(text)
    return f"sent {text}"


class Sandbox:
    """Something that a tool keeps open."""

    closed = False

    def close(self) -> None:
        self.closed = True


KEPT = Sandbox()


@tool(effect="read")
def keep(context: ToolContext) -> str:
    """Keep something open."""
    context.scratch["kept"] = KEPT
    return "kept"


def session(store: Store, folder: Path, *tools: object) -> Session:
    agent = Agent(Actor(says("x")), memory=store, workspace=str(folder))
    return Session(lambda: store, agent.settings, tools)  # type: ignore[arg-type]


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


def run_of(store: Store) -> str:
    (listed,) = list_runs(store)
    return listed.id


async def test_a_session_that_a_person_stopped_begins_no_other_call(store: Store, tmp_path: Path) -> None:
    """What runs comes to its end; a call that waited for it does not begin. The run is left at once, and says so."""
    began, go_on, ran = asyncio.Event(), asyncio.Event(), []

    @tool(effect="read", serial=True)
    async def slow(n: int) -> str:
        """Slow."""
        ran.append(n)
        began.set()
        await go_on.wait()
        return "came"

    one = session(store, tmp_path, slow)
    first = asyncio.create_task(one.call("slow", {"n": 1}))
    await began.wait()
    second = asyncio.create_task(one.call("slow", {"n": 2}))
    stop(store, run_of(store), via="page", who="mira")
    await until(lambda: one._live is not None and bool(one._live.stopping))
    go_on.set()
    assert await first == ("came", True)
    with pytest.raises(UsageError, match="stopped by mira"):
        await second
    with pytest.raises(UsageError, match="stopped by mira"):
        await one.call("slow", {"n": 3})
    assert ran == [1]
    await until(lambda: [listed.state for listed in list_runs(store)] == ["interrupted"])
    await one.aclose()
    journal = Journal.open_for_writing(store, run_of(store))
    assert isinstance(journal.tail(1)[0].event, Interrupted)
    journal.release()


async def test_a_stop_while_a_call_is_asked_about_is_an_answer(store: Store, tmp_path: Path) -> None:
    """The call does not run, the other program is told why, and no question stays open that nobody waits for."""
    one = session(store, tmp_path, look, send)
    await one.call("look", {})
    assert one._live
    other = sqlite3.connect(str(store.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sending = asyncio.create_task(one.call("send", {"text": "hello"}))
    await asyncio.sleep(0.2)  # what it asks waits for the database
    one._live.stop = "stopped by mira (page)"
    other.execute("COMMIT")
    other.close()
    text, ok = await sending
    assert not ok
    assert "told to stop" in text
    assert SENT == []
    assert open_questions(store, run_of(store)) == []
    await one.aclose()


async def test_a_session_that_cannot_record_its_end_leaves_nothing_open(store: Store, tmp_path: Path) -> None:
    """Another process took its run: that is said, and what its tools kept open, and the agent, are closed all the same."""
    closed = []

    class Closing(Agent):
        async def aclose(self) -> None:
            closed.append(self)

    offer = Offer(Closing(Actor(says("x")), memory=store, workspace=str(tmp_path)), [keep], {})
    assert await offer.call("keep", {}) == ("kept", True)
    with store.write() as db:
        db.exec_driver_sql("UPDATE runs SET fence = fence + 1, holder = 'elsewhere:1:1'")
    text, ok = await offer.call("keep", {})
    assert not ok
    assert "no longer drives" in text
    with pytest.raises(LeaseLost):
        await offer.aclose()
    assert KEPT.closed
    assert closed


async def test_a_client_that_takes_back_its_first_call_keeps_its_session(store: Store, tmp_path: Path) -> None:
    """The run is not held by the call that made it: the next calls are part of the same one, and its end is recorded."""

    @tool(effect="read")
    async def wait() -> str:
        """Wait."""
        await asyncio.sleep(3600)
        return "never"

    one = session(store, tmp_path, look, wait)
    first = asyncio.create_task(one.call("wait", {}))
    await until(lambda: bool(one._live and one._live.state.begun))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert await one.call("look", {}) == ("seen", True)
    await one.aclose()
    assert [listed.state for listed in list_runs(store)] == ["answered"]
