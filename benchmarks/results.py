"""The samples of a run of the benchmarks, as JSON in the cache: taken once, drawn as often as one likes. And what is made of them.

A file holds `about` (machine, date, versions), `unavailable` (subject → why) and `samples`: measure → subject → size → a list of
costs, one a round, each with the load of the machine when it was taken; a cost may be `{"error": why}` or `{"left_out": why}`.
Touches: the file it is given. Statistics are medians and quartiles: on a shared machine a mean says little.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Cost = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """The median of `n` samples and their quartiles."""

    median: float
    low: float
    high: float
    n: int


def figure(values: Sequence[float]) -> Figure | None:
    """None of no values."""
    if not values:
        return None
    if len(values) == 1:
        return Figure(values[0], values[0], values[0], 1)
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(middle, low, high, len(values))


@dataclass
class Results:
    """See the module. `file` None: kept nowhere."""

    about: dict[str, Any] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    samples: dict[str, dict[str, dict[str, list[Cost]]]] = field(default_factory=dict)
    file: Path | None = None

    def add(self, measure: str, subject: str, size: str, cost: Cost) -> None:
        """Keep a sample, on disk before the next one is taken."""
        cost = {**cost, "load": round(os.getloadavg()[0], 2)}
        self.samples.setdefault(measure, {}).setdefault(subject, {}).setdefault(size, []).append(cost)
        self.save()

    def save(self) -> None:
        """Write the file, whole or not at all."""
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"about": self.about, "unavailable": self.unavailable, "samples": self.samples}))
        new.replace(self.file)

    def costs(self, measure: str, subject: str, size: str) -> list[Cost]:
        """Those that are figures."""
        found = self.samples.get(measure, {}).get(subject, {}).get(size, [])
        return [cost for cost in found if "error" not in cost and "left_out" not in cost]

    def figure(
        self, measure: str, subject: str, size: str, of: str | Callable[[Cost], float], scale: float = 1.0
    ) -> Figure | None:
        """Of one entry of each cost, or of what `of` makes of it, times `scale`."""
        take = of if callable(of) else lambda cost: cost[of]
        return figure([take(cost) * scale for cost in self.costs(measure, subject, size)])

    def ratio(self, measure: str, subject: str, size: str, of: str, to: str = "floor") -> Figure | None:
        """To another subject in the same round."""
        theirs = {cost.get("round", at): cost[of] for at, cost in enumerate(self.costs(measure, to, size))}
        mine = {cost.get("round", at): cost[of] for at, cost in enumerate(self.costs(measure, subject, size))}
        return figure([value / theirs[turn] for turn, value in mine.items() if theirs.get(turn)])

    def exponent(self, measure: str, subject: str, low: str, high: str) -> float | None:
        """The slope of CPU a run over its steps, on log paper: 1 is flat a step, 2 walks the whole history each step."""
        small, large = self.figure(measure, subject, low, "cpu_s"), self.figure(measure, subject, high, "cpu_s")
        if small is None or large is None or not small.median:
            return None
        return math.log(large.median / small.median) / math.log(int(high) / int(low))

    def why_not(self, measure: str, subject: str, size: str) -> str:
        """Why there is no figure; "" if there is one, or if it was never asked for."""
        if subject in self.unavailable:
            return self.unavailable[subject]
        if self.costs(measure, subject, size):
            return ""
        found = self.samples.get(measure, {}).get(subject, {}).get(size, [])
        return next((str(cost.get("error") or cost.get("left_out")) for cost in found), "")

    def loads(self, measures: Iterable[str] = ()) -> Figure | None:
        """The load average while samples were taken."""
        wanted = set(measures) or set(self.samples)
        return figure(
            [cost["load"] for name in wanted for sizes in self.samples.get(name, {}).values() for costs in sizes.values() for cost in costs]
        )  # fmt: skip


def read(file: Path) -> Results:
    """Raises FileNotFoundError."""
    kept = json.loads(file.read_text())
    return Results(kept["about"], kept["unavailable"], kept["samples"], file)
