"""A person at a terminal: sees the exact arguments, says yes or no, answers questions, and may leave at any moment."""

from __future__ import annotations

import os
import pty
import select
import time
from collections.abc import Sequence

from outrider.agent.cli.prompts import question
from outrider.agent.review.render import plain
from outrider.memory.events import ApprovalAsked
from tests.cli.program import Program

SEND = {"tool": "send", "arguments": {"text": "hello \x1b[8mhidden"}}


def test_a_yes_lets_the_call_run_and_shows_what_it_is(program: Program) -> None:
    """The control code that would have hidden a word is written out; y runs the call."""
    code, said = at_terminal(program, program.run_args(program.script(SEND, {"text": "done"})), [("allow?", b"y\n")])
    assert code == 0
    assert "hello \\x1b[8mhidden" in said
    assert (program.work / "sent.txt").read_text() == "hello \x1b[8mhidden\n"


def test_a_no_and_an_end_of_input_let_nothing_run(program: Program) -> None:
    """Only y and a are a yes."""
    for typed in (b"n\n", b"\n", b"\x04", b"yess\n"):
        code, said = at_terminal(program, program.run_args(program.script(SEND, {"text": "done"})), [("allow?", typed)])
        assert (code, "Not allowed" in said) == (3, True)
    assert not (program.work / "sent.txt").exists()


def test_a_yes_for_the_run_is_not_asked_again(program: Program) -> None:
    """`a` allows that tool for the rest of the run."""
    again = {"tool": "send", "arguments": {"text": "again"}}
    code, said = at_terminal(
        program, program.run_args(program.script(SEND, again, {"text": "done"})), [("allow?", b"a\n")]
    )
    assert (code, said.count("allow?")) == (0, 1)
    assert (program.work / "sent.txt").read_text().endswith("again\n")


def test_what_was_typed_before_the_question_is_no_answer(program: Program) -> None:
    """A y typed ahead does not approve what nobody has seen."""
    slow = {"tool": "slow", "arguments": {"seconds": 1.5}}
    steps = [("slow", b"y\n"), ("allow?", b"n\n")]
    code, _ = at_terminal(program, program.run_args(program.script(slow, SEND, {"text": "done"})), steps)
    assert code == 3
    assert not (program.work / "sent.txt").exists()


def test_ctrl_c_at_the_question_leaves_it_open_for_resume(program: Program) -> None:
    """Neither yes nor no is recorded; resume asks again."""
    code, said = at_terminal(program, program.run_args(program.script(SEND, {"text": "done"})), [("allow?", b"\x03")])
    assert (code, "outrider resume" in said) == (4, True)
    kinds = [event["kind"] for event in program("show", "last", "--json").lines]
    assert "approval_asked" in kinds
    assert "approval_given" not in kinds
    code, _ = at_terminal(program, ("resume", "last"), [("allow?", b"y\n")])
    assert (code, (program.work / "sent.txt").exists()) == (0, True)


def test_a_question_of_the_agent_is_answered(program: Program) -> None:
    """ask_user reaches the person and comes back as an observation."""
    model = program.script({"tool": "ask_user", "arguments": {"question": "Which colour?"}}, {"text": "blue it is"})
    code, said = at_terminal(program, ("run", "go", "--model", model, "--tool", "ask_user"), [("> ", b"blue\n")])
    assert (code, "Which colour?" in said, "[event 5]" in said or "blue it is" in said) == (0, True, True)
    returned = next(event for event in program("show", "last", "--json").lines if event["kind"] == "tool_returned")
    assert returned["body"]["text"] == "blue"


