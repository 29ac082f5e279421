"""docs/cli.md says what --help says. `OUTRIDER_WRITE_DOCS=1 pytest tests/cli/test_docs.py` writes it anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from outrider.agent.cli.app import app
from outrider.agent.history.ends import EXIT_CODES

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
WIDTH = 100
MARK = "<!-- everything below is what --help says; tests/cli/test_docs.py writes it -->\n"


def test_docs_say_what_help_says() -> None:
    """Whoever reads the documentation reads the program that is installed."""
    written = DOCS.read_text(encoding="utf-8")
    if os.environ.get("OUTRIDER_WRITE_DOCS"):
        DOCS.write_text(written.split(MARK)[0] + MARK + helps(), encoding="utf-8")
        written = DOCS.read_text(encoding="utf-8")
    assert written.split(MARK)[1] == helps()


def test_docs_tell_every_exit_code() -> None:
    """The codes a script relies on are in the table, and the states of a run map to them."""
    table = DOCS.read_text(encoding="utf-8").split(MARK)[0]
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert {*EXIT_CODES.values(), 0, 1, 2, 130} == told


def helps() -> str:
    """Every command's help, in the order of the program."""
    return "\n".join(
        f"## `{name}`\n\n```text\n{text}\n```\n" for name, text in _helps(typer.main.get_command(app), "outrider")
    )


def _helps(command: Any, name: str, parent: Any = None) -> Iterator[tuple[str, str]]:
    context = command.make_context(name.split()[-1], [], parent=parent, resilient_parsing=True, terminal_width=WIDTH)
    yield name, command.get_help(context).strip()
    for inner in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _helps(command.get_command(context, inner), f"{name} {inner}", context)
