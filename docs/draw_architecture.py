"""Draws docs/architecture.svg from the imports of the three rooms: `python docs/draw_architecture.py`.

A box is a package, or a module that stands at the top of a room. It stands below everything that imports it. A line is
an import; one that follows from others is left out (a → c, where a → b → c is there). Imports from room to room are
counted at the edge of each room. `--check` writes nothing and says with its exit code whether the drawing is current.
May touch: docs/architecture.svg. Standard library only. Does not promise: a good drawing of packages that import in circles.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = Path(__file__).with_name("architecture.svg")
ROOMS = {"agent": ("decides", "#2563eb"), "tools": ("acts", "#0d9488"), "memory": ("remembers", "#b45309")}
# The way of one tool call, box by box (docs/architecture.md says what happens at each), and of one event.
CALL = (
    "agent/loop", "agent/think", "agent/models", "agent/act", "tools/toolbox", "tools/policy", "memory/journal",
    "tools/code", "tools/sandbox", "tools/sandbox/inside",
)  # fmt: skip
EVENT = (
    "agent/live_run",
    "memory/events",
    "memory/journal",
    "memory/store",
    "agent/context/conversation",
    "agent/review",
)
WIDTH, BOX, GAP, ROW, MARGIN, TITLE = 1240, 26, 14, 56, 24, 40


@dataclass
class Box:
    """A package or a top-level module: `name` as "room/name"; `card` is the first sentence of its docstring."""

    name: str
    card: str
    is_package: bool
    x: float = 0
    y: float = 0
    uses: set[str] = field(default_factory=set)

    @property
    def width(self) -> float:
        """In pixels, by the length of its label."""
        return 7.4 * len(self.label) + 22

    @property
    def label(self) -> str:
        """What is written in it."""
        return self.name.partition("/")[2] + ("/" if self.is_package else "")


def box_of(module: str, packages: set[str], opened: set[str]) -> str:
    """The box a module of ours lies in: "outrider.tools.sandbox.proxy" → "tools/sandbox"."""
    parts = module.split(".")[1:]
    two, three = "/".join(parts[:2]), "/".join(parts[:3])
    return three if three in packages or two in opened else two


def modules() -> dict[str, Path]:
    """Every module of the rooms by its dotted name."""
    found = {}
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(("outrider", *(parts[:-1] if parts[-1] == "__init__" else parts)))] = file
    return found


def imports_of(file: Path, known: dict[str, Path]) -> set[str]:
    """The modules of ours that a file imports, early or late; not those for types only."""
    found = set()
    todo: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        todo += [] if typing_only else ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in whole}
    return found & known.keys()


def boxes() -> tuple[dict[str, Box], Counter[tuple[str, str]]]:
    """(boxes by name with what each uses in its own room, how many modules of a room import from another).

    A package that would stand in a circle, for some of its modules lie above its neighbours and some below, is opened:
    its modules are boxes of their own. Between modules there is no circle (a check of every landing).
    """
    opened: set[str] = set()
    while True:
        made, across = _boxes(opened)
        reach: dict[str, set[str]] = {name: set(box.uses) for name, box in made.items()}
        for _ in made:
            reach = {name: uses.union(*(reach[used] for used in uses)) for name, uses in reach.items()}
        circles = {name for name, box in made.items() if name in reach[name] and box.is_package}
        if not circles:
            return made, across
        opened |= {min(circles, key=lambda name: (sum(n.startswith(f"{name}/") for n in made), name))}


def _boxes(opened: set[str]) -> tuple[dict[str, Box], Counter[tuple[str, str]]]:
    known = modules()
    packages = {"/".join(name.split(".")[1:]) for name, file in known.items() if file.name == "__init__.py"}
    made: dict[str, Box] = {}
    for name, file in known.items():
        box = box_of(name, packages, opened)
        if "/" in box and box not in opened and name.count(".") == box.count("/") + 1:
            card = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split("\n")[0]
            made[box] = Box(box, card, box in packages)
    across: Counter[tuple[str, str]] = Counter()
    for name, file in known.items():
        here = box_of(name, packages, opened)
        rooms = set()
        for other in imports_of(file, known):
            there = box_of(other, packages, opened)
            if there.split("/")[0] != here.split("/")[0]:
                rooms.add((here.split("/")[0], there.split("/")[0]))
            elif here in made and there in made and here != there:
                made[here].uses.add(there)
        across.update(rooms)
    for box in made.values():  # a package uses what lies in it; that is no line
        box.uses = {u for u in box.uses if not u.startswith(f"{box.name}/") and not box.name.startswith(f"{u}/")}
    return made, across


def below(name: str, made: dict[str, Box], seen: dict[str, set[str]]) -> set[str]:
    """Everything that `name` reaches by imports."""
    if name not in seen:
        seen[name] = set()
        seen[name] = made[name].uses.union(*(below(used, made, seen) for used in made[name].uses))
    return seen[name]


def reduced(made: dict[str, Box]) -> None:
    """Leave out the lines that follow from others."""
    seen: dict[str, set[str]] = {}
    for name in made:
        below(name, made, seen)
    for box in made.values():
        box.uses = {u for u in box.uses if not any(u in seen[other] for other in box.uses if other != u)}


def rows_of(room: str, made: dict[str, Box]) -> list[list[Box]]:
    """The boxes of a room, each in the row below the last that uses it; a package lies right under what holds it."""
    mine = {name: box for name, box in made.items() if name.startswith(f"{room}/")}
    depth = dict.fromkeys(mine, 0)
    for _ in mine:
        for name, box in mine.items():
            for used in box.uses:
                depth[used] = max(depth[used], depth[name] + 1)
            if (outer := name.rpartition("/")[0]) in depth:
                depth[name] = max(depth[name], depth[outer] + 1)
    rows: list[list[Box]] = [
        [box for name, box in mine.items() if depth[name] == row] for row in sorted(set(depth.values()))
    ]
    return [part for row in rows for part in _broken(row)]


def _broken(row: list[Box]) -> list[list[Box]]:
    """A row in pieces that fit the width."""
    pieces: list[list[Box]] = [[]]
    for box in row:
        if sum(b.width + GAP for b in [*pieces[-1], box]) > WIDTH - 2 * MARGIN - 40:
            pieces.append([])
        pieces[-1].append(box)
    return pieces


def place(made: dict[str, Box]) -> dict[str, tuple[float, float]]:
    """Give every box its place; returns (top, height) of each room."""
    rooms, y = {}, 46.0
    for room in ROOMS:
        top, rows = y, rows_of(room, made)
        for number, row in enumerate(rows):
            row.sort(key=lambda box: _pull(box, made, number))
            gap = min(90.0, (WIDTH - 2 * MARGIN - sum(b.width for b in row)) / (len(row) + 1))
            x = (WIDTH - sum(b.width for b in row) - gap * (len(row) - 1)) / 2
            for box in row:
                box.x, box.y = x, top + TITLE + number * ROW
                x += box.width + gap
        y = top + TITLE + len(rows) * ROW + 8
        rooms[room] = (top, y - top)
        y += 34
    return rooms


def _pull(box: Box, made: dict[str, Box], number: int) -> float:
    """Where a box wants to stand: below those that use it."""
    above = [b.x + b.width / 2 for b in made.values() if box.name in b.uses or box.name.startswith(f"{b.name}/")]
    return sum(above) / len(above) if above and number else WIDTH / 2


def svg() -> str:
    """The drawing as text."""
    made, across = boxes()
    reduced(made)
    rooms = place(made)
    out: list[str] = []
    for (room, (top, height)), (_, (does, colour)) in zip(rooms.items(), ROOMS.items(), strict=True):
        out.append(
            f'<rect x="{MARGIN / 2}" y="{top}" width="{WIDTH - MARGIN}" height="{height:g}" rx="10" fill="{colour}" '
            f'fill-opacity="0.05" stroke="{colour}" stroke-opacity="0.5"/>'
            f'<text x="{MARGIN + 4}" y="{top + 24}" class="room" fill="{colour}">{room}/ {does}</text>'
        )
    out += _room_arrows(rooms, across)
    for box in made.values():
        out += [_line(box, made[used]) for used in sorted(box.uses)]
    out += [_drawn(box) for box in made.values()]
    out += [_badge(made[name], n, "#dc2626", 0) for n, name in enumerate(CALL, 1)]
    out += [_badge(made[name], n, "#7c3aed", 1) for n, name in enumerate(EVENT, 1)]
    height = sum(rooms["memory"]) + 20
    return f"{_head(height)}{chr(10).join(out)}\n</svg>\n"


def _head(height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" font-family="DejaVu Sans, Verdana, sans-serif">\n'
        "<style>.room{font-size:17px;font-weight:bold}.box{font-size:12px}.small{font-size:11.5px}"
        ".badge{font-size:10px;font-weight:bold;fill:#fff}</style>\n"
        f'<rect width="{WIDTH}" height="{height:g}" fill="#ffffff"/>\n'
        '<text x="24" y="28" class="small" fill="#334155">A box is a package/ or a module; a line goes down to what it imports. </text>\n'
        '<circle cx="466" cy="24" r="8" fill="#dc2626"/><text x="480" y="28" class="small" fill="#334155">the way of one tool call</text>\n'
        '<circle cx="646" cy="24" r="8" fill="#7c3aed"/><text x="660" y="28" class="small" fill="#334155">the way of one event</text>\n'
    )


def _room_arrows(rooms: dict[str, tuple[float, float]], across: Counter[tuple[str, str]]) -> list[str]:
    made = []
    for upper, lower in pairwise(rooms):
        y = sum(rooms[upper])
        words = f"{across[upper, lower]} modules of {upper}/ import {lower}/"
        if upper == "tools":
            words += f", and {across['agent', 'memory']} of agent/; none imports upwards"
        made.append(
            f'<path d="M{WIDTH / 2 - 8} {y + 4}h16v14h8l-16 12l-16-12h8z" fill="#94a3b8"/>'
            f'<text x="{WIDTH / 2 + 30}" y="{y + 22}" class="small" fill="#334155">{words}</text>'
        )
    return made


def _line(upper: Box, lower: Box) -> str:
    x, y, to_x, to_y = upper.x + upper.width / 2, upper.y + BOX, lower.x + lower.width / 2, lower.y
    bend = max(14.0, min(40.0, (to_y - y) / 2))
    return (
        f'<path d="M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {to_x:.0f} {to_y - bend:.0f} {to_x:.0f} {to_y:.0f}" '
        f'fill="none" stroke="#64748b" stroke-opacity="0.55"/>'
    )


def _drawn(box: Box) -> str:
    colour = ROOMS[box.name.split("/")[0]][1]
    weight = ' font-weight="bold"' if box.is_package else ""
    return (
        f'<g><title>{escape(box.card)}</title><rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{BOX}" '
        f'rx="5" fill="#fff" stroke="{colour}"/><text x="{box.x + box.width / 2:.0f}" y="{box.y + 17:.0f}" '
        f'text-anchor="middle" class="box"{weight}>{escape(box.label)}</text></g>'
    )


def _badge(box: Box, number: int, colour: str, row: int) -> str:
    x, y = (box.x + 2 if row == 0 else box.x + box.width - 2), box.y - 1
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="8" fill="{colour}"/>'
        f'<text x="{x:.0f}" y="{y + 3.5:.0f}" text-anchor="middle" class="badge">{number}</text>'
    )


if __name__ == "__main__":
    drawing = svg()
    if "--check" in sys.argv:
        sys.exit(not FILE.exists() or FILE.read_text(encoding="utf-8") != drawing)
    FILE.write_text(drawing, encoding="utf-8")
