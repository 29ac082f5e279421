"""Recall finds what was observed, best first, in any run or one, and never trips over what it is asked."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outrider.memory import recall
from outrider.memory.events import Answered, Noted, RunStarted, ToolReturned
from outrider.memory.journal import Journal
from outrider.memory.store import Store, digest_of


def fill(store: Store) -> tuple[str, str]:
    first = Journal.create(store, RunStarted(goal="count the otters", model="m"))
    first.append(*(ToolReturned(call_id=f"{i}.0", tool="look", text=f"a common river, page {i}") for i in range(1, 30)))
    first.append(ToolReturned(call_id="30.0", tool="look", text="a rare quokka by the river"), Noted(text="café noted"))
    whole = ("padding " * 5000 + "needle " + "padding " * 5000).encode()
    event = ToolReturned(call_id="31.0", text="padding…", blob=digest_of(whole), size=len(whole))
    first.append(event, blobs={digest_of(whole): whole})
    second = Journal.create(store, RunStarted(goal="other", model="m"))
    second.append(ToolReturned(call_id="1.0", text="another quokka"), Answered(text="one quokka, it's 42"))
    return first.run_id, second.run_id


def test_recall_finds_and_ranks_and_keeps_to_a_run(any_store: Store) -> None:
    """Rare words weigh more; a run narrows; goals, notes and answers are remembered too; blobs are searched whole."""
    first, second = fill(any_store)
    assert {hit.run for hit in recall.search(any_store, "quokka")} == {first, second}
    assert "quokka" in recall.search(any_store, "quokka river")[0].text
    assert {hit.run for hit in recall.search(any_store, "quokka", run=second)} == {second}
    assert [hit.kind for hit in recall.search(any_store, "needle")] == ["tool_returned"]
    assert [hit.kind for hit in recall.search(any_store, "otters")] == ["run_started"]
    assert [hit.kind for hit in recall.search(any_store, "noted")] == ["noted"]
    assert recall.search(any_store, "zebra") == []
    assert len(recall.search(any_store, "river", limit=3)) == 3


@pytest.mark.parametrize(
    "query",
    ["", '"', "'", "AND OR NOT NEAR", "a* ^b -c", "x:y", "(", "🦦", "\0", "\ud800", "%_", "-", "né\u0301", "it's 42"],
)
def test_no_query_is_a_mistake(any_store: Store, query: str) -> None:
    """What is asked is words, never a query language."""
    fill(any_store)
    recall.search(any_store, query)
    assert recall.search(any_store, f"{query} quokka") != []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(alphabet=st.characters()))
def test_any_query_is_answered(store: Store, query: str) -> None:
    """Any text at all."""
    recall.search(store, query)


def test_rare_words_are_told_from_common_ones_by_their_stem(store: Store) -> None:
    """Where a common word is dropped for speed, a plural is as rare as its singular, and still found."""
    journal = Journal.create(store, RunStarted(goal="g", model="m"))
    journal.append(*(ToolReturned(call_id=f"{i}.0", text=f"the rivers of page {i}") for i in range(1500)))
    journal.append(ToolReturned(call_id="x.0", text="quokkas by rivers"))
    assert recall.search(store, "rivers quokkas")[0].text == "quokkas by rivers"
    assert len(recall.search(store, "rivers pages")) == 10
