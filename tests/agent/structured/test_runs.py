"""A run whose answer is data: it fits, is asked for again until it does, or the run says that it never did."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, field_validator

from outrider.agent import Agent
from outrider.agent.budget import Budget
from outrider.agent.models.model import Price
from outrider.agent.structured.reading import MISFIT, TRIES
from outrider.memory.errors import UsageError
from outrider.memory.store import Store
from tests.agent.helpers import Actor, call, calls, says


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int

    @field_validator("age")
    @classmethod
    def _grown(cls, age: int) -> int:
        if age < 18:
            raise ValueError("too young")
        return age


def test_an_answer_that_does_not_fit_is_asked_for_again_with_the_error(store: Store) -> None:
    """What a validator of the program refuses is told to the model in words; the value comes back as the type."""
    model = Actor(
        says("Ann is 40."),
        says('{"name": "Ann"}'),
        says('{"name": "Ann", "age": 7}'),
        says('```json\n{"name":"Ann","age":40}\n```'),
    )
    done = Agent(model, tools=(), memory=store).run("Who?", answer=Person)
    assert (done.state, done.value) == ("answered", Person(name="Ann", age=40))
    assert str(done.answer) == '{"name": "Ann", "age": 40}'
    notes = [stored.event.text for stored in done.events() if stored.kind == "noted"]  # type: ignore[attr-defined]
    assert [note.startswith(MISFIT) for note in notes] == [True] * 3
    assert "not JSON" in notes[0]
    assert "age" in notes[1]
    assert "too young" in notes[2]
    assert "JSON Schema" in model.told(0)[0]
    assert all(request.answer_schema for request in model.asked)


def test_an_answer_that_never_fits_ends_the_run_with_its_own_state(store: Store) -> None:
    """Exit code 9, never 0; the model is not asked for ever."""
    model = Actor(says("I like turtles."))
    done = Agent(model, tools=(), memory=store).run("Who?", answer={"type": "object"})
    assert (done.state, done.exit_code, done.value) == ("invalid", 9, None)
    assert len(model.asked) == TRIES
    assert "turtles" in done.answer


def test_asking_again_stays_inside_the_budget(store: Store) -> None:
    """Each try is a step like any other."""
    model = Actor(says("no"), price=Price(Decimal(1), Decimal(1)))
    done = Agent(model, tools=(), memory=store, budget=Budget(steps=2)).run("Who?", answer={"type": "object"})
    assert (done.state, done.spent.steps) == ("partial", 2)


def test_a_refusal_in_words_is_told_as_one(store: Store) -> None:
    """A model that says it found nothing is not pressed for data it would have to make up."""
    done = Agent(Actor(says("STATUS: not found\nThere is no such person.")), tools=(), memory=store).run(
        "Who?", answer=Person
    )
    assert (done.state, done.value) == ("not_found", None)


def test_claims_of_data_are_tied_to_observations(store: Store, tmp_path: Path) -> None:
    """A number nobody saw is marked, one that a tool gave is cited."""
    (tmp_path / "a.txt").write_text("Total 4711\n")
    model = Actor(calls(call("read_file", '{"path": "a.txt"}')), says('{"total": 4711, "tax": 8123}'))
    agent = Agent(model, tools=["read_file"], memory=store, workspace=str(tmp_path))
    done = agent.run("Read it", answer={"type": "object"})
    assert done.value == {"total": 4711, "tax": 8123}
    assert done.answer.unsupported == ("tax: 8123",)
    assert [citation.claim for citation in done.citations if citation.seq] == ["total: 4711"]


def test_a_run_that_is_taken_up_still_wants_data(store: Store) -> None:
    """The schema is kept with the run."""
    agent = Agent(Actor(says("no")), tools=(), memory=store, budget=Budget(steps=1))
    left = agent.run("Who?", answer={"type": "object"})
    assert left.state == "partial"
    again = Agent(Actor(says('{"a": 1}')), tools=(), memory=store).resume(left.id, budget={"steps": "+5"})
    assert (again.state, again.value) == ("answered", {"a": 1})


def test_the_starter_refuses_a_schema(store: Store) -> None:
    """It writes no JSON of its own; that is said before anything is recorded."""
    small = Actor(says("x"))
    small.small = True  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="cannot answer in the shape"):
        Agent(small, tools=(), memory=store).run("Who?", answer={"type": "object"})
    assert asyncio.run(_count(store)) == 0


async def _count(store: Store) -> int:
    from outrider.agent.history.run_view import list_runs

    return len(list(list_runs(store)))
