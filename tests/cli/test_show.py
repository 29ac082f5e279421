"""`outrider show`: the first lines at once, however long the run is, and a pager where a person looks on."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outrider.memory.events import RunStarted
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from tests.agent.review.runs import long_run
from tests.cli.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """With one run of 303 events and one of 905."""
    made = Program(tmp_path)
    store = Store(str(made.home / "memory.db"))
    long_run(store, 75)
    long_run(store, 225)
    store.close()
    return made


def on_terminal(program: Program, *words: str, **environment: str) -> tuple[str, int]:
    """(what a terminal of 100 columns shows, the exit code)."""
    primary, secondary = pty.openpty()
    env = program.env() | {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"} | environment
    with subprocess.Popen(
        program.command("show", *words), cwd=program.work, env=env, stdin=secondary, stdout=secondary, stderr=secondary
    ) as child:
        os.close(secondary)
        shown, ends = b"", time.monotonic() + 60
        while time.monotonic() < ends:
            if not select.select([primary], [], [], 1)[0]:
                continue
            try:
                if not (data := os.read(primary, 65536)):
                    break
            except OSError:  # everybody left the terminal
                break
            shown += data
        os.close(primary)
        return shown.decode("utf-8", "replace"), child.wait(60)


def pager(program: Program, script: str) -> str:
    """A pager that does this; the value of PAGER."""
    file = program.work / "pager"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return f"{file} -R"


def test_the_first_lines_are_printed_before_anything_heavy_is_imported(program: Program) -> None:
    """A long run shows its head at once: who must only see which run it is does not wait for the rest."""
    code = (
        "import json, sys; w = sys.stdout.write; heavy = {'typer', 'pydantic', 'sqlalchemy', 'rich', 'asyncio'}\n"
        "class Out:\n"
        "    def write(self, text): seen.append((text, sorted(heavy & set(sys.modules)))); return w(text)\n"
        "    def __getattr__(self, name): return getattr(sys.__stdout__, name)\n"
        "seen = []; sys.stdout = Out(); sys.argv = ['outrider', 'show', 'last']\n"
        "from outrider.agent.cli import main; main(); sys.stderr.write(json.dumps(seen[0]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=program.work, env=program.env(), capture_output=True, text=True, check=True
    )
    first, heavy = json.loads(done.stderr.splitlines()[-1])
    assert first.startswith("outrider  run ")
    assert heavy == []


@pytest.mark.parametrize("words", [("last",), ("last~1",), ("last", "--full"), ("last~1", "--children")])
def test_nothing_is_doubled_or_lost_by_the_early_lines(program: Program, words: tuple[str, ...]) -> None:
    """Found at a glance ("last") or looked for (a part of the id): the same transcript."""
    run = program("runs", "--json").lines[0 if words[0] == "last" else 1]["run"]
    early, late = program("show", *words), program("show", run[3:], *words[1:])
    assert early.out == late.out
    assert (early.out.count("  goal    count"), early.code) == (1, 0)


def test_a_goal_is_the_same_text_early_and_late(program: Program) -> None:
    """Long, of many lines, with control codes: cleaned and cut alike on both ways."""
    store = Store(str(program.home / "memory.db"))
    goal = "\x1b[31mred\u202e\n" + "\n".join(f"line {n} " + "x" * 700 for n in range(12))
    Journal.create(store, RunStarted(goal=goal, model="m"), run_id="261127-goalgoal").release()
    store.close()
    for words in ((), ("--full",)):
        early, late = program("show", "last", *words), program("show", "261127-goal", *words)
        assert early.out == late.out
        assert "\x1b" not in early.out


def test_a_run_that_is_not_there_is_said_once(program: Program) -> None:
    """No head of another run, and the exit code of bad input."""
    done = program("show", "nosuch")
    assert (done.code, done.out) == (2, "")
    assert "there is no run 'nosuch'" in done.err


def test_on_a_terminal_a_pager_gets_all_of_it_and_in_colour(program: Program) -> None:
    """Both streams, wrapped as the terminal is wide; the person's own PAGER, with its flags."""
    caught = program.work / "caught"
    shown, code = on_terminal(program, "last", PAGER=pager(program, f'echo "args $1"; cat > {caught}'))
    assert (code, shown.strip()) == (0, "args -R")
    text = caught.read_text()
    assert "\x1b[1moutrider" in text
    assert "(784 earlier events are not shown: --full shows all)" in text
    assert text.rindex("done") > text.index("step 226")


@pytest.mark.parametrize(
    ("words", "environment"),
    [(("last", "--no-pager"), {}), (("last", "--json"), {}), (("last",), {"PAGER": "cat"}), (("last",), {"PAGER": ""}),
     (("last",), {"TERM": "dumb"})],
)  # fmt: skip
def test_there_is_no_pager_where_none_is_wanted(
    program: Program, words: tuple[str, ...], environment: dict[str, str]
) -> None:
    """By flag, for programs, by PAGER, on a terminal that cannot."""
    mine = {"PAGER": pager(program, "echo paged; cat >/dev/null")} | environment
    shown, code = on_terminal(program, *words, **mine)
    assert (code, "paged" in shown, "count" in shown) == (0, False, True)


def test_a_pager_that_is_not_there_is_named_and_everything_printed(program: Program) -> None:
    """A wrong PAGER loses nothing."""
    shown, code = on_terminal(program, "last", PAGER="nosuchpager -x")
    assert (code, "nosuchpager" in shown, "count" in shown) == (0, True, True)


def test_a_pager_that_is_left_early_ends_the_command_in_peace(program: Program) -> None:
    """`q` on the first screen: no traceback, no error."""
    shown, code = on_terminal(program, "last", "--full", PAGER=pager(program, "head -1 >/dev/null; exit 0"))
    assert (code, shown) == (0, "")


def test_a_pipe_is_never_paged(program: Program) -> None:
    """`outrider show last | grep …` gets plain text."""
    done = program("show", "last")
    assert (done.code, "\x1b" in done.out, "count" in done.out) == (0, False, True)
