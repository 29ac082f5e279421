"""Shows one run: its transcript, a part of it, its events as JSON lines, as it goes on, or as a picture.
May touch: reads the database, writes stdout, starts a pager on a terminal. Does not promise: all of a long run without `full`.

The first lines of a run stand in its first event, and are printed before anything that reads the others is imported.
"""

from __future__ import annotations

import json as json_text
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, out_json, out_lines, say, say_lines
from outrider.agent.cli.pager import paged
from outrider.agent.review.lines import FULL, SHOW, opening
from outrider.memory.errors import OutriderError, UsageError

if TYPE_CHECKING:
    from outrider.agent.review.lines import Line
    from outrider.agent.review.terminal import TranscriptWriter
    from outrider.memory.journal import Journal, Stored

LONG = 400  # events; of a longer run the last ones are shown, and reading them costs the same however long it is
TAIL = 120
POLL_S = 0.2
VERIFIED = 2_000  # events


def show_run(
    run: str,
    *,
    json: bool = False,
    follow: bool = False,
    full: bool = False,
    svg: Path | None = None,
    files: bool = False,
    tools: bool = False,
    cost: bool = False,
    step: int | None = None,
    children: bool = False,
    no_pager: bool = False,
    memory: str | None = None,
) -> int:
    """Print what of a run was asked for; returns the exit code. Raises UsageError for a run that is not there."""
    with paged(not (no_pager or json or follow or svg)):
        whole = not (json or files or tools or cost or svg or step is not None)
        run, printed = _print_opening(run, memory, full) if whole else (run, 0)
        from outrider.memory.journal import Journal

        journal = Journal.open_for_reading(open_store(memory), run)
        if files:
            _list_files(journal)
        elif tools or cost or step is not None:
            _print_part(journal, tools, step)
        elif svg:
            _draw(journal, svg, full=full)
        else:
            try:
                _print_json(journal, follow) if json else _print(journal, follow, full, children, printed)
            except KeyboardInterrupt:
                if not follow:
                    raise
    return 0


def _print_opening(run: str, memory: str | None, full: bool) -> tuple[str, int]:
    """Print the first lines of a run that can be found at a glance. Returns (the run, how many); where it cannot be
    found so, (what was asked for, 0): who knows more says what is wrong.
    """
    from outrider.agent.settings.config import default_memory
    from outrider.memory.run_index import first_event, opened

    try:
        with opened(memory or default_memory()) as ask:
            first = first_event(ask, run)
    except OutriderError:
        first = None
    if first is None:
        return run, 0
    run_id, at, goal = first
    lines = opening(run_id, at, goal, FULL if full else SHOW)
    out_lines(lines)
    return run_id, len(lines)


def _print_part(journal: Journal, tools: bool, step: int | None) -> None:
    from outrider.agent.review.story import steps
    from outrider.agent.review.tables import cost_lines, tool_lines
    from outrider.agent.review.terminal import TranscriptWriter

    told = steps(journal.read())
    if step is None:
        out_lines(tool_lines(told) if tools else cost_lines(told))
        return
    chosen = [one for one in told if one.number == step and (one.purpose == "step" or step == 0)]
    if not chosen:
        raise UsageError(f"run {journal.run_id} has no step {step}", "steps count from 1", "see `outrider show --cost`")
    writer = TranscriptWriter(FULL, known=False, whole_text=lambda digest: _whole(journal, digest))
    for one in chosen:
        for stored in journal.read(after=one.first - 1, upto=one.last):
            out_lines(writer.tell(stored))


def _print_json(journal: Journal, follow: bool) -> None:
    for stored in _events(journal, 0, follow):
        out_json(as_json(stored))


def as_json(stored: Stored) -> dict[str, Any]:
    """One event as `show --json` prints it. `body` is what was stored and hashed: defaults are left out."""
    try:
        body = json_text.loads(stored.body)
    except ValueError:  # somebody changed it; `verify` says so
        body = {"unreadable": stored.body}
    return {
        "run": stored.run, "seq": stored.seq, "at": stored.at, "kind": stored.kind, "body": body, "hash": stored.hash.hex(),
    }  # fmt: skip


