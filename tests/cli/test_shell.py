"""Shell habits: completion, help on a topic, colours, the bell, more and less said."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from outrider.agent.cli.app import EPILOG
from outrider.agent.cli.support.completion import SAFE, values
from outrider.agent.cli.support.topics import TOPICS
from outrider.agent.history.run_view import EXIT_CODES
from tests.cli.program import Program
from tests.cli.test_person import at_terminal

DRIVE = """
source "$1"
COMP_LINE="$2"; COMP_POINT=${#2}
read -ra COMP_WORDS <<< "$2"
[[ "$2" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_outrider
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(program: Program, tmp_path: Path):  # type: ignore[no-untyped-def]
    """What bash offers for a line."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    words = " ".join(f"'{word}'" for word in program.command())
    (bin_ / "outrider").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    (bin_ / "outrider").chmod(0o755)
    script = tmp_path / "completion.bash"
    script.write_text(program("completion", "bash").out)

    def ask(line: str) -> list[str]:
        env = program.env() | {"PATH": f"{bin_}:{program.env()['PATH']}"}
        done = subprocess.run(
            ["bash", "-c", DRIVE, "x", str(script), line],
            env=env,
            cwd=program.work,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return ask


def test_bash_completes_commands_flags_and_what_there_is(complete, program: Program) -> None:  # type: ignore[no-untyped-def]
    """Commands, flags of each, runs, tools, models, profiles, templates."""
    program("run", "go", "--model", program.script({"text": "x"}), "--tool", "plan")
    program("config", "set", "alias.fast", "openai:a")
    program("config", "set", 'alias."$(touch pwned)"', "openai:a")
    program("config", "set", "profile.cheap.model", "fast")
    assert complete("outrider ru") == ["run", "runs"]
    assert complete("outrider run --us") == ["--usd"]
    assert complete("outrider run --model fa") == ["fast"]
    assert complete("outrider run --profile ") == ["cheap"]
    assert complete("outrider run --tool read_f") == ["read_file"]
    assert complete("outrider config se") == ["set"]
    assert "last" in complete("outrider show ")
    assert len(complete("outrider show ")) == 2
    assert not (program.work / "pwned").exists()


def test_completion_never_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A broken configuration prints nothing and raises nothing; only words no shell could misread are given."""
    monkeypatch.setenv("OUTRIDER_CONFIG", str(tmp_path / "c.toml"))
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path))
    (tmp_path / "c.toml").write_text("model = ")
    for kind in ("runs", "models", "profiles", "templates", "nonsense"):
        assert all(SAFE.fullmatch(word) for word in values(kind))
    assert not (tmp_path / "memory.db").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(program: Program, shell: str) -> None:
    """It names the commands; another shell is refused."""
    done = program("completion", shell)
    assert done.code == 0
    assert "eval" in done.out
    assert "--estimate" in done.out or "-l estimate" in done.out


def test_help_says_topics_and_commands(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every topic, every command, and the nearest one for a typing error."""
    for topic in TOPICS:
        assert program.here(monkeypatch, capfd, "help", topic).code == 0
    assert "Usage: outrider run" in program.here(monkeypatch, capfd, "help", "run").out
    wrong = program.here(monkeypatch, capfd, "help", "bugdet")
    assert (wrong.code, "did you mean budget" in wrong.err) == (2, True)
    codes = {str(code) for code in EXIT_CODES.values()}
    assert all(f"{code} " in TOPICS["exit-codes"][1] and f"{code} " in EPILOG for code in codes)


def test_bell_verbose_quiet_and_colours(program: Program) -> None:
    """The bell rings at the end only if asked; --no-color stands anywhere; quiet and verbose exclude each other."""
    plan = {"tool": "plan", "arguments": {"items": [f"item {n}" for n in range(9)]}}
    words = ("run", "go", "--model", program.script(plan, {"text": "done"}), "--tool", "plan")
    code, said = at_terminal(program, (*words, "--bell", "--no-color"), [])
    assert (code, said.count("\a"), "\x1b[32m" in said) == (0, 1, False)
    code, said = at_terminal(program, words, [])
    assert (code, "\a" in said, "\x1b[32m" in said) == (0, False, True)
    assert len(program(*words, "--verbose").err) >= len(program(*words).err)
    assert program(*words, "--quiet", "--verbose").code == 2


def test_an_estimate_starts_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It says how it was made, uses stored runs of the model once there are enough, and makes no run and no database."""
    model = program.script({"text": "done"})
    words = ("run", "go", "--model", model, "--tool", "plan", "--price-in", "1", "--price-out", "2")
    first = program.here(monkeypatch, capfd, *words, "--estimate", "--json")
    assert (first.code, first.json["runs"], first.json["steps"]) == (0, 0, None)
    assert 0 < first.json["first_usd"] < first.json["steps_usd"]
    assert first.json["first_tokens"] <= first.json["first_most"]
    assert not (program.home / "memory.db").exists()
    for _ in range(3):
        assert program.here(monkeypatch, capfd, *words).code == 0
    told = program.here(monkeypatch, capfd, *words, "--estimate")
    assert "3 stored runs" in told.out
    assert "1 steps" in told.out
    assert len(program.here(monkeypatch, capfd, "runs", "--json").lines) == 3
