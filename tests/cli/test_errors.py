"""What can go wrong before or under a run: one clear message, the right exit code, nothing lost, never a traceback."""

from __future__ import annotations

import os
import resource
import shlex
import sqlite3
import subprocess

import pytest

from outrider.memory.store import Store
from tests.cli.program import Program, Result

LOOK = {"tool": "price", "arguments": {"symbol": "ABC"}}


def _clear(done: Result, code: int, *words: str) -> None:
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert "internal error" not in done.err
    for word in words:
        assert word in done.err
    assert done.out == "" or code == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "x", "--nosuch"), ("--nosuch",)),
        (("run",), ("goal",)),
        (("nosuch",), ("nosuch",)),
        (("run", "x", "--steps", "many", "--model", "scripted:{}"), ("'many'", "steps")),
        (("run", "x", "--model", "gpt"), ("gpt", "provider:name")),
        (("run", "x", "--model", "nosuch:gpt"), ("nosuch", "openai:")),
        (("run", "x", "--model", "scripted:/nosuch.json"), ("/nosuch.json",)),
        (("run", "x", "--model", "scripted:{}", "--tool", "pyton"), ("pyton", "python")),
        (("run", "x", "--model", "scripted:{}", "--yes", "everything"), ("everything", "network")),
        (("run", "x", "--model", "scripted:{}", "--workspace", "/nosuch"), ("/nosuch",)),
        (("run", "x", "--model", "scripted:{}", "--memory", "mysql://x/y"), ("mysql",)),
        (("run", "x", "--model", "scripted:{}", "--secret", "NOSUCH_KEY"), ("NOSUCH_KEY",)),
        (("run", "x", "--model", "scripted:{}", "--price-in", "1"), ("--price-out",)),
        (("run", " ", "--model", "scripted:{}"), ("no goal",)),
        (("resume", "nosuch"), ("nosuch",)),
        (("show", "nosuch"), ("nosuch",)),
        (("verify",), ("--all",)),
        (("tools", "show", "pyton"), ("pyton",)),
        (("models", "pull", "x"), ("owner/name",)),
        (("run", "x", "--model", "scripted:{}", "--isolation", "bunker"), ("bunker", "namespaces")),
        (("run", "x", "--model", "scripted:{}", "--isolation", "none"), ("--unsafe-no-sandbox",)),
    ],
)
def test_a_mistake_is_told_in_words_and_exits_2(
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: tuple[str, ...],
) -> None:
    """Every mistake on the command line names itself and what would be right."""
    script = program.script({"text": "done"}).removeprefix("scripted:")
    Store(f"sqlite:///{program.home / 'memory.db'}").close()
    _clear(program.here(monkeypatch, capfd, *(a.replace("{}", script) for a in arguments)), 2, *words)


def test_a_model_that_cannot_be_reached_exits_5(program: Program) -> None:
    """Nobody listens on that port: exit 5, and the run can be resumed."""
    done = program("run", "x", "--model", "openai:m", "--base-url", "http://127.0.0.1:9/v1", "--tool", "plan")
    _clear(done, 5, "cannot reach", "127.0.0.1:9", "outrider resume")


def test_no_key_exits_5_and_names_the_ways_out(program: Program) -> None:
    """A model that needs a key says so before anything is sent."""
    _clear(program("run", "x", "--model", "openai:gpt-5-mini"), 5, "OPENAI_API_KEY")


def test_an_unknown_price_with_a_dollar_limit_refuses_before_the_first_request(program: Program) -> None:
    """An unknown price is never taken for nothing."""
    flags = ("--model", "openai:mine", "--base-url", "http://127.0.0.1:9/v1", "--usd", "1", "--tool", "plan")
    _clear(program("run", "x", *flags), 2, "--price-in", "--price-out")
    assert program("runs", "--json").out == ""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, ("my_tools.py",)),
        ("import nothing_of_that_name", ("nothing_of_that_name", "line 1")),
        ("def broken(:", ("line 1",)),
        ("x = 1", ("@tool",)),
        ("raise SystemExit(7)", ("SystemExit", "line 1")),
    ],
)
def test_a_tools_file_that_cannot_be_used_says_where(
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    source: str | None,
    words: tuple[str, ...],
) -> None:
    """Missing, raising, not Python, without tools: each is told with the file and the line, and no run begins."""
    program.tools.unlink() if source is None else program.tools.write_text(source)
    arguments = program.run_args(program.script({"text": "done"}))
    _clear(program.here(monkeypatch, capfd, *arguments), 2, "my_tools.py", *words)
    assert program.here(monkeypatch, capfd, "runs", "--json").out == ""


