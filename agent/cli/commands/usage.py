"""`outrider usage`: what was spent, by day, model, label or tool."""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.commands.runs import Label, Model, Since
from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.usage import By, tell_usage


def command(
    by: Annotated[By, typer.Option("--by", help="What to tell it by.")] = By.day,
    since: Since = "",
    label: Label = "",
    model: Model = "",
    plot: Annotated[bool, typer.Option("--plot", help="Draw it as bars, too.", show_default=False)] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV to stdout.", show_default=False)] = False,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Tell what runs used: dollars, tokens, steps, calls. Days are UTC; child runs count with their parent.

    By tool only calls are told: dollars and tokens are the model's.
    """
    tell_usage(by, since, label, model, plot, as_csv, memory, json)