def test_what_is_not_shown_of_a_long_call_is_said_and_can_be_viewed() -> None:
    """Nobody approves what was silently cut."""
    asked = ApprovalAsked(
        call_id="1.0", tool="python", arguments={"code": "x\n" * 200 + "os.remove('a')"}, effect="execute"
    )
    lines, cut = question(asked)
    shown = "\n".join(map(plain, lines))
    assert cut
    assert "CHARACTERS ARE NOT SHOWN" in shown
    assert "os.remove" not in shown
    lines, cut = question(asked, whole=True)
    assert (cut, "os.remove" in "\n".join(map(plain, lines))) == (False, True)


def at_terminal(program: Program, arguments: Sequence[str], steps: list[tuple[str, bytes]]) -> tuple[int, str]:
    """Run the program on a terminal of its own; when a text is shown, type. Returns (exit code, all that was shown)."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(program.work)
        command = program.command(*arguments)
        os.execvpe(command[0], command, program.env() | {"TERM": "xterm"})
    shown, seen, until, todo = b"", 0, time.monotonic() + 40, list(steps)
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 65_536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        if todo and todo[0][0].encode() in shown[seen:]:
            seen = len(shown)
            time.sleep(0.3)
            os.write(terminal, todo.pop(0)[1])
    else:
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode("utf-8", "replace").replace("\r\n", "\n")


def test_a_yes_for_always_is_a_rule_no_wider_than_what_was_shown(program: Program) -> None:
    """`w` writes it to the policy file; the next run does not ask, and `outrider policy` tells of it."""
    script = program.script(SEND, {"text": "done"})
    code, said = at_terminal(program, program.run_args(script), [("allow?", b"w\n")])
    assert code == 0
    assert "allow tool send, effect network" in said
    code, said = at_terminal(program, program.run_args(script), [])
    assert (code, said.count("allow?")) == (0, 0)
    assert '"send"' in program("policy", "show").out


def test_a_no_with_a_reason_is_read_by_the_model(program: Program) -> None:
    """The reason stands in the observation and in the record."""
    code, _ = at_terminal(
        program, program.run_args(program.script(SEND, {"text": "done"})), [("allow?", b"n not on a Friday\n")]
    )
    assert code == 3
    assert "not on a Friday" in program("show", "last", "--json").out
    assert not (program.work / "sent.txt").exists()


def test_arguments_can_be_changed_before_a_yes(program: Program) -> None:
    """`e` takes other arguments, shows them, and asks again; what runs is what was shown."""
    steps = [("allow?", b"e\n"), ("one line of JSON", b'{"text": "changed"}\n'), ("allow?", b"y\n")]
    code, _ = at_terminal(program, program.run_args(program.script(SEND, {"text": "done"})), steps)
    assert code == 0
    assert (program.work / "sent.txt").read_text() == "changed\n"


def test_policy_why_says_what_would_become_of_a_call(program: Program) -> None:
    """Which rule decides, where it sends, and what the rule of two adds."""
    told = program("policy", "why", "http_request", '{"url": "https://api.example.org/x"}').out
    assert "decision: allow" in told
    assert "sends to: api.example.org:443" in told
    assert "rule of two" in told
    assert "decision: ask" in program("policy", "why", "http_request", '{"url": "https://h/", "method": "POST"}').out


def test_a_reached_limit_asks_for_more_and_goes_on(program: Program) -> None:
    """What was done so far is shown, the amount is added, and the run goes on as the same run."""
    plan = {"tool": "plan", "arguments": {"items": ["a"]}}
    model = program.script(
        plan, {**plan, "arguments": {"items": ["b"]}}, {**plan, "arguments": {"items": ["c"]}}, {"text": "done"}
    )
    words = ("run", "go", "--model", model, "--tool", "plan", "--steps", "3")
    code, said = at_terminal(program, words, [("how much more", b"lots\n"), ("How much more?", b"5\n")])
    assert (code, "is not a limit for steps" in said) == (0, True)
    assert [one["state"] for one in program("runs", "--json").lines] == ["answered"]
    code, said = at_terminal(program, words, [("how much more", b"\n")])
    assert (code, "outrider resume" in said) == (3, True)
