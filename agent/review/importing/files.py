"""`outrider import`: which format a file is in, and its runs put into the database, marked as imported.
Touches the file and the database. Does not promise: everything another system knew; best effort, and the raw file stays.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from outrider.agent.review.importing import FORMATS
from outrider.agent.review.importing.archive import is_archive
from outrider.agent.review.importing.archive import read as read_archive
from outrider.agent.review.importing.left_out import LeftOut, in_words, kind_of
from outrider.agent.review.importing.turns import LABEL, Conversation, events
from outrider.agent.review.lines import count, one_line
from outrider.memory.errors import UsageError
from outrider.memory.events import Event
from outrider.memory.given.file import read_given_text
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.transfer import is_ours, load

MOST_BYTES = 1_000_000_000
ORDER = ("atif", "inspect", "swe-agent", "mini-swe-agent", "openai")  # the most particular first
BATCH = 500  # events a commit


@dataclass(slots=True)
class Unread:
    """What of a file is in no run (`values`), and what of its runs could not be read (`entries`; each run says it too)."""

    values: LeftOut = field(default_factory=Counter)
    entries: LeftOut = field(default_factory=Counter)


def import_file(store: Store, file: Path, unread: Unread | None = None) -> Iterator[str]:
    """Import every run of a file; yields their ids, and adds to `unread` what is left out.

    Raises UsageError for a file that holds none or is damaged; it says how many runs before the damage were imported.
    """
    unread = Unread() if unread is None else unread
    archive = is_archive(file)
    text = "" if archive else _text(file)
    if is_ours(text[:100]):
        yield load(store, text.split("\n"))
        return
    done = 0
    try:
        for value in read_archive(file) if archive else _values(text, file):
            for one in _read(value, unread.values):
                yield _keep(store, one)
                done += 1
                unread.entries += one.left_out
    except UsageError as error:
        before = f"; the {count(done, 'run')} before it {'was' if done == 1 else 'were'} imported" if done else ""
        raise UsageError(f"cannot read {str(file)!r}", f"{error.why}{before}", error.fix) from error
    if not done:
        held = f" (it holds {in_words(unread.values)})" if unread.values else ""
        known = "; ".join(FORMATS.values())
        raise UsageError(
            f"no transcript was found in {str(file)!r}", f"it is in none of the known formats{held}", f"known: {known}"
        )


def _text(file: Path) -> str:
    try:
        return read_given_text(file, MOST_BYTES, errors="replace")
    except OSError as error:
        raise UsageError(f"cannot read {str(file)!r}", error.strerror or str(error), "name a file") from error


def _values(text: str, file: Path) -> Iterator[Any]:
    """One JSON document, or one a line."""
    whole: Exception | None = None  # what is wrong with it as one document
    try:
        yield json.loads(text)
        return
    except (ValueError, RecursionError) as error:
        whole = error
    for number, line in enumerate(text.split("\n"), 1):  # splitlines() would cut at U+2028, which JSON may hold
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = f"line {number} is not JSON ({error})" if whole is None else f"it is not JSON ({whole})"
            raise UsageError(f"cannot read {str(file)!r}", why, "give JSON, or JSON lines") from error
        whole = None  # it is JSON lines, then
        yield value


def _read(value: Any, unread: LeftOut) -> list[Conversation]:
    for name in ORDER:
        module = import_module(f"outrider.agent.review.importing.{name.replace('-', '_')}")
        if module.recognises(value):
            found = _conversations(module, name, value)
            unread.update([] if found else [f"{name} record without a run"])
            return found
    if isinstance(value, dict) and isinstance(value.get("simulations"), list):  # tau2-bench
        value = value["simulations"]
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return [one for inner in value for one in _read(inner, unread)]
    unread[kind_of(value)] += 1
    return []


def _conversations(module: ModuleType, name: str, value: Any) -> list[Conversation]:
    """What the importer of a format reads. Nothing a file holds may end in a traceback: an importer trips over what it
    was not written for, and that is then said of the file.
    """
    try:
        return list(module.read(value))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        why = f"it looks like {FORMATS[name]}, and something in it is of an unknown shape ({type(error).__name__}: {error})"
        raise UsageError("cannot read it", one_line(why, 400), "give the file as that program wrote it") from error


def _keep(store: Store, one: Conversation) -> str:
    try:
        made = iter(list(events(one)))  # all of them first: nothing is stored of what cannot be read to its end
    except (ArithmeticError, RecursionError, TypeError, ValueError) as error:
        why = f"a value in it cannot be stored ({type(error).__name__}: {error})"
        raise UsageError("cannot read it", one_line(why, 400), "give the file as its program wrote it") from error
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
