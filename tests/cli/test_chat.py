"""`chat`: one run with many goals; what a person said and was told survives whatever happens to the process."""

from __future__ import annotations

import os
import pty
import select
import signal
import time

from tests.cli.program import Program


class Terminal:
    """`outrider` on a terminal of its own, driven by what it shows."""

    def __init__(self, program: Program, *arguments: str) -> None:
        self.child, self._fd = pty.fork()
        if self.child == 0:
            os.chdir(program.work)
            command = program.command(*arguments)
            os.execvpe(command[0], command, program.env() | {"TERM": "xterm"})
        self.shown, self._seen = "", 0

    def wait(self, text: str, seconds: float = 40) -> None:
        """Until `text` is shown after what was waited for before."""
        until = time.monotonic() + seconds
        while text not in self.shown[self._seen :]:
            assert time.monotonic() < until, f"{text!r} was not shown in {self.shown[self._seen :]!r}"
            if select.select([self._fd], [], [], 0.2)[0]:
                try:
                    piece = os.read(self._fd, 65_536).decode("utf-8", "replace")
                except OSError:
                    piece = ""
                if "\x1b[6n" in piece:  # prompt_toolkit asks where the cursor is
                    os.write(self._fd, b"\x1b[1;1R")
                self.shown += piece
        self._seen = self.shown.index(text, self._seen) + len(text)

    def type(self, text: str) -> None:
        """Type, after a moment in which the program is ready to read."""
        time.sleep(0.5)
        os.write(self._fd, text.encode())

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self._fd)

    def end(self) -> int:
        """Wait for the end; the exit code."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if select.select([self._fd], [], [], 0.2)[0] and not (piece := os.read(self._fd, 65_536)):
                    break
                self.shown += piece.decode("utf-8", "replace")
            except OSError:
                break
        _, status = os.waitpid(self.child, 0)
        os.close(self._fd)
        return os.waitstatus_to_exitcode(status)


def chat_args(program: Program, *replies: dict[str, object]) -> tuple[str, ...]:
    return ("chat", "--model", program.script(*replies), "--tools-from", str(program.tools), "--tool", "plan")


def test_three_turns_survive_kill_9_and_go_on(program: Program) -> None:
    """What must hold: after kill -9, `chat --continue` shows all that was said, and the next goal has it as context."""
    replies = [{"text": f"answer {word}"} for word in ("alpha", "beta", "gamma", "delta")]
    chat = Terminal(program, *chat_args(program, *replies))
    for number, word in enumerate(("alpha", "beta", "gamma"), 1):
        chat.type(f"question {number}\r")
        chat.wait(f"answer {word}")
        chat.wait("answered")
    chat.kill()
    again = Terminal(program, "chat", "--continue")
    for number, word in enumerate(("alpha", "beta", "gamma"), 1):
        again.wait(f"question {number}")
        again.wait(f"answer {word}")
    again.type("question 4\r")
    again.wait("answer delta")
    again.wait("answered")
    again.type("\x04")
    assert again.end() == 0
    kinds = [event["kind"] for event in program("show", "last", "--json").lines]
    assert (kinds.count("run_started"), kinds.count("goal_given"), kinds.count("answered")) == (1, 3, 4)
    assert program("verify", "last").code == 0
    assert program("replay", "last").code == 0


def test_ctrl_c_twice_stops_the_step_and_loses_nothing(program: Program) -> None:
    """The program stays, what was done is kept, and the next goal is worked on in the same run."""
    slow = {"tool": "slow", "arguments": {"seconds": 30}}
    look = {"tool": "price", "arguments": {"symbol": "ABC"}}
    chat = Terminal(program, *chat_args(program, {"text": "first"}, look, slow, {"text": "second"}))
    chat.type("one\r")
    chat.wait("first")
    chat.type("two\r")
    chat.wait("running slow")
    chat.type("\x03")
    chat.wait("stopping after this step")
    chat.type("\x03")
    chat.wait("stopped;", seconds=15)
    chat.type("\x03")
    chat.wait("Ctrl-D or /exit leaves")
    chat.type("three\r")
    chat.wait("second")
    chat.type("/exit\r")
    assert chat.end() == 0
    events = program("show", "last", "--json").lines
    kinds = [event["kind"] for event in events]
    assert (kinds.count("goal_given"), kinds.count("answered"), kinds.count("interrupted")) == (2, 2, 1)
    told = [event["body"].get("text", "") for event in events if event["kind"] == "tool_returned"]
    assert any("41.5" in text for text in told)
    assert any("outcome is unknown" in text for text in told)
    assert program("verify", "last").code == 0


def test_commands_of_a_chat_do_what_they_say(program: Program) -> None:
    """Piped in, a line is a goal or a command; a wrong one is told and the chat goes on; the exit code is the last goal's."""
    lines = [
        "/nosuch",
        "/budget",
        "one",
        "/model nosuch:x",
        "/budget steps 40",
        "/tools",
        "/fork",
        "two",
        "/show",
        "/help",
    ]
    arguments = chat_args(program, {"text": "first"}, {"text": "STATUS: partial\nsecond"})
    done = program(*arguments, input="\n".join(lines) + "\n")
    assert done.code == 3
    assert "first\n" in done.out
    assert "left: 39 steps" in done.out
    assert "second\n" in done.out
    assert "step 2" in done.err.split("goes on from here")[1]
    assert (
        "left: 499 steps" in done.err.split("goes on from here")[1]
    )  # the fork's ledger begins at zero, as what is shown
    assert "'/nosuch'" in done.err
    assert "'nosuch'" in done.err or "nosuch" in done.err
    assert "goes on from here" in done.err
    assert "Traceback" not in done.err
    runs = program("runs", "--json").lines
    assert [run["state"] for run in runs] == ["partial", "answered"]


def test_a_file_named_with_an_at_sign_is_attached(program: Program) -> None:
    """@notes.txt in a goal of a chat is what a file argument is to `run`."""
    (program.work / "notes.txt").write_text("the word is falcon")
    done = program(
        *chat_args(program, {"text": "The word is falcon"}), "--json", input="what is the word in @notes.txt?\n"
    )
    assert done.json["citations"] == [] or done.json["citations"][0]["seq"] == 1
    assert "notes.txt  18 characters" in done.err
