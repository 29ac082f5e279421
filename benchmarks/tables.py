"""The tables of docs/benchmarks.md, each made of stored results: Markdown. A cell that has no figure says why in its note.

Figures are medians, with quartiles in brackets where there are three samples or more, and the number of samples where it is one.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from benchmarks.results import Figure, Results, figure
from benchmarks.subjects import OUTRIDER, SUBJECTS

NAMES = [subject.name for subject in SUBJECTS]


def number(value: float) -> str:
    """Three digits that say something."""
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def shown(found: Figure | None) -> str:
    """A median with its quartiles."""
    if found is None:
        return "–"
    if found.n < 3:
        return number(found.median) + ("¹" if found.n == 1 else "")
    return f"{number(found.median)} ({number(found.low)}–{number(found.high)})"


def times(found: Figure | None) -> str:
    """A ratio."""
    return "–" if found is None else f"{number(found.median)} ×"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 0) -> str:
    """Markdown, the first column and the last `words` to the left and the others to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1 - words) + "---|" * words]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)])


def _asked(results: Results, measure: str) -> list[str]:
    """The subjects of a measure, in the order of SUBJECTS."""
    found = results.samples.get(measure, {})
    return [name for name in NAMES if name in found]


def _notes(results: Results, measure: str, sizes: Sequence[str]) -> str:
    """Why cells are empty."""
    words = []
    for name in _asked(results, measure) + list(results.unavailable):
        for size in sizes:
            if why := results.why_not(measure, name, size):
                words.append(
                    f"{name}{f' at {size}' if len(sizes) > 1 and name not in results.unavailable else ''}: {why}"
                )
    return "\n\nNot measured: " + "; ".join(dict.fromkeys(words)) + "." if words else ""


def _sizes(results: Results, measure: str) -> list[str]:
    found = {size for sizes in results.samples.get(measure, {}).values() for size in sizes}
    return sorted(found, key=lambda size: (not size.isdigit(), int(size) if size.isdigit() else 0, size))


def step(results: Results) -> str:
    """CPU of a step, by the length of the run."""
    sizes = _sizes(results, "step")
    keeps = {subject.name: subject.keeps for subject in SUBJECTS}
    rows = []
    for name in _asked(results, "step"):
        cpu = [results.figure("step", name, size, "cpu_s", 1e3 / int(size)) for size in sizes]
        done = [size for size in sizes if results.costs("step", name, size)]
        top = min([done[-1], "400"], key=int) if done else ""
        slope = results.exponent("step", name, "100", top) if top and int(top) > 100 else None
        disk = results.figure("step", name, top, "disk_bytes", 1e-3 / int(top)) if top else None
        rows.append([
            name, *map(shown, cpu), times(results.ratio("step", name, top, "cpu_s") if top else None) + (f" at {top}" if top else ""),
            f"{slope:.2f}" if slope else "–", number(disk.median) if disk and disk.median else "–", keeps[name],
        ])  # fmt: skip
    head = [
        "",
        *(f"{int(size):,} steps" for size in sizes),
        "to the floor",
        "exponent",
        "kB on disk a step",
        "what is kept",
    ]
    return table(head, rows, words=1) + _notes(results, "step", sizes)


def at_once(results: Results) -> str:
    """50 runs in one process."""
    rows = [
        [name, shown(results.figure("at_once", name, "50", "wall_s")), shown(results.figure("at_once", name, "50", "cpu_s")),
         times(results.ratio("at_once", name, "50", "cpu_s"))]
        for name in _asked(results, "at_once")
    ]  # fmt: skip
    return table(["", "wall s", "CPU s", "CPU to the floor"], rows) + _notes(results, "at_once", ["50"])


def parallel(results: Results) -> str:
    """Eight calls of one reply."""
    rows = []
    for name in _asked(results, "parallel"):
        speedup = results.figure("parallel", name, "8", lambda cost: 8 * 0.05 / cost["wall_s"])
        rows.append([name, shown(results.figure("parallel", name, "8", "wall_s", 1e3)), times(speedup)])
    return table(["", "wall ms", "to one after the other (400 ms)"], rows) + _notes(results, "parallel", ["8"])


def stream(results: Results) -> str:
    """A streamed piece."""
    rows = [
        [name, shown(results.figure("stream", name, "4000", "cpu_s", 1e6 / 4000))] for name in _asked(results, "stream")
    ]
    return table(["", "µs of CPU a piece"], rows) + _notes(results, "stream", ["4000"])


def cold(results: Results) -> str:
    """From nothing."""
    sizes = ["import", "program", "first answer"]
    rows = []
    for name in _asked(results, "cold"):
        cells = [results.figure("cold", name, size, "cpu_s") for size in sizes]
        walls = [results.figure("cold", name, size, "wall_s") for size in sizes]
        rows.append(
            [
                name,
                *(
                    f"{shown(cpu)} · {number(wall.median)}" if cpu and wall else "–"
                    for cpu, wall in zip(cells, walls, strict=True)
                ),
            ]
        )
    return table(["", "import", "the program says its version or help", "first answer"], rows) + _notes(results, "cold", sizes)  # fmt: skip


