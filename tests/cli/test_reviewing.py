"""Reviewing from the command line: parts of a transcript, exports and imports, differences, a mark on an edited run."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.program import Program

CALL = {"tool": "price", "arguments": {"symbol": "ABC"}}


@pytest.fixture
def run(program: Program) -> str:
    """A finished run; its id."""
    done = program(
        *program.run_args(program.script(CALL, {"text": "ABC closed at 41.5 dollars"}), "--tokens", "90000", "--json")
    )
    return str(done.json["run"])


def test_show_prints_one_step_the_calls_or_the_cost(program: Program, run: str) -> None:
    """A question about a run does not need all of it."""
    assert "ABC closed at 41.5 dollars" in program("show", run, "--tools").out
    step = program("show", run, "--step", "1").out
    assert "price  ABC" in step
    assert "step 2" not in step
    cost = program("show", run, "--cost").out.splitlines()
    assert cost[1].startswith("step 1")
    assert cost[-1].startswith("in all")
    missing = program("show", run, "--step", "9")
    assert (missing.code, "no step 9" in missing.err) == (2, True)


def test_show_marks_a_run_that_was_edited(program: Program, run: str) -> None:
    """Whoever reads an edited transcript is told, without asking `verify`."""
    assert "CHANGED" not in program("show", run).err
    with sqlite3.connect(program.home / "memory.db") as db:
        db.execute("UPDATE events SET body = replace(body, '41.5', '99.9') WHERE kind = 'tool_returned'")
    assert "CHANGED after it was recorded: event 5" in program("show", run).err


@pytest.mark.parametrize("name", ["html", "md", "jsonl", "otel", "sft", "atif"])
def test_export_writes_a_private_file_or_to_stdout(program: Program, run: str, name: str) -> None:
    """Every format; the file is whole or not there, and nobody else's to read."""
    file = program.work / f"run.{name}"
    assert program("export", run, "--format", name, "-o", str(file)).code == 0
    assert file.stat().st_mode & 0o077 == 0
    assert "41.5" in file.read_text()
    assert program("export", run, "--format", name).out == file.read_text()


def test_a_run_exported_and_imported_shows_and_verifies_the_same(program: Program, run: str, tmp_path: Path) -> None:
    """Round trip through a file into an empty database."""
    program("export", run, "-t", "jsonl", "-o", "run.jsonl")
    other = ("--memory", f"sqlite:///{tmp_path / 'other.db'}")
    assert program("import", "run.jsonl", *other).out.strip() == run
    assert program("verify", run, *other).code == 0
    assert program("show", run, "--full", *other).out == program("show", run, "--full").out
    again = program("import", "run.jsonl", *other)
    assert (again.code, "here already" in again.err) == (2, True)


def test_export_and_import_say_what_is_wrong(program: Program, run: str) -> None:
    """Wrong input gets three lines and exit 2, and leaves nothing."""
    for words in (
        ("export",), ("export", "nope"), ("export", run, "-o", "no/such/folder/x.html"), ("export", "--format", "sft", "--all"),
        ("import", "missing.json"), ("import", str(program.tools)), ("import", "."), ("diff", run, "nope"), ("compare",),
        ("compare", "--label", "none"), ("view", "--port", "99999"),
    ):  # fmt: skip
        done = program(*words)
        assert done.code == 2, words
        assert "Traceback" not in done.err
    assert sorted(p.name for p in program.work.iterdir()) == []


def test_a_data_set_comes_with_a_datasheet(program: Program, run: str) -> None:
    """Runs of a label become training data; what was left out is counted."""
    assert program("export", "--format", "sft", "--all", "-o", "data.jsonl").code == 0
    sheet = json.loads((program.work / "data.datasheet.json").read_text())
    assert (sheet["conversations"], sheet["runs"]) == (1, [run])
    assert len((program.work / "data.jsonl").read_text().splitlines()) == 1


def test_diff_names_what_differs_and_says_when_nothing_does(program: Program, run: str) -> None:
    """Two runs that did the same have no first difference; another answer is one."""
    assert program("diff", run, run, "--json").json["first_difference"] is None
    other = program(*program.run_args(program.script(CALL, {"text": "I do not know"}), "--json")).json["run"]
    first = program("diff", run, other, "--json").json["first_difference"]
    assert (first["left"]["what"], first["changes"]) == ("answer", ["result"])
    assert "I do not know" in program("diff", run, other).out


def test_view_prints_an_address_on_loopback_and_ends_with_ctrl_c(program: Program, run: str) -> None:
    """The viewer comes up in a process of its own and goes quietly."""
    import signal

    process = program.start("view", "--no-open")
    assert process.stdout is not None
    address = process.stdout.readline()
    assert address.startswith("http://127.0.0.1:")
    assert "token=" in address
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert "Traceback" not in said


def test_import_says_what_it_could_not_read_and_refuses_what_is_damaged(program: Program, tmp_path: Path) -> None:
    """A line that is no transcript, or a damaged file, is never passed over in silence, and never an internal error."""
    chat = {
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "oracle", "content": "hm"},
            {"role": "assistant", "content": "yes"},
        ]
    }
    file = tmp_path / "their.jsonl"
    file.write_text(f'{json.dumps(chat)}\n{{"meta": 1}}\n')
    done = program("import", str(file))
    assert done.code == 3
    assert "not read, as the runs say themselves: 1 entry: message of the role 'oracle'" in done.err
    assert "not imported, for they are in none of the known formats: 1 entry: object with the keys meta" in done.err
    assert "message of the role 'oracle'" in program("show", done.out.strip()).out
    (tmp_path / "log.eval").write_bytes(b"PK\x03\x04" + bytes(60))
    damaged = program("import", str(tmp_path / "log.eval"))
    assert damaged.code == 2
    assert "cannot read" in damaged.err
