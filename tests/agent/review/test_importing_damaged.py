"""Files of others that are damaged, odd or hold more than their runs: each is refused in words, or says what is missing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.history.run_view import read_run
from outrider.agent.review.importing.files import Unread, import_file
from outrider.memory.errors import OutriderError, UsageError
from outrider.memory.events import Noted, RunStarted
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.transfer import dump
from tests.agent.review.test_importing import ATIF, CALL, INSPECT, MINI, OPENAI, SWE, archive

ODD: tuple[Any, ...] = (
    None, 0, -1, 1e308, 10**400, True, "", "x", [], {}, [None], {"a": 1}, "\ud800", float("nan"), float("inf"), [[]], {"role": 3},
)  # fmt: skip
MEMBERS = {"header.json": {"eval": INSPECT["eval"]}, "samples/1_epoch_1.json": INSPECT["samples"][0]}


def mutated(rng: random.Random, value: Any) -> Any:
    """A copy in which one to three values are taken out or replaced by something that does not belong there."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice([1, 1, 2, 3])):
        *way, last = rng.choice(list(paths(value)))
        place = value
        for name in way:
            place = place[name]
        if rng.random() < 0.2:
            del place[last]
        else:
            place[last] = rng.choice(ODD)
        if not value:
            break
    return value


def paths(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value within this one stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in inner:
        yield (*way, name)
        yield from paths(below, (*way, name))


def damaged(rng: random.Random, data: bytes) -> bytes:
    """A copy that is cut, or has some bytes changed behind its first four."""
    if rng.random() < 0.3:
        return data[: rng.randrange(4, len(data))]
    changed = bytearray(data)
    for _ in range(rng.choice([1, 2, 4])):
        changed[rng.randrange(4, len(changed))] = rng.randrange(256)
    return bytes(changed)


def read_or_refused(store: Store, file: Path, data: bytes) -> str:
    """ "read" or "refused"; anything but the errors a person may see goes on up."""
    file.write_bytes(data)
    try:
        return "read" if list(import_file(store, file)) else "empty"
    except OutriderError as error:
        return "refused" if error.exit_code == 2 and error.why and error.fix else "refused badly"


SHARED = {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "yes"}]}
TAU = {"simulations": [{"task_id": 3, "reward": 0.5, "messages": OPENAI["messages"]}]}
KINDS = {"openai": OPENAI, "mini": MINI, "swe": SWE, "inspect": INSPECT, "atif": ATIF, "shared": SHARED, "tau": TAU}


@pytest.mark.parametrize("value", KINDS.values(), ids=KINDS)
def test_a_mutated_or_cut_transcript_never_ends_in_a_traceback(store: Store, tmp_path: Path, value: Any) -> None:
    """It is imported as far as it can be read, or refused with what, why and what to do."""
    rng, raw = random.Random(4), json.dumps(value).encode()
    copies = [json.dumps(mutated(rng, value)).encode() for _ in range(120)] + [damaged(rng, raw) for _ in range(60)]
    assert {read_or_refused(store, tmp_path / "their.json", one) for one in copies} == {"read", "refused"}


@pytest.mark.parametrize("packing", ["stored", "deflated", "zstd"])
def test_a_damaged_eval_log_never_ends_in_a_traceback(store: Store, tmp_path: Path, packing: str) -> None:
    """Cut, bytes changed, or whole with odd values within."""
    rng = random.Random(5)
    raw = archive({name: json.dumps(value).encode() for name, value in MEMBERS.items()}, packing)
    copies = [damaged(rng, raw) for _ in range(400)]
    for _ in range(30):
        members = {name: json.dumps(mutated(rng, value)).encode() for name, value in MEMBERS.items()}
        copies.append(archive(members, packing))
    assert {read_or_refused(store, tmp_path / "log.eval", one) for one in copies} == {"read", "refused"}


