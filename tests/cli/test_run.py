"""`run` and `resume`: the answer on stdout, the rest on stderr, the right exit code, nothing lost."""

from __future__ import annotations

import signal
import subprocess
import time

from tests.cli.program import Program
from tests.servers.openai_server import OpenAIServer

LOOK = {"tool": "price", "arguments": {"symbol": "ABC"}}


def test_run_prints_the_answer_alone_on_stdout(program: Program) -> None:
    """What is piped on is the answer and the mark of what nothing supports; progress and sources are on stderr."""
    answer = "ABC closed at 41.5 dollars. It rained in Ulm."
    model = program.script(LOOK, {"text": answer})
    done = program(*program.run_args(model))
    assert (done.code, done.out) == (0, f"{answer}\n[no support] It rained in Ulm.\n")
    assert "price  ABC" in done.err
    assert "left: 499 steps" in done.err
    assert '[event 5] "ABC closed at 41.5 dollars"' in done.err


def test_a_run_that_ends_at_once_prints_no_traceback(program: Program) -> None:
    """The sandbox that starts beside the first request may still be starting when the answer is there, or the key wrong."""
    for reply in ({"text": "done"}, {"error": {"what": "bad key"}}):
        done = program("run", "go", "--model", program.script(reply), "--tool", "python")
        assert "Traceback" not in done.err


def test_run_json_prints_one_object_and_quiet_says_nothing(program: Program) -> None:
    """A program can read what a run came to without reading prose."""
    model = program.script(LOOK, {"text": "ABC closed at 41.5 dollars"})
    done = program(*program.run_args(model, "--json", "--quiet", "--label", "prices"))
    run = done.json
    assert (done.code, run["state"], run["answer"]) == (0, "answered", "ABC closed at 41.5 dollars")
    assert run["citations"] == [
        {"claim": "ABC closed at 41.5 dollars", "seq": 5, "quote": "ABC closed at 41.5 dollars"}
    ]
    assert {"run", "stop_reason", "spent", "budget", "model"} <= set(run)
    assert done.err == ""


def test_a_budget_that_is_reached_exits_3_and_resume_goes_on_with_more(program: Program) -> None:
    """Exit 3 and how to go on; resume remembers tools, model and budget."""
    model = program.script(LOOK, {"tool": "price", "arguments": {"symbol": "X"}}, {"text": "41.5"})
    done = program(*program.run_args(model, "--steps", "2"))
    assert done.code == 3
    assert "the limit of steps was reached" in done.err
    assert "outrider resume" in done.err
    again = program("resume", "last", "--steps", "+5", "--json")
    assert (again.code, again.json["answer"], again.json["budget"]["steps"]) == (0, "41.5", 7)


def test_a_call_that_needs_a_yes_is_denied_with_nobody_there_and_allowed_by_yes(program: Program) -> None:
    """With no person, ask means no; --yes names the effect; resume remembers it."""
    model = program.script({"tool": "send", "arguments": {"text": "hello"}}, {"text": "done"})
    denied = program(*program.run_args(model))
    assert "needs a yes (network)" in denied.err
    assert not (program.work / "sent.txt").exists()
    assert program(*program.run_args(model, "--yes", "network")).code == 0
    assert (program.work / "sent.txt").read_text() == "hello\n"


def test_the_goal_can_come_from_stdin(program: Program) -> None:
    """`outrider run -` reads a goal too long for a command line."""
    model = program.script({"text": "done"})
    done = program("run", "-", "--model", model, "--tool", "plan", "--json", input="count\nthe rows")
    assert done.json["goal"] == "count\nthe rows"


def test_control_codes_of_a_model_never_reach_the_terminal(program: Program) -> None:
    """Neither the answer, the arguments nor markup of a model can move the cursor, colour a line or hide a word."""
    evil = "\x1b[2J\x9b31m[bold]safe[/bold] \u202egnp.exe"
    model = program.script({"tool": "price", "arguments": {"symbol": evil}, "text": evil}, {"text": evil})
    done = program(*program.run_args(model))
    shown = program("show", "last", "--full")
    for text in (done.out, done.err, shown.out):
        assert "[bold]safe[/bold]" in text
        assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    assert program("show", "last", "--json").out.isascii()