def memory(results: Results) -> str:
    """Megabytes."""
    sizes = _sizes(results, "memory")
    size = sizes[-1] if sizes else ""
    rows = [
        [name, *(shown(results.figure("memory", name, size, of)) for of in ("process_mb", "waiting_mb", "long_mb"))]
        for name in _asked(results, "memory")
    ]
    return table(["", "process after one run", "each waiting run adds", f"a run of {size} steps adds"], rows) + _notes(results, "memory", [size])  # fmt: skip


def sandbox(results: Results) -> str:
    """Snippets."""
    found = results.costs("sandbox", OUTRIDER.name, "all")
    rows = []
    for name in found[0]["ms"] if found else ():
        values = [value for cost in found for value in cost["ms"][name]]
        bare = statistics.median([value for cost in found for value in cost["ms"]["bare"]])
        quarters = statistics.quantiles(values, n=4)
        whose = "floor: `python -c pass`" if name == "bare" else "floor: `python -I -S -c pass`" if name.startswith("bare") else f"outrider, {name}"  # fmt: skip
        rows.append(
            [whose, shown(Figure(quarters[1], quarters[0], quarters[2], len(values))), f"{quarters[1] / bare:.3f} ×"]
        )
    own_bare = statistics.median([value for cost in found for value in cost["ms"]["bare"]]) if found else 0.0
    for name, what in (
        ("smolagents", "its interpreter, in the process"),
        ("mini-swe-agent", "its bubblewrap, a shell"),
    ):
        if spent := results.figure("sandbox", name, "snippet", "wall_s", 1e3):
            rows.append([f"{name}: {what}", shown(spent), f"{spent.median / own_bare:.3f} ×" if own_bare else "–"])
    return table(["", "wall ms", "to `python -c pass`"], rows) + _notes(results, "sandbox", ["all", "snippet"])


def store(results: Results) -> str:
    """Append, read, find."""
    size = (_sizes(results, "store") or [""])[-1]
    rows = []
    costs = results.costs("store", OUTRIDER.name, size)
    for what in costs[0]["ms"] if costs else ():
        ours, raw = (figure([c["ms"][what][who] for c in costs if who in c["ms"][what]]) for who in ("ours", "raw"))
        rows.append([what, shown(ours), shown(raw), f"{number(ours.median / raw.median)} ×" if ours and raw else "–"])
    lines = table([f"{int(size or 0):,} observations of 40 words", "outrider ms", "raw sqlite3 ms", "ratio"], rows)
    return lines + (f"\n\nNot measured: {why}." if (why := results.why_not("store", OUTRIDER.name, size)) else "")


def batch(results: Results) -> str:
    """A thousand goals."""
    runs, steps, delay_ms = results.about["plan"]["batch"]
    rows = []
    for name in _asked(results, "batch"):
        wall, cpu, peak = (results.figure("batch", name, str(runs), of) for of in ("wall_s", "cpu_s", "peak_mb"))
        rows.append([name, shown(wall), shown(cpu), shown(peak)])
    head = [f"{runs:,} goals × {steps} steps × {delay_ms} ms", "wall s", "CPU s", "MB at most"]
    return table(head, rows) + _notes(results, "batch", [str(runs)])


def database(results: Results) -> str:
    """What PostgreSQL spends."""
    rows = []
    for size in _sizes(results, "database"):
        figures = [
            results.figure("database", OUTRIDER.name, size, of)
            for of in ("wall_s", "cpu_s", "server_cpu_ms", "commits", "rows")
        ]
        rows.append([f"{size} runs × 20 steps × 50 ms", *map(shown, figures)])
    head = [
        "PostgreSQL",
        "wall s",
        "CPU s of the process",
        "ms of server CPU a step",
        "transactions a step",
        "rows written a step",
    ]
    return table(head, rows) + _notes(results, "database", _sizes(results, "database"))


def ray(results: Results) -> str:
    """Nodes."""
    rows = []
    for size in _sizes(results, "ray"):
        ratio = results.figure("ray", OUTRIDER.name, size, "wall_s")
        one = results.figure("ray", OUTRIDER.name, "1", "wall_s")
        faster = one.median / ratio.median if ratio and one else None
        rows.append([size, shown(ratio), f"{number(faster)} ×" if faster else "–"])
    return table(["nodes of one CPU", "wall s", "to one node"], rows) + _notes(results, "ray", _sizes(results, "ray"))


TABLES: dict[str, Callable[[Results], str]] = {
    "step": step, "at_once": at_once, "parallel": parallel, "stream": stream, "cold": cold, "memory": memory,
    "sandbox": sandbox, "store": store, "batch": batch, "database": database, "ray": ray,
}  # fmt: skip
