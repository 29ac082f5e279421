"""`outrider runs`: what was run, newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.runs import list_runs

Label = Annotated[str, typer.Option("--label", metavar="TEXT", help="Only runs of this label.", show_default=False)]
Since = Annotated[
    str,
    typer.Option("--since", metavar="WHEN", help="Only runs begun since: 2026-11-27, 12h, 7d, 4w.", show_default=False),
]
Model = Annotated[
    str, typer.Option("--model", "-m", metavar="TEXT", help="Only runs of models named so.", show_default=False)
]


def command(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only runs in this state (again for more).", show_default=False),
    ] = None,
    label: Label = "",
    model: Model = "",
    since: Since = "",
    grep: Annotated[
        str, typer.Option("--grep", metavar="TEXT", help="Only runs whose goal holds this.", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many.")] = 20,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """List runs, newest first; with --json one object a line. `outrider find` searches what they saw and answered."""
    list_runs(state, label, model, since, grep, limit, memory, json)
