"""`outrider import FILE`: transcripts of other systems, and runs exported elsewhere, into the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outrider.agent.cli.flags import Memory
from outrider.agent.cli.output import out, say


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Transcripts.", show_default=False)],
    memory: Memory = None,
) -> None:
    """Import runs for review and search: exported ones (jsonl) verify as where they came from; OpenAI chat JSON lines,
    mini-swe-agent and SWE-agent trajectories, Inspect JSON logs and ATIF are read as far as they go, and marked as imported.
    What could not be read is counted here and in the run. Exit code 3: a file held more than its runs.
    """
    from outrider.agent.review.importing.files import Unread, import_file
    from outrider.agent.review.importing.left_out import in_words
    from outrider.agent.settings.config import default_memory
    from outrider.memory.store import Store

    store, count, unread = Store(memory or default_memory()), 0, Unread()
    for file in files:
        for run_id in import_file(store, file, unread):
            count += 1
            out(run_id)
    say(f"{count:,} {'run' if count == 1 else 'runs'} imported; look with: outrider show {run_id}")
    if unread.entries:
        say(f"not read, as the runs say themselves: {in_words(unread.entries)}")
    if unread.values:
        say(f"not imported, for they are in none of the known formats: {in_words(unread.values)}")
        raise typer.Exit(3)
