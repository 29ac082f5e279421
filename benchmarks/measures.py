"""What is measured: for each measure its subjects, its sizes, and the job that one sample is.

A measure yields cells; `take` goes round over them, so that a busy minute of the machine hurts all of them alike, and keeps each
sample before it takes the next. A cell that fails is not asked again; one that would take too long is left out, and both say why.
Touches: the drivers, the model server, the results. Does not promise: a quiet machine; the load stands beside each sample.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.fleet_sim import CROWD_STEPS
from benchmarks.results import Cost, Results
from benchmarks.running import Driver, command_cost
from benchmarks.server import ModelServer
from benchmarks.subjects import DRIVERS, FLOOR, OUTRIDER, PROVIDER, Subject, Unavailable, python_of

LATENCY_MS, AT_ONCE, AT_ONCE_STEPS = 50, 50, 20
TOOLS, TOOL_S = 8, 0.05
PATIENCE = 8  # seconds on the clock for each second of CPU a job may take: other work may be on the machine
LONGEST_S = 1200.0  # for any job: whoever hangs must not hold up the others for hours


@dataclass(frozen=True)
class Plan:
    """How much of it: `rounds` samples of a cell, but no more once it has taken `cell_s`; a job of more than `job_s` of CPU is left out."""

    rounds: int = 9
    cell_s: float = 120.0
    job_s: float = 300.0
    peer_steps: tuple[int, ...] = (10, 100, 400)
    own_steps: tuple[int, ...] = (10, 100, 400, 1000)
    growth_steps: int = 400
    fleet: tuple[int, ...] = (1, 10, 50, 100, 200)
    batch: tuple[int, int, int] = (1000, 10, 200)
    rows: int = 100_000
    sandbox_rounds: int = 40


FULL = Plan()
QUICK = replace(
    FULL, rounds=3, cell_s=6.0, job_s=25.0, growth_steps=100, fleet=(1, 10, 50, 200), rows=10_000, sandbox_rounds=15
)


@dataclass(frozen=True)
class Cell:
    """One figure of one subject. `expect_s`: the CPU a sample may take, by what is known so far; None: nobody knows."""

    measure: str
    subject: str
    size: str
    job: Callable[[], Cost]
    expect_s: Callable[[], float | None] = lambda: None


def take(cells: Sequence[Cell], results: Results, plan: Plan) -> None:
    """Go round over the cells."""
    spent, began_at = dict[tuple[str, str], float](), int(time.time())
    for turn in range(plan.rounds):
        for cell in cells:
            key = (cell.subject, cell.size)
            if spent.get(key, 0.0) > plan.cell_s or results.unavailable.get(cell.subject):
                continue
            expected = cell.expect_s()
            began = time.monotonic()
            if expected is not None and expected > plan.job_s:
                cost: Cost = {"left_out": f"left out, about {expected:.0f} s of CPU"}
            else:
                cost = _sample(cell, results)
            if cell.subject in results.unavailable:
                continue
            results.add(cell.measure, cell.subject, cell.size, cost | {"round": f"{began_at}.{turn}"})
            failed = "error" in cost or "left_out" in cost
            spent[key] = spent.get(key, 0.0) + time.monotonic() - began if not failed else float("inf")
            said = cost.get("error") or cost.get("left_out") or _in_words(cost)
            print(f"{cell.measure} {cell.size} {cell.subject}, round {turn + 1}: {said}", file=sys.stderr, flush=True)


def _in_words(cost: Cost) -> str:
    """For the progress on stderr."""
    if "process_mb" in cost:
        return f"{cost['process_mb']:.0f} MB"
    return f"{cost['cpu_s']:.3f} s CPU, {cost['wall_s']:.3f} s" if cost["wall_s"] else "done"


def _sample(cell: Cell, results: Results) -> Cost:
    try:
        return cell.job()
    except Unavailable as why:
        results.unavailable[cell.subject] = str(why)
        print(f"{cell.subject}: {why}", file=sys.stderr, flush=True)
        return {"error": str(why)}
    except Exception as error:  # a broken measure is a row that says so, and the others go on
        return {"error": f"{type(error).__name__}: {error}"[:300]}


class Drivers:
    """The driver of each subject, started once and warmed up by a short run that nobody counts."""

    def __init__(self, server: ModelServer, job_s: float) -> None:
        self.server, self.job_s = server, job_s
        self.limit_s = min(job_s * PATIENCE, LONGEST_S)
        self._running: dict[str, Driver] = {}

    def warm(self, subject: Subject) -> Driver:
        """Raises Unavailable."""
        driver = self._running.get(subject.name)
        if driver is None:
            driver = self._running[subject.name] = Driver(subject)
            driver.start()
            if "run" in subject.jobs:
                driver.ask("run", 120.0, url=self.server.url(driver.kind, steps=2), steps=2)
        return driver

    def run(self, subject: Subject, steps: int) -> Cost:
        """One run of `steps` steps."""
        driver = self.warm(subject)
        return driver.ask("run", self.limit_s, calls=steps, url=self.server.url(driver.kind, steps=steps), steps=steps)

    def many(self, subject: Subject, runs: int, steps: int, delay_ms: int, do: str = "many") -> Cost:
        """`runs` runs at once."""
        driver = self.warm(subject)
        url = self.server.url(driver.kind, steps=steps, delay_ms=delay_ms)
        return driver.ask(do, self.limit_s, calls=runs * steps, url=url, steps=steps, runs=runs)

    def stop(self) -> None:
        """All of them."""
        for driver in self._running.values():
            driver.stop()
        self._running.clear()


def _expected(results: Results, measure: str, subject: str, size: str, factor: float) -> float | None:
    found = results.figure(measure, subject, size, "cpu_s")
    return found.median * factor if found else None


# the measures; each takes (drivers, subjects, results, plan) and yields cells


def _growing(results: Results, subject: str, steps: int) -> float | None:
    """What a run may take, by the longest shorter one: nearly quadratic, as many are."""
    known = [
        int(size) for size in results.samples.get("step", {}).get(subject, {}) if results.costs("step", subject, size)
    ]
    shorter = max((size for size in known if size < steps), default=0)
    return _expected(results, "step", subject, str(shorter), (steps / shorter) ** 1.6) if shorter else None


def step(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """One run of N steps, no delay."""
    for steps in plan.own_steps:
        for one in subjects:
            if steps in plan.peer_steps or one in (FLOOR, OUTRIDER, PROVIDER):
                job, expect = partial(drivers.run, one, steps), partial(_growing, results, one.name, steps)
                yield Cell("step", one.name, str(steps), job, expect)


def at_once(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """50 runs of 20 steps in one process, against a model that takes 50 ms."""
    for one in subjects:
        yield Cell(
            "at_once", one.name, str(AT_ONCE),
            partial(drivers.many, one, AT_ONCE, AT_ONCE_STEPS, LATENCY_MS),
            partial(_expected, results, "step", one.name, "10", AT_ONCE * 2.2),
        )  # fmt: skip


def parallel(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """One reply with eight calls of a tool that takes 50 ms."""

    def job(one: Subject) -> Cost:
        driver = drivers.warm(one)
        url = drivers.server.url(driver.kind, steps=1, width=TOOLS)
        return driver.ask("run", 60.0, wait_s=TOOL_S, calls=TOOLS, url=url, steps=1)

    for one in subjects:
        if one is not PROVIDER:
            yield Cell("parallel", one.name, str(TOOLS), partial(job, one))


def stream(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """One reply of 4,000 streamed pieces."""

    def job(one: Subject) -> Cost:
        return drivers.warm(one).ask("stream", 60.0, url=drivers.server.url("stream", steps=4000))

    for one in subjects:
        if one.name in (PROVIDER.name, "openai client"):
            yield Cell(
                "stream", one.name, "4000",
                partial(job, one),
            )  # fmt: skip


def cold(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """From nothing: an import, the program's version or help, the first answer of a script that imports, asks and ends."""

    def imported(one: Subject) -> Cost:
        return command_cost([python_of(one), "-c", f"import {one.module}" if one.module else "pass"])

    def program(one: Subject) -> Cost:
        folder = python_of(one).parent
        return command_cost([folder / one.program[0], *one.program[1:]])

    def answer(one: Subject) -> Cost:
        kind = drivers.warm(one).kind
        return command_cost([python_of(one), DRIVERS / one.driver[0], "--once", drivers.server.url(kind, steps=0)])

    for one in subjects:
        if one is PROVIDER:
            continue
        yield Cell("cold", one.name, "import", partial(imported, one))
        if one.program:
            yield Cell("cold", one.name, "program", partial(program, one))
        yield Cell("cold", one.name, "first answer", partial(answer, one))


