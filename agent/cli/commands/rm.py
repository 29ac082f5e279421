"""`outrider rm RUN`: delete runs for good."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.listing.runs import since_of
from outrider.agent.cli.output import out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.memory.run_index import Row
    from outrider.memory.store import Store

KEPT = 4


def command(
    run: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]…", help='Runs: an id, a part of it, "last" or "last~2".', show_default=False),
    ] = None,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="SPAN", help="All runs begun before: 30d, 12w.", show_default=False)
    ] = "",
    label: Annotated[
        str, typer.Option("--label", metavar="TEXT", help="All runs of this label.", show_default=False)
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.", show_default=False)] = False,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Delete runs for good: events, stored outputs that no other run has, and their words in the index.

    Asks first; with nobody there it needs --yes. Runs that are driven, or that a fork shares, are refused.
    """
    from outrider.memory.remove import remove

    if not (run or older_than or label):
        raise UsageError(
            "rm needs to know which runs", "it got none", "outrider rm RUN, --older-than 30d or --label TEXT"
        )
    store = open_store(memory, writing=True)
    rows = _meant(store, run or [], older_than, label)
    if not rows:
        say("no run fits")
        return
    if not yes and not _sure(rows):
        say("nothing was deleted")
        raise typer.Exit(KEPT)
    done = remove(store, [row.run_id for row in rows])
    if json:
        out_json({"runs": done.runs, "events": done.events, "blobs": done.blobs})
    else:
        say(f"deleted {done.runs:,} run{'s' * (done.runs != 1)}: {done.events:,} events, {done.blobs:,} stored outputs")


def _meant(store: Store, names: list[str], older_than: str, label: str) -> list[Row]:
    from outrider.agent.cli.listing.databases import asked
    from outrider.memory.journal import find_run
    from outrider.memory.run_index import runs

    with store.read() as db:
        wanted = {find_run(db, name)["run_id"] for name in names}
    before = since_of(older_than)
    with asked(store.url.render_as_string(hide_password=False)) as ask:
        if ask is None:
            return []
        every = runs(ask, label=label)
        if names:
            return [
                row
                for row in runs(ask, label=label, children=True)
                if row.run_id in wanted and (not before or row.created_at < before)
            ]
        return [row for row in every if not before or row.created_at < before]


def _sure(rows: list[Row]) -> bool:
    """Whether the person says yes. Raises UsageError when nobody is there to ask."""
    from outrider.agent.cli.prompts import is_there
    from outrider.agent.review.lines import Line, count, one_line

    for row in rows[:10]:
        out_lines([Line(((one_line(row.told.goal, 80), "plain"),), ((f"{row.run_id:15}", "strong"),))])
    if len(rows) > 10:
        say(f"… and {len(rows) - 10:,} more")
    if not is_there():
        raise UsageError(f"{count(len(rows), 'run')} would be deleted", "nobody is there to ask", "give --yes")
    sys.stderr.write(f"delete {count(len(rows), 'run')} for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
