"""Runs as things: listed, filtered, found, labelled, totalled and deleted for good."""

from __future__ import annotations

import csv
import io
import os
import pty
import resource
import select
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outrider.memory.events import Answered, ModelAsked, ModelReplied, RunStarted, Stopped, ToolCalled
from outrider.memory.journal import Journal
from outrider.memory.run_index import opened, runs, told_so_far
from outrider.memory.store import Store
from tests.cli.program import Program, Result

SECRET = "xylophonequartz"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Program:
    """The program in this process: nothing here needs one of its own."""

    class Here(Program):
        def __call__(self, *arguments: str, input: str | None = None, timeout: float = 60, **extra: Any) -> Result:
            return self.here(monkeypatch, capfd, *arguments, input=input or "")

    return Here(tmp_path)


def two_runs(program: Program) -> None:
    look = {"tool": "price", "arguments": {"symbol": "ABC"}}
    program(*program.run_args(program.script(look, {"text": "ABC closed at 41.5 dollars"}), "--label", "prices"))
    program(
        "run", "where is the owl?", "--model", program.script({"text": "STATUS: not found\nno owl"}), "--tool", "plan"
    )


def test_runs_has_a_header_and_filters_by_state_label_model_time_and_words(program: Program) -> None:
    """Every filter leaves what fits and nothing else."""
    two_runs(program)
    shown = program("runs").out.splitlines()
    assert shown[0].split() == ["run", "age", "state", "steps", "cost", "label", "goal"]
    assert "not_found" in shown[1]
    assert "prices" in shown[2]

    def goals(*flags: str) -> list[str]:
        return [run["goal"] for run in program("runs", "--json", *flags).lines]

    assert goals() == ["where is the owl?", "go"]
    assert goals("--state", "answered") == goals("--label", "prices") == goals("--grep", "GO") == ["go"]
    assert goals("--state", "not_found,stuck") == goals("--limit", "1") == ["where is the owl?"]
    assert goals("--model", "script") == goals("--since", "1h") == ["where is the owl?", "go"]
    assert goals("--since", "2099-01-01") == goals("--model", "gpt") == []
    assert "no run fits" in program("runs", "--label", "nosuch").err


def test_a_run_is_named_by_a_beginning_last_or_how_long_ago(program: Program) -> None:
    """ids by prefix, last, last~1."""
    two_runs(program)
    newest, oldest = (run["run"] for run in program("runs", "--json").lines)
    for name, run in (
        ("last", newest),
        ("last~0", newest),
        ("last~1", oldest),
        (oldest[:12], oldest),
        (oldest[-5:], oldest),
    ):
        assert program("verify", name).out.startswith(run)
    assert program("verify", "last~2").code == 2


def test_find_looks_in_goals_results_and_answers(program: Program) -> None:
    """Each word must be there; words in quotes in that order; nothing found is exit code 6."""
    two_runs(program)
    found = program("find", "owl", "--json").lines
    assert {(one["what"]) for one in found} == {"goal", "answer"}
    assert [one["what"] for one in program("find", "closed 41", "--json").lines] == ["answer", "price"]
    assert program("find", '"dollars closed"').code == 6
    assert "ABC closed" in program("find", '"closed at"').out


def test_a_label_is_changed_and_the_run_still_verifies(program: Program) -> None:
    """The label stands beside the run."""
    two_runs(program)
    assert program("label", "last", "birds").code == 0
    assert program("label", "last").out == "birds\n"
    assert [run["goal"] for run in program("runs", "--label", "birds", "--json").lines] == ["where is the owl?"]
    assert program("verify", "--all").code == 0


def test_usage_tells_by_day_model_label_and_tool(program: Program) -> None:
    """Table, bars, CSV and JSON come to the same."""
    two_runs(program)
    (day,) = program("usage", "--json").lines
    assert (day["runs"], day["steps"], day["calls"]) == (2, 3, 1)
    assert day["day"] == datetime.now(UTC).date().isoformat()
    rows = list(csv.DictReader(io.StringIO(program("usage", "--by", "label", "--csv").out)))
    assert {row["label"]: row["steps"] for row in rows} == {"prices": "2", "(none)": "1"}
    assert program("usage", "--by", "tool", "--json").lines == [
        {"tool": "price", "runs": 1, "steps": 0, "calls": 1, "tokens": 0, "usd": 0.0}
    ]
    table = program("usage", "--by", "model", "--plot").out
    assert "scripted:" in table
    assert "█" in table


