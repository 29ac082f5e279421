"""`outrider config`: every setting, its value and where it is from; get, set, unset, edit, path.
May touch: the configuration file, with its comments kept. Does not promise: that two people may set at once.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import Json, Profile, RunFlags, takes
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import out, out_json, out_lines, say
from outrider.agent.history.ends import EXIT_CODES
from outrider.memory.errors import UsageError, words_of

if TYPE_CHECKING:
    from outrider.agent.cli.support.origins import Row

NOT_FOUND = EXIT_CODES["not_found"]
HELP = "Every setting, its value and where it is from; get, set, unset, edit, path."
app = typer.Typer(name="config", cls=Group, help=HELP, rich_markup_mode=None)
KeyName = Annotated[
    str, typer.Argument(metavar="KEY", help="For example model, budget.usd, profile.cheap.model.", show_default=False)
]


@app.callback(invoke_without_command=True)
def group(context: typer.Context) -> None:
    """Every setting, its value and where it is from; get, set, unset, edit, path."""
    if context.invoked_subcommand is None:
        _show(RunFlags(), None)


@app.command("list", cls=Command)
@takes(RunFlags)
def listed(flags: RunFlags, profile: Profile = None) -> None:
    """List what a run would be given with these flags: every setting, its value, and where that is from."""
    _show(flags, profile)


def _show(flags: RunFlags, profile: str | None) -> None:
    from outrider.agent.cli.support.origins import rows

    found = rows(flags, profile)
    if flags.json:
        out_json({row.name: {"value": row.value, "from": row.origin, "says": row.says} for row in found})
        return
    out_lines(_line(row) for row in found)


def _line(row: Row) -> Any:
    from outrider.agent.review.lines import Line, one_line

    known = row.origin != "default"
    value = one_line(_spelt(row.value) if row.value is not None else row.default, 200)
    return Line(
        ((f"{value}  ", "plain" if known else "dim"),),
        ((f"{one_line(row.name, 60):22}  ", "strong" if known else "dim"),),
        right=one_line(row.origin, 100),
    )


def _spelt(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@app.command(cls=Command)
def get(key: KeyName, profile: Profile = None, json: Json = False) -> None:
    """Print what a setting of the configuration (or its environment variable) is. Exit code 6: it is not set."""
    from outrider.agent.cli.support.origins import row_of

    row = row_of(key, RunFlags(), profile)
    if row.value is None:
        say(f"{key} is not set; without it: {row.default}")
        raise typer.Exit(NOT_FOUND)
    out_json(row.value) if json else out(_spelt(row.value))


@app.command("set", cls=Command)
def set_(
    key: KeyName,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its value.", show_default=False)],
) -> None:
    """Write a setting to the configuration file, keeping everything else in it as it is."""
    from outrider.agent.settings.edit_config import set_key

    file, written = set_key(key, value)
    say(f"{written} in {file}")


@app.command(cls=Command)
def unset(key: KeyName) -> None:
    """Take a setting out of the configuration file. Exit code 6: it was not there."""
    from outrider.agent.settings.edit_config import unset_key

    if not unset_key(key):
        say(f"{key} was not set in the configuration file")
        raise typer.Exit(NOT_FOUND)


@app.command(cls=Command)
def edit() -> None:
    """Open the configuration file in $VISUAL or $EDITOR, and check it when you are done."""
    from outrider.agent.settings.config import config_file, read_config
    from outrider.agent.settings.edit_config import write_first

    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not named:
        raise UsageError("there is no editor", "neither VISUAL nor EDITOR is set", f"set one, or open {config_file()}")
    file = write_first()
    try:
        done = subprocess.run([*shlex.split(named), str(file)], check=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the editor {named!r} did not start", words_of(error), "set EDITOR to one that does"
        ) from error
    if done.returncode:
        raise UsageError(f"the editor {named!r} failed", f"exit code {done.returncode}", "nothing was checked")
    read_config()
    say(f"{file} is in order")


@app.command(cls=Command)
def path() -> None:
    """Print where the configuration file is, whether it is there or not."""
    from outrider.agent.settings.config import config_file

    out(str(config_file()))
