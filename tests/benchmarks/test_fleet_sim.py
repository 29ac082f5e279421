"""The simulation of a fleet keeps the laws of queues, where they can be said in one line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.fleet_sim import Parameters, World, compared, limits, needs, parameters, simulate
from benchmarks.results import Results

QUIET = World(runs=10, steps=20, latency_s=0.05, step_s=0.001)
KNOWN = Parameters(0.002, 0.02, 1.0, 0.001, 0.5, 4.0, 4.0, 8.0, 60.0, 0.2)


def test_one_run_takes_its_latency_and_its_work() -> None:
    """21 replies, 22 pieces of work."""
    told = simulate(replace(QUIET, runs=1))
    assert told.wall_s == pytest.approx(21 * 0.05 + 22 * 0.001)


def test_many_runs_are_bound_by_the_busiest_thing() -> None:
    """The loop, the database and the provider each bound the steps a second; more processes lift only the first."""
    loop = simulate(replace(QUIET, runs=1000))
    assert loop.steps_per_s == pytest.approx(1000, rel=0.06)
    assert loop.process_busy > 0.95
    more = simulate(replace(QUIET, runs=1000, processes=4))
    assert more.steps_per_s == pytest.approx(4000, rel=0.1)
    stored = simulate(replace(QUIET, runs=1000, processes=4, database_s=0.002, database_cores=2))
    assert stored.steps_per_s == pytest.approx(1000, rel=0.06)
    assert stored.database_busy > 0.9
    asked = simulate(replace(QUIET, runs=100, processes=4, requests_per_s=500))
    assert asked.steps_per_s == pytest.approx(500, rel=0.06)


def test_a_look_at_the_middle_sees_the_rate_and_not_the_slowest_run() -> None:
    """Where nothing is busy, so many steps a second are taken as runs wait for so many seconds."""
    world = replace(QUIET, runs=200, latency_s=5.0, spread=0.5, until_s=22.5)
    told = simulate(world)
    assert told.steps_per_s == pytest.approx(40, rel=0.1)
    assert told.process_busy == pytest.approx(0.04, rel=0.1)
    full = simulate(replace(world, runs=20_000))
    assert full.steps_per_s == pytest.approx(1000, rel=0.02)
    assert full.process_busy == 1.0


def test_simulation_of_the_same_world_is_the_same() -> None:
    """A page that is drawn again does not change by chance."""
    world = replace(QUIET, runs=50, spread=0.5)
    assert simulate(world) == simulate(world)


def test_needs_and_limits_agree_with_each_other() -> None:
    """At the number of goals where one process is said to be busy, it needs one core."""
    found = {what: goals for goals, what, _ in limits(KNOWN)}
    one = next(goals for what, goals in found.items() if "busy all the time" in what)
    assert needs(KNOWN, round(one))["cores for the loops, a process each"] == pytest.approx(1, rel=0.01)
    assert [goals for goals, _, _ in limits(KNOWN)] == sorted(found.values())


def test_points_are_not_what_the_simulation_was_told() -> None:
    """Its figures come from single runs and one crowd; the points it is held against are others."""
    made = Results(about={"plan": {"batch": (1000, 10, 200)}})
    for steps, cpu_s in (("5", 50 * (0.03 + 6 * 0.002)), ("60", 50 * (0.03 + 61 * 0.002))):
        made.add("crowd", "outrider", steps, {"cpu_s": cpu_s, "wall_s": 4.0})
    made.add("step", "outrider", "100", {"cpu_s": 0.23, "wall_s": 0.46, "disk_bytes": 1000})
    made.add("fleet", "outrider", "10", {"cpu_s": 1.0, "wall_s": 2.0})
    known = parameters(made)
    assert known is not None
    assert (known.step_cpu_s, known.begin_s, known.stretch) == pytest.approx((0.002, 0.03, 2.0))
    ((what, world, measured, simulated),) = compared(made, known)
    assert (what, world.runs, measured) == ("10 runs × 20 steps × 50 ms", 10, 2.0)
    assert 1.05 < simulated < 3
    assert parameters(Results()) is None
