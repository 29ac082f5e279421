"""Score a built-in model on natural goals: `python -m benchmarks.builtin.score [--model builtin] [--list own|held] [--kinds files,steps]`.

What it is: each goal is run as `outrider run` runs it, in a fresh workspace with eight tools of somebody's own on offer.
Right: the state is answered and the answer (or the file) is as it should be; for a goal that cannot be done, that the
run does not end as answered. Said so: it ended in another state. Wrong: answered, and not right. May touch: temporary
folders. Does not promise: a person's judgement; it looks for the expected words.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.builtin import files, held
from benchmarks.builtin.goals import GOALS, Goal

TOOLS = Path(__file__).with_name("own_tools.py")


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run."""

    code: int
    answer: str
    wall_s: float


def run(goal: str, model: str, folder: Path, home: Path, tools: Path = TOOLS) -> Ran:
    """One `outrider run` in its own process; nobody is there to be asked."""
    command = [
        str(Path(sys.executable).with_name("outrider")),
        "run",
        goal,
        "--model",
        model,
        "--workspace",
        str(folder),
    ]
    began = time.monotonic()
    done = subprocess.run([*command, "--tools-from", str(tools), "--quiet"], capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, env={**os.environ, "OUTRIDER_HOME": str(home), "NO_COLOR": "1"}, check=False)  # fmt: skip
    return Ran(done.returncode, done.stdout.strip(), time.monotonic() - began)


def verdict(goal: Goal, ran: Ran, folder: Path) -> str:
    """right, said or wrong."""
    if goal.kind == "impossible":
        return "right" if ran.code != 0 else "wrong"
    answer = "\n".join(line for line in ran.answer.split("\n") if not line.startswith("(SELECT"))
    good = all(any(_says(answer, way) for way in one.split("|")) for one in goal.says)
    good = good and not any(text.lower() in answer.lower() for text in goal.absent)
    if goal.file:
        path = folder / goal.file
        good = good and path.is_file() and goal.holds in path.read_text("utf-8", "replace")
    if goal.gone:
        good = good and not (folder / goal.gone).exists()
    if ran.code == 0:
        return "right" if good else "wrong"
    return "said"


def _says(answer: str, way: str) -> bool:
    """Whether an answer holds a text, or a number to the last place that is given."""
    way = way.replace(",", "") if re.fullmatch(r"[\d,.]+", way) else way
    if not re.fullmatch(r"-?\d+(?:\.\d+)?", way):
        return way.lower() in answer.lower()
    numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d{3})", "", answer))
    most = 10.0 ** -len(way.partition(".")[2]) if "." in way else 1e-9
    return any(abs(float(number) - float(way)) < most for number in numbers) or way in answer.split()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--list", default="own", choices=["own", "held"], help="held: nothing was tuned on it")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--every", type=int, default=1, help="only every n-th goal")
    parser.add_argument("--show", action="store_true", help="print each run that is not right")
    told = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    times = []
    with tempfile.TemporaryDirectory() as home:
        goals, make, tools = (held.GOALS, held.make, held.TOOLS) if told.list == "held" else (GOALS, files.make, TOOLS)
        for goal in [g for g in goals if not told.kinds or g.kind in told.kinds.split(",")][:: told.every]:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                make(folder)
                ran = run(goal.text, told.model, folder, Path(home), tools)
                said = verdict(goal, ran, folder)
            counts[goal.kind, said] += 1
            times.append(ran.wall_s)
            if told.show and said != "right":
                print(
                    json.dumps(
                        {
                            "kind": goal.kind,
                            "verdict": said,
                            "goal": goal.text,
                            "exit": ran.code,
                            "answer": ran.answer[:300],
                        }
                    ),
                    flush=True,
                )
    print("| kind | right | said so | wrong |\n|---|---|---|---|")
    for kind in dict.fromkeys(kind for kind, _ in counts):
        print(f"| {kind} | {counts[kind, 'right']} | {counts[kind, 'said']} | {counts[kind, 'wrong']} |")
    totals = [sum(v for (_, s), v in counts.items() if s == said) for said in ("right", "said", "wrong")]
    print(
        f"| all {sum(totals)} | {totals[0]} | {totals[1]} | {totals[2]} |  {sorted(times)[len(times) // 2]:.1f} s a run"
    )


if __name__ == "__main__":
    main()
