"""An exit code that says success never stands beside words that say otherwise: goals of every kind, run end to end."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.cli.goals import OURS, SEEN, fill
from tests.cli.program import Program

ADMITS = re.compile(
    r"\b(could not|couldn't|cannot|can't|unable to|was not found|were not found|no such|there is no|did not|didn't|don't know"
    r"|none of my tools|not covered|not in english|nothing fits|failed to|i have no)\b",
    re.IGNORECASE,
)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("model", "every"), [("builtin", int(os.environ.get("EVERY", "3"))), ("starter", 1)])
def test_no_goal_ends_in_success_with_an_answer_that_says_otherwise(tmp_path: Path, model: str, every: int) -> None:
    """0 of them, over what people asked and what cannot be done; what a goal had to make is there.

    The language model takes seconds a goal: every third is asked, EVERY=1 asks all.
    """
    wrong = []
    for number, goal in enumerate((*SEEN, *OURS)[::every]):
        program = Program(tmp_path / str(number))
        fill(program.work)
        done = program("run", "--model", model, "--json", "--seconds", "60", "--", goal.text, timeout=300)
        told = done.json
        assert told["exit_code"] == done.code, goal.text
        admits = ADMITS.search(told["answer"]) and not re.search(goal.right or r"\Z\A", told["answer"])
        missing = goal.file and not (program.work / goal.file).exists()
        if done.code == 0 and (admits or missing):
            wrong.append((goal.text, told["answer"][:200]))
    assert not wrong
