"""All commands in one list. What becomes of their errors is in running.py; those that must open quickly are in light.py too.
Touches nothing. Does not promise: to be light; the whole `app` imports every command. A command line that names one imports that
one alone.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Annotated, Any

import typer

from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.running import run_with
from outrider.agent.cli.support.colour import without_colour

EPILOG = (
    "Exit codes: 0 answered, 1 a bug, 2 usage, 3 partial (a budget was reached, or something is left out), 4 interrupted, "
    "5 failed (no model, or it could not do it), 6 not found, 7 refused or not allowed, 8 stuck, 9 not the data asked for."
)
COMMANDS = (  # in which a person meets them; each is a module of commands/
    "run", "chat", "batch", "resume", "fork", "approve", "stop", "runs", "find", "usage", "label", "rm", "show", "view", "verify",
    "scan", "replay", "undo", "diff", "compare", "export", "import", "tune", "mcp", "serve", "eval", "doctor", "completion", "help",
)  # fmt: skip
GROUPS = ("tools", "skills", "chain", "models", "config", "policy", "secrets")
_ABOUT_ALL = ("completion", "help")  # commands that tell of the others


def app_of(names: Collection[str]) -> typer.Typer:
    """The program with these commands and groups of commands."""
    made = typer.Typer(
        cls=Group,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog=EPILOG,
    )
    for name in (name for name in COMMANDS if name in names):
        made.command(name, cls=Command)(_module(name).command)
    for name in (name for name in GROUPS if name in names):
        made.add_typer(_module(name).app)
    made.callback()(outrider)
    return made


def _module(name: str) -> Any:
    return import_module(f"outrider.agent.cli.commands.{'import_' if name == 'import' else name}")


def outrider(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version and exit.", is_eager=True)
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours (anywhere on the line); NO_COLOR=1 does the same.")
    ] = False,
) -> None:
    """Give it a goal and a budget; it comes back with an answer and its citations."""
    if version:
        from outrider.agent.version import VERSION

        typer.echo(f"outrider {VERSION}")
        raise typer.Exit


def run_command_line(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    words = without_colour(arguments)
    first, every = words[0] if words else "", COMMANDS + GROUPS
    program = app_of((first,) if first in every and first not in _ABOUT_ALL else every)
    return run_with(lambda: typer.main.get_command(program).main(words, prog_name="outrider", standalone_mode=False))


def __getattr__(name: str) -> Any:
    """`app`: the whole program, put together when somebody asks for it."""
    if name == "app":
        return app_of(COMMANDS + GROUPS)
    raise AttributeError(name)
