"""A budget is a promise: whatever a model, a provider and tools do, what is recorded as spent is within every limit."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outrider.agent import Agent, Budget
from outrider.agent.budget import Ledger
from outrider.agent.driving import drive
from outrider.agent.history.run_view import read_run
from outrider.agent.models.model import Limits, ModelFailure, Price, Reply, Request, Seen, Usage, byte_bound
from outrider.memory.errors import UsageError
from outrider.memory.events import (
    ApprovalGiven,
    ChildEnded,
    ChildStarted,
    Event,
    ModelAsked,
    ModelReplied,
    Noted,
    Resumed,
    RunStarted,
    ToolCalled,
)
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify
from outrider.tools.tool import ToolContext, tool
from tests.agent.helpers import Actor, call, calls, run, says

UNITS = ("usd", "tokens", "steps", "calls")


class Wild:
    """A model drawn from a seed: good calls, bad calls, many calls, nothing, failures, and usage that lies."""

    def __init__(self, seed: int, price: Price | None, failures: float, context: int | None) -> None:
        self.name = "wild:test"
        self.chance = random.Random(seed)
        self.price = price
        self.limits = Limits(context=context, max_output=self.chance.choice([16, 300, 4000]))
        self.failures = failures

    async def reply(self, request: Request) -> Reply:
        chance = self.chance
        await asyncio.sleep(0)
        if chance.random() < self.failures:
            if chance.random() < 0.2:
                raise RuntimeError("a bug in the provider")
            raise ModelFailure("no", "503", "wait", retryable=chance.random() < 0.7, billed=chance.random() < 0.5,
                               retry_after_s=0.0)  # fmt: skip
        bound = byte_bound(request, None)
        usage = chance.choice([
            None,
            Usage(input_tokens=max(1, bound // 4), output_tokens=min(20, request.max_tokens)),
            Usage(input_tokens=bound * 10, output_tokens=request.max_tokens * 10),  # over-reported
            Usage(input_tokens=0, output_tokens=0),
            Usage(input_tokens=bound // 3, output_tokens=request.max_tokens, cached_tokens=bound * 3),
        ])  # fmt: skip
        drafts = tuple(self._draft() for _ in range(chance.choice([0, 1, 1, 1, 2, 5, 40])))
        text = chance.choice(["", "", "thinking", "x" * 2000])
        if not request.tools:
            drafts, text = (), "so far: 1"
        return Reply(
            text=text, calls=drafts, usage=usage, finish_reason=chance.choice(["stop", "length", "tool_calls", ""])
        )

    def _draft(self) -> Any:
        chance = self.chance
        name = chance.choice(["look", "look", "send", "nested", "delegate", "loook", ""])
        good = {
            "look": {"what": str(chance.randrange(30))},
            "delegate": {"goal": "a part", "share": chance.choice([0.05, 0.3, 0.9, 7.0])},
        }
        arguments = json.dumps(good.get(name, {}))
        return call(name, chance.choice([arguments, arguments, arguments, '{"x": ', "[]"]), id="same")

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        return byte_bound(request, seen)

    async def aclose(self) -> None:
        """Nothing to close."""


@tool
def look(what: str) -> str:
    """Look at something."""
    return f"saw {what} " * 20


@tool(effect="write")
async def send() -> str:
    """Write something."""
    return "sent"


@tool
async def nested(ctx: ToolContext) -> str:
    """Call other tools from code."""
    assert ctx.call_tool is not None
    got = await asyncio.gather(*(ctx.call_tool("look", {"what": str(i)}) for i in range(3)), return_exceptions=True)
    return f"{len(got)} tried"


def spent_at_each_prefix(events: Sequence[Event], childs: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """(spent, reported beyond reservations) after each event, as the journal alone says: told here a second time, without
    the ledger. childs: what was reported beyond reservations, by child."""
    over: dict[str, Any] = {"usd": Decimal(0), "tokens": 0}
    done: dict[str, Any] = {"usd": Decimal(0), "tokens": 0, "calls": 0}
    steps: set[int] = set()
    reserved = {"usd": Decimal(0), "tokens": 0}
    shares: dict[str, Any] = {}
    children = {unit: Decimal(0) if unit == "usd" else 0 for unit in UNITS}
    per_tool: Counter[str] = Counter()
    for event in events:
        if isinstance(event, ModelAsked):
            reserved = {"usd": event.reserved.usd, "tokens": event.reserved.tokens}
            steps.add(event.step)
        elif isinstance(event, ModelReplied):
            assert event.cost.tokens - event.over.tokens <= reserved["tokens"]
            assert event.cost.usd - event.over.usd <= reserved["usd"]
            over["tokens"] += event.over.tokens
            over["usd"] += event.over.usd
            done["usd"] += event.cost.usd
            done["tokens"] += event.cost.tokens
            reserved = {"usd": Decimal(0), "tokens": 0}
        elif isinstance(event, ToolCalled):
            done["calls"] += 1
            per_tool[event.tool] += 1
        elif isinstance(event, ChildStarted):
            shares[event.child] = event.share
        elif isinstance(event, ChildEnded):
            share = shares.pop(event.child)
            for unit in UNITS:
                children[unit] += getattr(event.cost, unit)
                beyond = childs[event.child].get(unit, 0)
                assert not getattr(share, unit) or getattr(event.cost, unit) - beyond <= getattr(share, unit)
            over = {unit: over[unit] + childs[event.child][unit] for unit in over}
        total = {unit: children[unit] + sum(getattr(s, unit) for s in shares.values()) for unit in UNITS}
        total["usd"] += done["usd"] + reserved["usd"]
        total["tokens"] += done["tokens"] + reserved["tokens"]
        total["steps"] += len(steps)
        total["calls"] += done["calls"]
        yield total | {"per_tool": dict(per_tool)}, over


def check_run(store: Store, run_id: str, budget: Budget) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every prefix of the run and of its children is within every limit, but for what was reported beyond reservations,
    and that is named; returns the final spend and that part of it."""
    events = [s.event for s in Journal.open_for_reading(store, run_id).read()]
    children = {e.child: read_run(store, e.child).budget for e in events if isinstance(e, ChildStarted)}
    checked = {child: check_run(store, child, own) for child, own in children.items()}
    total: dict[str, Any] = {}
    over: dict[str, Any] = {"usd": Decimal(0), "tokens": 0}
    for total, over in spent_at_each_prefix(events, {child: beyond for child, (_, beyond) in checked.items()}):
        for unit in UNITS:
            limit = getattr(budget, unit)
            assert limit is None or total[unit] - over.get(unit, 0) <= limit, (unit, total, over, limit)
    for event in events:
        if isinstance(event, ChildEnded):
            own, _ = checked[event.child]
            assert {unit: getattr(event.cost, unit) for unit in UNITS} == {unit: own[unit] for unit in UNITS}
    warned = sum(isinstance(e, Noted) and e.by == "warning" for e in events)
    assert warned >= sum(isinstance(e, ModelReplied) and e.over.tokens > 0 and not e.error for e in events)
    return total, over


