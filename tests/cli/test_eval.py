"""`outrider eval` as a person runs it: killed, gone on with, compared, in CI."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.cli.program import Program, Result


def goals(program: Program, count: int) -> str:
    """A file of goals; every third one is not reached by a model that always says 'done 7'."""
    lines = [
        {"goal": f"goal {n}", "expect": "done" if n % 3 else "never", "files": {"a.txt": str(n)}} for n in range(count)
    ]
    file = program.work / "goals.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    return str(file)


def slow_script(program: Program, name: str, delay_s: float) -> str:
    calls = {"tool": "plan", "arguments": {"items": ["a"]}}
    return program.script(calls, {"text": "done 7", "delay_s": delay_s}, name=name)


def table(result: Result) -> list[str]:
    """The table without what the clock says."""
    scores = result.json["scores"]
    return [json.dumps({key: value for key, value in score.items() if key != "seconds"}) for score in scores]


@pytest.mark.slow
def test_killed_twice_it_gives_the_same_table(program: Program) -> None:
    """Forty goals, kill -9 in the middle of an attempt, twice: the table is that of an evaluation nobody killed."""
    file, model = goals(program, 40), slow_script(program, "s.json", 0.05)
    words = ("eval", file, "--models", model, "--tool", "plan", "--json", "--steps", "9")
    whole = program(*words, "--out", "whole", timeout=300)
    for least in (5, 20):
        started = program.start(*words, "--out", "cut")
        results = program.work / "cut" / "results.jsonl"
        until = time.monotonic() + 120
        while time.monotonic() < until and (not results.exists() or results.read_bytes().count(b"\n") < least):
            time.sleep(0.02)
        os.kill(started.pid, signal.SIGKILL)
        started.communicate()
        assert least <= results.read_bytes().count(b"\n") < 40
    again = program(*words, "--out", "cut", timeout=300)
    assert "going on" in again.err
    assert (again.code, table(again)) == (whole.code, table(whole))
    assert len(again.json["results"]) == 40


def test_two_models_are_compared_and_reports_written(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A table on stdout, JUnit and a picture in files, exit code 4 under the wanted share."""
    file = goals(program, 4)
    good, bad = slow_script(program, "good.json", 0), program.script({"text": "STATUS: failed\nno"}, name="bad.json")
    words = ("eval", file, "--models", f"{good},{bad}", "--tool", "plan", "--svg", "e.svg", "--junit", "e.xml")
    done = program.here(monkeypatch, capfd, *words)
    assert done.code == 0, done.err
    assert "2/4" in done.out
    assert "0/4" in done.out
    assert "✗" in done.out
    assert (program.work / "e.svg").read_text().startswith("<svg")
    assert 'failures="4"' in (program.work / "e.xml").read_text()
    again = program.here(monkeypatch, capfd, *words, "--repeat", "2", "--fail-under", "0.4")
    assert again.code == 4
    assert "going on: 8 of 16" in again.err
    assert program.here(monkeypatch, capfd, *words, "--fresh").err.count("✓") == 2


def test_an_attempt_sees_nothing_of_another(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Workspace and memory are each attempt's own; the person's database gets no run of it."""
    model = program.script({"tool": "list_files", "arguments": {}}, {"text": "done"})
    done = program.here(
        monkeypatch, capfd, "eval", goals(program, 3), "--models", model, "--tool", "list_files", "--out", "o", "--json"
    )
    assert done.code == 0, done.err
    assert not (program.home / "memory.db").exists()
    for place in (Path(program.work / "o" / one["place"]) for one in done.json["results"]):
        assert [file.name for file in (place / "workspace").iterdir()] == ["a.txt"]
        shown = program.here(monkeypatch, capfd, "show", "last", "--memory", str(place / "memory.db"))
        assert "a.txt" in shown.out


def test_a_model_that_is_not_reached_is_not_scored(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A dead server is no zero; the same command goes on when it is back."""
    model = program.script({"error": {"what": "down", "retryable": False}}, {"text": "done"})
    done = program.here(monkeypatch, capfd, "eval", goals(program, 9), "--models", model, "--tool", "plan", "--json")
    assert done.code == 5
    assert done.json["results"] == []
    assert "not reached" in done.err


@pytest.mark.parametrize(
    "words",
    [("none.jsonl",), ("goals.jsonl", "--models", "nonsense"), ("goals.jsonl", "--repeat", "0"),
     ("goals.jsonl", "--models", "starter", "--model", "starter"), ("goals.jsonl", "--checks", "none.py"),
     ("goals.jsonl", "--out", "/proc/x"), ("goals.jsonl", "--fail-under", "2")],
)  # fmt: skip
def test_wrong_words_are_refused(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Exit code 2 in words."""
    (program.work / "goals.jsonl").write_text(
        '{"goal": "a", "python": "f"}' if "--checks" in words else '{"goal": "a", "expect": "b"}'
    )
    if "--models" not in words:
        words = (*words, "--models", program.script({"text": "b"}))
    done = program.here(monkeypatch, capfd, "eval", *words)
    assert done.code == 2, done.err
    assert "Traceback" not in done.err


def test_a_file_of_checks_that_is_none_is_refused_even_where_no_goal_needs_it(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`--checks ""` or a folder is no file; it decides where results are kept, so it is read in any case."""
    words = ("eval", goals(program, 1), "--models", program.script({"text": "done"}))
    for checks in ("", ".", "nosuch.py"):
        done = program.here(monkeypatch, capfd, *words, "--checks", checks)
        assert (done.code, "why:" in done.err) == (2, True), done.err
