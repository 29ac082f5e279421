"""Measures Outrider, its peers and the floor in one run, and writes docs/benchmarks.md: `python -m benchmarks.all`.

    --quick                fewer samples; what would take long is left out and named (minutes, not hours)
    --only step,at_once    some measures;  --subjects floor,outrider,langchain: some subjects (the floor is always one)
    --more [FILE]          add samples to stored results (the newest) and do not begin new ones
    --redraw [FILE]        draw the page again from stored results, without measuring
    --no-page              measure and keep the results; the tables go to the terminal

Peers are installed on first use, each in an environment of its own under the user's cache folder ($OUTRIDER_BENCH_CACHE).
Samples are kept there as JSON as soon as they are taken, so a run that is interrupted has lost nothing but its page.
Touches: the cache folder, loopback, docs/benchmarks.md, docs/scale.md, the block in README.md, docs/pictures/bench-*.svg.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import page, tables
from benchmarks.measures import FULL, MEASURES, QUICK, Plan, measure
from benchmarks.results import Results, read
from benchmarks.subjects import FLOOR, SUBJECTS, Subject, Unavailable, cache, python_of, version_of


def machine() -> dict[str, Any]:
    """What it ran on, without a name that would tell whose it is."""
    model = next((line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    total = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0.0)
    return {
        "cpus": os.cpu_count(), "cpu": model or platform.machine(), "memory_gb": round(total), "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }  # fmt: skip


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []


def commit() -> str:
    """Which state of the repository is measured; "" outside one."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=page.ROOT, check=False
    )
    return done.stdout.strip()


def prepared(subjects: list[Subject], results: Results) -> list[Subject]:
    """Those that can be measured; installs what is missing, and notes versions and reasons."""
    ready = []
    for subject in subjects:
        try:
            print(f"{subject.name} …", file=sys.stderr, flush=True)
            results.about.setdefault("versions", {})[subject.name] = version_of(subject, python_of(subject))
            results.unavailable.pop(subject.name, None)
            ready.append(subject)
        except Unavailable as why:
            results.unavailable[subject.name] = str(why)
            print(f"{subject.name}: {why}", file=sys.stderr, flush=True)
    return ready


def chosen(names: str) -> list[Subject]:
    """The subjects named, by the beginning of their names, and the floor."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    found = [s for s in SUBJECTS if s is FLOOR or not wanted or any(s.name.startswith(name) for name in wanted)]
    for name in wanted:
        if not any(subject.name.startswith(name) for subject in SUBJECTS):
            raise SystemExit(f"no subject {name!r}; there are: {', '.join(s.name for s in SUBJECTS)}")
    return found


def run(flags: argparse.Namespace, plan: Plan) -> Results:
    """Measure."""
    names = [name for name in flags.only.split(",") if name] or list(MEASURES)
    if unknown := [name for name in names if name not in MEASURES]:
        raise SystemExit(f"no measure {unknown[0]!r}; there are: {', '.join(MEASURES)}")
    began = time.time()
    if flags.more is not None:
        results = read(Path(flags.more) if flags.more else newest())
        return measured(flags, names, results, plan, began)
    file = cache() / "results" / f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(began))}.json"
    about = {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(began)),
        "commit": commit(),
        "quick": flags.quick,
        "plan": plan.__dict__,
        "machine": machine(),
    }
    return measured(flags, names, Results(about=about, file=file), plan, began)


def measured(flags: argparse.Namespace, names: list[str], results: Results, plan: Plan, began: float) -> Results:
    """Add the samples of the measures named to `results`."""
    subjects = prepared(chosen(flags.subjects), results)
    try:
        measure(names, subjects, results, plan)
    except KeyboardInterrupt:
        print("stopped: what was measured is kept", file=sys.stderr)
    results.about["minutes"] = round(results.about.get("minutes", 0.0) + (time.time() - began) / 60, 1)
    results.save()
    print(f"results: {results.file}", file=sys.stderr)
    return results


def newest() -> Path:
    """The results of the last run."""
    found = sorted((cache() / "results").glob("*.json"))
    if not found:
        raise SystemExit("nothing was measured yet: python -m benchmarks.all --quick")
    return found[-1]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer samples, some minutes")
    parser.add_argument("--only", default="", help=f"some of {','.join(MEASURES)}")
    parser.add_argument("--subjects", default="", help="some subjects, by the beginning of their names")
    parser.add_argument("--more", nargs="?", const="", metavar="FILE", help="add to stored results")
    parser.add_argument("--redraw", nargs="?", const="", metavar="FILE", help="draw the page from stored results")
    parser.add_argument("--no-page", action="store_true", help="print the tables instead")
    flags = parser.parse_args()
    if flags.redraw is not None:
        results = read(Path(flags.redraw) if flags.redraw else newest())
    else:
        results = run(flags, QUICK if flags.quick else FULL)
    if flags.no_page:
        for name in (name for name in tables.TABLES if name in results.samples):
            print(f"\n{name}\n{tables.TABLES[name](results)}")
    else:
        for file in page.write(results):
            print(file)


if __name__ == "__main__":
    main()
