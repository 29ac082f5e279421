"""`outrider import`: which format a file is in, and its runs put into the database, marked as imported.
Touches the file and the database. Does not promise: everything another system knew; best effort, and the raw file stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from outrider.agent.review.importing import FORMATS
from outrider.agent.review.importing.archive import is_archive
from outrider.agent.review.importing.archive import read as read_archive
from outrider.agent.review.importing.turns import LABEL, Conversation, events
from outrider.memory.errors import UsageError
from outrider.memory.events import Event
from outrider.memory.given_file import read_given_text
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.transfer import is_ours, load

MOST_BYTES = 1_000_000_000
ORDER = ("atif", "inspect", "swe-agent", "mini-swe-agent", "openai")  # the most particular first
BATCH = 500  # events a commit


def import_file(store: Store, file: Path) -> Iterator[str]:
    """Import every run of a file; yields their ids. Raises UsageError for a file that holds none."""
    archive = is_archive(file)
    text = "" if archive else _text(file)
    first, _, _ = text.partition("\n")
    if is_ours(first):
        yield load(store, text.splitlines())
        return
    found = False
    for value in read_archive(file) if archive else _values(text, file):
        for one in _read(value):
            found = True
            yield _keep(store, one)
    if not found:
        known = "; ".join(FORMATS.values())
        raise UsageError(
            f"no transcript was found in {str(file)!r}", "it is in none of the known formats", f"known: {known}"
        )


def _text(file: Path) -> str:
    try:
        return read_given_text(file, MOST_BYTES, errors="replace")
    except OSError as error:
        raise UsageError(f"cannot read {str(file)!r}", error.strerror or str(error), "name a file") from error


def _values(text: str, file: Path) -> Iterator[Any]:
    """One JSON document, or one a line."""
    try:
        yield json.loads(text)
        return
    except (ValueError, RecursionError):
        pass
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"cannot read {str(file)!r}", f"line {number} is not JSON ({error})", "give JSON, or JSON lines"
            ) from error


def _read(value: Any) -> list[Conversation]:
    for name in ORDER:
        module = import_module(f"outrider.agent.review.importing.{name.replace('-', '_')}")
        if module.recognises(value):
            return list(module.read(value))
    if isinstance(value, dict) and isinstance(value.get("simulations"), list):  # tau2-bench
        value = value["simulations"]
    return [one for inner in value for one in _read(inner)] if _is_list_of_objects(value) else []


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(inner, dict) for inner in value)


def _keep(store: Store, one: Conversation) -> str:
    made: Iterator[Event] = events(one)
    journal = Journal.create(store, next(made), label=LABEL)
    try:
        batch: list[Event] = []
        for event in made:
            batch.append(event)
            if len(batch) >= BATCH:
                journal.append(*batch)
                batch = []
        if batch:
            journal.append(*batch)
    finally:
        journal.release()
    return journal.run_id
