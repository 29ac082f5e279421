"""Two runs side by side: what is the same is aligned, what differs is named, the first difference first."""

from __future__ import annotations

import json
import random

import pytest

from outrider.agent import Agent
from outrider.agent.review.diff import Move, compare, first_difference, moves
from outrider.agent.review.story import steps
from outrider.memory.store import Store
from outrider.tools.tool import tool
from tests.agent.helpers import Actor, call, calls, says
from tests.agent.review.runs import finished


def _move(what: str, arguments: str = "", result: str = "r") -> Move:
    return Move(1, "step 1", what, arguments, result, True, 0.0)


def test_a_changed_tool_result_is_the_first_difference(store: Store) -> None:
    """The step where two runs part is named, before everything that follows from it."""
    left, right = (moves(steps(finished(store, price=price).read())) for price in ("41.5", "12"))
    rows = compare(left, right)
    first = first_difference(rows)
    assert first is not None
    assert first.left is not None
    assert (first.left.what, first.left.seq, first.changes) == ("price", 5, ("result",))
    assert [row.kind for row in rows] == ["changed", "same", "changed"]


def test_a_run_does_not_differ_from_itself(store: Store) -> None:
    """No difference is made up."""
    one = moves(steps(finished(store).read()))
    assert first_difference(compare(one, one)) is None


def test_calls_of_one_side_stand_alone_and_the_rest_stays_aligned() -> None:
    """One call more does not make everything after it look changed."""
    left = [_move("a", "1"), _move("b", "2"), _move("c", "3")]
    right = [_move("a", "1"), _move("new"), _move("b", "2", "other"), _move("c", "3")]
    assert [(r.kind, r.changes) for r in compare(left, right)] == [
        ("same", ()), ("right", ()), ("changed", ("result",)), ("same", ()),
    ]  # fmt: skip


def test_nothing_is_lost_or_doubled_in_any_comparison() -> None:
    """Every move of both runs is in exactly one row."""
    chance = random.Random(3)
    for _ in range(200):
        left, right = (
            [_move(chance.choice("abc"), chance.choice("12"), chance.choice("xy")) for _ in range(chance.randrange(12))]
            for _ in range(2)
        )
        rows = compare(left, right)
        assert [r.left for r in rows if r.left is not None] == left
        assert [r.right for r in rows if r.right is not None] == right


@pytest.mark.parametrize("changed", [1, 3, 5])
@pytest.mark.parametrize(
    "same_call", [False, True], ids=["each call its own arguments", "the same call again and again"]
)
def test_a_fork_with_one_other_result_differs_first_where_that_result_came(
    store: Store, changed: int, same_call: bool
) -> None:
    """A real run of five calls, and a real fork of it in which one tool gave something else: that step is named, and it
    alone, though the fork shares everything before it."""
    told = {"fork": False, "calls": 0}

    @tool(effect="read", fresh_s=0)
    def meter(n: int) -> str:
        """A reading."""
        told["calls"] += 1
        return f"{told['calls']} {'other' if told['fork'] and told['calls'] == changed else 'as ever'}"

    replies = [calls(call("meter", json.dumps({"n": 0 if same_call and n % 2 else n}))) for n in range(5)]
    first = Agent(model=Actor(*replies, says("read")), tools=[meter], memory=store).run("read the meter")
    asked = [stored.seq for stored in first.events() if stored.kind == "model_asked"]
    told |= {"fork": True, "calls": changed - 1}
    again = Agent(model=Actor(*replies[changed - 1 :], says("read")), tools=[meter], memory=store)
    fork = again.fork(first.id, at=asked[changed - 1])
    rows = compare(*(moves(steps(one.events())) for one in (first, fork)))
    different = first_difference(rows)
    assert different is not None
    assert different.left is not None
    assert different.right is not None
    assert (different.left.step, different.right.what, different.changes) == (f"step {changed}", "meter", ("result",))
    assert [row.kind for row in rows] == ["changed" if n == changed else "same" for n in range(1, 7)]
