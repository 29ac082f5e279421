"""The completion scripts in their own shells: a real zsh behind a pseudo-terminal, a real fish."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Program

pytestmark = pytest.mark.slow
PAIRS = [  # what is typed, what it becomes where one thing fits
    ("outrider run --us", "outrider run --usd"),
    ("outrider run --model fa", "outrider run --model fast"),
    ("outrider run --profile ch", "outrider run --profile cheap"),
    ("outrider run --tool read_f", "outrider run --tool read_file"),
    ("outrider run rep", "outrider run report.txt"),
    ("outrider config se", "outrider config set"),
    ("outrider show la", "outrider show last"),
    ("outrider show --json la", "outrider show --json last"),
    ("outrider completion z", "outrider completion zsh"),
    ("outrider tools call read_f", "outrider tools call read_file"),
    ("outrider help bud", "outrider help budget"),
    ("outrider --ver", "outrider --version"),
]


@pytest.fixture
def prepared(program: Program, tmp_path: Path) -> dict[str, str]:
    """A run, an alias, a profile, a file; the environment in which `outrider` is the program."""
    program("run", "go", "--model", program.script({"text": "x"}), "--tool", "plan")
    program("config", "set", "alias.fast", "openai:a")
    program("config", "set", 'alias."$(touch pwned)"', "openai:a")
    program("config", "set", "profile.cheap.model", "fast")
    (program.work / "report.txt").touch()
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    words = " ".join(f"'{word}'" for word in program.command())
    (bin_ / "outrider").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    (bin_ / "outrider").chmod(0o755)
    for shell in ("zsh", "fish"):
        assert shutil.which(shell), f"{shell} is not installed: apt-get install {shell}"
        (tmp_path / f"completion.{shell}").write_text(program("completion", shell).out)
    return program.env() | {"PATH": f"{bin_}:{program.env()['PATH']}", "TERM": "dumb", "HOME": str(tmp_path)}


@pytest.mark.timeout(600)
def test_zsh_completes_what_one_thing_fits(prepared: dict[str, str], program: Program, tmp_path: Path) -> None:
    """TAB at the end of a line, in a shell as a person starts it."""
    for (typed, wanted), line in zip(PAIRS, _zsh(prepared, program.work, tmp_path), strict=True):
        assert line.strip() == wanted, typed
    assert not (program.work / "pwned").exists()


@pytest.mark.timeout(600)
def test_fish_offers_what_fits(prepared: dict[str, str], program: Program, tmp_path: Path) -> None:
    """Fish's own answer to what could stand there."""
    lines = "\n".join(f"complete -C '{typed}'; echo END" for typed, _ in PAIRS)
    script = f"source {tmp_path}/completion.fish\n{lines}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=program.work,
        env=prepared,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    for (typed, wanted), offered in zip(PAIRS, done.stdout.split("END\n"), strict=False):
        assert [line.split("\t")[0] for line in offered.splitlines()] == [wanted.split()[-1]], typed
    assert not (program.work / "pwned").exists()


def _zsh(env: dict[str, str], folder: Path, place: Path) -> Iterator[str]:
    """What each line of PAIRS is after a TAB."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvpe("zsh", ["zsh", "-f", "-i"], env)
    told = place / "buffer"
    save = f'print -r -- "$BUFFER" > {told}.part; mv {told}.part {told}'
    for line in (f"source {place}/completion.zsh", f"save() {{ {save} }}; zle -N save; bindkey '^X^D' save"):
        os.write(terminal, f"{line}\r".encode())
        _drain(terminal, 2)
    for typed, _ in PAIRS:
        told.unlink(missing_ok=True)
        os.write(terminal, f"\x15{typed}\t\x18\x04".encode())
        until = time.monotonic() + 60
        while not told.exists() and time.monotonic() < until:
            _drain(terminal, 0.2)
        yield told.read_text()
    os.close(terminal)
    os.waitpid(child, 0)


def _drain(terminal: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            os.read(terminal, 65_536)
