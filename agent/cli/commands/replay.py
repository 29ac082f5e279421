"""`outrider replay RUN`: drive a stored run again and name the first step that differs."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, out_json

if TYPE_CHECKING:
    from outrider.agent.history.replay import Replayed
    from outrider.memory.store import Store

DIFFERS = 4


class Source(StrEnum):
    """Where results come from."""

    stored = "stored"
    live = "live"


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help='A run: its id, a part of it, or "last".', show_default=False)
    ],
    tools: Annotated[
        Source, typer.Option("--tools", help="live: run tools that read or execute again.")
    ] = Source.stored,
    model: Annotated[
        str, typer.Option("--model", metavar="PROVIDER:NAME", help="Ask this model instead of the journal.")
    ] = "stored",
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Drive a run again from its journal. Exit code 0: nothing differs; 4: the first difference is printed.

    Nothing is recorded, and no tool that writes or sends runs. A change of a prompt or a tool is tested this way.
    """
    from outrider.memory.journal import Journal
    from outrider.memory.text import for_terminal

    store = open_store(memory)
    name = Journal.open_for_reading(store, run).run_id
    replayed = asyncio.run(_replay(store, run, tools.value, model))
    found = replayed.divergence
    if json:
        at = {} if found is None else {"seq": found.seq, "step": found.step, "stored": found.stored, "now": found.now}
        out_json({"run": name, "events": replayed.events, "identical": found is None} | at)
    else:
        out(
            f"{name}  {f'identical, {replayed.events:,} events' if found is None else for_terminal(f'DIFFERS at {found}')}"
        )
    if found is not None:
        raise typer.Exit(DIFFERS)


async def _replay(store: Store, run: str, tools: str, model: str) -> Replayed:
    from outrider.agent.history.replay import replay
    from outrider.agent.models import open_model

    live = None if model == "stored" else await open_model(model)
    try:
        return await replay(store, run, model=live, tools="live" if tools == "live" else "stored")
    finally:
        if live is not None:
            await live.aclose()
