"""A database that an earlier version wrote is read, verified and gone on with by this one.

tests/old/167da5b.db.gz was written by commit 167da5b with a scripted model: a run that was answered, one that was
stopped by its budget, and one that was killed in mid-call.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.cli.program import Program

OLD = Path(__file__).parents[1] / "old" / "167da5b.db.gz"
SAID = {"text": "said before"}  # the turns that are over
ANSWERED, PARTIAL, KILLED = "261127-ccaneg", "261127-49uacg", "261127-a2vqhh"


@pytest.fixture
def old(program: Program) -> Program:
    """The program with the memory of an earlier version, and the workspace that its runs had."""
    program.home.mkdir()
    (program.home / "memory.db").write_bytes(gzip.decompress(OLD.read_bytes()))
    (program.work / "prices.csv").write_text("name,price\nbread,2.5\nfish,39\n")
    return program


def test_old_runs_are_listed_shown_and_verified(old: Program) -> None:
    """Every event of theirs still has its words, and the chain of digests still holds."""
    listed = {one["run"]: one["state"] for one in old("runs", "--json").lines}
    assert listed == {ANSWERED: "answered", PARTIAL: "partial", KILLED: "interrupted"}
    for run in listed:
        shown, verified = old("show", run, "--full"), old("verify", run)
        assert (shown.code, verified.code) == (0, 0), shown.err + verified.err
        assert "later version" not in shown.out
    assert "41.5 is the sum of price in prices.csv" in old("show", ANSWERED, "--full").out


def test_old_run_out_of_budget_is_resumed(old: Program) -> None:
    """More steps, a model, and it goes on where it was."""
    model = old.script(SAID, {"tool": "table", "arguments": {"path": "prices.csv", "operation": "sum", "column": "price"}},
                       {"text": "The prices add up to 41.5."})  # fmt: skip
    done = old("resume", PARTIAL, "--steps", "+20", "--model", model, "--workspace", ".")
    assert done.code == 0, done.err
    assert "41.5" in done.out
    assert old("verify", PARTIAL).code == 0


def test_old_run_that_was_killed_does_not_repeat_its_call(old: Program) -> None:
    """Whether the command had its effect is not known: the model is told, nothing runs twice without being asked for."""
    done = old("resume", KILLED, "--model", old.script(SAID, SAID, {"text": "It was interrupted."}), "--workspace", ".")
    assert done.code == 0, done.err
    assert "It was interrupted." in done.out
    assert not (old.work / "begun.txt").exists()
    assert "interrupted" in old("show", KILLED, "--full").out