def test_a_damaged_export_of_ours_never_ends_in_a_traceback(store: Store, tmp_path: Path) -> None:
    """One that was cut or changed is not added at all."""
    file = tmp_path / "their.json"
    file.write_text(json.dumps(OPENAI))
    (run,) = import_file(store, file)
    lines = list(dump(Journal.open_for_reading(store, run)))
    rng, raw = random.Random(6), "\n".join(lines).encode()
    odd = [{**json.loads(lines[1]), name: value} for name in ("seq", "body", "hash", "at", "kind") for value in ODD]
    changed = [f"{lines[0]}\n{json.dumps(one)}".encode() for one in odd]
    for copy in [*changed, *(damaged(rng, raw) for _ in range(100))]:
        read_or_refused(store, file, copy)
    assert [one for one in runs_of(store) if one != run] == []


def runs_of(store: Store) -> list[str]:
    """The ids of all runs."""
    from sqlalchemy import select

    from outrider.memory import schema

    with store.read() as db:
        return list(db.scalars(select(schema.runs.c.run_id)))


def test_nothing_is_stored_of_a_conversation_that_cannot_be_read_to_its_end(store: Store, tmp_path: Path) -> None:
    """No half run stays behind, and the error says how many before it were imported."""
    file = tmp_path / "their.jsonl"
    file.write_text(f'{json.dumps(OPENAI)}\n{{"broken\n')
    with pytest.raises(UsageError, match=r"line 2 is not JSON.*the 1 run before it was imported"):
        list(import_file(store, file))
    assert len(runs_of(store)) == 1


def test_a_line_may_hold_the_line_separators_of_unicode(store: Store, tmp_path: Path) -> None:
    """JSON allows U+2028 and U+0085 within a text: they end no line of the file."""
    told = {"messages": [{"role": "user", "content": "one\u2028two\x85three"}, {"role": "assistant", "content": "ok"}]}
    file = tmp_path / "their.jsonl"
    file.write_text("\n".join([json.dumps(told, ensure_ascii=False)] * 2), encoding="utf-8")
    assert len(list(import_file(store, file))) == 2


def test_entries_that_cannot_be_read_are_counted_by_kind_and_said_in_the_run(store: Store, tmp_path: Path) -> None:
    """A role nobody knows, a picture, a result without a call, a message that is none: how many of each, in words."""
    odd = [
        {"role": "critic", "content": "no"}, {"role": "critic", "content": "no\nno"}, "not a message",
        {"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "data:"}}]},
        {"role": "tool", "tool_call_id": "c9", "content": "lost"}, {"role": "assistant", "content": "", "tool_calls": ["x", CALL]},
    ]  # fmt: skip
    file, unread = tmp_path / "their.json", Unread()
    file.write_text(json.dumps({"info": {"exit_status": "x"}, "messages": [*OPENAI["messages"], *odd]}))
    (run,) = import_file(store, file, unread)
    assert unread.entries == {
        "message of the role 'critic'": 2, "message that is no object": 1, "part 'image_url'": 1, "result without a call": 1,
        "tool call that is no object": 1,
    }  # fmt: skip
    events = [stored.event for stored in Journal.open_for_reading(store, run).read()]
    assert isinstance(events[0], RunStarted)
    assert events[0].settings["imported"]["left_out"] == dict(unread.entries)
    assert isinstance(events[1], Noted)
    assert events[1].by == "outrider"
    assert events[1].text.startswith(
        "not read from the file this was imported from: 6 entries: message of the role 'critic' (2)"
    )
    assert read_run(store, run).goal == "cancel my flight"


def test_values_that_are_no_transcript_are_counted_by_kind(store: Store, tmp_path: Path) -> None:
    """Lines of a file that are in none of the formats are in no run, and are not passed over in silence."""
    file, unread = tmp_path / "their.jsonl", Unread()
    lines = [OPENAI, {"meta": 1, "by": "x"}, OPENAI, 7, [], {"eval": {}, "samples": []}]
    file.write_text("\n".join(map(json.dumps, lines)))
    assert len(list(import_file(store, file, unread))) == 2
    assert unread.values == {
        "object with the keys meta, by": 1,
        "number": 1,
        "list": 1,
        "inspect record without a run": 1,
    }
    assert not unread.entries