def _print(journal: Journal, follow: bool, full: bool, children: bool, printed: int) -> None:
    """printed: how many lines of the first event are out already."""
    teller, after = _teller(journal, full)
    if after:
        out_lines(teller.tell(journal.at(1))[printed:])
        say(f"({after - 1:,} earlier events are not shown: --full shows all)")
    for stored in _events(journal, after, follow):
        out_lines(teller.tell(stored)[printed if stored.seq == 1 else 0 :])
        if children:
            out_lines(_told_child(journal, stored, full, 1))
    if not after:
        from outrider.agent.review.lines import Line

        say_lines([Line(((f"used: {teller.spent()}", "plain"),))])
        _print_spend(journal)
    _print_verdict(journal)


def _told_child(journal: Journal, stored: Stored, full: bool, depth: int) -> Iterator[Line]:
    """The transcript of a child that ended with this event, and of its own children, indented."""
    from dataclasses import replace

    from outrider.memory.events import ChildEnded
    from outrider.memory.journal import Journal as Read

    if not isinstance(event := stored.event, ChildEnded):
        return
    child = Read.open_for_reading(journal.store, event.child)
    teller, after = _teller(child, full)
    for one in child.read(after=after):
        for line in teller.tell(one):
            yield replace(line, head=(("    │ ", "dim"), *line.head))
        for line in _told_child(child, one, full, depth + 1):
            yield replace(line, head=(("    │ ", "dim"), *line.head))


def _print_spend(journal: Journal) -> None:
    """The limits as bars, for a person at a terminal."""
    import sys

    if not sys.stderr.isatty():
        return
    from outrider.agent.cli.output import say_lines
    from outrider.agent.history.run_view import read_run
    from outrider.agent.review.tables import spend_lines

    say_lines(spend_lines(read_run(journal.store, journal.run_id)))


def _print_verdict(journal: Journal) -> None:
    """Mark a run whose hash chain is broken; one too long to check at every look is left to `outrider verify`."""
    from outrider.memory.verify import verify

    if journal.head_seq <= VERIFIED and not (verdict := verify(journal)).ok:
        say(f"CHANGED after it was recorded: {verdict.why} (see: outrider verify {journal.run_id})")


def _teller(journal: Journal, full: bool) -> tuple[TranscriptWriter, int]:
    """(who tells it, the seq after which to begin)."""
    from outrider.agent.review.terminal import TranscriptWriter

    after = 0 if full or journal.head_seq <= LONG else journal.head_seq - TAIL
    return TranscriptWriter(
        FULL if full else SHOW, known=not after, whole_text=lambda digest: _whole(journal, digest)
    ), after


def _whole(journal: Journal, digest: str) -> str | None:
    data = journal.store.get_blob(digest)
    return None if data is None else data.decode("utf-8", "replace")


def _events(journal: Journal, after: int, follow: bool) -> Iterator[Stored]:
    """The events after `after`; with `follow` until the run ends or nobody drives it any more."""
    kind = ""
    while True:
        driven = _driven(journal) if follow else False  # asked before reading, so that nothing written last is missed
        for stored in journal.read(after=after):
            after, kind = stored.seq, stored.kind
            yield stored
        if not follow or kind in ("stopped", "interrupted") or not driven:
            return
        time.sleep(POLL_S)


def _driven(journal: Journal) -> bool:
    from outrider.memory.journal import find_run
    from outrider.memory.lease import holder_lives

    with journal.store.read() as db:
        row = find_run(db, journal.run_id)
    return holder_lives(row["holder"], row["beat"])


def _list_files(journal: Journal) -> None:
    from outrider.agent.history.file_changes import changes
    from outrider.tools.files.paths import shown

    for one in changes(journal.read()):
        word = "new" if one.change.before is None else "removed" if one.change.after is None else "changed"
        out(f"event {one.seq}  {word:8} {shown(one.change.path)}")


def _draw(journal: Journal, file: Path, *, full: bool) -> None:
    from outrider.agent.review import render

    teller, after = _teller(journal, full)
    lines = [line for stored in journal.read(after=after) for line in teller.tell(stored)]
    picture = render.svg(lines, f"outrider show {journal.run_id}", picture=journal.store.get_blob)
    try:
        file.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {str(file)!r}", error.strerror or str(error), "name another file") from error
    say(f"wrote {file} ({len(picture):,} bytes)")
