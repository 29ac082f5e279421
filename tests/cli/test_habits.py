"""Small things that people meet in the first hour: each command says what is so, quickly and with the right exit code."""

from __future__ import annotations

import time

import pytest

from tests.cli.program import Program


def test_arguments_of_a_tool_that_are_no_json_are_a_usage_error(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and three lines: what, why, how to write it."""
    for given in ("{bad", "[1]", "null"):
        done = program.here(monkeypatch, capfd, "tools", "call", "read_file", "--args", given)
        assert (done.code, len(done.err.splitlines())) == (2, 3)


def test_undo_twice_says_that_nothing_is_left(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is as it was before the run needs no undoing; what somebody changed since is still left alone."""
    write = {"tool": "write_file", "arguments": {"path": "a.txt", "content": "new"}}
    (program.work / "a.txt").write_text("old")
    model = program.script(write, {"text": "done"})
    program.here(monkeypatch, capfd, "run", "x", "--model", model, "--tool", "write_file")
    assert (program.work / "a.txt").read_text() == "new"
    assert program.here(monkeypatch, capfd, "undo", "last").code == 0
    assert (program.work / "a.txt").read_text() == "old"
    again = program.here(monkeypatch, capfd, "undo", "last")
    assert (again.code, "nothing left to undo" in again.err) == (0, True)
    (program.work / "a.txt").write_text("mine")
    assert program.here(monkeypatch, capfd, "undo", "last").code == 4
    assert (program.work / "a.txt").read_text() == "mine"


def test_pulling_a_model_without_a_network_says_so_at_once(program: Program) -> None:
    """One sentence, not half a minute of retries; nobody listens on that port."""
    program.environment["HF_ENDPOINT"] = "http://127.0.0.1:9"
    began = time.monotonic()
    done = program("models", "pull", "owner/name")
    assert (done.code, "cannot be reached" in done.err, len(done.err.splitlines())) == (5, True, 3)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("group", "lists"),
    [
        ("tools", "list"),
        ("models", "list"),
        ("skills", "list"),
        ("config", "list"),
        ("secrets", "list"),
        ("policy", "show"),
    ],
)
def test_groups_without_a_command_list_alike(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], group: str, lists: str
) -> None:
    """`outrider tools` lists, as `outrider models` does, and takes the flags of the list."""
    for flags in ((), ("--json",)):
        alone = program.here(monkeypatch, capfd, group, *flags)
        assert (alone.code, alone.out) == (0, program.here(monkeypatch, capfd, group, lists, *flags).out)
    assert alone.out.startswith(("{", "[")) or group == "skills"
    assert "Commands:" in program.here(monkeypatch, capfd, group, "--help").out


def test_the_line_that_says_what_is_waited_for_counts_on_after_a_result(program: Program) -> None:
    """After the result of step 1 the model thinks about step 2."""
    from outrider.agent.cli.progress import Progress
    from outrider.memory.events import ModelAsked, ModelReplied, ToolCalled, ToolReturned
    from outrider.memory.journal import Stored

    progress = Progress(quiet=True)
    events = (
        ModelAsked(step=1),
        ModelReplied(step=1),
        ToolCalled(call_id="1.0", tool="t"),
        ToolReturned(call_id="1.0"),
    )
    for seq, event in enumerate(events, 1):
        progress.on_event(Stored("r", seq, "2026-01-01T00:00:00+00:00", event.kind, event.body(), b""))
    assert "step 2" in progress.__rich__().plain


def test_the_answer_is_printed_before_the_sandbox_is_closed(program: Program) -> None:
    """kill -9 in the instant after the answer is on disk loses nothing: it was printed first."""
    tools = program.folder / "slow_close.py"
    tools.write_text(
        "import time\nfrom outrider.tools import ToolContext, tool\n\n"
        "class Slow:\n    def close(self) -> None:\n        time.sleep(20)\n\n"
        '@tool(effect="read")\ndef hold(context: ToolContext) -> str:\n    """Hold."""\n'
        '    context.scratch["slow"] = Slow()\n    return "held"\n'
    )
    model = program.script({"tool": "hold", "arguments": {}}, {"text": "the answer"})
    process = program.start("run", "x", "--model", model, "--tools-from", str(tools), "--tool", "plan")
    assert process.stdout
    began = time.monotonic()
    assert process.stdout.readline() == "the answer\n"
    assert time.monotonic() - began < 18
    process.kill()
    process.communicate()
    again = program("resume", "last")
    assert (again.code, again.out) == (0, "the answer\n")
