"""Every command on a terminal of 30, 80 and 200 columns, in a pipe, and with --json: what is drawn fits, nothing breaks."""

from __future__ import annotations

import json
import re

import pytest
from rich.cells import cell_len

from tests.cli.program import Program
from tests.cli.test_runs import on_terminal, two_runs

LONG = "total of the very long column name in the file with quite a long name.csv, please, and say where it was found"
# Every command that prints and ends by itself. "fits": what it draws is made for the width; else it is words or data as
# they are, which a terminal wraps.
COMMANDS: list[tuple[str, bool]] = [
    ("runs", True), ("runs --label prices", True), ("usage", True), ("usage --by model --plot", True),
    ("usage --by tool", True), ("find owl", True), ("find closed 41", True), ("show last~1", True), ("show last", True),
    ("diff last~1 last", True), ("models", True), ("tools", True), ("tools show read_file", False), ("doctor", True),
    ("compare --label prices", True), ("policy show", False), ("secrets list", False), ("policy why send", False), ("verify last", False), ("scan last", False),
    ("label last", False), ("config", True), ("config path", False), ("help", False), ("help budget", False), ("--help", False),
    ("run --help", False), ("resume last", False), ("undo last", False), ("replay last", False), ("export last --format md", False),
    ("completion bash", False), ("--version", False), ("rm nosuch", False), ("show nosuch", False),
    ("usage --csv", False), ("policy", False), ("fork nosuch", False), ("eval nosuch.jsonl", False), ("tools call plan --args {bad", False),
    ("import nosuch.jsonl", False), ("runs --state odd", False), ("run", False), ("view --help", False), ("mcp --help", False),
    ("chat --help", False), ("tune --help", False), ("batch --help", False), ("chain --help", False), ("serve --help", False), ("skills", False),
    ("stop nosuch", False), ("approve nosuch", False),
]  # fmt: skip
JSON = (
    "runs",
    "find owl",
    "usage",
    "show last",
    "diff last~1 last",
    "models",
    "tools",
    "resume last",
    "config",
    "doctor",
    "policy show",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Two runs, one with a long goal in wide letters."""
    program = Program(tmp_path_factory.mktemp("widths"))
    two_runs(program)
    script = program.script({"tool": "price", "arguments": {"symbol": LONG}}, {"text": f"{LONG} 日本語の答え " * 3})
    program("run", f"{LONG} 日本語の目標 " * 2, "--model", script, "--tools-from", str(program.tools), "--tool", "plan",
            "--label", "prices")  # fmt: skip
    return program


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("columns", [30, 80, 200])
def test_every_command_fits_the_terminal_and_breaks_nowhere(program: Program, columns: int) -> None:
    """No line of what is drawn is wider than the terminal; no traceback, no internal error; no word of the pipe is lost."""
    wide = []
    for words, fits in COMMANDS:
        shown = re.sub(
            r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07", "", on_terminal(program, tuple(words.split()), columns)
        )
        assert "Traceback" not in shown, words
        assert "internal error" not in shown, words
        assert shown.strip(), words
        wide += [(words, line) for line in shown.splitlines() if fits and cell_len(line) > columns]
    assert not wide


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_command_in_a_pipe_and_as_json(program: Program) -> None:
    """Plain text without colours or control codes in a pipe; --json prints JSON and nothing else on stdout."""
    for words, _ in COMMANDS:
        done = program(*words.split())
        assert "Traceback" not in done.err + done.out, words
        assert "internal error" not in done.err, words
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.out.replace("\r", "")), words
        assert done.code in range(10), words
    for words in JSON:
        done = program(*words.split(), "--json")
        assert done.out.strip(), words
        for line in done.out.splitlines() if "\n{" in done.out or "\n[" in done.out else [done.out]:
            json.loads(line)


def test_the_list_of_commands_is_whole(program: Program) -> None:
    """A new command comes into the table too."""
    listed = {words.split()[0] for words, _ in COMMANDS}
    shown = program("--help").out
    there = set(re.findall(r"^  ([a-z]+)  ", shown[shown.index("Commands:") :], re.MULTILINE))
    assert there <= listed, there - listed


def test_a_wide_goal_is_cut_by_what_it_fills_not_by_letters(program: Program) -> None:
    """Letters of two columns count as two."""
    shown = on_terminal(program, ("runs",), 80)
    assert all(cell_len(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)) <= 80 for line in shown.splitlines())
