"""The pictures of the benchmarks, as SVG made by code. Touches: the files it is told to write. Same figures, same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from pathlib import Path

OURS, BASE = "#0b6a78", "#777777"
OTHERS = ("#b5482a", "#8a6d1f", "#6b4fa0", "#2f6f3a", "#a03a6b", "#3b6ea5", "#5d5d2f", "#9a5a3a")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 74, 52, 190, 52


@dataclass(frozen=True)
class Line:
    """A named line: points (x, y), both over 0. `marks`: what was measured, where the line was computed; None: its own points."""

    name: str
    points: Sequence[tuple[float, float]]
    marks: Sequence[tuple[float, float]] | None = None


def _colours(names: Sequence[str]) -> dict[str, str]:
    others = [name for name in names if not name.startswith(("outrider", "floor"))]
    found = {name: OTHERS[at % len(OTHERS)] for at, name in enumerate(others)}
    return found | {name: OURS if name.startswith("outrider") else BASE for name in names if name not in found}


def _head(title: str, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#fff"/><text x="16" y="26" font-size="15" font-weight="600">{escape(title)}</text>\n'
    )


def _decades(low: float, high: float) -> list[float]:
    return [10.0**power for power in range(floor(log10(low)), ceil(log10(high)) + 1)]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def lines(title: str, x_name: str, y_name: str, drawn: Sequence[Line], file: Path) -> None:
    """Lines on log paper, each named at its end."""
    every = [point for line in drawn for point in (*line.points, *(line.marks or ()))]
    x_ticks, y_ticks = (_decades(min(p[at] for p in every), max(p[at] for p in every)) for at in (0, 1))
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(point: tuple[float, float]) -> tuple[float, float]:
        parts = [
            (log10(value) - log10(ticks[0])) / max(1e-9, log10(ticks[-1]) - log10(ticks[0]))
            for value, ticks in zip(point, (x_ticks, y_ticks), strict=True)
        ]
        return LEFT + parts[0] * width, TOP + (1 - parts[1]) * height

    made = [_head(title, HEIGHT)]
    for x in x_ticks:
        at, _ = place((x, y_ticks[0]))
        made.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{TOP + height}" stroke="#e4e4e4"/>')
        made.append(f'<text x="{at:.1f}" y="{TOP + height + 18}" text-anchor="middle" fill="#555">{_short(x)}</text>\n')
    for y in y_ticks:
        _, at = place((x_ticks[0], y))
        made.append(f'<line x1="{LEFT}" x2="{LEFT + width}" y1="{at:.1f}" y2="{at:.1f}" stroke="#e4e4e4"/>')
        made.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#555">{_short(y)}</text>\n')
    made.append(
        f'<text x="{LEFT + width / 2}" y="{HEIGHT - 12}" text-anchor="middle" fill="#333">{escape(x_name)}</text>'
    )
    made.append(f'<text x="{LEFT}" y="{TOP - 10}" fill="#333">{escape(y_name)}</text>\n')
    colours = _colours([line.name for line in drawn])
    ends = {line.name: place(line.points[-1]) for line in drawn}
    labels = {
        name: y
        for column in {round(x) for x, _ in ends.values()}
        for name, y in _spread([(y, name) for name, (x, y) in ends.items() if round(x) == column]).items()
    }
    for line in drawn:
        colour, thick = colours[line.name], 2.6 if line.name.startswith("outrider") else 1.6
        placed = [place(point) for point in line.points]
        dots = placed if line.marks is None else [place(point) for point in line.marks]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        made.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{thick}"/>')
        made += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/>' for x, y in dots]
        x, y = placed[-1]
        made.append(
            f'<text x="{x + 9:.1f}" y="{labels[line.name] + 4:.1f}" fill="{colour}">{escape(line.name)}</text>\n'
        )
    file.write_text("".join([*made, "</svg>\n"]), encoding="utf-8")


def _spread(wanted: Sequence[tuple[float, str]], apart: float = 15.0) -> dict[str, float]:
    """Heights of labels near those wanted, none over another."""
    found: dict[str, float] = {}
    last = float("-inf")
    for y, name in sorted(wanted):
        last = found[name] = max(y, last + apart)
    return found


def bars(title: str, unit: str, values: Mapping[str, tuple[float, str]], file: Path) -> None:
    """Bars on log paper, shortest first; each value with the words beside it."""
    ordered = sorted(values.items(), key=lambda item: item[1][0])
    ticks = _decades(min(value for value, _ in values.values()), max(value for value, _ in values.values()))
    left, width, step = 180, WIDTH - 180 - 170, 28
    height = TOP + step * len(ordered) + 44
    colours = _colours([name for name, _ in ordered])

    def across(value: float) -> float:
        return left + width * (log10(value) - log10(ticks[0])) / max(1e-9, log10(ticks[-1]) - log10(ticks[0]))

    made = [_head(title, height)]
    for tick in ticks:
        x = across(tick)
        made.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 40}" stroke="#e4e4e4"/>')
        made.append(f'<text x="{x:.1f}" y="{height - 22}" text-anchor="middle" fill="#555">{_short(tick)}</text>\n')
    for at, (name, (value, words)) in enumerate(ordered):
        y = TOP + step * at
        made.append(f'<text x="{left - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
        made.append(
            f'<rect x="{left}" y="{y + 2}" width="{max(2.0, across(value) - left):.1f}" height="16" fill="{colours[name]}"/>'
        )
        made.append(
            f'<text x="{max(left + 2.0, across(value)) + 8:.1f}" y="{y + 14}" fill="#333">{escape(words)}</text>\n'
        )
    made.append(
        f'<text x="{left + width / 2}" y="{height - 6}" text-anchor="middle" fill="#333" font-size="12">{escape(unit)}</text>'
    )
    file.write_text("".join([*made, "</svg>\n"]), encoding="utf-8")