def test_rm_deletes_for_good_and_nothing_else(program: Program) -> None:
    """Not a byte of the run is left in the file or its log, its words are not found, and other runs verify."""
    two_runs(program)
    reply = {"tool": "price", "arguments": {"symbol": SECRET}}
    program(*program.run_args(program.script(reply, {"text": f"{SECRET} closed at 41.5 dollars"}), "--label", "secret"))
    assert program("find", SECRET).code == 0
    assert program("rm", "last").code == 2  # nobody is there to ask
    assert program("rm", "last", "--yes").code == 0
    assert program("find", SECRET).code == 6
    for file in program.home.glob("memory.db*"):
        assert SECRET.encode() not in file.read_bytes()
    assert len(program("runs", "--json").lines) == 2
    assert program("verify", "--all").code == 0
    assert program("find", "owl").code == 0
    assert program("rm", "--label", "prices", "--older-than", "1d", "--yes").code == 0
    assert len(program("runs", "--json").lines) == 2
    assert program("rm", "--label", "prices", "--yes").code == 0
    assert len(program("runs", "--json").lines) == 1


def test_a_run_that_a_fork_shares_is_not_deleted_without_it(program: Program) -> None:
    """A fork holds no copy of the events it shares."""
    two_runs(program)
    program("fork", "last", "--goal", "again", "--model", program.script({"text": "x"}))
    refused = program("rm", "last~1", "--yes")
    assert (refused.code, "shared by a fork" in refused.err) == (2, True)
    assert program("rm", "last", "last~1", "--yes").code == 0
    assert program("verify", "--all").code == 0


def test_an_old_database_gets_its_summaries_with_a_word(program: Program) -> None:
    """What an earlier version wrote is listed as what this one writes."""
    two_runs(program)
    before = program("runs", "--json").out
    with sqlite3.connect(program.home / "memory.db") as db:
        first = ("runs", "events", "blobs", "outrider_schema")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if name not in first and not name.startswith(("recall", "sqlite_")):
                db.execute(f"DROP TABLE {name}")
        db.execute("UPDATE outrider_schema SET version = '0001'")
    db.close()
    done = program("runs", "--json")
    assert (done.out, "brought up to date" in done.err) == (before, True), done.err
    assert program("runs", "--json").err == ""


def test_the_summary_is_what_the_events_tell(program: Program) -> None:
    """The table can be dropped: made again from the events it is the same, for chats, forks and children too."""
    two_runs(program)
    program("run", "--continue", "and now?", "--model", program.script({"text": "a"}, {"text": "b"}))
    program("fork", "last", "--goal", "again", "--model", program.script({"text": "x"}))
    store = Store(f"sqlite:///{program.home / 'memory.db'}", mode="read")
    with opened(str(program.home / "memory.db")) as ask, store.read() as db:
        rows = list(runs(ask))
        assert len(rows) == 3
        for row in rows:
            parent, fork_seq = next(ask("SELECT parent, fork_seq FROM runs WHERE number = ?", [row.number]))
            assert told_so_far(db, row.number, parent, fork_seq).row() == row.told.row()
    store.close()


def test_a_killed_run_is_listed_with_what_it_used(program: Program) -> None:
    """Its row is from when it began; the events tell the rest."""
    store = Store(f"sqlite:///{program.home / 'memory.db'}")
    journal = Journal.create(store, RunStarted(goal="g", model="m"))
    journal.append(ModelAsked(step=1), ModelReplied(step=1, text="x"), ToolCalled(call_id="1.0", tool="look"))
    journal.release()
    store.close()
    (run,) = program("runs", "--json").lines
    assert (run["state"], run["spent"]["steps"], run["spent"]["calls"]) == ("interrupted", 1, 1)


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_tables_fit_the_terminal(program: Program, columns: int) -> None:
    """At 30, 80 and 200 columns no line of `runs`, `usage` or `find` is longer than the terminal."""
    two_runs(program)
    for words in (("runs",), ("usage",), ("usage", "--by", "model", "--plot"), ("find", "owl")):
        for line in on_terminal(program, words, columns).splitlines():
            assert len(_bare(line)) <= columns, (words, line)


