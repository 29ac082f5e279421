"""The workspace of the score: a few files with made-up content, the same every time."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def orders() -> list[Row]:
    """The rows of orders.csv."""
    rnd = random.Random(41)
    return [
        {
            "order_id": 1000 + at,
            "country": rnd.choice(["Japan", "Norway", "Brazil", "Canada"]),
            "status": rnd.choice(["pending", "shipped", "cancelled"]),
            "total": round(rnd.uniform(5, 400), 2),
            "items": rnd.randint(1, 9),
            "order_date": f"2026-{rnd.randint(1, 6):02}-{rnd.randint(1, 28):02}",
        }
        for at in range(180)
    ]


STAFF: list[Row] = [
    {"name": "Mona Frost", "team": "design", "city": "Oslo", "salary": 61000, "age": 34},
    {"name": "Dev Ito", "team": "design", "city": "Lima", "salary": 52000, "age": 29},
    {"name": "Rosa Novak", "team": "support", "city": "Oslo", "salary": 39000, "age": 51},
    {"name": "Hugo Silva", "team": "finance", "city": "Graz", "salary": 72500, "age": 45},
    {"name": "Kira Lund", "team": "support", "city": "Graz", "salary": 41000, "age": 26},
]
STOCK: list[Row] = [
    {"item": "desk lamp", "category": "office", "price": 34.5, "quantity": 12},
    {"item": "garden hose", "category": "garden", "price": 21.0, "quantity": 0},
    {"item": "rake", "category": "garden", "price": 17.25, "quantity": 40},
    {"item": "stapler", "category": "office", "price": 8.9, "quantity": 95},
    {"item": "whiteboard", "category": "office", "price": 119.0, "quantity": 3},
    {"item": "teapot", "category": "kitchen", "price": 27.4, "quantity": 18},
]
TEXTS = {
    "notes.txt": "Remember the dentist on 14 May.\nGuest wifi: pelican-88\nPaint for the fence costs 46 euros.\n",
    "meeting.md": "# Planning\nPresent: Ana, Farid, Olga\nThe launch moves to 3 September.\nFarid prepares the budget.\nNext meeting: room 204, Thursday.\n",
    "settings.ini": "[server]\nport = 8181\nworkers = 6\ntimeout = 45\n[mail]\nsender = post@example.org\n",
    "todo.txt": "call the plumber\nrenew passport\n",
    "src/old_api.py": "# TODO drop this\ndef fetch():\n    return 'v1'\n",
    "src/app.py": "VERSION = '2.7'\n# TODO add login\nprint('Flamingo started')\n",
    "docs/guide.md": "Install with the blue script.\nThe flamingo logo is in the media folder.\n",
    "letter.txt": "Dear Ms Okafor,\nyour contract ends on 30 June 2027.\nKind regards, Lena\n",
}


def make(folder: Path) -> None:
    """Write all files into an empty folder."""
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    _csv(folder / "orders.csv", orders())
    _csv(folder / "stock.csv", STOCK)
    (folder / "staff.json").write_text(json.dumps(STAFF, indent=1), encoding="utf-8")
    with sqlite3.connect(folder / "shop.db") as db:
        db.execute("CREATE TABLE customers (id INTEGER, name TEXT, city TEXT)")
        db.executemany(
            "INSERT INTO customers VALUES (?, ?, ?)", [(at, f"c{at}", ["Oslo", "Lima"][at % 2]) for at in range(37)]
        )
    db.close()


def _csv(path: Path, rows: list[Row]) -> None:
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
