"""`outrider chain`: answers to stdout, a word about what has none, and nothing asked twice after a kill."""

from __future__ import annotations

import json
import signal
import time

from tests.cli.program import Program

PROMPTS = """
[prompt.shorten]
ask = "Shorten it."

[prompt.route]
ask = "Which team?"
output = ["claims", "hr", "it"]

[chain.support]
steps = ["shorten", "route"]
"""


def documents(program: Program, count: int) -> str:
    file = program.work / "docs.jsonl"
    file.write_text(
        "".join(json.dumps({"id": f"d{n}", "text": f"t{n}", "label": "it" if n else "hr"}) + "\n" for n in range(count))
    )
    (program.work / "p.toml").write_text(PROMPTS)
    return file.name


def test_the_command_answers_scores_and_says_what_has_no_answer(program: Program) -> None:
    """Answers to stdout, progress to stderr, exit code 3 when some are missing."""
    docs = documents(program, 2)
    good = program.script({"text": '"it"'})
    done = program("chain", "run", "p.toml", docs, "--model", good)
    assert (done.code, done.out) == (0, 'd0  "it"\nd1  "it"\n')
    assert "right: 1 of 2 (50%" in done.err
    assert "2/2  d1" in done.err
    bad = program.script({"text": '"root"'}, name="bad.json")
    done = program("chain", "run", "p.toml", docs, "--chain", "route", "--model", bad)
    assert done.code == 3
    assert "no answer: route: failed" in done.out
    assert "shorten → route" in program("chain", "list", "p.toml").out
    assert program("chain", "run", "p.toml", docs, "--chain", "none", "--model", good).code == 2


def test_killed_in_the_middle_the_same_command_goes_on(program: Program) -> None:
    """kill -9 while documents are answered: what was kept is not asked for again, and nothing is missing."""
    docs = documents(program, 30)
    arguments = ("chain", "run", "p.toml", docs, "--chain", "route", "--answers", "kept.jsonl", "--json")
    model = program.script(*([{"text": '"it"'}] * 30))
    started = program.start(*arguments, "--model", model)
    kept = program.work / "kept.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and (not kept.exists() or kept.read_bytes().count(b"\n") < 3):
        time.sleep(0.005)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    before = kept.read_bytes().count(b"\n")
    assert before >= 3
    program.script(*([{"text": '"hr"'}] * 30))  # the same model by name, which now answers otherwise
    done = program(*arguments, "--model", model)
    assert done.code == 0
    assert [row["last"] for row in done.lines] == ["it"] * before + ["hr"] * (30 - before)
    assert [row["kept"] for row in done.lines] == [1] * before + [0] * (30 - before)