def check_tree(store: Store, run_id: str, budget: Budget) -> None:
    """Limits by tool hold for the run and all below it together."""
    used: Counter[str] = Counter()
    todo = [run_id]
    while todo:
        for stored in Journal.open_for_reading(store, todo.pop()).read():
            if isinstance(stored.event, ToolCalled):
                used[stored.event.tool] += 1
            elif isinstance(stored.event, ChildStarted):
                todo.append(stored.event.child)
    for name, limit in budget.per_tool.items():
        assert used[name] <= limit, (name, used, limit)


limits = st.fixed_dictionaries(
    {},
    optional={
        "usd": st.floats(0.0001, 0.2).map(lambda x: Decimal(str(round(x, 6)))),
        "tokens": st.integers(1, 40_000),
        "steps": st.integers(1, 12),
        "calls": st.integers(1, 12),
        "seconds": st.floats(0.5, 20),
        "per_tool": st.dictionaries(st.sampled_from(["look", "send", "delegate"]), st.integers(1, 4), min_size=1),
    },
)
prices = st.sampled_from(
    [
        Price(Decimal(0), Decimal(0)),
        Price(Decimal("3"), Decimal("15"), Decimal("0.3")),
        Price(Decimal("0.123456789"), Decimal("7.7")),
        Price(Decimal("5"), Decimal(0), Decimal("50")),  # a cache that costs more than it saves
    ]
)


