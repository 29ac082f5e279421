"""Kill -9 at any instant, resume, and nothing is lost and nothing with an effect happens twice."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from outrider.agent.history.run_view import read_run
from outrider.memory.events import ToolCalled
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify
from tests.agent.lives import STEPS, CountingServer, Life
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "win32", reason="needs fork")
EVENTS = 4 + 6 * STEPS  # of a run nobody kills: start, asked and answered, stopped, and six a step


@dataclass
class World:
    """Where the runs of one test live."""

    url: str
    server: CountingServer
    workspace: Path

    def live(self, run_id: str = "", die_at: int = 0) -> Life:
        return Life(self.url, self.server.port, self.workspace, run_id, die_at)

    def answered(self, life: Life) -> bool:
        """Whether the run was done before its process died."""
        store = Store(self.url)
        try:
            return read_run(store, life.acked[0][2]).state == "answered"
        finally:
            store.close()

    def check(self, lives: list[Life]) -> None:
        """The run is finished and whole; nothing acknowledged is missing; no intent took effect twice."""
        run_id = lives[0].acked[0][2]
        store = Store(self.url)
        try:
            done = read_run(store, run_id)
            assert (done.state, str(done.answer)) == ("answered", "It is at its end.")
            stored = {s.seq: s for s in done.events()}
            for life in lives:
                for seq, digest, _ in life.acked:
                    assert stored[seq].hash.hex() == digest, f"event {seq} was acknowledged and is lost"
            assert verify(Journal.open_for_reading(store, run_id)).ok
            called = [s.event for s in stored.values() if isinstance(s.event, ToolCalled)]
            assert len(called) == len({event.call_id for event in called}) == 2 * STEPS
            took = self.server.counts()
            written = Counter((self.workspace / "lines.txt").read_text().splitlines())
            for event in called:
                sent = took[f"POST /send/{run_id}/{event.call_id}"]
                lines = written[f"{run_id} {event.call_id}"]
                read = took[f"GET /fetch/{run_id}/{event.call_id}"]
                assert (sent <= 1, lines <= 1) == (True, True), f"{event.tool} {event.call_id} took effect twice"
                assert event.tool != "fetch" or read >= 1
            intents = {f"POST /send/{run_id}/{e.call_id}" for e in called if e.tool == "send"}
            assert {path for path in took if path.startswith(f"POST /send/{run_id}/")} <= intents
        finally:
            store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A database file, a server that counts and a folder."""
    Store(f"sqlite:///{tmp_path / 'runs.db'}").close()
    (tmp_path / "lines.txt").touch()
    with CountingServer(tmp_path) as server:
        yield World(f"sqlite:///{tmp_path / 'runs.db'}", server, tmp_path)


@pytest.fixture
def postgres_world(tmp_path: Path, postgres: PostgresServer) -> Iterator[World]:
    """The same on PostgreSQL."""
    url = postgres.new_database()
    Store(url).close()
    (tmp_path / "lines.txt").touch()
    with CountingServer(tmp_path) as server:
        yield World(url, server, tmp_path)


def kill_at_each_event(world: World, step: int = 1) -> None:
    for die_at in range(1, EVENTS, step):
        first = world.live(die_at=die_at)
        assert first.end() == -9
        assert len(first.acked) == die_at
        lives = [first]
        if not world.answered(first):  # the last events are one commit
            lives.append(world.live(first.acked[0][2]))
            assert lives[-1].end() == 0, f"killed at event {die_at}"
        world.check(lives)


def kill_at_random(world: World, kills: int, longest_s: float, seed: int = 1) -> None:
    chance = random.Random(seed)
    done = 0
    while done < kills:
        lives = [world.live()]
        code = lives[-1].end(kill_after_s=chance.uniform(0, longest_s))
        if not lives[0].acked:
            done += code == -9
            continue  # killed before it began: there is no run, and nothing was done
        while code == -9:
            done += 1
            if world.answered(lives[0]):
                break
            lives.append(world.live(lives[0].acked[0][2]))
            again = chance.random() < 0.3
            code = lives[-1].end(kill_after_s=chance.uniform(0, longest_s) if again else None)
        world.check(lives)


def test_run_nobody_kills_does_everything_once(world: World) -> None:
    """The control: each call takes effect exactly once, and the count of events is what the other tests think."""
    life = world.live()
    assert life.end() == 0
    assert len(life.acked) >= EVENTS - 1 >= 30
    world.check([life])
    took = world.server.counts()
    assert sum(path.startswith("POST") for path in took.elements()) == 4
    assert len((world.workspace / "lines.txt").read_text().splitlines()) == 4


def test_killed_at_every_event_a_run_finishes_and_repeats_nothing(world: World) -> None:
    """One kill after each event a run commits."""
    kill_at_each_event(world)


def test_killed_at_random_instants_a_run_finishes_and_repeats_nothing(world: World) -> None:
    """Kills that fall anywhere: in a commit, in a tool, in the start of the program."""
    kill_at_random(world, kills=10, longest_s=0.25)


def test_killed_again_and_again_a_run_still_gets_on(world: World) -> None:
    """Each process lives for a few events only: the run moves on all the same, and repeats nothing."""
    lives = [world.live(die_at=6)]
    code = lives[0].end()
    while code == -9 and not world.answered(lives[0]):
        assert len(lives) < 60
        lives.append(world.live(lives[0].acked[0][2], die_at=4 + len(lives) % 5))
        code = lives[-1].end()
    assert len(lives) > 5
    world.check(lives)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_hundred_random_kills(world: World) -> None:
    """The same, often."""
    kill_at_random(world, kills=300, longest_s=0.3, seed=2)


@pytest.mark.postgres
def test_killed_at_some_events_a_run_on_postgres_finishes(postgres_world: World) -> None:
    """The same promise on PostgreSQL."""
    kill_at_each_event(postgres_world, step=9)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(1800)
def test_killed_at_every_event_and_at_random_a_run_on_postgres_finishes(postgres_world: World) -> None:
    """Every event, and 160 random instants."""
    kill_at_each_event(postgres_world)
    kill_at_random(postgres_world, kills=160, longest_s=0.4, seed=3)
