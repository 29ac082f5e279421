"""`outrider label RUN TEXT`: a word to find a run by."""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.flags import Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import hide, out, say
from outrider.memory.errors import UsageError

MOST = 100


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help='A run: its id, a part of it, "last" or "last~2".', show_default=False)
    ],
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help='The label; "" takes it off.', show_default=False)
    ] = None,
    memory: Memory = None,
) -> None:
    """Show the label of a run, or give it one. It stands beside the run, so the run itself verifies as before."""
    from sqlalchemy import update

    from outrider.memory import schema
    from outrider.memory.journal import find_run
    from outrider.memory.text import for_storage

    store = open_store(memory, writing=text is not None)
    with store.read() as db:
        row = find_run(db, run)
    if text is None:
        out(row["label"] or "(no label)")
        return
    label = hide(" ".join(for_storage(text).split()))
    if len(label) > MOST:
        raise UsageError(
            f"the label is {len(label):,} characters long", f"a label has {MOST} at the most", "shorten it"
        )
    with store.write() as db:
        db.execute(update(schema.runs).where(schema.runs.c.number == row["number"]).values(label=label))
    say(f"run {row['run_id']}: {label or 'no label'}")
