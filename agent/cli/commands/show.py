"""`outrider show RUN`: the transcript of a run, for people, as JSON lines, as it goes on, or as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outrider.agent.cli.flags import Memory
from outrider.agent.cli.listing.transcript import show_run

JsonLines = Annotated[
    bool, typer.Option("--json", help="One event a line: run, seq, at, kind, body, hash.", show_default=False)
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on while the run does.", show_default=False)]
Full = Annotated[bool, typer.Option("--full", help="Everything, whole: all events, all output.", show_default=False)]
Svg = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Write a picture of the transcript.", show_default=False)
]
Files = Annotated[bool, typer.Option("--files", help="Only the files its tools changed.", show_default=False)]
Tools = Annotated[bool, typer.Option("--tools", help="Only the calls, one line each.", show_default=False)]
Cost = Annotated[bool, typer.Option("--cost", help="Only what each step cost.", show_default=False)]
Children = Annotated[
    bool, typer.Option("--children", help="Tell the child runs too, each under its parent.", show_default=False)
]
NoPager = Annotated[bool, typer.Option("--no-pager", help="Print it all, on a terminal too.", show_default=False)]
StepNumber = Annotated[
    int | None, typer.Option("--step", min=0, metavar="N", help="Only this step, whole.", show_default=False)
]


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help='A run: its id, a part of it, or "last".', show_default=False)
    ],
    json: JsonLines = False,
    follow: Follow = False,
    full: Full = False,
    svg: Svg = None,
    files: Files = False,
    tools: Tools = False,
    cost: Cost = False,
    step: StepNumber = None,
    children: Children = False,
    no_pager: NoPager = False,
    memory: Memory = None,
) -> None:
    """Show what a run did. Of a long run the last part; --full shows all of it. A run that was edited says so.

    On a terminal a pager shows it ($PAGER, else less).
    """
    show_run(
        run, json=json, follow=follow, full=full, svg=svg, files=files, tools=tools, cost=cost, step=step, children=children,
        no_pager=no_pager, memory=memory,
    )  # fmt: skip
