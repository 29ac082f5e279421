"""The commands that list and find, alone: a command line that imports no other opens in half the time.
Touches nothing. Does not promise: to know more than app.py; whatever is not here goes there.
"""

from __future__ import annotations

import importlib
from typing import Any

import typer

from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.running import run_with

LIGHT = ("runs", "find", "usage")


def run_light(arguments: list[str]) -> int:
    """Run one of LIGHT; returns the exit code. The same as `run_command_line` does with it."""
    return run_with(lambda: _alone(arguments[0]), arguments)


def _alone(name: str) -> Any:
    app = typer.Typer(
        cls=Group, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )  # fmt: skip
    app.callback()(_nothing)
    app.command(name, cls=Command)(importlib.import_module(f"outrider.agent.cli.commands.{name}").command)
    return typer.main.get_command(app)


def _nothing() -> None:
    """What makes it a group, though it has one command."""
