"""The list commands read a plainly written line without typer: with the same flags, to the same end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from outrider.agent.cli.app import app
from outrider.agent.cli.light import FLAG, LIGHT, plainly
from tests.cli.program import Program
from tests.cli.test_runs import two_runs


@pytest.mark.parametrize("name", LIGHT)
def test_the_plain_flags_are_those_of_the_command(name: str) -> None:
    """Every flag of the help is read plainly too, under the same name, with or without a value as there."""
    group: object = typer.main.get_command(app)
    command = group.commands[name]  # type: ignore[attr-defined]
    there = {
        flag: (one.name, one.is_flag)
        for one in command.params
        if one.param_type_name == "option"
        for flag in one.opts
        if one.name != "help"
    }
    assert {flag: (name, how is FLAG) for flag, (name, how) in LIGHT[name][2].items()} == there
    assert LIGHT[name][1] == next((one.name for one in command.params if one.param_type_name == "argument"), "")


@pytest.mark.parametrize(
    "words",
    [
        "runs --help", "runs -h", "runs --nosuch", "runs --limit 0", "runs --limit x", "runs --limit", "runs word",
        "runs --limit=3", "usage --by nosuch", "find", "find --json", "find -- x", "run x", "runs --label -x", "runs --limit ²",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_whole_program(words: str) -> None:
    """Help and mistakes have one place, and one wording."""
    assert plainly(words.split()) is None


def test_plain_and_whole_say_the_same(tmp_path: Path) -> None:
    """The same stdout, stderr and exit code, whichever way a line is read."""
    program = Program(tmp_path)
    two_runs(program)
    whole = [sys.executable, "-c", "import sys; from outrider.agent.cli.app import run_command_line as r; sys.exit(r(sys.argv[1:]))"]  # fmt: skip
    for words in (
        ["runs"], ["runs", "--json", "-n", "1"], ["runs", "--state", "answered", "--state", "stuck", "--label", "prices"],
        ["find", "closed", "41"], ["find", "nosuch"], ["find", "?!"], ["usage", "--by", "tool", "--plot"],
        ["usage", "--json", "--csv"], ["runs", "--state", "odd"], ["runs", "--since", "odd"], ["runs", "--memory", "nosuch.db"],
    ):  # fmt: skip
        assert plainly(words)
        plain = program(*words)
        other = subprocess.run(
            [*whole, *words], cwd=program.work, env=program.env(), capture_output=True, text=True, check=False
        )
        ages = re.compile(r" +\d+ s ")
        assert (ages.sub(" ", plain.out), plain.err) == (ages.sub(" ", other.stdout), other.stderr)
        assert plain.code == other.returncode


def test_a_list_of_runs_imports_neither_typer_nor_pydantic_nor_sqlalchemy(tmp_path: Path) -> None:
    """What is not imported costs nothing."""
    program = Program(tmp_path)
    code = "import sys; from outrider.agent.cli import main; main(); print(sorted({'typer', 'pydantic', 'sqlalchemy', 'rich', 'click'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code, "runs"],
        cwd=program.work, env=program.env(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_run_in_json_tells_its_answer(tmp_path: Path) -> None:
    """Answer, citations and what had no support, as far as a list needs them."""
    program = Program(tmp_path)
    long = "ABC closed at 41.5 dollars. " + "So it is. " * 400
    look = {"tool": "price", "arguments": {"symbol": "ABC"}}
    program(*program.run_args(program.script(look, {"text": long})))
    (run,) = program("runs", "--json").lines
    (shown,) = program("resume", "last", "--json").lines
    assert run["answer"] == shown["answer"][:2000]
    assert run["answer_chars"] == len(shown["answer"])
    assert run["citations"] == shown["citations"]
    assert run["citations"]
    assert run["unsupported"] == shown["unsupported"]
