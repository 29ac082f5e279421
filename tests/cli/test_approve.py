"""`outrider approve` and `outrider stop`: the word of a person at another terminal, to a run with nobody at its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from outrider.memory.events import RunStarted
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from tests.cli.program import Program
from tests.cli.test_person import at_terminal

SEND = {"tool": "send", "arguments": {"text": "hello"}}


def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("it never came")


def waiting(program: Program) -> list[Any]:
    done = program("approve", "--json")
    return done.lines if done.code == 0 else []


def started(program: Program, *more: str, script: tuple[dict[str, Any], ...] = (SEND, {"text": "done"})) -> Any:
    """(the process, what it asks)."""
    process = program.start(*program.run_args(program.script(*script), "--approve-within", "60s", *more))
    return process, until(lambda: waiting(program))[0]


def test_a_call_is_listed_and_allowed_from_another_terminal(program: Program) -> None:
    """The list shows the exact arguments; the run goes on, and says who allowed it."""
    process, asked = started(program)
    assert (asked["tool"], asked["arguments"], asked["driven"]) == ("send", {"text": "hello"}, True)
    assert "hello" in program("approve").out
    done = program("approve", asked["run"], asked["call"])
    assert (done.code, "allowed" in done.out) == (0, True)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.strip()) == (0, "done")
    assert "outrider approve" in err
    assert "allowed by" in program("show", "last").out
    again = program("approve", asked["run"], "--deny")
    assert (again.code, "no call" in again.err) == (2, True)


def test_a_no_with_a_reason_from_another_terminal(program: Program) -> None:
    """The model reads it; nothing was sent."""
    process, asked = started(program)
    assert program("approve", asked["run"], "--deny", "--reason", "not today").code == 0
    process.communicate(timeout=60)
    assert not (program.work / "sent.txt").exists()
    assert "not today" in program("show", "last").out


def test_other_arguments_from_another_terminal(program: Program) -> None:
    """--args replaces them; what is no JSON object is refused, and the call still waits."""
    process, asked = started(program)
    assert program("approve", asked["run"], "--args", "[1]").code == 2
    assert program("approve", asked["run"], "--args", "{").code == 2
    assert program("approve", asked["run"], "--for", "ever").code == 2
    assert program("approve", asked["run"], "1.0-00000000").code == 2
    assert program("approve", asked["run"], "--args", '{"text": "bye"}').code == 0
    process.communicate(timeout=60)
    assert (program.work / "sent.txt").read_text() == "bye\n"


def test_a_person_at_the_other_terminal_sees_the_call_before_the_answer(program: Program) -> None:
    """It asks as the run's own terminal would."""
    process, asked = started(program)
    code, said = at_terminal(program, ("approve", asked["run"]), [("allow?", b"y\n")])
    assert (code, "hello" in said) == (0, True)
    process.communicate(timeout=60)
    assert (program.work / "sent.txt").read_text() == "hello\n"


def test_a_run_killed_while_it_waited_finds_the_answer_when_resumed(program: Program) -> None:
    """kill -9 between the question and the effect: the answer given meanwhile holds, and the call runs once."""
    process, asked = started(program)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    told = program("approve", asked["run"])
    assert (told.code, "outrider resume" in told.err) == (0, True)
    assert program("resume", "last", "--tools-from", str(program.tools)).code == 0
    assert (program.work / "sent.txt").read_text() == "hello\n"


def test_a_run_is_stopped_from_another_terminal(program: Program) -> None:
    """It ends as by Ctrl-C, and is resumed."""
    process, asked = started(program)
    assert program("stop", asked["run"]).code == 0
    process.communicate(timeout=60)
    assert process.returncode == 4
    assert program("stop", asked["run"]).code == 2
    assert not (program.work / "sent.txt").exists()


def test_the_answer_at_a_terminal_may_come_from_elsewhere(program: Program) -> None:
    """The question at the run's terminal goes away when somebody else has answered it."""
    answering = subprocess.Popen(
        ["sh", "-c", "sleep 4; exec \"$@\"", "sh", *program.command("approve", "last")],
        cwd=program.work, env=program.env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    code, said = at_terminal(program, program.run_args(program.script(SEND, {"text": "done"})), [])
    answering.wait()
    assert (code, "allow?" in said, "allowed by" in said) == (0, True, True)


def test_how_long_to_wait_comes_from_the_configuration_too(program: Program) -> None:
    """And what is no time is refused before anything is run."""
    assert program(*program.run_args(program.script(SEND), "--approve-within", "soon")).code == 2
    assert program("config", "set", "approve_within", "soon").code == 2
    assert program("config", "set", "approve_within", "1s").code == 0
    done = program(*program.run_args(program.script(SEND, {"text": "STATUS: partial\nnot sent"})))
    assert (done.code, "nobody answered within 1 s" in program("show", "last").out) == (3, True)


def test_a_session_of_tool_calls_that_is_stopped_names_no_way_to_resume_it(program: Program) -> None:
    """It has no model that could go on; a run with one names the command."""
    where = f"sqlite:///{program.work / 'sessions.db'}"
    store = Store(where)
    for model, resumes in (("mcp:client", False), ("scripted:s.json", True)):
        driven = Journal.create(store, RunStarted(goal="calls", model=model))
        told = program("stop", driven.run_id, "--memory", where)
        assert (told.code, "outrider resume" in told.err) == (0, resumes)
        driven.release()
    store.close()
