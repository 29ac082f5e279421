"""All commands in one list. What becomes of their errors is in running.py; those that must open quickly are in light.py too.
Touches nothing. Does not promise: to be light; importing it imports every command.
"""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.commands import (
    approve,
    batch,
    chain,
    chat,
    compare,
    completion,
    config,
    diff,
    doctor,
    eval,
    export,
    find,
    fork,
    help,
    import_,
    label,
    mcp,
    models,
    policy,
    replay,
    resume,
    rm,
    run,
    runs,
    scan,
    secrets,
    serve,
    show,
    skills,
    stop,
    tools,
    tune,
    undo,
    usage,
    verify,
    view,
)
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.running import run_with
from outrider.agent.cli.support.colour import without_colour

EPILOG = (
    "Exit codes: 0 answered, 1 a bug, 2 usage, 3 partial (a budget was reached, or something is left out), 4 interrupted, "
    "5 failed (no model, or it could not do it), 6 not found, 7 refused or not allowed, 8 stuck, 9 not the data asked for."
)
app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
COMMANDS = {
    "run": run,
    "chat": chat,
    "batch": batch,
    "resume": resume,
    "fork": fork,
    "approve": approve,
    "stop": stop,
    "runs": runs,
    "find": find,
    "usage": usage,
    "label": label,
    "rm": rm,
    "show": show,
    "view": view,
    "verify": verify,
    "scan": scan,
    "replay": replay,
    "undo": undo,
    "diff": diff,
    "compare": compare,
    "export": export,
    "import": import_,
    "tune": tune,
    "mcp": mcp,
    "serve": serve,
    "eval": eval,
    "doctor": doctor,
    "completion": completion,
    "help": help,
}
for name, module in COMMANDS.items():
    app.command(name, cls=Command)(module.command)
for group in (tools, skills, chain, models, config, policy, secrets):
    app.add_typer(group.app)


@app.callback()
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
    return run_with(lambda: typer.main.get_command(app).main(words, prog_name="outrider", standalone_mode=False))
