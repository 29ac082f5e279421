"""`outrider batch` as a person runs it: killed, stopped, gone on with, wrong input, two at once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Program

MARK = '''
import os
from outrider.tools import ToolContext, tool

@tool(effect="write")
def mark(text: str, context: ToolContext) -> str:
    """Write a line down."""
    with open(os.environ["MARKS"], "a") as file:
        file.write(context.run_id + " " + context.call_id + "\\n")
    return "written"
'''


def goals(program: Program, count: int, name: str = "goals.jsonl") -> str:
    (program.work / name).write_text("".join(json.dumps({"goal": f"goal {n}"}) + "\n" for n in range(count)))
    return name


def script(program: Program, delay_s: float, price: float | None = None) -> str:
    """A model that marks, thinks and answers."""
    call = {"tool": "mark", "arguments": {"text": "x"}, "delay_s": delay_s}
    told = {"replies": [call, call, {"text": "It is seven.", "delay_s": delay_s}]}
    if price is not None:
        told["price"] = {"input": price, "output": price}  # type: ignore[assignment]
    (program.folder / "batch.json").write_text(json.dumps(told))
    (program.folder / "mark.py").write_text(MARK)
    program.environment["MARKS"] = str(program.folder / "marks.txt")
    return f"scripted:{program.folder / 'batch.json'}"


def words(program: Program, file: str, model: str, *more: str) -> tuple[str, ...]:
    tools = str(program.folder / "mark.py")
    return ("batch", file, "--model", model, "--tool", "plan", "--tools-from", tools, *more)


def marks(program: Program) -> Counter[str]:
    return Counter((program.folder / "marks.txt").read_text().splitlines())


def ask(program: Program, statement: str) -> list[Any]:
    file = next(program.home.rglob("*.db"))
    with sqlite3.connect(file) as db:
        return db.execute(statement).fetchall()


def kill_when(program: Program, done: int, *arguments: str) -> None:
    """Start it, and kill -9 when the database holds so many answers."""
    started = program.start(*arguments)
    until = time.monotonic() + 300
    while time.monotonic() < until:
        time.sleep(0.05)
        try:
            if ask(program, "SELECT count(*) FROM events WHERE kind = 'answered'")[0][0] >= done:
                break
        except (sqlite3.Error, StopIteration):
            continue
    assert started.poll() is None, started.communicate()
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()


def check_once(program: Program, count: int, results: list[dict[str, Any]]) -> None:
    """Every goal has one run with one answer, and no effect happened twice."""
    assert Counter(one["state"] for one in results) == {"answered": count}
    assert len({one["run"] for one in results}) == len({one["goal"] for one in results}) == count
    assert ask(program, "SELECT count(*), count(DISTINCT run_id) FROM events WHERE kind = 'answered'") == [
        (count, count)
    ]
    assert ask(program, "SELECT count(*) FROM runs") == [(count,)]
    assert max(marks(program).values()) == 1
    assert len({mark.split()[0] for mark in marks(program)}) == count


@pytest.mark.parametrize(
    ("count", "kills"),
    [(60, (5, 20, 40)), pytest.param(1000, (50, 300, 700), marks=[pytest.mark.slow, pytest.mark.timeout(1200)])],
)
def test_killed_three_times_each_goal_is_answered_once(program: Program, count: int, kills: tuple[int, ...]) -> None:
    """kill -9 three times; the same command goes on, nothing is asked or done twice, and all that was spent fits the budget."""
    file, model = goals(program, count), script(program, 0.05, price=1.0)
    line = words(program, file, model, "--usd", "900", "-j", "24")
    for done in kills:
        kill_when(program, done, *line, "-o", "cut.jsonl")  # nobody reads its stdout meanwhile
        assert within(program, 900)
    last = program(*line, timeout=1000)
    assert last.code == 0, last.err
    check_once(program, count, last.lines)
    assert "before this start" in last.err
    assert within(program, 900)


def within(program: Program, usd: float) -> bool:
    """What is set aside, and what runs have spent, is within the budget."""
    set_aside, limit = ask(program, "SELECT nano_usd, nano_usd_limit FROM fleets")[0]
    costs = ask(program, "SELECT json_extract(body, '$.cost.usd') FROM events WHERE kind = 'model_replied'")
    return bool(set_aside <= limit and sum(float(cost) for (cost,) in costs) <= usd)


def test_wrong_lines_are_named_and_the_exit_code_says_so(program: Program) -> None:
    """A byte order mark, Windows line ends, a cut line, a copied line: the rest is answered, and the code is not 0."""
    model = script(program, 0)
    text = '\ufeff{"goal": "a"}\r\n{"goal": \r\n\r\n{"goal": "b"}\r\n{"goal": "a"}\r\n{"goal": "c", "budget": {"usd": -1}}\r\n'
    (program.work / "goals.jsonl").write_bytes(text.encode())
    done = program(*words(program, "goals.jsonl", model))
    assert done.code == 3
    assert "line 2 is no goal: not JSON" in done.err
    assert "line 6 is no goal: budget" in done.err
    assert {one["line"]: one["state"] for one in done.lines} == {
        1: "answered", 2: "wrong", 4: "answered", 5: "answered", 6: "wrong"
    }  # fmt: skip
    assert next(one for one in done.lines if one["line"] == 5)["same_as_line"] == 1
    corrected = text.replace('{"goal": \r', '{"goal": "d"}\r').replace("-1", "1")
    (program.work / "goals.jsonl").write_bytes(corrected.encode())
    again = program(*words(program, "goals.jsonl", model))
    assert again.code == 0, again.err
    assert sum("goal" in one for one in again.lines) == 5
    assert max(marks(program).values()) == 1, "what was answered is not asked again"


@pytest.mark.parametrize(
    ("text", "more", "says"),
    [("", (), "is empty"), ("\n\n", (), "is empty"), ("a", ("--usd", "x"), "not a limit"),
     ("a", ("--at-once", "h=x"), "no rate"), ("a", ("--format", "xml"), "no format"), ("a", ("-j", "0"), "--jobs"),
     (None, (), "cannot be read")],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_before_anything_starts(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], text: str | None,
    more: tuple[str, ...], says: str,
) -> None:  # fmt: skip
    """Exit code 2, the reason, and no run."""
    if text is not None:
        (program.work / "goals.txt").write_text(text)
    done = program.here(monkeypatch, capfd, *words(program, "goals.txt", script(program, 0), *more))
    assert done.code == 2
    assert says in done.err
    assert not list(program.home.rglob("*.db"))


def test_ctrl_c_begins_no_other_goal_and_the_same_command_goes_on(program: Program) -> None:
    """Once: those at work end well. Twice: it stops at once. Nothing is lost or done twice either way."""
    file, model = goals(program, 40), script(program, 0.3)
    line = words(program, file, model, "-j", "4")
    for presses, answers in ((1, 1), (2, 13)):
        started = program.start(*line)
        _wait_for(program, answers)
        started.send_signal(signal.SIGINT)
        if presses == 2:
            time.sleep(0.3)
            started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
        assert started.returncode == 4, err
        assert "no other goal is begun" in err
        assert "the same command goes on" in err
        states = Counter(json.loads(one)["state"] for one in out.splitlines())
        assert set(states) <= {"answered"}
        assert states["answered"] < 40
        if presses == 1:
            assert states["answered"] < 13, "the second start is told to stop while it works"
    last = program(*words(program, file, script(program, 0), "-j", "8"))
    assert last.code == 0, last.err
    check_once(program, 40, last.lines)


def _wait_for(program: Program, answers: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(0.05)
        try:
            if ask(program, "SELECT count(*) FROM events WHERE kind = 'answered'")[0][0] >= answers:
                return
        except (sqlite3.Error, StopIteration):
            continue
    raise AssertionError("nothing was answered")


def test_two_batches_on_one_file_share_the_work_and_not_the_results(program: Program) -> None:
    """Both tell of all goals, each is answered once; a second one that would write the same file is refused."""
    file, model = goals(program, 30), script(program, 0.5)
    first = program.start(*words(program, file, model, "-j", "2", "-o", "first.jsonl"))
    _wait_for(program, 1)
    refused = program(*words(program, file, model, "-j", "4", "-o", "first.jsonl"))
    assert refused.code == 2
    assert "another process writes" in refused.err
    second = program(*words(program, file, model, "-j", "4"))
    assert first.wait(timeout=60) == 0
    assert second.code == 0, second.err
    check_once(program, 30, second.lines)
    written = [json.loads(line) for line in (program.work / "first.jsonl").read_text().splitlines()]
    check_once(program, 30, written)


def test_goals_come_from_stdin_and_csv(program: Program) -> None:
    """What is piped in is the same batch when it is piped in again; --fresh asks all again."""
    model = script(program, 0)
    one = program(*words(program, "-", model), input="first\nsecond\n")
    two = program(*words(program, "-", model), input="first\nsecond\n")
    assert (one.code, two.code) == (0, 0), one.err
    assert {r["run"] for r in one.lines} == {r["run"] for r in two.lines}
    fresh = program(*words(program, "-", model, "--fresh"), input="first\nsecond\n")
    assert {r["run"] for r in fresh.lines}.isdisjoint(r["run"] for r in one.lines)
    (program.work / "goals.csv").write_text('goal,id,steps\n"a, b",x1,5\nc,x2,\n')
    table = program(*words(program, "goals.csv", model))
    assert table.code == 0, table.err
    assert {r["id"] for r in table.lines} == {"x1", "x2"}


def test_a_line_has_its_own_model_schema_label_and_folder(program: Program) -> None:
    """Paths are relative to the file; the value comes back as data."""
    base = script(program, 0)
    (program.work / "sub" / "data").mkdir(parents=True)
    (program.work / "sub" / "other.json").write_text(json.dumps([{"text": '{"n": 7}'}]))
    line = {"goal": "how many", "model": f"scripted:{program.work / 'sub' / 'other.json'}", "schema": "n int",
            "label": "mine", "workspace": "data", "budget": {"steps": 3}}  # fmt: skip
    (program.work / "sub" / "goals.jsonl").write_text(json.dumps(line) + "\n" + '{"goal": "other"}\n')
    done = program(*words(program, "sub/goals.jsonl", base, "--label", "all"))
    assert done.code == 0, done.err
    mine = next(one for one in done.lines if one["goal"] == "how many")
    assert mine["value"] == {"n": 7}
    assert program("runs", "--label", "mine", "--json").out.count(mine["run"]) >= 1
    shown = program("show", mine["run"], "--json")
    started = json.loads(shown.out.splitlines()[0])
    assert str(program.work / "sub" / "data") in json.dumps(started)


def test_a_dry_run_says_what_it_may_cost_and_starts_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Goals, copies, wrong lines and dollars; no run is made."""
    model = script(program, 0, price=2.0)
    (program.work / "g.jsonl").write_text('{"goal": "a"}\n{"goal": "a"}\nx\n{"goal": "b"}\n')
    done = program.here(monkeypatch, capfd, *words(program, "g.jsonl", model, "--dry-run", "--usd", "5"))
    assert done.code == 3
    assert "2 goals, 1 lines repeat one" in done.out
    assert "line 3 is no goal" in done.out
    assert "$5" in done.out
    told = program.here(monkeypatch, capfd, *words(program, "g.jsonl", model, "--dry-run", "--json")).json
    assert told["goals"] == 2
    assert told["usd"] > 0
    assert not list(program.home.rglob("*.db"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_results_that_cannot_be_written_stop_it_and_nothing_is_lost(program: Program) -> None:
    """A full disk under the results: exit code 2, and the same command goes on."""
    file, model = goals(program, 3), script(program, 0)
    full = program(*words(program, file, model, "-o", "/dev/full"))
    assert full.code == 2
    assert "space" in full.err
    last = program(*words(program, file, model))
    assert last.code == 0, last.err
    check_once(program, 3, last.lines)


def test_a_reader_who_leaves_stops_the_batch_and_the_exit_code_says_so(program: Program) -> None:
    """`outrider batch … | head -1`: not everything was done, and the same command goes on."""
    file, model = goals(program, 30), script(program, 0.05)
    line = words(program, file, model, "-j", "2")
    started = program.start(*line)
    assert started.stdout is not None
    assert json.loads(started.stdout.readline())["state"] == "answered"
    started.stdout.close()
    assert started.wait(120) == 4
    assert started.stderr is not None
    assert "the same command goes on" in started.stderr.read()
    assert max(marks(program).values()) == 1
    assert len({mark.split()[0] for mark in marks(program)}) < 30, "what nobody reads is not begun"
    last = program(*line)
    assert last.code == 0, last.err
    check_once(program, 30, last.lines)


@pytest.mark.parametrize("name", ["itself", "symlink", "hard link", "other way", "piped in", "its tools"])
def test_results_are_not_written_over_what_is_read(program: Program, name: str) -> None:
    """Exit code 2 before anything is opened: not a byte of the goals is lost, whatever the name."""
    file, model = goals(program, 3), script(program, 0)
    path = program.work / file
    (program.work / "sub").mkdir()
    (program.work / "symlink").symlink_to(path)
    (program.work / "hard link").hardlink_to(path)
    out = {"itself": file, "piped in": file, "other way": f"sub/../{file}", "its tools": "../mark.py"}.get(name, name)
    before = (path.read_bytes(), (program.folder / "mark.py").read_bytes())
    line = words(program, "-" if name == "piped in" else file, model, "-o", out)
    with path.open() as stdin:
        started = program.start(*line, stdin=stdin)
        _, told = started.communicate(timeout=120)
    assert started.returncode == 2
    assert "is read as well" in told
    assert (path.read_bytes(), (program.folder / "mark.py").read_bytes()) == before
    assert not list(program.home.rglob("*.db"))


def test_a_reader_who_does_not_read_holds_up_no_run_and_no_signal(program: Program) -> None:
    """A full pipe: runs go on meanwhile, Ctrl-C is heard, and once somebody reads, every line that was begun is whole."""
    file, model = "goals.jsonl", script(program, 0.05)
    fat = "x" * 8_000  # eight of them fill a pipe
    (program.work / file).write_text("".join(json.dumps({"goal": f"goal {n} {fat}"}) + "\n" for n in range(60)))
    line = words(program, file, model, "-j", "4")
    with (program.folder / "said.txt").open("w+") as said:
        started = program.start(*line, stderr=said)
        _until(lambda: ask(program, "SELECT count(*) FROM events WHERE kind = 'answered'")[0][0] >= 20)
        started.send_signal(signal.SIGINT)
        _until(lambda: "no other goal is begun" in (program.folder / "said.txt").read_text())
        printed, _ = started.communicate(timeout=300)
    assert started.returncode == 4
    done = [json.loads(one) for one in printed.splitlines()]
    assert len(done) == ask(program, "SELECT count(*) FROM events WHERE kind = 'answered'")[0][0] < 60
    assert [one["state"] for one in done] == ["answered"] * len(done)
    last = program(*line, timeout=300)
    assert last.code == 0, last.err
    check_once(program, 60, last.lines)


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until:
        with suppress(sqlite3.Error, StopIteration):
            if true():
                return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")
