"""Runs under limits over time and soft limits."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from outrider.agent import Agent
from outrider.agent.budget import Budget, Ledger
from outrider.agent.limits.periods import period_limits
from outrider.agent.limits.purse import _today
from outrider.agent.models.model import Price, Reply, Usage
from outrider.agent.state import WRAP_UP
from outrider.memory.errors import UsageError
from outrider.memory.spending import PeriodLimit, spent
from outrider.memory.store import Store
from tests.agent.helpers import Actor, call, calls, run, says

DEAR = Price(Decimal(10), Decimal(10))  # $0.01 a thousand tokens
BIG = Budget(steps=50)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OUTRIDER_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "config.toml"


def plans(tokens: int = 2000) -> Reply:
    return Reply(calls=(call("plan", '{"items": ["a"]}'),), usage=Usage(input_tokens=tokens, output_tokens=1))


def test_limits_are_read_from_the_configuration(config: Path) -> None:
    """All, by label, by model."""
    config.write_text(
        '[limits]\nusd_per_day = 5\n[limits.label."my work"]\nusd_per_month = 2\n[limits.model."openai:a"]\nusd_per_day = 1\n'
    )
    assert [(limit.name, limit.usd, limit.per, limit.label, limit.model) for limit in period_limits()] == [
        ("limits.usd_per_day", 5, "day", None, None),
        ('limits.label."my work".usd_per_month', 2, "month", "my work", None),
        ('limits.model."openai:a".usd_per_day', 1, "day", None, "openai:a"),
    ]


def test_a_run_stops_before_the_day_is_overspent_and_goes_on_when_there_is_room(config: Path, store: Store) -> None:
    """It pauses partial and resumable; raising the limit is all that is needed; what was spent never passes the limit."""
    config.write_text("limits.usd_per_day = 0.10\n")
    model = Actor(*[plans()] * 3, says("done"), price=DEAR)
    done = run(store, model, ["plan"], budget=BIG)
    day = PeriodLimit("x", Decimal(1), "day")
    assert (done.state, done.stop_reason) == ("partial", "budget")
    assert "limits.usd_per_day" in done.detail
    assert Decimal(0) < spent(store, day, _today()) == done.spent.usd <= Decimal("0.10")
    config.write_text(f"limits.usd_per_day = {done.spent.usd}\n")
    other = run(store, Actor(says("x"), price=DEAR), ["plan"], budget=BIG)
    assert (other.state, other.spent.usd) == ("partial", 0)  # another run finds the day spent, and is not sent at all
    config.write_text("limits.usd_per_day = 10\n")
    again = Agent(Actor(says("done"), price=DEAR), tools=["plan"], memory=store).resume(done.id)
    assert again.state == "answered"
    assert spent(store, day, _today()) == again.spent.usd + other.spent.usd


def test_labels_have_limits_of_their_own(config: Path, store: Store) -> None:
    """One label's money is not another's."""
    config.write_text("limits.label.play.usd_per_day = 0.001\n")
    assert run(store, Actor(says("x"), price=DEAR), ["plan"], budget=BIG, label="play").state == "partial"
    assert run(store, Actor(says("x"), price=DEAR), ["plan"], budget=BIG, label="work").state == "answered"


def test_an_unknown_price_is_refused_under_a_limit_and_a_free_model_is_not(config: Path, store: Store) -> None:
    """Never counted as zero."""
    config.write_text("limits.usd_per_day = 5\n")
    unknown = Actor(says("x"))
    unknown.price = None  # type: ignore[assignment]
    with pytest.raises(UsageError, match="needs a price"):
        run(store, unknown, ["plan"], budget=BIG)
    assert run(store, Actor(says("x")), ["plan"], budget=BIG).state == "answered"


def test_the_soft_limit_tells_the_model_once(store: Store) -> None:
    """At 50 % of ten steps it is told to wrap up; the hard limit stays what it is."""
    model = Actor(*[calls(call("plan", f'{{"items": ["{n}"]}}')) for n in range(7)], says("done"))
    done = run(store, model, ["plan"], budget=Budget(steps=10, soft="50%"))  # type: ignore[arg-type]
    notes = [stored.event.text for stored in done.events() if stored.kind == "noted"]  # type: ignore[attr-defined]
    assert done.state == "answered"
    assert [note.startswith(WRAP_UP) for note in notes] == [True]
    assert "5 of 10 steps" in notes[0]
    assert done.budget.soft == 0.5


@pytest.mark.parametrize("soft", ["0", "100%", "1", "-5%", "eighty", "nan", "%", "80%%", ""])
def test_a_soft_limit_is_a_share(soft: str) -> None:
    """Everything else is refused in words."""
    with pytest.raises(UsageError, match="soft limit"):
        Budget(steps=5, soft=soft)  # type: ignore[arg-type]


def test_a_soft_limit_survives_storing() -> None:
    """Written and read back."""
    assert Budget.of(Budget(steps=5, soft=0.8).as_json()) == Budget(steps=5, soft=0.8)
    assert Ledger(Budget(steps=5, soft=0.8), None).budget.raised(steps="+5").soft == 0.8
