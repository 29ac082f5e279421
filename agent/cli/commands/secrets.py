"""`outrider secrets`: the secrets that runs may name, kept in a keyring or in a file of mode 0600. Only translates.
Prints names, never values.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from outrider.agent.cli.flags import Json
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import out, out_json, say
from outrider.agent.history.ends import EXIT_CODES
from outrider.memory.errors import UsageError

NOT_FOUND = EXIT_CODES["not_found"]

app = typer.Typer(
    name="secrets", cls=Group, no_args_is_help=True, help="Keep secrets that runs may name (never shown)."
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, such as API_TOKEN.", show_default=False)]


@app.command("list", cls=Command)
def list_(json: Json = False) -> None:
    """Print the names of the secrets that are kept, and where; never a value."""
    from outrider.agent.settings.secret_store import has_keyring, read_kept, secrets_file, where

    kept = read_kept()
    names = sorted({*kept.values, *kept.in_keyring})
    if json:
        out_json([{"name": name, "from": where(name)} for name in names])
        return
    for name in names:
        out(f"{name}  ({where(name)})")
    say(
        f"new ones are kept in {'the keyring' if has_keyring() else secrets_file()}; one of the environment comes first"
    )


@app.command("set", cls=Command)
def set_(name: Name) -> None:
    """Keep a secret. Its value is asked for (not shown), or read from standard input; never from the command line."""
    from outrider.agent.settings.secret_store import keep, secrets_file

    place = keep(name, _value(name))
    say(
        f"{name} is kept in {'the keyring' if place == 'keyring' else secrets_file()}; name it with --secret {name}@HOST"
    )


@app.command("rm", cls=Command)
def rm(name: Name) -> None:
    """Forget a secret. Exit code 6: there was none of that name."""
    from outrider.agent.settings.secret_store import forget

    if not forget(name):
        say(f"no secret {name} is kept")
        raise typer.Exit(NOT_FOUND)
    say(f"{name} is forgotten")


def _value(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.read(1_000_000).rstrip("\r\n")
    import getpass

    try:
        return getpass.getpass(f"value of {name} (not shown): ")
    except (EOFError, KeyboardInterrupt):
        raise UsageError("nothing was kept", "no value was given", "try again") from None
