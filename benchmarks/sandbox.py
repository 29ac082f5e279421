"""How fast the sandbox is, as ratios to a bare interpreter in the same run: `python benchmarks/sandbox.py`.

Rounds of all measures alternate, so that a busy machine slows all of them alike; the medians are compared.
"bare" is `python -c pass` of this interpreter (with its environment), "bare -I -S" the least Python can do.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from outrider.tools.sandbox import open_sandbox

TARGETS = {"first call": 2.0, "fresh call": 0.2, "kept session": 0.05}


def timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1e3


def first_call(isolation: str) -> float:
    """From nothing to the first answer, the isolation having been tested before."""

    def run() -> None:
        with open_sandbox(isolation=isolation) as box:
            assert box.python("print(1)").stdout == "1\n"
            spent.append(time.perf_counter())

    spent: list[float] = []
    began = time.perf_counter()
    run()
    return (spent[0] - began) * 1e3


def memory_each(isolation: str, sandboxes: int) -> float:
    """MB of each of many sandboxes that have served a call, shared pages counted once (PSS)."""
    boxes = [open_sandbox(isolation=isolation) for _ in range(sandboxes)]
    try:
        for box in boxes:
            box.python("pass")
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                children.setdefault(parent, []).append(int(entry.name))
        total, waiting = 0, [os.getpid()]
        while waiting:
            for pid in children.get(waiting.pop(), ()):
                waiting.append(pid)
                total += int(Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1].split()[0])
        return total / 1024 / sandboxes
    finally:
        for box in boxes:
            box.close()


def measure(isolation: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every measure, `rounds` times."""
    found: dict[str, list[float]] = {}
    bare = [sys.executable, "-c", "pass"]
    least = [sys.executable, "-I", "-S", "-c", "pass"]
    first_call(isolation)  # the probe
    with open_sandbox(isolation=isolation) as box, box.session() as session:
        box.python("pass")
        session.run("x = 0")
        time.sleep(0.2)  # the worker prepares while it is idle
        actions: dict[str, Callable[[], float]] = {
            "bare": lambda: timed(lambda: subprocess.run(bare, check=True)),
            "bare -I -S": lambda: timed(lambda: subprocess.run(least, check=True)),
            "first call": lambda: first_call(isolation),
            "fresh call": lambda: timed(lambda: box.python("pass")),
            "fresh shell": lambda: timed(lambda: box.shell(":")),
            "kept session": lambda: timed(lambda: session.run("x += 1")),
        }
        for _ in range(rounds):
            for name, action in actions.items():
                found.setdefault(name, []).append(action())
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--isolation", default="namespaces")
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--sandboxes", type=int, default=20)
    chosen = options.parse_args()
    found = measure(chosen.isolation, chosen.rounds)
    bare = statistics.median(found["bare"])
    print(f"{chosen.isolation}, {chosen.rounds} rounds\n{'':14} {'median ms':>9} {'p10 ms':>8} {'× bare':>7}  target")
    for name, times in found.items():
        tenth = sorted(times)[len(times) // 10]
        middle = statistics.median(times)
        target = f"≤ {TARGETS[name]}" if name in TARGETS else ""
        print(f"{name:14} {middle:9.2f} {tenth:8.2f} {middle / bare:7.3f}  {target}")
    print(
        f"memory of each of {chosen.sandboxes}: {memory_each(chosen.isolation, chosen.sandboxes):.1f} MB (PSS; target ≤ 25)"
    )


if __name__ == "__main__":
    main()
