"""A run exported and imported is the same run: same events, same hashes, same outputs; and a changed file is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outrider.memory import recall
from outrider.memory.errors import UsageError
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.transfer import dump, load
from outrider.memory.verify import verify
from tests.memory.samples import sample


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """An empty database."""
    return Store(f"sqlite:///{tmp_path / 'other.db'}")


def test_a_run_goes_from_one_database_to_another_and_verifies_there(store: Store, other: Store) -> None:
    """What was recorded on one machine is proof on another."""
    run = sample(store)
    lines = list(dump(run))
    again = Journal.open_for_reading(other, load(other, lines))
    assert verify(again).ok
    assert [(s.seq, s.at, s.kind, s.body, s.hash) for s in again.read()] == [
        (s.seq, s.at, s.kind, s.body, s.hash) for s in run.read()
    ]
    assert list(dump(again)) == lines
    words = "otters"
    assert [hit.seq for hit in recall.search(other, words)] == [hit.seq for hit in recall.search(store, words)]


def test_a_fork_is_exported_as_a_run_that_stands_alone(store: Store, other: Store) -> None:
    """The events it shares come with it."""
    run = sample(store)
    fork = Journal.create(store, next(run.read()).event, parent=run.run_id, fork_seq=3)
    again = Journal.open_for_reading(other, load(other, dump(fork)))
    assert (verify(again).ok, again.head_seq) == (True, 4)


@pytest.mark.parametrize("change", ["body", "order", "cut", "blob"])
def test_a_changed_file_is_refused_and_nothing_is_added(store: Store, other: Store, change: str) -> None:
    """An edited transcript cannot pass as the one that was recorded."""
    lines = list(dump(sample(store)))
    if change == "body":
        lines[2] = lines[2].replace('"step":1', '"step":2')
    elif change == "order":
        lines[2], lines[3] = lines[3], lines[2]
    elif change == "cut":
        del lines[3]
    else:
        lines = [line for line in lines if not line.startswith('{"blob"')]
    with pytest.raises(UsageError, match="not imported"):
        load(other, lines)
    with pytest.raises(UsageError, match="no run"):
        Journal.open_for_reading(other, "last")


def test_a_run_that_is_there_is_not_imported_twice(store: Store) -> None:
    """Its id belongs to one run."""
    run = sample(store)
    with pytest.raises(UsageError, match="already"):
        load(store, dump(run))


def test_a_file_that_went_through_another_program_still_verifies(store: Store, other: Store) -> None:
    """`jq -c .` writes the same JSON in its own way."""
    lines = [json.dumps(json.loads(line), ensure_ascii=False) for line in dump(sample(store))]
    assert verify(Journal.open_for_reading(other, load(other, lines))).ok
