"""`outrider stop RUN`: tell the process that drives a run, wherever it is, to leave it after the step."""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.flags import Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, say


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help='A run: its id, a part of it, or "last".', show_default=False)
    ],
    memory: Memory = None,
) -> None:
    """Stop a run from another terminal, as Ctrl-C at its own does: it leaves after the step, and `outrider resume` goes on."""
    from outrider.agent.serving.mcp_session import MODEL
    from outrider.agent.settings.who import user
    from outrider.memory.events import RunStarted
    from outrider.memory.inbox import stop
    from outrider.memory.journal import Journal

    store = open_store(memory, writing=True)
    given = stop(store, run, via="cli", who=user())
    out(f"run {given.run_id}: told to stop after this step{' (it was told already)' if given.again else ''}")
    first = Journal.open_for_reading(store, given.run_id).at(1).event
    if isinstance(first, RunStarted) and first.model == MODEL:
        say("it is a session of another program's tool calls: that program begins a new one")
    else:
        say(f"to go on: outrider resume {given.run_id}")
