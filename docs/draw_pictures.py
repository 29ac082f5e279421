"""Makes the pictures of the README from real runs of the built-in model: `python docs/draw_pictures.py [run] [eval]`.
Touches: docs/pictures, a folder of its own that is deleted. Does not promise: the same times and run names twice.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
PICTURES = DOCS / "pictures"
PROGRAM = [sys.executable, "-c", "import sys; from outrider.agent.cli import main; sys.exit(main())"]
SALES = "day,item,price\n2026-03-02,lamp,39.90\n2026-03-02,desk,210.00\n2026-03-03,lamp,41.50\n2026-03-04,chair,88.00\n"


def outrider(*words: str, cwd: Path, home: Path) -> str:
    """What a command prints, both streams as a terminal shows them. Raises CalledProcessError if it failed."""
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        [*PROGRAM, *words], cwd=cwd, env=environment | {"HOME": str(home.parent), "OUTRIDER_HOME": str(home), "COLUMNS": "104"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, timeout=600,
    )  # fmt: skip
    return done.stdout


def draw(title: str, text: str, file: Path) -> None:
    """A terminal with this text."""
    from rich.console import Console
    from rich.text import Text

    console = Console(
        record=True, width=104, file=Path(os.devnull).open("w"), markup=False, highlight=False, emoji=False
    )
    for line in text.rstrip("\n").split("\n"):
        style = "bold" if line.startswith("$ ") else "green" if "├" in line else ""
        console.print(Text(line.replace("  ", "\u00a0\u00a0"), style))  # some viewers drop leading spaces
    file.write_text(console.export_svg(title=title), encoding="utf-8")


def draw_run(work: Path, home: Path) -> None:
    """A run as `outrider show` tells it."""
    (work / "sales.csv").write_text(SALES)
    goal = "What is the average of the price column in sales.csv?"
    outrider("run", goal, "--model", "builtin", "--steps", "20", cwd=work, home=home)
    outrider("show", "last", "--svg", str(PICTURES / "run.svg"), cwd=work, home=home)


def draw_eval(work: Path, home: Path) -> None:
    """The table of an evaluation."""
    goals = DOCS.parent / "benchmarks" / "starter_goals.jsonl"
    scored = outrider("eval", str(goals), "--models", "starter", "--quiet", cwd=work, home=home)
    table = scored[scored.rindex("\nmodel ") + 1 :]
    shown = f"$ outrider eval benchmarks/starter_goals.jsonl --models starter\n{table}"
    draw("outrider eval", shown, PICTURES / "eval.svg")


DRAWN = {"run": draw_run, "eval": draw_eval}


def main(names: list[str]) -> None:
    """The pictures of these names; without any, all of them."""
    PICTURES.mkdir(exist_ok=True)
    for name in names or DRAWN:
        with tempfile.TemporaryDirectory() as folder:
            work, home = Path(folder) / "shop", Path(folder) / "home"
            work.mkdir()
            DRAWN[name](work, home)


if __name__ == "__main__":
    main(sys.argv[1:])