def test_one_signal_stops_after_the_step_and_resume_finishes(program: Program) -> None:
    """Ctrl-C loses nothing: exit 4, the command that goes on, and the finished step is not asked again."""
    model = program.script({"tool": "slow", "arguments": {"seconds": 1.5}}, {"text": "done"})
    process = program.start(*program.run_args(model))
    said = _wait_for(process, "slow  1.5")
    process.send_signal(signal.SIGINT)
    said += process.communicate(timeout=30)[1]
    assert process.returncode == 4
    assert "stopping after this step" in said
    assert "waited 1.5" in said
    assert "outrider resume" in said
    again = program("resume", "last", "--json")
    assert (again.code, again.json["answer"], again.json["spent"]["steps"]) == (0, "done", 2)


def test_a_second_signal_stops_at_once_and_the_run_stays_whole(program: Program) -> None:
    """A tool that hangs cannot hold a person; the journal verifies and the run can be resumed."""
    model = program.script({"tool": "slow", "arguments": {"seconds": 20}}, {"text": "done"})
    process = program.start(*program.run_args(model))
    _wait_for(process, "slow  20")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    assert (process.returncode, "Traceback" in said) == (4, False)
    assert program("verify", "last").code == 0
    assert program("runs", "--json").lines[0]["stop_reason"] == "interrupted"


def test_a_reader_of_stderr_that_leaves_does_not_stop_the_run(program: Program) -> None:
    """`outrider run … 2>&1 | head -1` ends quietly and the run is answered."""
    replies = [{"tool": "price", "arguments": {"symbol": f"S{i}"}} for i in range(5)]
    process = program.start(*program.run_args(program.script(*replies, {"text": "done"})), stderr=subprocess.STDOUT)
    assert process.stdout
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert program("runs", "--json").lines[0]["state"] == "answered"


def test_no_sandbox_is_said_aloud_even_when_quiet(program: Program) -> None:
    """Whoever gives up the sandbox is told what that means, and so is whoever reads the transcript."""
    done = program(*program.run_args(program.script({"text": "done"}), "--unsafe-no-sandbox", "--quiet"))
    assert "THE SANDBOX IS OFF" in done.err
    assert "THE SANDBOX IS OFF" in program("show", "last").out


def test_a_server_is_reached_with_the_key_of_the_variable_that_was_named(program: Program) -> None:
    """--api-key-env names the key; resume remembers the name, and the key itself is nowhere on disk."""
    program.environment = {"MY_KEY": "sk-very-secret-key", "OPENAI_API_KEY": "sk-another"}
    with OpenAIServer(replies=[{"status": 401, "body": {}}, {"text": "hello"}]) as server:
        flags = ("--base-url", server.base_url, "--api-key-env", "MY_KEY", "--tool", "plan")
        assert program("run", "go", *flags).code == 5
        again = program("resume", "last", "--json")
        assert (again.code, again.json["answer"]) == (0, "hello")
        assert [seen.headers["authorization"] for seen in server.requests] == ["Bearer sk-very-secret-key"] * 2
    stored = b"".join(file.read_bytes() for file in program.home.rglob("*") if file.is_file())
    assert b"very-secret" not in stored


def _wait_for(process: subprocess.Popen[str], text: str) -> str:
    said = ""
    assert process.stderr
    for line in process.stderr:
        said += line
        if text in line:
            return said
    raise AssertionError(said)


def test_schema_prints_data_alone(program: Program) -> None:
    """stdout is one JSON value; an answer that never fits is told on stderr with exit code 9."""
    good = program("run", "go", "--schema", "name, age int", "--tool", "plan", "--model",
                   program.script({"text": "Sure!"}, {"text": '{"name": "Ann", "age": 40}'}))  # fmt: skip
    assert (good.code, good.out) == (0, '{"name": "Ann", "age": 40}\n')
    bad = program("run", "go", "--schema", "age int", "--tool", "plan", "--model",
                  program.script(*[{"text": "no"}] * 9, name="bad.json"))  # fmt: skip
    assert (bad.code, bad.out) == (9, "")
    assert "not the data" in bad.err
    assert program("run", "go", "--schema", "age whole", "--model", program.script({"text": "x"})).code == 2
