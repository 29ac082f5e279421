"""Chains over documents: each answered once, kept as it comes, within one budget, and gone on with after a kill."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent, Budget
from outrider.agent.chains.batch import Batch, Kept, Row, interval, score
from outrider.agent.chains.documents import Document, read_documents
from outrider.agent.models.model import Reply, Request
from outrider.memory.errors import UsageError
from outrider.memory.store import Store
from outrider.tools.prompts import Prompt
from outrider.tools.prompts.prompt import Chain
from tests.agent.helpers import Actor, says

SHORTEN = Prompt("shorten", "Shorten it.")
ROUTE = Prompt("route", "Which team?", ("claims", "hr", "it"))
CHAIN = Chain("support", (SHORTEN, ROUTE))
TEXTS = [Document(f"d{n}", f"text {n} about {word}", word) for n, word in enumerate(("claims", "hr", "it", "hr"))]


def clever(request: Request) -> Reply:
    """Shortens to the last word, and routes by it."""
    word = request.messages[-1].text.split("\n")[1].split()[-1]
    return says(json.dumps(word) if "Which team?" in request.messages[0].text else f"about {word}")


def work(store: Store, file: Path, model: Any, budget: Budget = Budget(), parallel: int = 1) -> list[Row]:  # noqa: B008
    async def go() -> list[Row]:
        agent = Agent(model=model, memory=store)
        return await Batch(agent, "actor:test", CHAIN, Kept(file), budget, parallel).run(TEXTS, lambda row: None)

    return asyncio.run(go())


@pytest.mark.parametrize("parallel", [1, 3])
def test_every_document_goes_through_every_step(store: Store, tmp_path: Path, parallel: int) -> None:
    """In the order of the documents, each step over what the one before gave."""
    rows = work(store, tmp_path / "a.jsonl", Actor(clever), parallel=parallel)
    assert [(row.document, row.last, row.answers["shorten"]) for row in rows] == [
        (one.name, one.label, f"about {one.label}") for one in TEXTS
    ]
    assert score(rows) == (4, 4)


def test_what_was_answered_is_not_asked_again(store: Store, tmp_path: Path) -> None:
    """A second run asks nothing; a cut last line costs that answer alone."""
    file = tmp_path / "a.jsonl"
    work(store, file, Actor(clever))
    again = Actor(clever)
    rows = work(store, file, again)
    assert again.asked == []
    assert sum(row.kept for row in rows) == 8
    file.write_bytes(file.read_bytes()[:-20])
    rows = work(store, file, third := Actor(clever))
    assert len(third.asked) == 1
    assert score(rows) == (4, 4)


def test_all_documents_together_keep_one_budget(store: Store, tmp_path: Path) -> None:
    """Runs that no longer fit are not begun, and their documents say so."""
    rows = work(store, tmp_path / "a.jsonl", Actor(clever), Budget(steps=8), parallel=2)
    assert any("limit of steps" in row.wrong for row in rows)
    assert sum(row.tokens for row in rows) <= 8 * 15
    assert {row.last for row in rows if not row.wrong} <= {"claims", "hr", "it"}


def test_a_document_that_orders_otherwise_has_no_answer(store: Store, tmp_path: Path) -> None:
    """A model that obeys the text gives nothing of the type: the row is wrong, never a fourth label."""
    rows = work(store, tmp_path / "a.jsonl", Actor(says('"root"')))
    assert all(row.wrong for row in rows)
    assert score(rows) == (0, 4)


def test_documents_are_files_folders_and_lines(tmp_path: Path) -> None:
    """Each has a name; two of one name and what is no text are refused."""
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.jsonl").write_text('{"text": "two", "label": "hr"}\n\n{"id": "x", "text": "three"}\n')
    (tmp_path / "c.png").write_bytes(b"\x89PNG\0")
    found = read_documents([str(tmp_path)])
    assert [(one.text, one.label) for one in found] == [("one", None), ("two", "hr"), ("three", None)]
    assert [Path(one.name).name for one in found] == ["a.txt", "b.jsonl:1", "x"]
    for wrong in ([str(tmp_path / "a.txt")] * 2, [str(tmp_path / "c.png")], [str(tmp_path / "none")]):
        with pytest.raises(UsageError):
            read_documents(wrong)


def test_many_documents_are_read_in_the_time_their_lines_take(tmp_path: Path) -> None:
    """Forty thousand tickets are looked at once each, not each beside every other; one that is there twice is named."""
    lines = [json.dumps({"id": f"ticket {n}", "text": "x"}) for n in range(40_000)]
    file = tmp_path / "tickets.jsonl"
    file.write_text("\n".join(lines))
    began = time.process_time()
    assert len([json.loads(line) for line in lines]) == 40_000
    parsed = time.process_time()
    assert len(read_documents([str(file)])) == 40_000
    assert time.process_time() - parsed < 50 * (parsed - began)
    file.write_text("\n".join([*lines, lines[7]]))
    with pytest.raises(UsageError, match="'ticket 7'"):
        read_documents([str(file)])


def test_the_interval_is_wilsons() -> None:
    """Known values."""
    low, high = interval(31, 50)
    assert (round(low, 3), round(high, 3)) == (0.482, 0.741)
    assert interval(0, 0) == (0.0, 1.0)