def memory(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """Of fresh processes: after one run; what each of 50 waiting runs adds; what a long run adds."""

    def job(one: Subject) -> Cost:
        fresh = Drivers(drivers.server, plan.job_s)
        try:
            first = fresh.run(one, 1)
            crowd = fresh.many(one, AT_ONCE, 1, 1000)
            long = fresh.run(one, plan.growth_steps) if "error" not in crowd else crowd
        finally:
            fresh.stop()
        for cost in (first, crowd, long):
            if "error" in cost:
                return cost
        added = {
            "waiting_mb": (crowd["peak_mb"] - crowd["before_mb"]) / AT_ONCE,
            "long_mb": long["peak_mb"] - long["before_mb"],
        }
        return {"process_mb": first["peak_mb"], **added, "cpu_s": 0.0, "wall_s": 0.0}

    for one in subjects:
        if one is not PROVIDER:
            yield Cell(
                "memory", one.name, str(plan.growth_steps), partial(job, one),
                partial(_growing, results, one.name, plan.growth_steps + 1),
            )  # fmt: skip


def fleet(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """Outrider alone, more and more runs at once: what the simulation has to reproduce."""
    for runs in plan.fleet:
        if OUTRIDER in subjects:
            yield Cell(
                "fleet",
                OUTRIDER.name,
                str(runs),
                partial(drivers.many, OUTRIDER, runs, AT_ONCE_STEPS, LATENCY_MS),
            )


def crowd(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """50 runs at once, short and long: what a step costs among others, and what beginning a run costs."""
    for steps in CROWD_STEPS:
        if OUTRIDER in subjects:
            yield Cell("crowd", OUTRIDER.name, str(steps), partial(drivers.many, OUTRIDER, AT_ONCE, steps, LATENCY_MS))


def batch(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """A thousand goals of ten steps, against a model that takes 200 ms, in one process."""
    runs, steps, delay_ms = plan.batch
    for one in subjects:
        if one in (FLOOR, OUTRIDER):
            do = "batch" if one is OUTRIDER else "many"
            yield Cell("batch", one.name, str(runs), partial(drivers.many, one, runs, steps, delay_ms, do))


def sandbox(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """A snippet of code where it can do no harm, in milliseconds: ours of one call, and what two peers offer."""
    from benchmarks import sandbox as ours

    def own() -> Cost:
        found = ours.measure("namespaces", plan.sandbox_rounds)
        return {"cpu_s": 0.0, "wall_s": 0.0, "ms": found}

    def snippet(one: Subject) -> Cost:
        return drivers.warm(one).ask("snippet", 60.0)

    if OUTRIDER in subjects:
        yield Cell("sandbox", OUTRIDER.name, "all", own)
    for one in subjects:
        if one.name in ("smolagents", "mini-swe-agent"):
            yield Cell("sandbox", one.name, "snippet", partial(snippet, one))


def store(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """Append, read back, find: beside raw sqlite3."""
    from benchmarks.memory import figures

    if OUTRIDER in subjects:
        yield Cell(
            "store", OUTRIDER.name, str(plan.rows), lambda: {"cpu_s": 0.0, "wall_s": 0.0, "ms": figures(plan.rows)}
        )


def database(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """50 runs at once on PostgreSQL: what a step costs the database server, in CPU and in transactions."""
    from benchmarks.databases import on_postgres

    if OUTRIDER in subjects:
        for runs in (10, AT_ONCE):
            yield Cell("database", OUTRIDER.name, str(runs), partial(on_postgres, drivers, runs))


def ray(drivers: Drivers, subjects: Sequence[Subject], results: Results, plan: Plan) -> Iterator[Cell]:
    """A batch of goals that compute, on one node and on two."""
    from benchmarks.on_ray import batch_on

    if OUTRIDER in subjects:
        for nodes in (1, 2):
            yield Cell("ray", OUTRIDER.name, str(nodes), partial(batch_on, nodes))


Measure = Callable[[Drivers, Sequence[Subject], Results, Plan], Iterable[Cell]]
MEASURES: dict[str, Measure] = {
    "step": step, "at_once": at_once, "parallel": parallel, "stream": stream, "cold": cold, "memory": memory,
    "sandbox": sandbox, "store": store, "batch": batch, "fleet": fleet, "crowd": crowd, "database": database, "ray": ray,
}  # fmt: skip


def measure(names: Sequence[str], subjects: Sequence[Subject], results: Results, plan: Plan) -> None:
    """Take the samples of the measures named."""
    with ModelServer() as server:
        drivers = Drivers(server, plan.job_s)
        try:
            for name in names:
                print(f"== {name}", file=sys.stderr, flush=True)
                try:
                    cells = list(MEASURES[name](drivers, subjects, results, plan))
                except Exception as error:  # one measure that cannot begin here costs the others nothing
                    print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                    continue
                take(cells, results, plan)
        finally:
            drivers.stop()
