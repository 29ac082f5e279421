"""A database that is not ours, and a path where there is none: nothing is written, and the message says what is so."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.program import Program

READING = {
    "runs": ("runs",),
    "show": ("show", "last"),
    "verify": ("verify", "--all"),
    "replay": ("replay", "last"),
    "undo": ("undo", "last"),
    "doctor": ("doctor",),
    "find": ("find", "x"),
    "usage": ("usage",),
    "label": ("label", "last", "x"),
    "rm": ("rm", "last", "--yes"),
    "continue": ("run", "--continue", "x"),
    "chat": ("chat", "--continue"),
    "resume": ("resume", "last"),
    "fork": ("fork", "last"),
    "recall": ("tools", "call", "recall", "--args", '{"query": "x"}'),
}


def foreign(file: Path, journal: str) -> bytes:
    db = sqlite3.connect(file)
    db.execute(f"PRAGMA journal_mode={journal}")
    db.execute("CREATE TABLE customers (name TEXT)")
    db.execute("INSERT INTO customers VALUES ('Ada')")
    db.commit()
    db.close()
    return file.read_bytes()


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
@pytest.mark.parametrize("command", READING)
def test_another_programs_database_is_byte_identical_after_every_command(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str, journal: str
) -> None:
    """A wrong --memory costs nobody a byte, and no file appears beside it."""
    file = program.work / "shop.db"
    before = foreign(file, journal)
    done = program.here(monkeypatch, capfd, *READING[command], "--memory", str(file))
    assert done.code != 0
    assert "another program's database" in done.out + done.err
    assert file.read_bytes() == before
    assert [path.name for path in program.work.iterdir()] == ["shop.db"]


def test_a_run_leaves_another_programs_database_alone(program: Program) -> None:
    """Nor does a command that writes."""
    file = program.work / "shop.db"
    before = foreign(file, "WAL")
    done = program("run", "go", "--model", program.script({"text": "x"}), "--memory", str(file))
    assert (done.code, file.read_bytes() == before) == (2, True)


@pytest.mark.parametrize("command", READING)
def test_a_mistyped_path_makes_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    """Reading commands say there is none; neither a file nor a folder appears."""
    done = program.here(monkeypatch, capfd, *READING[command], "--memory", "not/there/runs.db")
    assert list(program.work.iterdir()) == []
    if command != "recall":  # which then remembers nothing, and says so
        assert done.code != 0
        assert "there is no database at not/there/runs.db" in done.out + done.err


def test_a_new_home_has_no_runs_and_stays_empty(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`runs` on the first day is no error, and makes nothing."""
    done = program.here(monkeypatch, capfd, "runs")
    assert (done.code, done.out) == (0, "")
    assert "no runs yet" in done.err
    assert not program.home.exists()
