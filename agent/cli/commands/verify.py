"""`outrider verify RUN`: whether a run is as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, out_json, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.memory.store import Store

CHANGED = 4


def command(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help='A run: its id, a part of it, or "last".', show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every run of the database.", show_default=False)] = False,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Check that no event and no output of a run was changed, added or cut. Exit code 4 names the first that was."""
    from outrider.memory.journal import Journal
    from outrider.memory.verify import verify

    if (run is None) == (not every):
        raise UsageError("verify needs one run, or --all", "it got none, or both", "outrider verify last")
    store = open_store(memory)
    bad = 0
    for run_id in _all(store) if every else [str(run)]:
        journal = Journal.open_for_reading(store, run_id)
        verdict = verify(journal)
        bad += not verdict.ok
        if json:
            said = {"run": journal.run_id, "ok": verdict.ok, "events": verdict.events}
            out_json(said | ({} if verdict.ok else {"bad_seq": verdict.bad_seq, "why": verdict.why}))
        else:
            out(f"{journal.run_id}  {f'ok, {verdict.events:,} events' if verdict.ok else f'CHANGED: {verdict.why}'}")
    if bad:
        say(
            f"{'a run is' if bad == 1 else f'{bad} runs are'} not as written\n"
            "  why: the hash of an event no longer fits what is stored\n"
            "  fix: restore the database from a copy; nothing after that event can be relied on"
        )
        raise typer.Exit(CHANGED)


def _all(store: Store) -> list[str]:
    from sqlalchemy import select

    from outrider.memory import schema

    with store.read() as db:
        return list(
            db.scalars(select(schema.runs.c.run_id).where(schema.runs.c.head_seq > 0).order_by(schema.runs.c.number))
        )
