"""A fleet of runs as a discrete-event simulation: `python -m benchmarks.fleet_sim --runs 100000 --processes 64`.

A run is steps: its process works on a step (one at a time, first come first served), the database commits it, the model is
asked (at no more than the provider allows), and after the model's latency the next step begins. Everything it knows of the
program is measured (`parameters`): CPU of a step and of beginning a run, how much longer than its CPU a step takes on the clock,
what a step costs the database. It is then held against points that were not used for that (`compared`), and extended.
Does not model: a network that loses anything, a disk that fills, retries, tools that take time. Touches: nothing.
"""

from __future__ import annotations

import argparse
import heapq
import random
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import plots
from benchmarks.results import Results
from benchmarks.tables import number, table
from outrider.memory.lease import BEAT_S

SEED = 20261128
# What is assumed of the world outside; the page says so.
LATENCY_S, STEPS, TOKENS_IN, TOKENS_OUT = 5.0, 20, 4000, 300
SERVER_CORES, CONNECTIONS, PROCESS_GB = 16, 500, 8
REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE = 10_000, 30_000_000
CROWD_STEPS = (5, 60)
SIZES = (1_000, 10_000, 100_000)


@dataclass(frozen=True)
class World:
    """Seconds throughout. `database_s`: of one database core a step, 0 where the commit is part of the process's work (SQLite).
    `requests_per_s`: what the provider allows, 0 for no limit. `spread`: latencies are uniform within ± this part of the mean. `until_s`: look at the last two thirds of that time, when everything
    is under way, and not at whole runs; 0: until all have ended."""

    runs: int
    steps: int
    latency_s: float
    processes: int = 1
    step_s: float = 0.002
    begin_s: float = 0.0
    database_s: float = 0.0
    database_cores: int = 1
    requests_per_s: float = 0.0
    spread: float = 0.0
    until_s: float = 0.0


@dataclass(frozen=True)
class Told:
    """What a simulation found. Shares are of the whole time, 0 to 1."""

    wall_s: float
    steps_per_s: float
    process_busy: float
    database_busy: float


def simulate(world: World) -> Told:
    """A fleet from its start. The same world gives the same figures."""
    chance = random.Random(SEED)
    free = [0.0] * world.processes
    cores = [0.0] * world.database_cores
    gate, end, busy, counted = 0.0, 0.0, 0.0, 0
    began = [world.begin_s] * world.runs  # what a run's next piece of work takes besides its step
    left = [world.steps + 1] * world.runs  # replies to come: one for each step, and the answer
    # (when, order, run, whether the process has worked on it): a step passes twice, to its process and to the database
    waiting = [(0.0, run, run, False) for run in range(world.runs)]
    order = world.runs
    while waiting:
        now, _, run, worked = heapq.heappop(waiting)
        if world.until_s and now > world.until_s:
            break
        order += 1
        if not worked:
            place = run % world.processes
            work_s = world.step_s + began[run]
            began[run] = 0.0
            free[place] = max(now, free[place]) + work_s
            busy += work_s
            heapq.heappush(waiting, (free[place], order, run, True))
            continue
        if world.database_s:
            core = heapq.heappop(cores)
            now = max(now, core) + world.database_s
            heapq.heappush(cores, now)
        end = max(end, now)
        counted += world.until_s / 3 < now <= (world.until_s or now)
        if not left[run]:
            continue
        left[run] -= 1
        if world.requests_per_s:
            gate = max(now, gate) + 1 / world.requests_per_s
            now = gate
        latency_s = world.latency_s * (1 + world.spread * (2 * chance.random() - 1))
        heapq.heappush(waiting, (now + latency_s, order, run, False))
    if world.until_s:
        spent_s, steps = world.until_s * 2 / 3, counted
        busy = counted * world.step_s
    else:
        spent_s, steps = end, world.runs * (world.steps + 1)
    used = counted * world.database_s / world.database_cores
    return Told(end, steps / spent_s, min(1.0, busy / world.processes / spent_s), min(1.0, used / spent_s))


