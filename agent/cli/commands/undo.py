"""`outrider undo RUN`: put back the files a run's tools changed."""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, out_json, say

LEFT = 4


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help='A run: its id, a part of it, or "last".', show_default=False)
    ],
    at: Annotated[
        int, typer.Option("--at", metavar="SEQ", help="Put back only what was changed after this event.", min=0)
    ] = 0,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Put the workspace back to how it was. A file that somebody changed since is left alone (exit code 4).

    What code in the sandbox (`python`, `shell`) overwrote or removed comes back too.
    """
    from outrider.agent.history.file_changes import undo
    from outrider.tools.files.paths import shown

    done = undo(open_store(memory), run, after=at)
    if json:
        out_json({"restored": done.restored, "removed": done.removed, "left": done.left})
    else:
        for word, paths in (("restored", done.restored), ("removed", done.removed)):
            for path in paths:
                out(f"{word}  {shown(path)}")
        if not (done.restored or done.removed or done.left):
            say("nothing left to undo: every file is as it was before the run")
    for path in done.left:
        say(f"left alone: {shown(path)} is not as the run left it")
    if done.left:
        raise typer.Exit(LEFT)
