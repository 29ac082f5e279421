"""One run has one driver: whoever comes second is told who has it, and a dead driver's run is free at once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.driving import drive
from outrider.memory.errors import LeaseLost
from outrider.memory.events import Noted, RunStarted
from outrider.memory.journal import Journal
from outrider.memory.lease import holder_lives, holder_name
from outrider.memory.store import Store
from outrider.memory.verify import verify
from outrider.tools.tool import tool
from tests.agent.helpers import Actor, call, calls, says
from tests.servers.postgres import PostgresServer

START = RunStarted(goal="g", model="m")


def contend(url: str, run_id: str, gate: int, go_on: int, tell: int, closed: list[int]) -> int:
    """A process that waits at the gate, then tries to drive the run: 0 it drove, 7 it was refused, else a failure.

    It tells that it has tried, and the one that drives keeps the run until `go_on` says that everybody has.
    """
    if pid := os.fork():
        return pid
    code = 1
    try:
        for end in closed:
            os.close(end)
        store = Store(url)
        os.read(gate, 1)  # closed by the parent: all go at once
        try:
            journal = Journal.open_for_writing(store, run_id)
        except LeaseLost as refused:
            code = 7 if "is being driven by another process" in str(refused) else 2
            os.write(tell, b"x")
        else:
            journal.append(Noted(text=f"driven by {os.getpid()}"))
            os.write(tell, b"x")
            os.read(go_on, 1)
            journal.append(Noted(text=f"still {os.getpid()}"))
            code = 0
    except BaseException as error:
        os.write(2, repr(error).encode())
    finally:
        os._exit(code)


def race(url: str, rounds: int) -> None:
    store = Store(url)
    ids = []
    for _ in range(rounds):
        journal = Journal.create(store, START)
        ids.append(journal.run_id)
        journal.release()
    store.close()
    for run_id in ids:
        (gate, opener), (go_on, release), (heard, tell) = os.pipe(), os.pipe(), os.pipe()
        children = [contend(url, run_id, gate, go_on, tell, [opener, release, heard]) for _ in range(2)]
        for end in (gate, go_on, tell):
            os.close(end)
        os.close(opener)
        assert len(os.read(heard, 1) + os.read(heard, 1)) == 2, "both have tried"
        os.close(release)
        codes = sorted(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)
        os.close(heard)
        assert codes == [0, 7]
    store = Store(url)
    for run_id in ids:
        journal = Journal.open_for_reading(store, run_id)
        first, second = (s.event for s in journal.read(after=1))
        assert isinstance(first, Noted)
        assert isinstance(second, Noted)
        assert first.text.split()[-1] == second.text.split()[-1]
        assert verify(journal).ok
    store.close()


def test_of_two_processes_exactly_one_drives(url: str) -> None:
    """Both come at the same instant, again and again: one writes, the other is refused and writes nothing."""
    race(url, 25)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_two_processes_exactly_one_drives_two_hundred_times(url: str) -> None:
    """The same, often."""
    race(url, 200)


@pytest.mark.postgres
def test_of_two_processes_exactly_one_drives_on_postgres(postgres: PostgresServer) -> None:
    """The same, where nothing locks the whole database."""
    race(postgres.new_database(), 15)


@pytest.mark.parametrize("reaped", [True, False])
def test_run_of_a_dead_process_is_free_at_once(url: str, reaped: bool) -> None:
    """No waiting for a lease to grow old; a zombie whose parent never looks is as dead."""
    ready, tell = os.pipe()
    if (pid := os.fork()) == 0:
        Journal.create(Store(url), START)
        os.write(tell, b"x")
        signal.pause()
    os.read(ready, 1)
    store = Store(url)
    with pytest.raises(LeaseLost, match=str(pid)):  # the control: while it lives it has the run
        Journal.open_for_writing(store, "last")
    os.kill(pid, signal.SIGKILL)
    if reaped:
        os.waitpid(pid, 0)
    else:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    began = time.monotonic()
    Journal.open_for_writing(store, "last").append(Noted(text="mine"))
    assert time.monotonic() - began < 1
    if not reaped:
        os.waitpid(pid, 0)
    store.close()


@pytest.mark.parametrize("moved_s", [-3600.0, 3600.0])
def test_living_driver_keeps_its_run_when_the_clock_is_moved(
    store: Store, monkeypatch: pytest.MonkeyPatch, moved_s: float
) -> None:
    """An hour forward or back changes nothing for a process of this machine: the process table tells, not the clock."""
    journal = Journal.create(store, START)
    real = time.time
    monkeypatch.setattr("outrider.memory.journal.time.time", lambda: real() + moved_s)
    with pytest.raises(LeaseLost):
        Journal.open_for_writing(store, journal.run_id)
    journal.append(Noted(text="goes on"))
    journal.beat()
    assert verify(journal).ok


def test_lease_of_another_host_counts_by_its_heartbeat() -> None:
    """What cannot be looked up in the process table lives as long as it beats."""
    assert holder_lives("elsewhere:1:1", time.time())
    assert not holder_lives("elsewhere:1:1", time.time() - 60)
    assert not holder_lives("", time.time())
    assert holder_lives(holder_name(), 0)
    own = holder_name().rsplit(":", 1)[0]
    assert not holder_lives(f"{own}:12345", time.time())  # the number was given to another process since


def test_run_that_could_not_give_its_lease_back_is_free_for_its_own_process(store: Store) -> None:
    """A notebook whose database was away for a moment can resume without being restarted."""
    journal = Journal.create(store, START)
    with pytest.raises(LeaseLost):  # the control: it is being driven
        Journal.open_for_writing(store, journal.run_id)
    run_id = journal.run_id
    del journal  # dropped without a release
    Journal.open_for_writing(store, run_id).release()


def test_driver_that_lost_its_run_stops_with_a_clear_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken over by somebody else in mid-call: the tool is cancelled, nothing is written, and the error says who."""
    monkeypatch.setattr("outrider.agent.driving.BEAT_S", 0.05)
    began: list[float] = []

    @tool(effect="write")
    async def slow() -> str:
        """Take long."""
        began.append(time.monotonic())
        await asyncio.sleep(30)
        return "late"

    agent = Agent(model=Actor(calls(call("slow")), says("x")), tools=[slow], memory=store)

    async def driven() -> Any:
        live = await agent.prepare("go")
        task = asyncio.create_task(drive(live))
        while not began:
            await asyncio.sleep(0.01)
        with store.write() as db:
            db.exec_driver_sql("UPDATE runs SET fence = fence + 1, holder = 'elsewhere:1:1'")
        with pytest.raises(LeaseLost, match="elsewhere"):
            await task
        return live

    live = asyncio.run(driven())
    assert time.monotonic() - began[0] < 5
    assert [s.kind for s in live.journal.read()][-1] == "tool_called"


def test_lease_is_renewed_while_a_tool_takes_long(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that waits for a slow tool still beats, so no other host takes it."""
    monkeypatch.setattr("outrider.agent.driving.BEAT_S", 0.05)
    beats: list[float] = []

    @tool
    def slow() -> str:
        """Take a while."""
        for _ in range(2):
            time.sleep(0.2)
            with store.read() as db:
                beats.append(float(db.exec_driver_sql("SELECT beat FROM runs").scalar() or 0))
        return "done"

    Agent(model=Actor(calls(call("slow")), says("x")), tools=[slow], memory=store).run("go")
    assert beats[1] > beats[0]


def test_lease_is_given_back_when_a_run_ends(store: Store, tmp_path: Path) -> None:
    """Ended or stopped, a run can be taken up by anybody."""
    done = Agent(model=Actor(says("x")), tools=[], memory=store).run("go")
    with store.read() as db:
        assert db.exec_driver_sql("SELECT holder FROM runs").scalar() == ""
    Journal.open_for_writing(store, done.id).release()
