"""Puts the figures on the pages: fills the marked blocks of docs/benchmarks.md, docs/scale.md and README.md, draws the pictures.

A block stands between `<!-- bench:NAME -->` and `<!-- /bench -->`; the prose around it is written by hand and says nothing that
another run could make untrue. A measure that was not taken leaves its block as it is.
Touches: those pages, docs/pictures/bench-*.svg.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks import fleet_sim, plots, tables
from benchmarks.results import Results
from benchmarks.subjects import SUBJECTS

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(<!-- bench:([\w-]+) -->\n).*?(<!-- /bench -->)", re.DOTALL)


def fill(text: str, blocks: Mapping[str, str]) -> str:
    """A page with its blocks filled; those that `blocks` does not name stay as they are."""
    return BLOCK.sub(
        lambda found: f"{found[1]}{blocks[found[2]]}\n{found[3]}" if found[2] in blocks else found[0], text
    )


def about(results: Results) -> str:
    """Machine, date, versions, load."""
    machine, load = results.about["machine"], results.loads()
    kind = "`--quick`, few samples" if results.about["quick"] else "whole"
    busy = f"load average {load.median:.1f} (quartiles {load.low:.1f}–{load.high:.1f})" if load else "no samples"
    versions = "; ".join(version for version in results.about.get("versions", {}).values() if version)
    missing = "".join(f" {name} is missing: {why}." for name, why in results.unavailable.items())
    loaded = (
        " **Other work was on the machine: times on the clock are long for all, CPU is somewhat high for all; ratios hold.**"
        if load and load.median > machine["cpus"] + 1 else ""
    )  # fmt: skip
    return (
        f"Measured on {results.about['date']}, {kind}, in {results.about.get('minutes', '?')} minutes: {machine['cpus']} cores ({machine['cpu']}), "
        f"{machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}; {busy}.{loaded}\n\nVersions: {versions}; Outrider at {results.about.get('commit') or 'an unnamed state'}.{missing}"
    )


def summary(results: Results) -> str:
    """The few lines of the README."""
    rows = []
    for name in ("floor", "outrider", *(subject.name for subject in SUBJECTS if subject.packages)):
        cells = [results.figure("step", name, size, "cpu_s", 1e3 / int(size)) for size in ("10", "100")]
        crowd = results.figure("at_once", name, "50", "cpu_s")
        answer = results.figure("cold", name, "first answer", "cpu_s")
        if any((*cells, crowd, answer)):
            rows.append([name, *(tables.number(cell.median) if cell else "–" for cell in (*cells, crowd, answer))])
    head = [
        "CPU",
        "ms a step, 10 steps",
        "ms a step, 100 steps",
        "s for 50 runs × 20 steps at once",
        "s from start to first answer",
    ]
    load = results.loads()
    note = f"Medians of one run on {results.about['machine']['cpus']} cores, {results.about['date'].partition(' ')[0]}"
    return f"{tables.table(head, rows)}\n\n{note}{f', load average {load.median:.1f}' if load else ''}; – was not measured, the page says why."


def pictures(results: Results, folder: Path) -> list[Path]:
    """Those whose measure was taken."""
    made = []
    drawn = []
    for name, sizes in results.samples.get("step", {}).items():
        found = {int(size): results.figure("step", name, size, "cpu_s", 1e3 / int(size)) for size in sizes}
        points = [(float(size), value.median) for size, value in sorted(found.items()) if value]
        if points:
            drawn.append(plots.Line(name, points))
    if drawn:
        made.append(folder / "bench-step.svg")
        plots.lines("CPU of a step, by the length of the run", "steps of the run", "ms of CPU a step", drawn, made[-1])
    for measure, size, title, unit in (
        ("at_once", "50", "50 runs × 20 steps × 50 ms in one process", "seconds of CPU"),
        ("cold", "first answer", "From the start of the process to its first answer", "seconds of CPU"),
    ):
        values = {}
        for name in results.samples.get(measure, {}):
            if cost := results.figure(measure, name, size, "cpu_s"):
                values[name] = (cost.median, f"{tables.number(cost.median)} s")
        if values:
            made.append(folder / f"bench-{measure.replace('_', '-')}.svg")
            plots.bars(title, unit, values, made[-1])
    return made


def write(results: Results, root: Path = ROOT) -> list[Path]:
    """Fill and draw; the files that were written."""
    folder = root / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    blocks = {name: table(results) for name, table in tables.TABLES.items() if name in results.samples}
    blocks["about"] = about(results)
    if "step" in results.samples:
        blocks["summary"] = summary(results)
    written = pictures(results, folder)
    scale, plot = fleet_sim.page_blocks(results, folder)
    blocks |= scale
    written += plot
    for page in (root / "docs" / "benchmarks.md", root / "docs" / "scale.md", root / "README.md"):
        if page.exists():
            old = page.read_text(encoding="utf-8")
            if (new := fill(old, blocks)) != old:
                page.write_text(new, encoding="utf-8")
                written.append(page)
    return written