def try_one(limit: dict[str, Any], seed: int, price: Price, failures: float, context: int | None) -> None:
    budget = Budget(**({"steps": 12} | limit if not limit.keys() & {"steps", "tokens", "calls"} else limit))
    store = Store("sqlite://")
    agent = Agent(model=Wild(seed, price, failures, context), tools=[look, send, nested, "delegate"], memory=store)

    async def driven() -> Any:
        live = await agent.prepare("go on for ever", budget=budget)
        async with asyncio.timeout(60):
            await drive(live)
        return live

    live = asyncio.run(driven())
    done = read_run(store, live.journal.run_id)
    assert done.state != "running"
    total, _ = check_run(store, done.id, budget)
    check_tree(store, done.id, budget)
    counted = live.ledger.spent
    assert {unit: getattr(counted, unit) for unit in UNITS} == {unit: total[unit] for unit in UNITS}
    assert {unit: getattr(done.spent, unit) for unit in UNITS} == {unit: total[unit] for unit in UNITS}
    assert budget.seconds is None or done.spent.seconds <= budget.seconds
    folded = Ledger(budget, price, clock=lambda: 0.0)
    for stored in done.events():
        folded.add(stored.event)
    assert {unit: getattr(folded.spent, unit) for unit in UNITS} == {unit: total[unit] for unit in UNITS}
    assert done.as_json()["spent"]["usd"] == float(total["usd"])
    assert verify(live.journal).ok
    store.close()


wild = {
    "limit": limits,
    "seed": st.integers(0, 2**32),
    "price": prices,
    "failures": st.sampled_from([0.0, 0.1, 0.5]),
    "context": st.sampled_from([None, None, 4000, 16_000]),
}
quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=int(os.environ.get("N", "60")), deadline=None, suppress_health_check=quiet)
@given(**wild)
def test_no_run_ever_spends_more_than_a_limit(**drawn: Any) -> None:
    """Random runs, trees of runs included: at every instant the journal alone proves every limit was kept."""
    try_one(**drawn)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=10_000, deadline=None, suppress_health_check=quiet)
@given(**wild)
def test_no_run_of_ten_thousand_spends_more_than_a_limit(**drawn: Any) -> None:
    """The same, ten thousand times."""
    try_one(**drawn)


FOREVER = [calls(call("look", json.dumps({"what": str(i)}))) for i in range(500)]


@pytest.mark.parametrize(
    ("limit", "unit"),
    [({"tokens": 5000}, "tokens"), ({"usd": 0.05}, "usd"), ({"steps": 3}, "steps"), ({"calls": 2}, "calls"),
     ({"seconds": 0.7}, "seconds")],
)  # fmt: skip
def test_each_limit_ends_a_run_that_would_go_on_for_ever(store: Store, limit: dict[str, Any], unit: str) -> None:
    """Partial, exit 3, the limit named, an answer of what was found, nothing over."""
    model = Actor(*FOREVER, price=Price(Decimal(3), Decimal(15)), delay_s=0.05 if unit == "seconds" else 0)
    done = run(store, model, [look], budget=Budget(**limit))
    assert (done.state, done.exit_code, done.stop_reason) == ("partial", 3, "budget")
    assert unit in done.detail
    assert "saw" in done.answer
    assert done.answer.partial
    assert getattr(done.spent, unit) <= getattr(done.budget, unit)


def test_run_goes_on_when_its_budget_is_raised(store: Store) -> None:
    """`resume --steps +10` goes on where it stopped; what was spent stays spent."""
    model = Actor(*FOREVER[:6], says("the end"))
    agent = Agent(model=model, tools=[look], memory=store, budget=Budget(steps=3))
    first = agent.run("go")
    assert first.state == "partial"
    again = agent.resume(first.id, budget={"steps": "+10"})
    assert (again.state, str(again.answer)) == ("answered", "the end")
    assert again.budget.steps == 13
    assert 3 < again.spent.steps <= 13
    assert again.spent.tokens > first.spent.tokens


def test_budget_below_what_was_spent_is_refused(store: Store) -> None:
    """A run cannot be resumed under a limit it has already passed: the record would show an overspend."""
    agent = Agent(model=Actor(*FOREVER), tools=[look], memory=store, budget=Budget(steps=5, tokens=100_000))
    first = agent.run("go")
    with pytest.raises(UsageError, match="already"):
        agent.resume(first.id, budget={"steps": 2})
    with pytest.raises(UsageError, match="already"):
        agent.resume(first.id, budget={"tokens": 10})
    assert agent.resume(first.id, budget={"steps": "+2"}).spent.steps <= 7


