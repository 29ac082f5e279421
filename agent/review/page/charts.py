"""Two pictures of a run: what happened when, on lanes (model, tools, person), and how the budget went down. SVG, no script.
Touches nothing. Does not promise: every event of a long run; spans closer than a pixel are drawn as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from outrider.agent.review.lines import duration
from outrider.agent.review.story import Step

WIDTH = 1000
LANE = 22
LEFT = 70
MOST_SPANS = 3000


@dataclass(frozen=True, slots=True)
class Span:
    """Work from `start_s` to `end_s` (seconds of the run's own clock) on a lane. `seq`: the event to jump to."""

    lane: str
    start_s: float
    end_s: float
    seq: int
    title: str
    ok: bool = True


def spans(steps: Iterable[Step]) -> list[Span]:
    """The model's and the tools' work of a run, in order; calls that ran together overlap."""
    found: list[Span] = []
    for step in steps:
        if step.asked and step.replied:
            end = step.replied.elapsed_s or step.asked.elapsed_s + step.replied.latency_s
            found.append(Span("model", step.asked.elapsed_s, end, step.first, step.title, not step.replied.error))
        for call in step.calls:
            if call.returned and call.returned.ran:
                end = call.returned.elapsed_s
                work = max(0.0, end - call.returned.wall_s)
                found.append(Span("tools", work, end, call.returned_seq, call.tool, call.returned.ok))
    return found


def timeline(all_spans: list[Span], *, prefix: str = "") -> str:
    """Lanes with one bar a span; tools that overlap are put on lanes of their own. "" for a run without spans.

    prefix: what comes before `#e12` in a link.
    """
    if not all_spans:
        return ""
    total = max(span.end_s for span in all_spans) or 1e-9
    rows = _rows(all_spans)
    height = LANE * (max(rows.values()) + 1) + 22
    kept = all_spans if len(all_spans) <= MOST_SPANS else all_spans[:: len(all_spans) // MOST_SPANS + 1]
    bars = "".join(_bar(span, rows[id(span)], total, prefix) for span in kept)
    names = f'<text x="4" y="{LANE - 7}">model</text>' + (
        f'<text x="4" y="{2 * LANE - 7}">tools</text>' if any(s.lane == "tools" for s in all_spans) else ""
    )
    label = f"Timeline: {len(all_spans):,} spans in {duration(total)}"
    return (
        f'<svg class="timeline" viewBox="0 0 {WIDTH} {height}" role="group" aria-label="{escape(label)}">'
        f"{names}{bars}{_axis(total, height)}</svg>"
    )


def burn_down(steps: Iterable[Step], limits: dict[str, float]) -> str:
    """For each limited unit the share that is left after every step. "" without limits."""
    points: dict[str, list[tuple[float, float]]] = {unit: [] for unit in limits}
    used = {"tokens": 0.0, "usd": 0.0, "steps": 0.0, "calls": 0.0, "seconds": 0.0}
    count = 0
    for step in steps:
        count += 1
        if step.replied:
            used["tokens"] += step.replied.cost.tokens
            used["usd"] += float(step.replied.cost.usd)
            used["steps"] += step.purpose == "step" and not step.replied.error
            used["seconds"] = max(used["seconds"], step.replied.elapsed_s)
        used["calls"] += sum(1 for call in step.calls if call.returned and call.returned.ran)
        for unit, limit in limits.items():
            points[unit].append((count, max(0.0, 1 - used.get(unit, 0.0) / limit) if limit else 0.0))
    if not limits or count < 2:
        return ""
    lines = "".join(_curve(unit, points[unit], number, count) for number, unit in enumerate(limits))
    return (
        f'<svg class="burn" viewBox="0 0 {WIDTH} 150" role="img" aria-label="Budget left after each step">'
        f'<line x1="{LEFT}" y1="120" x2="{WIDTH}" y2="120" class="axis"/>{lines}'
        f'<text x="4" y="16">100 %</text><text x="4" y="122">0 %</text></svg>'
    )


def _rows(all_spans: list[Span]) -> dict[int, int]:
    """Row of each span: 0 is the model's; a tool takes the first row that is free when it starts."""
    rows, busy = {}, list[float]()
    for span in sorted(all_spans, key=lambda s: s.start_s):
        if span.lane == "model":
            rows[id(span)] = 0
            continue
        row = next((n for n, until in enumerate(busy) if until <= span.start_s + 1e-6), len(busy))
        row = min(row, 7)  # eight lanes are enough to see that they ran together
        busy[row : row + 1] = [span.end_s]
        rows[id(span)] = row + 1
    return rows


def _bar(span: Span, row: int, total: float, prefix: str) -> str:
    scale = (WIDTH - LEFT) / total
    x, width = LEFT + span.start_s * scale, max(1.5, (span.end_s - span.start_s) * scale)
    kind = f"{span.lane}{'' if span.ok else ' bad'}"
    title = escape(f"{span.title}, {duration(span.end_s - span.start_s)}")
    return (
        f'<a href="{escape(prefix)}#e{span.seq}" aria-label="{title}">'
        f'<rect class="{kind}" x="{x:.1f}" y="{row * LANE + 3}" width="{width:.1f}" height="{LANE - 6}" rx="2">'
        f"<title>{title}</title></rect></a>"
    )


def _axis(total: float, height: int) -> str:
    marks = "".join(
        f'<text x="{LEFT + (WIDTH - LEFT) * part / 4:.0f}" y="{height - 6}" text-anchor="{anchor}">'
        f"{escape(duration(total * part / 4))}</text>"
        for part, anchor in ((0, "start"), (1, "middle"), (2, "middle"), (3, "middle"), (4, "end"))
    )
    return f'<line x1="{LEFT}" y1="{height - 20}" x2="{WIDTH}" y2="{height - 20}" class="axis"/>{marks}'


def _curve(unit: str, points: list[tuple[float, float]], number: int, count: int) -> str:
    step = max(1, len(points) // 500)
    kept = [*points[::step], points[-1]]
    path = " ".join(f"{LEFT + (WIDTH - LEFT) * x / count:.1f},{10 + 110 * (1 - share):.1f}" for x, share in kept)
    at = LEFT + 130 * number
    return (
        f'<polyline class="curve c{number}" points="{path}"/>'
        f'<rect class="key c{number}" x="{at}" y="134" width="10" height="10"/><text x="{at + 16}" y="144">{escape(unit)}</text>'
    )
