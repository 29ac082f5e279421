"""A run read as steps: every event belongs to one step, and a page reads only the steps it shows."""

from __future__ import annotations

from outrider.agent.review.story import outline, read_steps, steps
from outrider.memory.events import Resumed
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from tests.agent.review.runs import finished, long_run


def test_every_event_belongs_to_exactly_one_step(store: Store) -> None:
    """Nothing of a run is left out of its transcript."""
    journal = finished(store)
    told = list(steps(journal.read()))
    assert [(s.first, s.last) for s in told] == [(1, 1), (2, 5), (6, 11), (12, 15)]
    assert [s.title for s in told] == ["start", "step 1", "step 2", "step 3"]
    assert [(c.tool, c.returned_seq) for s in told for c in s.calls] == [("price", 5), ("write_file", 9)]
    assert [o.kind for s in told for o in s.others] == ["run_started", "plan_changed", "noted", "answered", "stopped"]


def test_the_outline_reads_the_same_steps_a_page_at_a_time(store: Store) -> None:
    """A page of steps 40 to 49 is what the whole transcript says there."""
    journal = long_run(store, 100)
    starts = outline(journal)
    whole = list(steps(journal.read()))
    assert starts == [s.first for s in whole]
    assert read_steps(journal, starts, 40, 10) == whole[40:50]
    assert read_steps(journal, starts, 101, 10) == whole[101:]
    assert read_steps(journal, starts, 500, 10) == []


def test_the_outline_of_a_fork_begins_with_the_steps_it_shares(store: Store) -> None:
    """A fork's transcript is the parent's up to the fork, then its own."""
    parent = finished(store)
    fork = Journal.create(store, Resumed(changes={"fork": True}), parent=parent.run_id, fork_seq=5)
    assert outline(fork) == [1, 2] == [s.first for s in steps(fork.read())]
