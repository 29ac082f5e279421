"""Many goals in one process, from Python: each answered once, under one budget, at a rate."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.budget import Budget, Ledger
from outrider.agent.fleet.batch import Batch
from outrider.agent.fleet.lines import Item, item_of
from outrider.agent.fleet.outcome import Outcome
from outrider.agent.history.run_view import list_runs
from outrider.agent.limits.pool import Pool, Share
from outrider.agent.limits.rates import Gate, Rate, read_rates
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import Price, Reply, Request, Usage, byte_bound
from outrider.agent.models.scripted import ScriptedModel
from outrider.memory.errors import UsageError
from outrider.memory.events import Amount
from outrider.memory.journal import Journal
from outrider.memory.spending.fleet import Fleet, Slice, in_all, keep, left_of, open_fleet, set_aside, take
from outrider.memory.store import Store
from tests.agent.helpers import Actor, says

PRICE = Price(input=Decimal(10), output=Decimal(10))  # dollars a million tokens


def dear(request: Request) -> Reply:
    """A reply that costs nearly a cent, and never more than was reserved for it."""
    read, written = byte_bound(request, None) // 4, min(300, request.max_tokens)
    return Reply(text="seven", usage=Usage(input_tokens=read, output_tokens=written))


async def work(agent: Agent, goals: Any, **more: Any) -> list[Outcome]:
    return [outcome async for outcome in agent.batch(goals, **more)]


def states(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(outcome.state for outcome in outcomes)


def spent(store: Store) -> Decimal:
    return sum((run.spent.usd for run in list_runs(store, 10_000)), Decimal(0))


async def test_each_goal_has_a_run_and_is_answered_once(store: Store) -> None:
    """Started again under the same name nothing is asked again; a goal that is new is."""
    model = Actor(says("seven"))
    agent = Agent(model, tools=["plan"], memory=store)
    goals: list[Any] = [f"goal {n}" for n in range(50)]
    first = await work(agent, goals, name="fifty", jobs=8)
    assert states(first) == {"answered": 50}
    assert len(model.asked) == 50
    assert sorted(outcome.number for outcome in first) == list(range(1, 51))
    again = await work(agent, [*reversed(goals), "another"], name="fifty", jobs=8)
    assert len(model.asked) == 51
    assert sum(outcome.before for outcome in again) == 50
    assert {o.id for o in first} < {o.id for o in again}


async def test_without_a_name_goals_of_a_program_are_asked_each_time(store: Store) -> None:
    """A program that asks twice gets two answers."""
    model = Actor(says("seven"))
    agent = Agent(model, tools=["plan"], memory=store)
    await work(agent, ["a"])
    await work(agent, ["a"])
    assert len(model.asked) == 2


async def test_lines_that_say_the_same_share_a_run_and_say_so(store: Store) -> None:
    """Nobody pays twice for a line that was copied; an id makes it another goal."""
    model = Actor(says("seven"))
    outcomes = await work(Agent(model, tools=["plan"], memory=store), ["a", "a", {"goal": "a", "id": "2"}, "a"])
    assert len(model.asked) == 2
    assert {o.number: o.same_as for o in outcomes} == {1: 0, 2: 1, 3: 0, 4: 1}
    assert states(outcomes) == {"answered": 4}


async def test_a_wrong_goal_is_told_and_the_rest_goes_on(store: Store, tmp_path: Path) -> None:
    """A line that is no goal, a workspace that is not there, a tool nobody has: each says why."""
    goals: list[Any] = ["good", {"goal": ""}, {"goal": "b", "workspace": str(tmp_path / "none")},
                        {"goal": "c", "tools": ["widget"]}, {"goal": "d", "surprise": 1}]  # fmt: skip
    outcomes = {o.number: o for o in await work(Agent(Actor(says("x")), tools=["plan"], memory=store), goals)}
    assert {n: o.state for n, o in outcomes.items()} == {
        1: "answered", 2: "wrong", 3: "not_started", 4: "not_started", 5: "wrong"
    }  # fmt: skip
    assert "is not a folder" in outcomes[3].error
    assert "widget" in outcomes[4].error
    assert all(outcomes[n].as_json()["error"] for n in (2, 3, 4, 5))


@pytest.mark.parametrize("limit", ["0.30", "0.711"])
async def test_what_all_runs_spend_never_passes_the_budget_of_the_batch(store: Store, limit: str) -> None:
    """Forty goals at once of which only some can be paid for: the sum of what they spent stays below, and is used well."""
    agent = Agent(Actor(dear, price=PRICE, delay_s=0.01), tools=["plan"], memory=store)
    outcomes = await work(agent, [f"goal {n}" for n in range(120)], name="b", jobs=16, budget={"usd": limit})
    assert len(outcomes) == 120
    assert spent(store) <= Decimal(limit)
    assert in_all(store, open_fleet(store, "b", in_limit()).id).usd == spent(store)
    assert spent(store) >= Decimal(limit) * Decimal("0.6"), "most of it is used before goals are given up"
    more = await work(agent, [f"goal {n}" for n in range(120)], name="b", jobs=16, budget={"usd": "1000"})
    assert states(more) == {"answered": 120}, "with more of a budget the same batch goes on"


def in_limit() -> Any:
    from outrider.memory.spending.fleet import Slice

    return Slice(Decimal(1000))


async def test_a_budget_too_small_for_one_goal_starts_no_other(store: Store) -> None:
    """It says so of each goal, spends nothing, and does not make a run for each."""
    model = Actor(says("seven"), price=PRICE)
    agent = Agent(model, tools=["plan"], memory=store)
    outcomes = await work(agent, [f"goal {n}" for n in range(30)], jobs=4, budget={"usd": "0.0001"})
    assert len(outcomes) == 30
    assert not any(outcome.answered for outcome in outcomes)
    assert model.asked == []
    assert len(list(list_runs(store, 100))) <= 4
    assert any("no room" in outcome.error for outcome in outcomes)


async def test_tokens_are_shared_as_dollars_are(store: Store) -> None:
    """The sum of tokens stays below the limit of the batch."""
    agent = Agent(Actor(says("seven"), delay_s=0.005), tools=["plan"], memory=store)
    await work(agent, [f"goal {n}" for n in range(100)], jobs=10, budget={"tokens": 40_000})
    assert sum(run.spent.tokens for run in list_runs(store, 1000)) <= 40_000


async def test_dollars_for_all_need_a_price_that_is_known(store: Store) -> None:
    """A model whose price nobody knows is not counted as free."""
    model = Actor(says("seven"))
    model.price = None  # type: ignore[assignment]
    outcomes = await work(Agent(model, tools=["plan"], memory=store), ["a"], budget={"usd": 1})
    assert outcomes[0].state == "not_started"
    assert "price" in outcomes[0].error


async def test_failed_goals_are_gone_on_with_on_request_only(store: Store) -> None:
    """A goal that failed is told again as it is; with retry_failed it goes on, knowing what it did."""
    agent = Agent(Actor(says("STATUS: failed\nno")), tools=["plan"], memory=store)
    assert states(await work(agent, ["a", "b"], name="r")) == {"failed": 2}
    better = Agent(Actor(says("yes")), tools=["plan"], memory=store)
    assert states(await work(better, ["a", "b"], name="r")) == {"failed": 2}
    assert states(await work(better, ["a", "b"], name="r", retry_failed=True)) == {"answered": 2}
    assert len(list(list_runs(store))) == 2


async def test_two_batches_on_the_same_goals_share_the_work(url: str) -> None:
    """Each goal is driven by one of them; both tell of all."""
    Store(url).close()
    models = [Actor(says("seven"), delay_s=0.01) for _ in range(2)]
    agents = [Agent(model, tools=["plan"], memory=url) for model in models]
    goals = [f"goal {n}" for n in range(60)]
    both = await asyncio.gather(*(work(agent, goals, name="both", jobs=4) for agent in agents))
    assert sum(len(model.asked) for model in models) == 60
    assert [states(one) for one in both] == [{"answered": 60}] * 2
    for agent in agents:
        await agent.aclose()


async def test_leaving_the_loop_leaves_runs_that_go_on(store: Store) -> None:
    """`break` stops the batch; what was begun is taken up, what was not is begun."""
    agent = Agent(Actor(says("seven"), delay_s=0.02), tools=["plan"], memory=store)
    async for _ in agent.batch([f"goal {n}" for n in range(40)], name="left", jobs=4):
        break
    assert states(await work(agent, [f"goal {n}" for n in range(40)], name="left", jobs=4)) == {"answered": 40}


async def test_requests_at_once_are_bounded_for_a_model(store: Store) -> None:
    """Twenty runs at once, three requests."""
    at_once = most = 0

    class Counting(Actor):
        async def reply(self, request: Any) -> Any:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.005)
            at_once -= 1
            return await super().reply(request)

    agent = Agent(Counting(says("seven")), tools=["plan"], memory=store)
    outcomes = await work(agent, [f"goal {n}" for n in range(40)], jobs=20, rates=read_rates([], ["3"]))
    assert states(outcomes) == {"answered": 40}
    assert most == 3


async def test_a_gate_lets_no_more_through_in_a_minute_than_it_may() -> None:
    """The eleventh of ten a minute waits for the first to be a minute old; a server's wish closes it for all."""
    now = 0.0
    gate = Gate(Rate(per_minute=10), clock=lambda: now)
    for _ in range(10):
        async with gate.turn():
            pass
    late = asyncio.create_task(asyncio.wait_for(_through(gate), 0.05))
    with pytest.raises(TimeoutError):
        await late
    now = 61.0
    await _through(gate)
    gate.close_for(30)
    now = 80.0
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_through(gate), 0.05)
    now = 92.0
    await _through(gate)


