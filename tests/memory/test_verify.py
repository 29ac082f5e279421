"""`verify` proves that a run is as it was written: whatever is changed by anything but the journal is found and named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from outrider.memory.events import RunStarted
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import Verdict, verify
from tests.memory.samples import WHOLE, sample

COLUMNS = ("id", "run_id", "seq", "at", "kind", "body", "hash")
LAST = 13


def tampered(store: Store, *statements: str) -> Verdict:
    """What verify says after another program ran these statements on the file."""
    run = sample(store).run_id
    Journal.create(store, RunStarted(goal="another run", model="none")).release()
    assert verify(Journal.open_for_reading(store, run)) == Verdict(True, LAST)  # the control
    with sqlite3.connect(str(store.url.database)) as db:
        for statement in statements:
            db.execute(statement)
    db.close()
    return verify(Journal.open_for_reading(store, run))


@pytest.mark.parametrize("column", ["at", "kind", "body", "hash"])
def test_verify_names_the_event_when_one_byte_of_it_changed(store: Store, column: str) -> None:
    """One flipped byte anywhere in any event is found, and the event is named."""
    run = sample(store).run_id
    with sqlite3.connect(str(store.url.database)) as db:
        for seq in range(1, LAST + 1):
            value = db.execute(f"SELECT {column} FROM events WHERE seq = ?", (seq,)).fetchone()[0]
            data = value if isinstance(value, bytes) else value.encode()
            new = "?" if isinstance(value, bytes) else "CAST(? AS TEXT)"
            for place in {0, len(data) // 2, len(data) - 1}:
                for flip in (0x01, 0x80):  # 0x80 makes text that is not UTF-8 any more
                    changed = bytearray(data)
                    changed[place] ^= flip
                    db.execute(f"UPDATE events SET {column} = {new} WHERE seq = ?", (bytes(changed), seq))
                    db.commit()
                    verdict = verify(Journal.open_for_reading(store, run))
                    assert (verdict.ok, verdict.bad_seq) == (False, seq), verdict
                    assert f"event {seq}" in verdict.why
            db.execute(f"UPDATE events SET {column} = ? WHERE seq = ?", (value, seq))
    db.close()
    assert verify(Journal.open_for_reading(store, run)).ok


@pytest.mark.parametrize("seq", [1, 6, LAST])
@pytest.mark.parametrize("change", ["run_id = 'other'", "seq = seq + 100", "id = id + 100", "id = id + 4294967296 * 7"])
def test_verify_names_the_event_when_its_address_changed(store: Store, change: str, seq: int) -> None:
    """Which run an event belongs to and its place in it are part of what is proved."""
    verdict = tampered(
        store, f"UPDATE events SET {change} WHERE seq = {seq} AND run_id = (SELECT run_id FROM runs WHERE number = 1)"
    )
    assert (verdict.ok, verdict.bad_seq) == (False, seq), verdict


@pytest.mark.parametrize("seq", [1, 7, LAST])
def test_verify_names_the_event_when_it_was_deleted(store: Store, seq: int) -> None:
    """A missing event is named, be it the first, one in the middle or the last."""
    verdict = tampered(store, f"DELETE FROM events WHERE seq = {seq}")
    assert (verdict.ok, verdict.bad_seq) == (False, seq), verdict


def test_verify_names_the_first_event_when_two_were_swapped(store: Store) -> None:
    """Two events that changed places are found at the first of them."""
    verdict = tampered(
        store,
        "UPDATE events SET id = -1 WHERE seq = 4 AND kind = 'tool_called'",
        "UPDATE events SET id = id - 1, seq = 4 WHERE seq = 5",
        "UPDATE events SET id = (SELECT id + 1 FROM events WHERE seq = 4), seq = 5 WHERE id = -1",
    )
    assert (verdict.ok, verdict.bad_seq) == (False, 4), verdict


def test_verify_names_the_event_when_the_tail_was_cut(store: Store) -> None:
    """Cutting the end off is found although what is left fits together."""
    verdict = tampered(store, "DELETE FROM events WHERE seq > 8")
    assert (verdict.ok, verdict.bad_seq) == (False, 9), verdict


def test_verify_names_the_event_when_one_was_added(store: Store) -> None:
    """An event nobody wrote through the journal is found."""
    verdict = tampered(
        store,
        "INSERT INTO events SELECT id + 1, run_id, seq + 1, at, kind, body, hash FROM events WHERE seq = 13",
    )
    assert (verdict.ok, verdict.bad_seq) == (False, LAST + 1), verdict


@pytest.mark.parametrize(
    "change",
    ["UPDATE blobs SET data = x'00'", "DELETE FROM blobs", "UPDATE blobs SET data = CAST(data || 'x' AS BLOB)"],
)
def test_verify_names_the_event_when_its_blob_changed(store: Store, change: str) -> None:
    """Outputs too large for an event are proved with it."""
    verdict = tampered(store, change)
    assert (verdict.ok, verdict.bad_seq) == (False, 5), verdict


@pytest.mark.parametrize("change", ["head_seq = head_seq - 1", "head_seq = head_seq + 1", "head_hash = x'00'"])
def test_verify_fails_when_the_head_of_the_run_changed(store: Store, change: str) -> None:
    """The record of where a run ends must agree with its events."""
    assert not tampered(store, f"UPDATE runs SET {change} WHERE number = 1").ok


@pytest.mark.parametrize("column", ["body", "at", "kind", "hash"])
def test_verify_names_the_event_when_a_column_has_another_type(store: Store, column: str) -> None:
    """A value of another type is a changed event, not a crash."""
    verdict = tampered(store, f"UPDATE events SET {column} = CAST({column} AS BLOB) || x'ff' WHERE seq = 6")
    assert (verdict.ok, verdict.bad_seq) == (False, 6), verdict
    verdict = verify(Journal.open_for_reading(store, sample(store).run_id))
    assert verdict.ok


def test_verify_passes_on_a_fork_and_names_the_event_when_the_shared_part_changed(store: Store) -> None:
    """A fork shares events with its parent, so it is only as good as they are."""
    parent = sample(store)
    fork = Journal.create(store, RunStarted(goal="go on", model="none"), parent=parent.run_id, fork_seq=6)
    assert verify(fork) == Verdict(True, 7)
    with sqlite3.connect(str(store.url.database)) as db:
        db.execute("UPDATE events SET body = replace(body, '100', '900') WHERE seq = 2")
    db.close()
    assert verify(fork).bad_seq == 2


def test_whole_observation_comes_back_when_it_was_a_blob(store: Store, tmp_path: Path) -> None:
    """The control: an untouched run has its blob, byte for byte."""
    event = sample(store).at(5).event
    assert store.get_blob(getattr(event, "blob")) == WHOLE  # noqa: B009
