"""The workspace as part of a run: what the run changed in it, whether somebody else did since, and how to put it back.
May touch: files inside the run's workspace, through tools/files/paths.py's door. Reads the journal.
Does not promise: modes but for the executable bit, nor files a person let go although they were too large to keep.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from outrider.agent.settings.config import undo_key
from outrider.memory.errors import OutriderError
from outrider.memory.events import FileChange, RunStarted, ToolReturned
from outrider.memory.journal import Journal, Stored
from outrider.memory.store import Store, digest_of
from outrider.tools.files.kept import Form
from outrider.tools.files.writing import clear_way, no_file, put_back, put_file, take_file


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of one file, and the event that tells of it."""

    seq: int
    change: FileChange


@dataclass(frozen=True, slots=True)
class Undone:
    """What `undo` did: files put back, files removed, and files left alone because they were changed since."""

    restored: tuple[str, ...]
    removed: tuple[str, ...]
    left: tuple[str, ...]


def changes(events: Iterable[Stored]) -> list[Changed]:
    """Every change of a file that the run's tools recorded, in order."""
    return [
        Changed(stored.seq, change)
        for stored in events
        if stored.kind == "tool_returned" and isinstance(event := stored.event, ToolReturned)
        for change in event.changes
    ]


def drifted(events: Iterable[Stored], workspace: Path) -> list[str]:
    """Files that are not as the run left them."""
    last = {one.change.path: one.change.after for one in changes(events)}
    return sorted(path for path, digest in last.items() if digest not in _now(workspace, path))


def undo(store: Store, run_id: str, *, after: int = 0) -> Undone:
    """Put every file back to how it was before the first change after event `after` (0: before the run).

    A file that is not as the run left it is left alone. Raises UsageError if there is no such run.
    """
    stored = list(Journal.open_for_reading(store, run_id).read())
    workspace = next(Path(e.workspace) for s in stored if isinstance(e := s.event, RunStarted))
    made = changes(stored)
    first = {one.change.path: one.change for one in reversed(made) if one.seq > after}
    moved, sealer = set(drifted(stored, workspace)), undo_key()
    restored, removed, left = list[str](), list[str](), list[str]()
    for path, change in sorted(first.items(), key=_order):
        before = change.before
        if path in moved and before in _now(workspace, path):
            continue  # it is as it was already: undone before, or put back by hand
        kept = store.get_blob(before) if before else None
        data = sealer.open(kept) if kept else kept
        if path in moved or (before and data is None) or not _put(workspace, path, data, change.form):
            left.append(path)
        else:
            (removed if before is None else restored).append(path)
    return Undone(tuple(sorted(restored)), tuple(sorted(removed)), tuple(sorted(left)))


def _order(one: tuple[str, FileChange]) -> tuple[bool, int, str]:
    """Removals and folders come first, the deepest of them first; then files and links."""
    path, change = one
    return change.before is not None and change.form != "folder", -path.count("/"), path


def _put(workspace: Path, path: str, data: bytes | None, form: Form) -> bool:
    """Whether the file could be put back (None: removed)."""
    try:
        if data is not None:
            with suppress(OutriderError):  # its folder may be gone too
                if form != "folder":
                    clear_way(workspace, path)
            put_back(workspace, path, data, form)
        else:
            put_file(workspace, path, None)
    except (OutriderError, OSError):
        return False
    return True


def _now(workspace: Path, path: str) -> set[str | None]:
    """The digests a file may be kept under as it is, {None} if there is none; one that cannot be read counts as changed."""
    try:
        if (other := no_file(workspace, path)) is not None:
            return {None, digest_of(other)}
        data = take_file(workspace, path)
        return {None} if data is None else {digest_of(data), digest_of(undo_key().seal(data))}
    except (OutriderError, OSError):
        return {None} if not os.path.lexists(workspace / path) else {"unreadable"}
