"""Child agents: a goal, a subset of tools and a slice of the budget, at the same time, under their parent's transcript."""

from __future__ import annotations

import asyncio
import json

from outrider.agent import Budget
from outrider.agent.models.model import Reply, Request
from outrider.memory.events import ChildEnded, ChildStarted, RunStarted
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.tools.tool import tool
from tests.agent.helpers import Actor, call, calls, observations, run, says


@tool
def number() -> int:
    """A number."""
    return 7


@tool
def other() -> int:
    """Another."""
    return 8


def handing(*goals: dict[str, object]) -> object:
    """A model that hands these goals on at once, and as a child says what it was asked."""

    def reply(request: Request) -> Reply:
        goal = request.messages[1].text
        if not goal.startswith("part"):
            if len(request.messages) == 2:
                return calls(*(call("delegate", json.dumps(one), id=f"c{n}") for n, one in enumerate(goals)))
            return says("together")
        return says(f"did {goal} with {', '.join(sorted(one.name for one in request.tools))}")

    return reply


def test_a_child_has_the_tools_that_were_named_and_no_others(store: Store) -> None:
    """The subset, all of the parent's without one, and a name there is none of."""
    goals = ({"goal": "part 1", "tools": ["number"]}, {"goal": "part 2"}, {"goal": "part 3", "tools": ["rocket"]})
    done = run(store, Actor(handing(*goals)), ["delegate", "calculate", number, other])
    first, second, third = sorted(observations(done))
    assert first == "did part 1 with number"
    assert second == "did part 2 with calculate, delegate, number, other"
    assert "there is no tool 'rocket'" in third


def test_children_of_one_reply_run_at_the_same_time_within_the_parents_budget(store: Store) -> None:
    """Three that wait for each other all end; what they used is what the parent counts, and no limit is passed."""
    here = {"count": 0}
    all_here = asyncio.Event()

    @tool
    async def meet() -> str:
        """Wait until three are here."""
        here["count"] += 1
        if here["count"] == 3:
            all_here.set()
        await asyncio.wait_for(all_here.wait(), 20)
        return "met"

    def reply(request: Request) -> Reply:
        goal = request.messages[1].text
        if not goal.startswith("part"):
            if len(request.messages) == 2:
                return calls(*(call("delegate", json.dumps({"goal": f"part {n}"}), id=f"c{n}") for n in range(3)))
            return says("together")
        return calls(call("meet")) if len(request.messages) == 2 else says("met the others")

    budget = Budget(tokens=2_000_000, steps=60, calls=40)
    done = run(store, Actor(reply), ["delegate", meet], budget=budget)
    assert observations(done) == ["met the others"] * 3
    ended = [s.event for s in done.events() if isinstance(s.event, ChildEnded)]
    started = [s.event for s in done.events() if isinstance(s.event, ChildStarted)]
    assert all(used.cost.tokens <= share.share.tokens for used, share in zip(ended, started, strict=True))
    assert done.spent.tokens == 2 * 15 + sum(one.cost.tokens for one in ended) == 2 * 15 + 3 * 30
    assert done.spent.calls == 6


def test_a_child_names_its_parent_and_its_goal(store: Store) -> None:
    """What `show --children` goes by."""
    done = run(store, Actor(handing({"goal": "part 1"})), ["delegate"])
    (child,) = [s.event.child for s in done.events() if isinstance(s.event, ChildEnded)]
    first = Journal.open_for_reading(store, child).at(1).event
    assert isinstance(first, RunStarted)
    assert (first.parent, first.goal) == (done.id, "part 1")