def test_a_database_from_the_future_is_refused_and_left_as_it_is(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A newer Outrider's memory is not touched by an older one."""
    program.here(monkeypatch, capfd, *program.run_args(program.script({"text": "done"})))
    file = program.home / "memory.db"
    with sqlite3.connect(file) as db:
        db.execute("UPDATE outrider_schema SET version = '9999'")
    db.close()
    run = program.run_args(program.script({"text": "done"}))
    for command in (run, ("runs",), ("show", "last"), ("verify", "--all")):
        _clear(program.here(monkeypatch, capfd, *command), 2, "newer Outrider", "9999")


def test_a_data_folder_that_cannot_be_written_is_told(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A home below a file (root may write anywhere else) gives one message that names --memory."""
    (program.folder / "file").write_text("")
    program.home = program.folder / "file" / "home"
    arguments = program.run_args(program.script({"text": "done"}))
    _clear(program.here(monkeypatch, capfd, *arguments), 2, "memory.db", "--memory")
    checked = program.here(monkeypatch, capfd, "doctor")
    assert checked.code == 1
    assert "fail  data folder" in checked.out


def test_a_full_disk_stops_the_run_and_loses_nothing(program: Program) -> None:
    """When the disk is full the run says so, exits 2, and what was recorded verifies and goes on later."""
    program(*program.run_args(program.script({"text": "done"})))  # makes the database
    calls = [{"tool": "long", "arguments": {"count": 20_000 + i}} for i in range(30)]
    most = sum(file.stat().st_size for file in program.home.glob("memory.db*")) + 150_000
    done = program(
        *program.run_args(program.script(*calls, {"text": "done"}, name="long.json")),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert (done.code, "Traceback" in done.err, "internal error" in done.err) == (2, False, False)
    assert "cannot be used" in done.err or "failed" in done.err
    assert "outrider resume 2" in done.err
    assert program("verify", "--all").code == 0
    again = program("resume", "last", "--json")
    assert (again.code, again.json["answer"]) == (0, "done")


def test_a_bug_is_one_line_and_its_traceback_is_kept(program: Program) -> None:
    """What nobody thought of is told in one line with where to read more; OUTRIDER_DEBUG=1 shows it."""
    program.environment = {"COLUMNS": "100", "OUTRIDER_MODEL": "scripted:x"}
    broken = "import sys, outrider.agent.cli.listing.runs as r\nr.asked = lambda *m: 1 / 0\n"
    broken += "from outrider.agent.cli.app import run_command_line\nsys.exit(run_command_line(['runs']))"
    program.command = lambda *arguments: [__import__("sys").executable, "-c", broken]  # type: ignore[method-assign]
    done = program("runs")
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "internal error: ZeroDivisionError" in done.err
    (report,) = (program.home / "errors").iterdir()
    assert str(report) in done.err
    assert "ZeroDivisionError" in report.read_text()
    program.environment["OUTRIDER_DEBUG"] = "1"
    assert "Traceback" in program("runs").err


def test_closed_streams_stop_nothing(program: Program) -> None:
    """`outrider run … >&- 2>&-` finishes the run; that its answer reached nobody is an exit code of 2."""
    arguments = program.command(*program.run_args(program.script({"text": "done"})))
    line = " ".join(map(shlex.quote, arguments)) + " >&- 2>&-"
    done = subprocess.run(["sh", "-c", line], cwd=program.work, env=program.env(), check=False, timeout=60)
    assert done.returncode == 2
    assert program("runs", "--json").lines[0]["state"] == "answered"


@pytest.mark.parametrize("words", ["nosuch", "completion x", "show nosuch", "--help"])
def test_a_reader_of_a_mistake_that_leaves_changes_no_exit_code(program: Program, words: str) -> None:
    """`outrider nosuch 2>&1 | head -1` is wrong usage (2) and no bug (1), with nobody left to read it."""
    line = " ".join(map(shlex.quote, program.command(*words.split())))
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            ["sh", "-c", line], cwd=program.work, env=program.env(), stdout=gone, stderr=gone, check=False, timeout=60
        )
    assert done.returncode == (0 if words == "--help" else 2)


@pytest.mark.parametrize("target", [">&-", "> /dev/full"])
@pytest.mark.parametrize("more", ["", "--json"])
def test_an_answer_that_could_not_be_printed_is_told_with_where_it_is(program: Program, target: str, more: str) -> None:
    """A full disk behind stdout, or none: exit 2, and the transcript holds the answer."""
    arguments = program.command(*program.run_args(program.script({"text": "the answer"})), *more.split())
    line = f"{' '.join(map(shlex.quote, arguments))} {target}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=program.work, env=program.env(), check=False, timeout=60, stderr=-1, text=True
    )
    assert done.returncode == 2
    assert "the answer could not be printed" in done.stderr
    assert "outrider show" in done.stderr
    assert "the answer" in program("show", "last").out


def test_a_reading_command_says_that_its_output_went_nowhere(program: Program) -> None:
    """`outrider runs > /dev/full` is no success, and no bug."""
    program(*program.run_args(program.script({"text": "x"})))
    for words in (("runs",), ("show", "last"), ("tools", "list"), ("--help",)):
        for target in (">&-", "> /dev/full"):
            line = f"{' '.join(map(shlex.quote, program.command(*words)))} {target}"
            done = subprocess.run(
                ["sh", "-c", line], cwd=program.work, env=program.env(), check=False, timeout=60, stderr=-1, text=True
            )
            assert (done.returncode, "stdout" in done.stderr, "Traceback" in done.stderr) == (2, True, False), words


def test_a_working_folder_that_was_deleted_is_named(program: Program) -> None:
    """Started in a folder that is gone: exit 2, in words."""
    gone = program.folder / "gone"
    words = program.command("run", "x", "--model", program.script({"text": "x"}), "--tool", "plan")
    line = f"mkdir {gone} && cd {gone} && rmdir {gone} && {' '.join(map(shlex.quote, words))}"
    done = subprocess.run(["sh", "-c", line], env=program.env(), check=False, timeout=60, stderr=-1, text=True)
    _clear(Result(done.returncode, "", done.stderr), 2, "the folder this was started in is not there any more")


def test_a_run_has_one_driver_and_survives_its_death(program: Program) -> None:
    """While a process drives a run another is refused (exit 4); after kill -9 it goes on, and nothing is asked again."""
    model = program.script(LOOK, {"tool": "slow", "arguments": {"seconds": 3}}, {"text": "41.5"})
    process = program.start(*program.run_args(model))
    assert process.stderr
    next(line for line in process.stderr if "slow  3" in line)
    _clear(program("resume", "last"), 4, "another process")
    process.kill()
    process.communicate()
    again = program("resume", "last", "--json")
    assert (again.code, again.json["spent"]["steps"]) == (0, 3)
    calls = [e["body"]["tool"] for e in program("show", "last", "--json").lines if e["kind"] == "tool_called"]
    assert calls.count("price") == 1


def test_the_configuration_gives_defaults_and_flags_win(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """config.toml names the model, the budget and the policy; a key that means nothing is refused."""
    model = program.script({"tool": "send", "arguments": {"text": "x"}}, {"text": "done"})
    program.home.mkdir()
    config = program.home / "config.toml"
    config.write_text(f'model = "{model}"\nbudget = {{ steps = 7 }}\npolicy = {{ network = "allow" }}\n')
    flags = ("run", "go", "--tools-from", str(program.tools), "--tool", "plan", "--json", "--quiet")
    done = program.here(monkeypatch, capfd, *flags)
    assert (done.code, done.json["model"], done.json["budget"]) == (0, model, {"steps": 7, "seconds": 3600.0})
    assert (program.work / "sent.txt").exists()
    assert program.here(monkeypatch, capfd, *flags, "--calls", "5").json["budget"] == {
        "steps": 7,
        "seconds": 3600.0,
        "calls": 5,
    }
    config.write_text("modle = 'x'")
    _clear(program.here(monkeypatch, capfd, *flags), 2, "modle", "config.toml")
