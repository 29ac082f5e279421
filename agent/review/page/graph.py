"""The plan of a run as a picture: a box a step, in the order they can be done, a line from each to what needs it. SVG, no script.
Touches nothing. Does not promise: lines that never cross; a plan of a hundred steps is better read as a list.
"""

from __future__ import annotations

from html import escape

from outrider.agent.plan.graph import Node
from outrider.agent.review.lines import one_line

WIDE, HIGH, ACROSS, DOWN = 210, 52, 46, 16  # of a box, and the room between two
SIGNS = {
    "done": "✓ done", "running": "▸ running", "ready": "○ ready", "waiting": "· waiting", "failed": "✗ failed",
    "skipped": "– skipped", "unknown": "? outcome unknown",
}  # fmt: skip
MOST = 120  # steps that are drawn


def plan(nodes: list[Node]) -> str:
    """The picture; "" without a plan."""
    if not nodes:
        return ""
    nodes = nodes[:MOST]
    places = _places(nodes)
    width = (max(column for column, _ in places.values()) + 1) * (WIDE + ACROSS) - ACROSS + 4
    height = (max(row for _, row in places.values()) + 1) * (HIGH + DOWN) - DOWN + 4
    lines = "".join(
        _line(places[needed], places[node.id]) for node in nodes for needed in node.needs if needed in places
    )
    boxes = "".join(_box(node, *places[node.id]) for node in nodes)
    done = sum(node.state == "done" for node in nodes)
    return (
        f'<svg class="plan" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="Plan: {done} of {len(nodes)} steps done">{lines}{boxes}</svg>'
    )


def _places(nodes: list[Node]) -> dict[str, tuple[int, int]]:
    """(column, row) of each step: a column further than whatever it needs. Steps without needs stand one below the other."""
    column: dict[str, int] = {}
    for _ in nodes:  # a step may stand before what it needs
        for node in nodes:
            column[node.id] = min(len(nodes), max((column.get(one, 0) + 1 for one in node.needs), default=0))
    rows: dict[int, int] = {}
    places = {}
    for node in nodes:
        at = column[node.id]
        places[node.id] = (at, rows.get(at, 0))
        rows[at] = rows.get(at, 0) + 1
    return places


def _at(column: int, row: int) -> tuple[int, int]:
    return 2 + column * (WIDE + ACROSS), 2 + row * (HIGH + DOWN)


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (u, v) = _at(*start), _at(*end)
    x, y, v = x + WIDE, y + HIGH // 2, v + HIGH // 2
    half = (x + u) // 2
    return f'<path class="needs" d="M{x} {y}C{half} {y} {half} {v} {u} {v}"/>'


def _box(node: Node, column: int, row: int) -> str:
    x, y = _at(column, row)
    words = (
        node.id if node.text in ("", node.tool) else node.text
    )  # a step without words of its own holds its tool's name
    said, short = escape(one_line(words, 300)), escape(one_line(words, 30))
    tool = f", {one_line(node.tool, 18)}" if node.tool else ""
    return (
        f'<g class="{escape(node.state)}"><title>{said}</title>'
        f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="6"/>'
        f'<text class="name" x="{x + 10}" y="{y + 21}">{short}</text>'
        f'<text class="sign" x="{x + 10}" y="{y + 40}">{escape(SIGNS[node.state] + tool)}</text></g>'
    )