async def _through(gate: Gate) -> None:
    async with gate.turn():
        pass


@pytest.mark.parametrize("written", ["", "x", "0", "-1", "a=", "a=0", "=nan", "h=1e99"])
def test_a_rate_that_is_none_is_refused(written: str) -> None:
    """It says how rates are written."""
    with pytest.raises(UsageError, match="rate"):
        read_rates([written], [])
    assert read_rates(["60", "host:80=5"], ["host:80=2"]) == {"": Rate(60, None), "host:80": Rate(5, 2)}


async def test_waiting_for_a_turn_is_not_working_time(store: Store) -> None:
    """A run with a second to work is not over because it waited for another's turn."""
    agent = Agent(Actor(says("seven"), delay_s=0.3), tools=["plan"], memory=store)
    began = time.monotonic()
    outcomes = await work(
        agent, [f"goal {n}" for n in range(8)], jobs=8, limits={"seconds": 1.5}, rates=read_rates([], ["1"])
    )
    assert states(outcomes) == {"answered": 8}
    assert time.monotonic() - began > 2


async def test_a_slow_reader_misses_no_outcome(store: Store) -> None:
    """However many goals end before the reader comes, each is told of: the end waits for room behind them."""
    agent = Agent(model=ScriptedModel(replies=[{"text": "done"}], loop=True), tools=[], memory=store)
    heard = 0
    async for _ in agent.batch([f"goal {n}" for n in range(40)], jobs=16):
        heard += 1
        await asyncio.sleep(0.02)
    assert heard == 40