def test_columns_stand_below_their_headings_when_ids_are_long(program: Program) -> None:
    """Runs of a batch have longer ids: no column is glued to the next, and the headings stand above their columns."""
    two_runs(program)
    store = Store(str(program.home / "memory.db"))
    started = RunStarted(goal="where is the long owl?", model="m")
    Journal.create(store, started, run_id="261127-k6ttpd-0000417").release()
    store.close()
    head, first, *rest = program("runs").out.splitlines()
    assert first.split()[0] == "261127-k6ttpd-0000417"
    assert {
        line.index(goal) for line, goal in ((head, "goal"), (first, "where"), (rest[0], "where"), (rest[1], "go"))
    } == {head.index("goal")}
    found = program("find", "owl?").out.splitlines()
    assert found[0].startswith("261127-k6ttpd-0000417  event 1")
    assert len({line.index("event") for line in found}) == 1


@pytest.mark.slow
def test_ten_thousand_runs_open_in_a_blink(program: Program) -> None:
    """`runs`, `find` and `usage` each take at most 8 times a bare Python's start, of the CPU and on the clock (12 must hold)."""
    store = Store(f"sqlite:///{program.home / 'memory.db'}")
    begun = datetime.now(UTC) - timedelta(days=90)
    for number in range(10_000):
        journal = Journal.create(
            store, RunStarted(goal=f"count the owls in file {number}", model=f"m:{number % 5}"), label=f"l{number % 7}"
        )
        journal.append(
            ModelAsked(step=1), ModelReplied(step=1, text="x"), ToolCalled(call_id="1.0", tool=f"t{number % 9}"),
            Answered(text=f"{number} owls"), Stopped(reason="answered"),
        )  # fmt: skip
        journal.release()
    store.close()
    assert begun
    bare = _least(program, [sys.executable, "-c", "pass"], 9)
    for words in (
        ("runs",),
        ("runs", "--state", "failed"),
        ("find", "owls 417"),
        ("usage",),
        ("usage", "--by", "tool"),
    ):
        took = _least(program, program.command(*words), 7)
        assert took[0] <= 8 * bare[0], f"{words}: {took[0]:.3f} s of CPU, bare Python {bare[0]:.3f} s"
        assert took[1] <= 8 * bare[1], f"{words}: {took[1]:.3f} s, bare Python {bare[1]:.3f} s"


def _least(program: Program, command: list[str], tries: int) -> tuple[float, float]:
    """The least CPU seconds, and the least seconds on the clock, that a process took."""
    cpu, clock = [], []
    for _ in range(tries):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, cwd=program.work, env=program.env(), capture_output=True, check=False, timeout=60)
        clock.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(cpu), min(clock)


def on_terminal(program: Program, words: tuple[str, ...], columns: int) -> str:
    """What a command shows on a terminal of so many columns."""
    import fcntl
    import struct
    import termios

    child, terminal = pty.fork()
    if child == 0:
        time.sleep(0.2)  # until the size is set
        os.chdir(program.work)
        command = program.command(*words)
        environment = {k: v for k, v in program.env().items() if k != "COLUMNS"}
        os.execvpe(command[0], command, environment | {"TERM": "xterm"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    shown, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([terminal], [], [], 5)[0]:
            try:
                if not (piece := os.read(terminal, 65_536)):
                    break
            except OSError:
                break
            shown += piece
        else:
            os.write(terminal, b"\x04")  # what asks for something is told that there is nothing
    os.close(terminal)  # who is still there is hung up on
    os.waitpid(child, 0)
    return shown.decode("utf-8", "replace").replace("\r\n", "\n")


def _bare(line: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
