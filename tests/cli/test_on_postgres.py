"""Every command that reads, labels or deletes runs does the same on PostgreSQL as on SQLite."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Program, Result
from tests.servers.postgres import PostgresServer

Both = tuple[Program, Program]
pytestmark = pytest.mark.postgres

READING: list[tuple[str, ...]] = [
    ("runs",), ("runs", "--json"), ("runs", "--state", "answered"), ("runs", "--state", "not_found,stuck", "--json"),
    ("runs", "--label", "prices", "--json"), ("runs", "--label", "100%_?", "--json"), ("runs", "--model", "script", "--json"),
    ("runs", "--since", "1h", "--json"), ("runs", "--since", "2099-01-01"), ("runs", "--grep", "OWL?", "--json"),
    ("runs", "--grep", "%", "--json"), ("runs", "--limit", "1", "--json"),
    ("find", "owl", "--json"), ("find", "owl"), ("find", "closed 41", "--json"), ("find", '"closed at"', "--json"),
    ("find", '"dollars closed"'), ("find", "it is not", "--json"), ("find", "the", "--json"), ("find", "grüße", "--json"),
    ("find", "csv", "--json"), ("find", "sales.csv", "--json"), ("find", "invoice 417", "--json"),
    ("find", "example", "--json"), ("find", "it's OR & | ! ( : * <-> \\ %s ?", "--json"), ("find", "nosuchword"),
    ("find", "owls", "--limit", "1", "--json"), ("find", "my_file", "--json"), ("find", "budget", "--json"),
    ("usage", "--json"), ("usage", "--by", "model", "--json"), ("usage", "--by", "label", "--csv"),
    ("usage", "--by", "tool", "--json"), ("usage", "--label", "prices", "--json"), ("usage", "--model", "nosuch"),
    ("label", "last"), ("verify", "last"), ("verify", "--all"), ("scan", "last"), ("scan", "last~1"),
    ("show", "last"), ("show", "last~1", "--json"),
    ("diff", "last~1", "last"), ("resume", "last"), ("show", "nosuch"), ("label", "nosuch"), ("scan", "nosuch"),
]  # fmt: skip


def fill(program: Program) -> None:
    """Runs of several states, with a tool, labels, and words that are hard to index."""
    look = {
        "tool": "price",
        "arguments": {"symbol": "it is not in sales.csv, says invoice-417 of https://example.org/my_file"},
    }
    program(*program.run_args(program.script(look, {"text": "ABC closed at 41.5 dollars"}), "--label", "prices"))
    answer = {"text": "STATUS: not found\nno owl, grüße it's the end"}
    program(
        "run", "where are the owl? and owls?", "--model", program.script(answer), "--tool", "plan", "--label", "100%_?"
    )


def told(program: Program, done: Result) -> Any:
    """What it said, without what differs from run to run."""
    said = f"{done.code}\n{done.out}\n{done.err}"
    said = re.sub(r"\d{6}-[a-z0-9]{6}", "RUN", said)
    said = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(\+00:00)?|\d\d:\d\d(:\d\d)?", "WHEN", said)
    said = re.sub(r'(, )?"[a-z]+_s": [\d.e-]+', "", said)  # a time that rounds to nothing is not stored at all
    said = re.sub(r"\b\d+(\.\d+)?( ?ms| s)\b|\d+\.\d{3,}|(?<=seconds.: )[\d.]+", "TIME", said)
    said = re.sub(r"(sqlite|postgresql)://\S+", "URL", said).replace(str(program.folder), "FOLDER")
    return re.sub(r"\b[0-9a-f]{8}\b|[0-9a-f]{12,64}", "DIGEST", said)


@pytest.fixture
def both(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Both:
    """The same runs in a database of each kind; commands run in this process."""

    class Here(Program):
        def __call__(self, *arguments: str, input: str | None = None, timeout: float = 60, **extra: Any) -> Result:
            return self.here(monkeypatch, capfd, *arguments, input=input or "")

    programs = Here(tmp_path / "a"), Here(tmp_path / "b", {"OUTRIDER_MEMORY": postgres.new_database()})
    for program in programs:
        fill(program)
    return programs


def test_reading_commands_say_the_same_on_both_databases(both: Both) -> None:
    """Exit code, stdout and stderr are equal, for every command and filter."""
    for words in READING:
        sqlite, on_postgres = (told(program, program(*words)) for program in both)
        assert (words, on_postgres) == (words, sqlite)
        assert "internal error" not in on_postgres
    for query in (
        "owl",
        "closed 41",
        "it is not",
        "grüße",
        "csv",
        "sales.csv",
        "invoice 417",
        "example",
        "my_file",
        "the",
    ):
        assert both[1]("find", query, "--json").lines, query  # equal is not enough where both would be empty


def test_label_and_rm_change_a_postgres_database(both: Both, postgres: PostgresServer) -> None:
    """What is deleted is in no table, its words are not found, and the others verify."""
    program = both[1]
    assert program("label", "last", "birds").code == 0
    assert [run["label"] for run in program("runs", "--json").lines] == ["birds", "prices"]
    assert program("rm", "--label", "birds", "--yes").code == 0
    assert [run["label"] for run in program("runs", "--json").lines] == ["prices"]
    assert program("find", "owl").code == 6
    name = program.environment["OUTRIDER_MEMORY"].partition("@/")[2].partition("?")[0]
    assert postgres.psql(name, "SELECT count(*) FROM events WHERE body LIKE '%owl%'") == "0"
    assert postgres.psql(name, "SELECT count(*) FROM recall WHERE words @@ to_tsquery('owl')") == "0"
    assert program("verify", "--all").code == 0
    assert json.loads(program("usage", "--json").out)["runs"] == 1