@dataclass(frozen=True)
class Parameters:
    """Of the program, measured. `stretch`: seconds on the clock for each second of CPU, one run at a time, no latency."""

    step_cpu_s: float
    begin_s: float
    stretch: float
    server_s: float
    commits: float
    rows: float
    connections: float
    disk_kb: float
    process_mb: float
    waiting_mb: float
    beat_s: float = 0.0  # CPU of renewing a run's lease, every BEAT_S

    def world(self, runs: int, steps: int, latency_s: float, processes: int = 1) -> World:
        """One machine's, with SQLite."""
        step_s = (self.step_cpu_s + self.beat_s * latency_s / BEAT_S) * self.stretch
        begin_s = self.begin_s * self.stretch
        return World(runs, steps, latency_s, processes, step_s, begin_s)


def parameters(results: Results) -> Parameters | None:
    """From the measures `crowd`, `step`, `memory`, `store` and `database`; None if the first two were not taken."""

    def of(measure: str, size: str, entry: str) -> float:
        found = results.figure(measure, "outrider", size, entry)
        return found.median if found else 0.0

    few, many = (of("crowd", str(steps), "cpu_s") / 50 for steps in CROWD_STEPS)
    alone = of("step", "100", "cpu_s")
    if not few or not many or not alone:
        return None
    low, high = CROWD_STEPS
    step_s = max(1e-5, (many - few) / (high - low))
    begin_s = max(0.0, few - (low + 1) * step_s)
    size = max(results.samples.get("memory", {}).get("outrider", {"0": []}), key=int)
    rows = max(results.samples.get("store", {}).get("outrider", {"0": []}), key=int)
    beat = results.figure(
        "store", "outrider", rows, lambda cost: cost["ms"].get("renew a lease", {"ours": 0.0})["ours"] / 1e3
    )
    return Parameters(
        step_s, begin_s, max(1.0, of("step", "100", "wall_s") / alone), of("database", "50", "server_cpu_ms") / 1e3,
        of("database", "50", "commits"), of("database", "50", "rows"), of("database", "50", "connections"), of("step", "100", "disk_bytes") / 1e5,
        of("memory", size, "process_mb"), of("memory", size, "waiting_mb"), beat.median if beat else 0.0,
    )  # fmt: skip


def compared(results: Results, known: Parameters) -> list[tuple[str, World, float, float]]:
    """(what, its world, seconds measured, seconds simulated) of the points that were measured apart."""
    found = []
    for size in sorted(results.samples.get("fleet", {}).get("outrider", {}), key=int):
        if point := results.figure("fleet", "outrider", size, "wall_s"):
            world = known.world(int(size), 20, 0.05)
            found.append(
                (
                    f"{int(size):,} run{'s' * (size != '1')} × 20 steps × 50 ms",
                    world,
                    point.median,
                    simulate(world).wall_s,
                )
            )
    runs, steps, delay_ms = results.about["plan"]["batch"]
    if point := results.figure("batch", "outrider", str(runs), "wall_s"):
        world = known.world(runs, steps, delay_ms / 1e3)
        found.append(
            (f"{runs:,} goals × {steps} steps × {delay_ms} ms (batch)", world, point.median, simulate(world).wall_s)
        )
    return found


def needs(known: Parameters, goals: int) -> dict[str, float]:
    """What so many goals at work at once ask for each second, on the assumptions above."""
    rate, beats = goals / (LATENCY_S + known.step_cpu_s), goals / BEAT_S
    transactions = rate * known.commits + beats
    return {
        "steps a second": rate,
        "cores for the loops, a process each": goals * _busy(known),
        "memory of the loops, GB": goals * known.waiting_mb / 1e3,
        "database transactions a second": transactions,
        "… of these leases renewed": beats,
        "rows written a second": rate * known.rows,
        "database cores": transactions * _transaction_s(known),
        "database connections": max(1.0, goals * _busy(known)) * known.connections,
        "disk a day, TB": rate * known.disk_kb * 86_400 / 1e9,
        "requests a minute to providers": rate * 60,
        "million tokens a minute": rate * 60 * (TOKENS_IN + TOKENS_OUT) / 1e6,
    }