def test_fork_in_the_middle_of_a_request_does_not_pay_for_it(store: Store) -> None:
    """A fork starts at zero: the open request of the run it is from is not its own."""
    agent = Agent(model=Actor(*FOREVER[:3], says("end")), tools=[look], memory=store, budget=Budget(tokens=100_000))
    first = agent.run("go")
    asked = next(s for s in first.events() if s.kind == "model_asked" and s.seq > 3)
    budget = Budget(tokens=5000)
    fork = agent.fork(first.id, at=asked.seq, budget=budget)
    events = [s.event for s in fork.events()]
    start = next(i for i, e in enumerate(events) if isinstance(e, Resumed))
    costs = [e.cost.tokens for e in events[start:] if isinstance(e, ModelReplied)]
    assert costs[0] == 0
    assert fork.spent.tokens == sum(costs) <= 5000


def test_unknown_price_with_a_dollar_limit_is_refused_before_anything_is_sent(store: Store) -> None:
    """Zero is not a guess for a price nobody knows."""
    model = Actor(says("x"))
    model.price = None  # type: ignore[assignment]
    with pytest.raises(UsageError, match="price") as refused:
        run(store, model, [look], budget=Budget(usd=1))
    assert "--price-in" in refused.value.fix
    assert model.asked == []


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "x", True and "1e400x", 1.5])
@pytest.mark.parametrize("unit", ["tokens", "steps", "calls"])
def test_limit_that_is_none_is_refused(unit: str, value: Any) -> None:
    """A limit is a whole number above zero."""
    with pytest.raises(UsageError):
        Budget(**{unit: value})


def test_wait_for_a_person_costs_no_time(store: Store) -> None:
    """The clock stands still while a person thinks, and the run has its whole time afterwards."""
    clock = iter([0.0])
    now = [0.0]
    ledger = Ledger(Budget(seconds=10), None, clock=lambda: now[0])
    now[0] = 4.0
    with ledger.waiting_for_a_person():
        now[0] = 1000.0
        assert ledger.elapsed_s == 4.0
        with ledger.waiting_for_a_person():
            now[0] = 2000.0
    assert ledger.elapsed_s == 4.0
    now[0] = 2003.0
    assert ledger.elapsed_s == 7.0
    assert next(clock) == 0.0


def test_no_usage_keeps_the_reservation_spent(store: Store) -> None:
    """Silence about the price is not a present."""
    done = run(store, Actor(Reply(text="an answer of 1")), [look], budget=Budget(tokens=50_000))
    asked = next(s.event for s in done.events() if s.kind == "model_asked")
    assert isinstance(asked, ModelAsked)
    assert done.spent.tokens == asked.reserved.tokens > 1000


def test_failed_attempts_that_may_be_billed_stay_spent(store: Store) -> None:
    """Retries are seen by the ledger one by one: billed ones count, refused ones do not."""

    def failure(billed: bool) -> ModelFailure:
        return ModelFailure("no", "503", "wait", retryable=True, billed=billed, retry_after_s=0)

    billed = run(store, Actor(failure(True), failure(True), says("ok")), [look], budget=Budget(tokens=90_000))
    free = run(store, Actor(failure(False), failure(False), says("ok")), [look], budget=Budget(tokens=90_000))
    assert billed.spent.tokens > 2000 > 100 > free.spent.tokens
    assert billed.spent.steps == free.spent.steps == 1


def test_wait_for_a_person_counts_on_the_wall_and_not_as_work() -> None:
    """`seconds` is working time; `wall_seconds` goes on while a person thinks, in this process and after a resume."""
    now = [0.0]
    ledger = Ledger(Budget(seconds=100, wall_seconds=100), None, clock=lambda: now[0])
    ledger.add(RunStarted(goal="g", model="m"))
    now[0] = 10
    with ledger.waiting_for_a_person():
        now[0] = 50
    ledger.add(ApprovalGiven(call_id="1.0", approved=True, waited_s=ledger.waiting_s))
    assert ledger.spent.seconds == pytest.approx(10)
    assert ledger.seconds_left() == pytest.approx(100 - 10 - 40 - 10)  # a tenth is kept for the ending
    resumed = Ledger(Budget(wall_seconds=100), None, clock=lambda: now[0])
    resumed.add(RunStarted(goal="g", model="m"))
    resumed.add(ApprovalGiven(call_id="1.0", approved=True, waited_s=40))
    assert resumed.seconds_left() == pytest.approx(100 - 40 - 10)
