"""Score a starter GGUF: `python -m examples.train_starter.evaluate [file.gguf]`.

What it is: first the product's own score: `outrider eval` on 40 goals written by hand, through the code that answers
people. With `--choices` also, for training wordings with new values, for held-out wordings and for held-out tools, the
share of single questions and of whole made-up goals answered rightly, constrained to the options and not, and what
always taking the first option scores: how well the network learnt, not how well the product answers.
May touch: the GGUF. Does not promise: that goals of real people look like these. Needs llama-cpp-python.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from examples.train_starter import dataset
from outrider.agent.models.choice.steps import label
from outrider.agent.models.llama.worker import Worker

SPLITS = {"new values": "", "held-out wordings": "wording", "held-out tools": "tool"}


@dataclass(slots=True)
class Score:
    """Counts over one split."""

    goals: int = 0
    whole: int = 0
    asked: int = 0
    right: int = 0
    free: int = 0
    first: int = 0
    by_family: Counter[str] = field(default_factory=Counter)
    by_family_right: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def row(self, name: str) -> str:
        """One line of the table in docs/decisions/0006-starter.md."""

        def share(count: int, of: int) -> str:
            return f"{100 * count / max(1, of):.1f} %"

        return (
            f"| {name} | {self.goals} | {share(self.whole, self.goals)} | {self.asked} | {share(self.right, self.asked)} | "
            f"{share(self.free, self.asked)} | {share(self.first, self.asked)} |"
        )


def score(worker: Worker, test: str, goals: int, seed: int = 1_000_003) -> Score:
    """Play `goals` random goals of one split."""
    out = Score()
    for played in itertools.islice(dataset.stream(seed, test=test), goals):
        if not played:
            continue
        family = played[0].family
        whole = True
        for one in played:
            worker.deadline = time.monotonic() + 60
            labels = [label(index) for index in range(len(one.decision.options))]
            said = worker.choose(labels, question=one.decision.prompt())
            taken = one.decision.best(said["scores"])
            good = taken == one.right
            out.asked, out.right, out.first = out.asked + 1, out.right + good, out.first + (one.right == 0)
            out.free += good and said["free"]
            if not good:
                whole = False
                out.wrong.append(
                    f"{family}: {' '.join(one.decision.head)}\n    took {' '.join(one.decision.options[taken].words)}"
                    f"\n    not  {' '.join(one.decision.options[one.right].words)}"
                )
        out.goals, out.whole = out.goals + 1, out.whole + whole
        out.by_family[family] += 1
        out.by_family_right[family] += whole
    return out


GOALS = Path(__file__).resolve().parents[2] / "benchmarks" / "starter_goals.jsonl"


def through_the_product(gguf: str) -> int:
    """`outrider eval` on the goals written by hand; its exit code."""
    from outrider.agent.models.builtin import STARTER_PATH

    model = "starter" if Path(gguf) == STARTER_PATH else f"llama:{gguf}"
    outrider = Path(sys.executable).with_name("outrider")
    return subprocess.run([str(outrider), "eval", str(GOALS), "--models", model], check=False).returncode


def main() -> None:
    """The command line."""
    from outrider.agent.models.builtin import STARTER_PATH

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("gguf", nargs="?", default=str(STARTER_PATH))
    parser.add_argument("--choices", action="store_true", help="also the network's single choices on made-up goals")
    parser.add_argument("--goals", type=int, default=400, help="made-up goals of each split")
    parser.add_argument("--families", action="store_true", help="also by family")
    parser.add_argument("--wrong", type=int, default=0, help="print this many wrong choices of each split")
    arguments = parser.parse_args()
    code = through_the_product(arguments.gguf)
    if arguments.choices:
        _choices(arguments)
    raise SystemExit(code)


def _choices(arguments: argparse.Namespace) -> None:
    worker = Worker(threading.Event(), lambda message: None)
    worker.load(arguments.gguf, 2048, 1)
    print(
        "| goals | n | whole goal right | questions | right | right, unconstrained | first option |\n|---|---|---|---|---|---|---|"
    )
    for name, test in SPLITS.items():
        result = score(worker, test, arguments.goals)
        print(result.row(name), flush=True)
        if arguments.families:
            for family, count in result.by_family.most_common():
                print(f"    {family}: {result.by_family_right[family]}/{count}")
        for line in result.wrong[: arguments.wrong]:
            print("  ", line, file=sys.stderr)


if __name__ == "__main__":
    main()