class WhileOthersTakeTheRest:
    """An agent that puts a run together while another process takes what was left of the budget of the fleet."""

    def __init__(self, agent: Agent, fleet: Fleet) -> None:
        self.agent, self.fleet, self.store = agent, fleet, agent.store

    async def prepare(self, goal: str, **changes: Any) -> LiveRun:
        left = left_of(self.store, self.fleet.id)
        assert take(self.store, self.fleet.id, "elsewhere", left, Slice(None, 0))
        return await self.agent.prepare(goal, **changes)

    prepare_resume = prepare_follow_up = prepare


async def test_a_run_that_is_cancelled_while_it_waits_for_room_is_free_for_others(store: Store) -> None:
    """Its lease is given back, and it does not count as one at work that might give something back."""
    fleet = open_fleet(store, "small", Slice(None, 1000))
    agent = WhileOthersTakeTheRest(Agent(Actor(says("seven")), tools=["plan"], memory=store), fleet)
    batch = Batch(agent, fleet, jobs=4)
    batch.pool.at_work = 2  # others, that are at work in this process
    item = item_of(1, {"goal": "a"})
    assert isinstance(item, Item)
    waiting = asyncio.create_task(batch.one(item))
    await _until(lambda: batch.pool.at_work == 3 or waiting.done())
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert batch.pool.at_work == 2
    Journal.open_for_writing(store, batch.run_id(item)).release()


async def test_two_requests_of_one_run_at_once_are_both_set_aside(store: Store) -> None:
    """Children of a run ask together while nothing is left: what was given back is taken for each, and no request goes without."""
    pool, nothing = Pool(store, open_fleet(store, "small", Slice(None, 1000)), 4), Slice(None, 0)
    take(store, pool.fleet.id, "elsewhere", Slice(None, 600), nothing)
    share = await pool.enter("mine", Ledger(Budget(), None))
    assert share is not None
    take(store, pool.fleet.id, "mine", Slice(None, 350 - set_aside(store, pool.fleet.id, "mine").tokens), nothing)
    share = Share(pool, "mine", set_aside(store, pool.fleet.id, "mine"), Ledger(Budget(), None))
    take(store, pool.fleet.id, "elsewhere", Slice(None, left_of(store, pool.fleet.id).tokens), nothing)
    pool.at_work = 5
    both = [asyncio.create_task(share.reserve(Amount(tokens=360), Decimal(0), ending=True)) for _ in range(2)]
    await asyncio.sleep(0.1)
    keep(store, pool.fleet.id, "elsewhere", Slice(None, 100))
    await asyncio.gather(*both)
    assert set_aside(store, pool.fleet.id, "mine").tokens >= 720


async def _until(true: Any) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")
