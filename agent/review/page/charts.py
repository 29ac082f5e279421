"""Two pictures of a run: what happened when, on lanes (model, people, tools), and how the budget went down. SVG, no script.
Touches nothing. Does not promise: every event of a long run; spans closer than a pixel are drawn as one. Time in which
nothing of the run went on (it was left, and resumed the next day) is drawn as a short break.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import escape

from outrider.agent.review.lines import duration, one_line
from outrider.agent.review.story import Step, seconds_between
from outrider.memory.events import ApprovalAsked, ApprovalGiven

WIDTH = 1000
LANE = 22
LEFT = 70
MOST_SPANS = 3000
LANES = ("model", "people", "tools")
LEAST_BREAK_S = 2.0  # a shorter pause is drawn as long as it was


@dataclass(frozen=True, slots=True)
class Span:
    """Work from `start_s` to `end_s` (seconds since the run began) on a lane. `seq`: the event to jump to."""

    lane: str
    start_s: float
    end_s: float
    seq: int
    title: str
    ok: bool = True


def spans(steps: Iterable[Step]) -> list[Span]:
    """The model's and the tools' work of a run and its waits for people, in order; calls that ran together overlap."""
    told = list(steps)
    ends = [call.returned.elapsed_s for step in told for call in step.calls if call.returned]
    ends += [step.replied.elapsed_s for step in told if step.replied]
    clock_s = seconds_between(told[0].at, told[-1].at) if told else 0.0
    on_the_wall = clock_s >= max(ends, default=0.0) / 2  # a transcript brought from elsewhere has only its own clock
    return [span for step in told for span in _spans_of(step, told[0].at if on_the_wall else "")]


def _spans_of(step: Step, began: str) -> Iterator[Span]:
    """began: when the run did, "" to go by the run's own clock, in which nobody waits."""
    if step.asked and step.replied:
        end = step.replied.elapsed_s or step.asked.elapsed_s + step.replied.latency_s
        start = step.asked.elapsed_s
        if began:
            start = seconds_between(began, step.at)
            end = start + max(end - step.asked.elapsed_s, step.replied.latency_s)
        yield Span("model", start, end, step.first, step.title, not step.replied.error)
    for call in step.calls:
        back = call.returned
        if back and back.ran:
            start = seconds_between(began, call.called_at) if began else max(0.0, back.elapsed_s - back.wall_s)
            yield Span("tools", start, start + back.wall_s, call.returned_seq, call.tool, back.ok)
            if began and back.waited_s:
                end = start + back.wall_s
                yield Span("people", end - back.waited_s, end, call.returned_seq, f"{call.tool} asked a person")
    if began:
        yield from _waits(step, began)


def _waits(step: Step, began: str) -> Iterator[Span]:
    asked: dict[str, tuple[int, str, ApprovalAsked]] = {}
    for stored in step.others:
        event = stored.event
        if isinstance(event, ApprovalAsked):
            asked[event.call_id] = (stored.seq, stored.at, event)
        elif isinstance(event, ApprovalGiven) and event.call_id in asked and event.waited_s >= 0.01:
            seq, at, question = asked[event.call_id]
            start = seconds_between(began, at)
            word = "allowed" if event.approved else "refused"
            yield Span("people", start, start + event.waited_s, seq, f"{question.tool}: {word}", event.approved)


def timeline(all_spans: list[Span], *, prefix: str = "") -> str:
    """Lanes with one bar a span; tools that overlap are put on lanes of their own. "" for a run without spans.

    prefix: what comes before `#e12` in a link.
    """
    if not all_spans:
        return ""
    all_spans, breaks = _squeezed(all_spans)
    total = max(span.end_s for span in all_spans) or 1e-9
    rows = _rows(all_spans)
    height = LANE * (max(rows.values()) + 1) + 22
    kept = all_spans if len(all_spans) <= MOST_SPANS else all_spans[:: len(all_spans) // MOST_SPANS + 1]
    bars = "".join(_bar(span, rows[id(span)], total, prefix) for span in kept)
    first = {lane: min(rows[id(s)] for s in all_spans if s.lane == lane) for lane in LANES if any(s.lane == lane for s in all_spans)}  # fmt: skip
    names = "".join(f'<text x="4" y="{(row + 1) * LANE - 7}">{lane}</text>' for lane, row in first.items())
    pauses = "".join(_pause(at, away_s, total, height) for at, away_s in breaks)
    label = f"Timeline: {len(all_spans):,} spans in {duration(total)}"
    return (
        f'<svg class="timeline" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="group" '
        f'aria-label="{escape(label)}">{pauses}{names}{bars}{_axis(total, height)}</svg>'
    )


def _squeezed(all_spans: list[Span]) -> tuple[list[Span], list[tuple[float, float]]]:
    """The spans without long pauses in which nothing went on, and (place, seconds left out) of each such pause."""
    order = sorted(all_spans, key=lambda s: s.start_s)
    worked_s, until = 0.0, order[0].start_s
    for span in order:
        worked_s += max(0.0, span.end_s - max(until, span.start_s))
        until = max(until, span.end_s)
    least_s = max(LEAST_BREAK_S, worked_s / 2)
    away_s, until, moved, breaks = order[0].start_s, order[0].start_s, list[Span](), list[tuple[float, float]]()
    for span in order:
        if (gap_s := span.start_s - until) > least_s:
            shown_s = worked_s / 50
            breaks.append((until - away_s + shown_s / 2, gap_s))
            away_s += gap_s - shown_s
        until = max(until, span.end_s)
        moved.append(replace(span, start_s=span.start_s - away_s, end_s=span.end_s - away_s))
    return moved, breaks


def _pause(at_s: float, away_s: float, total: float, height: int) -> str:
    x = LEFT + at_s * (WIDTH - LEFT) / total
    said = escape(f"nothing went on for {duration(away_s)}")
    return f'<line class="pause" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{height - 20}"><title>{said}</title></line>'


def burn_down(steps: Iterable[Step], limits: dict[str, float]) -> str:
    """For each limited unit the share that is left after every step. "" without limits."""
    points: dict[str, list[tuple[float, float]]] = {unit: [(0, 1.0)] for unit in limits}
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
        f'<svg class="burn" viewBox="0 0 {WIDTH} 150" width="{WIDTH}" height="150" role="img" aria-label="Budget left after each step">'
        f'<line x1="{LEFT}" y1="120" x2="{WIDTH}" y2="120" class="axis"/>{lines}'
        f'<text x="4" y="16">100 %</text><text x="4" y="122">0 %</text></svg>'
    )


def _rows(all_spans: list[Span]) -> dict[int, int]:
    """Row of each span: 0 is the model's, then the people's if they waited; a tool takes the first row that is free then."""
    rows, busy = {}, list[float]()
    below = 2 if any(span.lane == "people" for span in all_spans) else 1
    for span in sorted(all_spans, key=lambda s: s.start_s):
        if span.lane != "tools":
            rows[id(span)] = LANES.index(span.lane)
            continue
        row = next((n for n, until in enumerate(busy) if until <= span.start_s + 1e-6), len(busy))
        row = min(row, 7)  # eight lanes are enough to see that they ran together
        busy[row : row + 1] = [span.end_s]
        rows[id(span)] = row + below
    return rows


def _bar(span: Span, row: int, total: float, prefix: str) -> str:
    scale = (WIDTH - LEFT) / total
    x, width = LEFT + span.start_s * scale, max(1.5, (span.end_s - span.start_s) * scale)
    kind = f"{span.lane}{'' if span.ok else ' bad'}"
    title = escape(f"{one_line(span.title, 200)}, {duration(span.end_s - span.start_s)}")
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