def _busy(known: Parameters) -> float:
    """The part of a core that one goal at work takes: its steps, its share of beginning, its lease."""
    return (known.step_cpu_s + known.begin_s / STEPS) / (LATENCY_S + known.step_cpu_s) + known.beat_s / BEAT_S


def _transaction_s(known: Parameters) -> float:
    """Of a database core, the average measured."""
    return known.server_s / known.commits if known.commits else 0.0


def limits(known: Parameters) -> list[tuple[float, str, str]]:
    """(goals at once at which it is reached, what, what to do then), the first to break first."""
    found = [
        (1 / _busy(known), "one process: its loop is busy all the time", "more processes: `outrider batch` again on the same file, or `--on ray`"),
        (PROCESS_GB * 1e3 / max(known.waiting_mb, 1e-3), f"one process: {PROCESS_GB} GB of memory", "more processes"),
        (REQUESTS_PER_MINUTE / 60 * LATENCY_S, f"a provider's {REQUESTS_PER_MINUTE:,} requests a minute", "`--per-minute`; more keys, more providers, batch prices, a model of one's own"),
        (TOKENS_PER_MINUTE / (TOKENS_IN + TOKENS_OUT) / 60 * LATENCY_S, f"a provider's {TOKENS_PER_MINUTE / 1e6:.0f} million tokens a minute", "`--per-minute`; shorter contexts, cached prefixes, more keys and providers"),
    ]  # fmt: skip
    if known.server_s:
        one = known.commits / (LATENCY_S + known.step_cpu_s) + 1 / BEAT_S  # transactions of a goal a second
        each = max(1.0, known.connections)
        servers = "a database for each label or batch: runs share nothing but the budget over all"
        pooler = "a pooler in front of PostgreSQL (transaction mode was not tried)"
        found.append(
            (SERVER_CORES / (one * _transaction_s(known)), f"one PostgreSQL server of {SERVER_CORES} cores", servers)
        )
        found.append((CONNECTIONS / each / _busy(known), f"{CONNECTIONS} connections, {each:.0f} a process", pooler))
    return sorted(found)


def page_blocks(results: Results, folder: Path) -> tuple[dict[str, str], list[Path]]:
    """The blocks of docs/scale.md and its plot; nothing where too little was measured."""
    known = parameters(results)
    if known is None:
        return {}, []
    points = compared(results, known)
    rows = [
        [what, number(measured), number(simulated), f"{simulated / measured - 1:+.0%}".replace("%", " %")]
        for what, _, measured, simulated in points
    ]
    errors = sorted(abs(simulated / measured - 1) for _, _, measured, simulated in points)
    error = (
        f"\n\nMedian error {errors[len(errors) // 2]:.0%}, largest {errors[-1]:.0%}.".replace("%", " %")
        if errors
        else ""
    )
    asked = [needs(known, size) for size in SIZES]
    blocks = {
        "scale-known": _known(known),
        "scale-points": table(["point", "measured, s", "simulated, s", "error"], rows) + error,
        "scale-needs": table(["goals at work at once", *(f"{size:,}" for size in SIZES)], [[name, *(number(one[name]) for one in asked)] for name in asked[0]]),
        "scale-limits": table(["", "goals at once", "what to do then"], [[what, f"{goals:,.0f}", then] for goals, what, then in limits(known)], words=1),
    }  # fmt: skip
    extended, plot = _extended(known, points, folder)
    return blocks | {"scale-simulated": extended}, plot


