"""docs/cli.md says what --help says. `OUTRIDER_WRITE_DOCS=1 pytest tests/cli/test_docs.py` writes it anew."""

from __future__ import annotations

import os
import re
import textwrap
from collections import Counter
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


SHARED = 3  # a flag that so many commands explain in the same words is explained once
Piece = tuple[str, str]  # (a flag's name, or "" for any other lines; the lines)


def helps() -> str:
    """Every command's help, in the order of the program; what several commands say of a flag stands once, at the end."""
    pieces = [(name, list(_pieces(text))) for name, text in _helps(typer.main.get_command(app), "outrider")]
    count = Counter(_same(lines) for _, parts in pieces for flag, lines in parts if flag)
    shared = {same for same, number in count.items() if number >= SHARED}
    whole = "\n".join(f"## `{name}`\n\n```text\n{_without(parts, shared)}\n```\n" for name, parts in pieces)
    first = {_same(lines): lines for _, parts in reversed(pieces) for flag, lines in parts if _same(lines) in shared}
    order = dict.fromkeys(_same(lines) for _, parts in pieces for flag, lines in parts if flag)
    told = "\n".join(first[same] for same in order if same in shared)
    return f'{whole}\n## Flags that several commands take\n\nWhere a command lists one "as below", it is this one.\n\n```text\n{told}\n```\n'


def _pieces(text: str) -> Iterator[Piece]:
    flag, lines = "", list[str]()
    for line in text.splitlines():
        begins = re.match(r"  (-\S.*?)(?:  |$)", line)
        if begins or not line.startswith("      "):
            if lines:
                yield flag, "\n".join(lines)
            flag, lines = (begins[1] if begins else ""), []
        lines.append(line)
    yield flag, "\n".join(lines)


def _same(lines: str) -> str:
    return " ".join(lines.split())


def _without(parts: list[Piece], shared: set[str]) -> str:
    """A help text with the names alone of the flags that are explained elsewhere."""
    lines, named = list[str](), list[str]()
    for flag, text in [*parts, ("", "")]:
        if flag and _same(text) in shared:
            named.append(re.sub(r" [A-Z].*", "", flag))
            continue
        if named and not flag:
            told = f"as below: {', '.join(named)}"
            lines += textwrap.wrap(told, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
            named = []
        lines.append(text)
    return "\n".join(lines).strip()


def _helps(command: Any, name: str, parent: Any = None) -> Iterator[tuple[str, str]]:
    context = command.make_context(name.split()[-1], [], parent=parent, resilient_parsing=True, terminal_width=WIDTH)
    yield name, command.get_help(context).strip()
    for inner in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _helps(command.get_command(context, inner), f"{name} {inner}", context)
