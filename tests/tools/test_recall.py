"""`recall` and `note` over a memory: by words, by handle, a page at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outrider.memory.events import PlanStep
from outrider.tools.control.recall import note, recall
from outrider.tools.tool import Observation, ToolContext, ToolError


class Shelf:
    """A memory with a few things in it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.notes: list[str] = []
        self.stored: dict[tuple[str, str], str] = {("r1", "12"): "0123456789" * 10, ("old", "3.1"): "short"}

    def search(self, query: str, *, limit: int = 10, run: str | None = None) -> list[dict[str, Any]]:
        self.asked.append((query, run))
        text = "x " * 300 + "the cod was fried in Bergen " + "y " * 300
        row = {
            "run": "old",
            "seq": 7,
            "at": "2026-11-20T10:11:12+00:00",
            "kind": "tool_returned",
            "tool": "web_search",
            "text": text,
        }
        return [row] if "cod" in query else []

    def read(self, run: str, seq: int | str) -> str:
        if (run, str(seq)) not in self.stored:
            raise ToolError(f"there is no observation {seq}", "none", "use another")
        return self.stored[run, str(seq)]

    def note(self, text: str) -> None:
        self.notes.append(text)

    def plan(self, items: tuple[str, ...], steps: tuple[PlanStep, ...] = ()) -> tuple[PlanStep, ...]:
        return steps


@pytest.fixture
def ctx() -> ToolContext:
    return ToolContext(workspace=Path(), run_id="r1", memory=Shelf())


def call(ctx: ToolContext, **arguments: Any) -> str:
    seen = recall.run(recall.check(arguments), ctx)
    assert isinstance(seen, Observation)
    return seen.text


def test_recall_finds_by_words_and_says_where_and_when(ctx: ToolContext) -> None:
    """A handle to read it whole, the date, the run, the tool, and the words in their place."""
    found = call(ctx, query="cod")
    assert found.startswith("[old/7] 2026-11-20 10:11, run old, web_search: …")
    assert "the cod was fried in Bergen" in found
    assert len(found) < 450
    assert call(ctx, query="herring") == "nothing is remembered about 'herring'"


def test_recall_looks_where_it_is_told(ctx: ToolContext) -> None:
    """All runs, one run, or the present one."""
    for run in ("", "old", "this"):
        call(ctx, query="cod", run=run)
    assert isinstance(ctx.memory, Shelf)
    assert [where for _, where in ctx.memory.asked] == [None, "old", "r1"]


def test_recall_reads_one_observation_by_its_handle_a_page_at_a_time(ctx: ToolContext) -> None:
    """This run's by number, another's by run and number; the rest is one more call away."""
    assert call(ctx, query="12") == "0123456789" * 10
    assert call(ctx, query="12", start=95) == "[characters 95 to 100 of 100 of r1/12; to its end]\n56789"
    assert call(ctx, query="#12", length=5) == "[characters 0 to 5 of 100 of r1/12; go on with start=5]\n01234"
    assert call(ctx, query="old/3.1") == "short"
    assert call(ctx, query="3.1", run="old") == "short"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"query": "99"}, "no observation 99"),
        ({"query": "12", "start": 100}, "no character"),
        ({"query": " "}, "empty"),
    ],
)
def test_recall_says_what_is_wrong(ctx: ToolContext, arguments: dict[str, Any], why: str) -> None:
    """No such observation, past its end, nothing asked."""
    with pytest.raises(ToolError, match=why):
        call(ctx, **arguments)


def test_note_keeps_a_line_and_refuses_nothing_and_a_book(ctx: ToolContext) -> None:
    """Kept as it was written."""
    assert note.run(note.check({"text": " cod: 6 minutes "}), ctx) == "noted"
    assert isinstance(ctx.memory, Shelf)
    assert ctx.memory.notes == ["cod: 6 minutes"]
    for text in (" ", "x" * 10_001):
        with pytest.raises(ToolError):
            note.run(note.check({"text": text}), ctx)


def test_both_say_so_when_there_is_no_memory() -> None:
    """Outside a run."""
    bare = ToolContext(workspace=Path())
    with pytest.raises(ToolError, match="no memory"):
        call(bare, query="cod")
    with pytest.raises(ToolError, match="no memory"):
        note.run(note.check({"text": "x"}), bare)