def _known(known: Parameters) -> str:
    rows = [
        ["CPU of a step, among 50 runs", f"{known.step_cpu_s * 1e3:.2f} ms", "crowd: 50 runs at once, of 60 steps less of 5"],
        ["CPU of beginning and ending a run", f"{known.begin_s * 1e3:.0f} ms", "crowd: what 50 runs of 5 steps take besides"],
        ["seconds on the clock for a second of CPU", f"{known.stretch:.2f}", "step, 100 steps: the machine, its load, the server's own work"],
        ["renewing a lease", f"{known.beat_s * 1e3:.2f} ms" if known.beat_s else "not measured", f"store; every {BEAT_S:.0f} s for each run at work"],
        ["a waiting run", f"{known.waiting_mb:.2f} MB", "memory"],
        ["disk of a step, SQLite", f"{known.disk_kb:.1f} kB", "step, 100 steps"],
        ["PostgreSQL, CPU of a step", f"{known.server_s * 1e3:.2f} ms" if known.server_s else "not measured", "database, 50 runs"],
        ["PostgreSQL, transactions and rows of a step", f"{known.commits:.2f}, {known.rows:.1f}" if known.commits else "not measured", "database, 50 runs; commits are shared"],
    ]  # fmt: skip
    return table(["", "value", "from"], rows, words=1)


def _extended(known: Parameters, points: list[tuple[str, World, float, float]], folder: Path) -> tuple[str, list[Path]]:
    """One process and more, up to 10^5 runs, on a quiet machine: steps a second."""
    drawn = []
    near = [(float(w.runs), w.runs * (w.steps + 1) / measured) for _, w, measured, _ in points if w.latency_s == 0.05]
    if near:
        sizes = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
        told = [(float(runs), simulate(known.world(runs, 20, 0.05)).steps_per_s) for runs in sizes]
        drawn.append(plots.Line("outrider, 50 ms", told, near))
    quiet, rows = replace(known, stretch=1.0, step_cpu_s=known.step_cpu_s + known.begin_s / STEPS, begin_s=0.0), []
    for processes in (1, 16, 256):
        line = []
        for runs in (100, *SIZES):
            database_s = known.server_s + _transaction_s(known) * LATENCY_S / BEAT_S
            world = replace(
                quiet.world(runs, STEPS, LATENCY_S, processes), spread=0.5, database_s=database_s, database_cores=SERVER_CORES,
                until_s=LATENCY_S * 4.5,
            )  # fmt: skip
            told_of = simulate(world)
            line.append((float(runs), told_of.steps_per_s))
            rows.append([f"{processes}", f"{runs:,}", number(told_of.steps_per_s), number(runs / LATENCY_S), f"{told_of.process_busy:.0%}".replace("%", " %"), f"{told_of.database_busy:.0%}".replace("%", " %")])  # fmt: skip
        drawn.append(plots.Line(f"{processes} process{'es' * (processes > 1)}, {LATENCY_S:.0f} s", line, ()))
    file = folder / "bench-fleet.svg"
    plots.lines(
        "Steps a second, by runs at work at once (dots: measured)", "runs at once", "steps a second", drawn, file
    )
    head = [
        "processes",
        "runs at once",
        "steps a second",
        "if nothing but the model took time",
        "loops busy",
        "database busy",
    ]
    return table(head, rows), [file]


def main() -> None:
    """Simulate one world, with what the last benchmarks measured where they were taken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--latency-s", type=float, default=LATENCY_S)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--step-ms", type=float, default=2.0, help="CPU of a step")
    parser.add_argument("--database-ms", type=float, default=0.0, help="of a database core, a step")
    parser.add_argument("--database-cores", type=int, default=SERVER_CORES)
    parser.add_argument("--requests-per-s", type=float, default=0.0, help="what the provider allows")
    flags = parser.parse_args()
    told = simulate(
        World(
            flags.runs, flags.steps, flags.latency_s, flags.processes, flags.step_ms / 1e3, 0.0, flags.database_ms / 1e3,
            flags.database_cores, flags.requests_per_s, 0.5,
        )
    )  # fmt: skip
    print(
        f"{told.wall_s:.1f} s, {told.steps_per_s:,.0f} steps/s; loops {told.process_busy:.0%} busy, database {told.database_busy:.0%} busy"
    )


if __name__ == "__main__":
    main()
