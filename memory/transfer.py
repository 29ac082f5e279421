"""A whole run as JSON lines and back: what is exported here is imported elsewhere with the same hashes, so it verifies there.
Touches the database: reads one run, or adds one. Does not promise: to trust a file; every hash is recomputed, every
output compared with its digest, and a run that does not fit is refused whole.

First line: {"outrider": 1, "run", "created_at", "label"}. Then one event a line (`body` is the very text that was
hashed), then one line for each stored output: {"blob": digest, "data": base64}.
A fork is exported with the events it shares, as a run that stands alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from outrider.memory import schema
from outrider.memory.errors import UsageError
from outrider.memory.events import GoalGiven, RunStarted, ToolReturned
from outrider.memory.journal import Journal, Stored, chain
from outrider.memory.store import Store, digest_of

FORMAT = 1
_HEAD = re.compile(r'\{"run":"([^"\\]*)","seq":(\d+),"at":"([^"\\]*)","kind":"([^"\\]*)","body":')
_TAIL = re.compile(r',"hash":"([0-9a-f]{64})"\}\s*$')
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")  # a later version may have others
_RUN_ID = re.compile(r"[A-Za-z0-9_.-]{3,64}")


def dump(journal: Journal) -> Iterator[str]:
    """The lines of a run, without line ends."""
    row = journal.current()
    yield _json({"outrider": FORMAT, "run": journal.run_id, "created_at": row["created_at"], "label": row["label"]})
    digests: dict[str, None] = {}
    for stored in journal.read():
        yield _line(journal.run_id, stored)
        digests |= dict.fromkeys(named_blobs(stored))
    for digest in digests:
        if (data := journal.store.get_blob(digest)) is not None:
            yield _json({"blob": digest, "data": base64.b64encode(data).decode("ascii")})


def named_blobs(stored: Stored) -> Iterator[str]:
    """The digests of everything one event keeps outside itself."""
    event = stored.event
    if isinstance(event, ToolReturned):
        sides = (digest for change in event.changes for digest in (change.before, change.after))
        yield from filter(None, (event.blob, *(made.digest for made in event.artifacts), *sides))
    elif isinstance(event, RunStarted | GoalGiven):
        yield from filter(None, (one.picture for one in event.attachments))


def load(store: Store, lines: Iterable[str]) -> str:
    """Add the run these lines hold; its id. Raises UsageError (what is wrong, with the line), and then adds nothing."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    number, first = next(numbered, (1, ""))
    row = _row(first)
    events: list[Stored] = []
    blobs: dict[str, bytes] = {}
    for number, line in numbered:
        if line.startswith('{"blob":'):
            blobs |= _blob(line, number)
        else:
            events.append(_event(line, number, row["run_id"], events[-1] if events else None))
    if not events:
        raise UsageError("there is no run in the file", "it holds no event", "export the run again")
    missing = [d for stored in events for d in named_blobs(stored) if d not in blobs and store.get_blob(d) is None]
    if missing:
        raise _wrong(number, f"the stored output {missing[0][:12]} is missing")
    _refuse_known(store, row["run_id"])
    return Journal.restore(store, row, events, blobs).run_id


def is_ours(first_line: str) -> bool:
    """Whether a file that begins so was written by `dump`."""
    return first_line.startswith('{"outrider":')


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _line(run_id: str, stored: Stored) -> str:
    """`body` goes in as it is: it is JSON already, and another spelling of it would have another hash."""
    body = stored.body
    try:
        json.loads(body)
    except ValueError:
        body = json.dumps({"unreadable": stored.body})
    head = (
        f'{{"run":{json.dumps(run_id)},"seq":{stored.seq},"at":{json.dumps(stored.at)},"kind":{json.dumps(stored.kind)}'
    )
    return f'{head},"body":{body},"hash":"{stored.hash.hex()}"}}'


def _row(line: str) -> dict[str, Any]:
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or "outrider" not in head:
        raise UsageError(
            "this is not an exported run", "its first line does not say so", "outrider export RUN --format jsonl"
        )
    if head["outrider"] != FORMAT:
        raise UsageError("this run was exported by a later version", f"format {head['outrider']!r}", "update Outrider")
    values = {"run_id": head.get("run"), "created_at": head.get("created_at"), "label": head.get("label", "")}
    if not all(isinstance(value, str) for value in values.values()) or not _RUN_ID.fullmatch(str(values["run_id"])):
        raise _wrong(1, "the first line names no run")
    if not _is_time(str(values["created_at"])):
        raise _wrong(1, "it says no time")
    return values


def _event(line: str, number: int, run_id: str, before: Stored | None) -> Stored:
    at, kind, seq, body, digest = _fields(line, number)
    if not _is_time(at) or not _KIND.fullmatch(kind):
        raise _wrong(number, "it is no event: its time or its kind is none")
    previous, expected = (before.hash, before.seq + 1) if before else (b"", 1)
    if seq != expected:
        raise _wrong(number, f"event {expected} is missing")
    try:
        whole = chain(previous, kind, at, body).hex() == digest
    except UnicodeEncodeError:  # half a character: nothing that was ever stored
        whole = False
    if not whole:
        raise _wrong(number, f"event {seq} ({kind[:40]!r}) was changed")
    return Stored(run_id, seq, at, kind, body, bytes.fromhex(digest))


def _is_time(text: str) -> bool:
    """Whether a text is a time as we write it (ISO 8601): it is shown, and reckoned with."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return text.isascii()


def _fields(line: str, number: int) -> tuple[str, str, int, str, str]:
    """(at, kind, seq, body, hash). A line that went through another program is read, and its body spelled as ours is."""
    head = _HEAD.match(line)
    tail = _TAIL.search(line)
    if head and tail and tail.start() > head.end():
        return head[3], head[4], int(head[2]), line[head.end() : tail.start()], tail[1]
    try:
        one = json.loads(line)
        body = json.dumps(one["body"], ensure_ascii=False, separators=(",", ":"))
        return str(one["at"]), str(one["kind"]), int(one["seq"]), body, str(one["hash"])
    except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError):
        raise _wrong(number, "it is not an event") from None


def _blob(line: str, number: int) -> dict[str, bytes]:
    try:
        one = json.loads(line)
        digest, data = str(one["blob"]), base64.b64decode(one["data"], validate=True)
    except (ValueError, KeyError, RecursionError, TypeError, binascii.Error):
        raise _wrong(number, "it is not a stored output") from None
    if digest_of(data) != digest:
        raise _wrong(number, f"the stored output {digest[:12]} was changed")
    return {digest: data}


def _refuse_known(store: Store, run_id: str) -> None:
    with store.read() as db:
        known = db.scalar(select(schema.runs.c.number).where(schema.runs.c.run_id == run_id))
    if known is not None:
        raise UsageError(
            f"run {run_id} is here already", "this database holds a run of that id", f"outrider show {run_id}"
        )


def _wrong(number: int, why: str) -> UsageError:
    return UsageError("the run was not imported", f"line {number}: {why}", "export it again; nothing was added")
