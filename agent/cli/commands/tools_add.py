"""`outrider tools add` and `remove`: tools that every new run has."""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import out, say
from outrider.memory.errors import UsageError, words_of
from outrider.memory.given.file import read_given_text

app = typer.Typer(
    name="add", cls=Group, help="Add tools that every new run has.", rich_markup_mode=None, no_args_is_help=True
)
SHOWN = 10  # operations that are left out and named


@app.command(cls=Command)
def openapi(
    spec: Annotated[
        str, typer.Argument(metavar="SPEC", help="An OpenAPI 3 or Swagger 2 file, or its address.", show_default=False)
    ],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the names of its tools begin with.", show_default=False)
    ],
    secret: Annotated[
        str,
        typer.Option(
            "--secret",
            metavar="NAME",
            help="The environment variable that signs its calls; it goes to that server alone.",
        ),
    ] = "",
    server: Annotated[
        str, typer.Option("--server", metavar="URL", help="Call this server in place of the one the file names.")
    ] = "",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="HOST", help="Let the file be fetched from a private or local host."),
    ] = None,
) -> None:
    """Make tools of a web API: one an operation, or two that find and call them if there are many."""
    from outrider.agent.cli.added import folder
    from outrider.memory.text import for_terminal
    from outrider.tools.openapi.added import Added, add

    text, source = _document(spec, tuple(allow_host or ()))
    _, api = add(folder(), Added(name, text, secret, server, source))
    many = f"{len(api.tools)} tool{'' if len(api.tools) == 1 else 's'}"
    many += f" for {api.operations} operations" if len(api.tools) != api.operations else ""
    out(for_terminal(f"added {name}: {many} of {api.title or spec}, at {api.server}"))
    for operation, why in list(api.left_out.items())[:SHOWN]:
        say(for_terminal(f"left out: {operation}: {why}"))
    if len(api.left_out) > SHOWN:
        say(f"left out: {len(api.left_out) - SHOWN} more")


def _document(spec: str, allowed: tuple[str, ...]) -> tuple[str, str]:
    """(the text of a document, where it came from). Raises UsageError."""
    if not spec.startswith(("http://", "https://")):
        from pathlib import Path

        try:
            return read_given_text(Path(spec).expanduser()), str(Path(spec).expanduser().resolve())
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{spec!r} cannot be read",
                words_of(error),
                "give an OpenAPI file or its address",
            ) from error
    import asyncio

    from outrider.tools.net.gateway import fetch
    from outrider.tools.tool import ToolError

    try:
        got = asyncio.run(fetch(spec, allowed=allowed, max_bytes=30_000_000))
    except ToolError as error:
        raise UsageError(error.what, error.why, error.fix) from None
    if got.status != 200 or got.cut:
        why = got.cut or f"status {got.status}"
        raise UsageError(f"{spec} could not be fetched", why, "check the address, or save the file and give its path")
    return got.text(), got.url


def remove(name: Annotated[str, typer.Argument(metavar="NAME", help="What was added.", show_default=False)]) -> None:
    """Take tools that were added out again."""
    from outrider.agent.cli.added import folder
    from outrider.tools.openapi.added import ENDING, added_files
    from outrider.tools.openapi.added import remove as taken_out

    if not taken_out(folder(), name):
        names = [file.rpartition("/")[2].removesuffix(ENDING) for file in added_files(folder())]
        raise UsageError(
            f"there is nothing added of the name {name!r}",
            f"there is {', '.join(names) or 'nothing'}",
            "name one of them",
        )
    out(f"removed {name}")
