"""Limits over time: booked before money is spent, exact, and kept by all processes together."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from outrider.memory.spending import PeriodLimit, give_back, reserve, spent
from outrider.memory.store import Store

DAY = date(2026, 11, 27)
ALL = PeriodLimit("limits.usd_per_day", Decimal("1.00"), "day")


def book(store: Store, usd: str, *limits: PeriodLimit, label: str = "", model: str = "m", today: date = DAY) -> bool:
    return reserve(store, "r", label, model, Decimal(usd), limits, today=today) is None


def test_what_does_not_fit_is_not_booked(any_store: Store) -> None:
    """The limit is never passed, and what was refused costs nothing."""
    assert book(any_store, "0.60", ALL)
    assert not book(any_store, "0.41", ALL)
    assert book(any_store, "0.40", ALL)
    assert spent(any_store, ALL, DAY) == Decimal("1.00")
    give_back(any_store, "r", "", "m", Decimal("0.5"), today=DAY)
    assert book(any_store, "0.5", ALL)


def test_each_limit_counts_what_it_is_about(store: Store) -> None:
    """A day, a month, a label, a model."""
    month = PeriodLimit("m", Decimal(2), "month")
    label = PeriodLimit("l", Decimal("0.1"), "day", label="work")
    model = PeriodLimit("o", Decimal("0.1"), "day", model="big")
    assert book(store, "1.0", ALL, month)
    assert not book(store, "0.1", ALL, month)
    later = date(2026, 11, 28)
    assert book(store, "1.0", ALL, month, today=later)
    assert not book(store, "0.1", month, today=date(2026, 11, 30))
    assert book(store, "1.0", ALL, month, today=date(2026, 12, 1))
    assert book(store, "0.2", label, model)
    assert not book(store, "0.2", label, label="work")
    assert not book(store, "0.2", model, model="big")
    assert book(store, "0.1", label, model, label="work", model="big")


@given(st.lists(st.decimals(min_value=0, max_value=1, places=12), max_size=20))
def test_sums_are_exact_and_never_below_what_was_booked(amounts: list[Decimal]) -> None:
    """A fraction of a billionth is rounded up, never away."""
    store = Store("sqlite://")
    for amount in amounts:
        reserve(store, "r", "", "m", amount, (), today=DAY)
    total = sum(amounts, Decimal(0))
    assert total <= spent(store, ALL, DAY) <= total + len(amounts) * Decimal("1e-9")
    store.close()


WORKER = """
import sys
from datetime import date
from decimal import Decimal
from outrider.memory.spending import PeriodLimit, reserve
from outrider.memory.store import Store
store = Store(sys.argv[1])
limit = PeriodLimit("x", Decimal("1"), "day")
print(sum(reserve(store, sys.argv[2], "", "m", Decimal("0.01"), [limit], today=date(2026, 11, 27)) is None for _ in range(60)))
"""


def test_processes_together_keep_the_limit(any_url: str) -> None:
    """Four processes ask for 2.40 in all: exactly 1.00 is given."""
    store = Store(any_url)
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, any_url, f"r{n}"], stdout=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    given_out = [int(worker.communicate(timeout=100)[0]) for worker in workers]
    assert sum(given_out) == 100
    assert spent(store, ALL, DAY) == Decimal("1.00")
    store.close()


@pytest.mark.parametrize("usd", ["0", "0.000000000001"])
def test_the_smallest_amounts_are_counted(store: Store, usd: str) -> None:
    """A thousand times nearly nothing is something."""
    for _ in range(10):
        assert book(store, usd, ALL)
    assert spent(store, ALL, DAY) == (Decimal("1e-8") if Decimal(usd) else 0)


def test_a_database_of_the_version_before_is_brought_up_to_date_once(any_url: str) -> None:
    """Four processes open it at the same moment: each finds the table, none fails."""
    store = Store(any_url)
    with store.write() as db:
        for later in ("spending", "requests", "listings"):
            db.execute(text(f"DROP TABLE {later}"))
        db.execute(text("UPDATE outrider_schema SET version = '0002'"))
    store.close()
    code = "import sys; from outrider.memory.store import Store; Store(sys.argv[1]).close()"
    openers = [
        subprocess.Popen([sys.executable, "-c", code, any_url], stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [(opener.wait(timeout=100), opener.stderr and opener.stderr.read()) for opener in openers] == [(0, "")] * 4
    again = Store(any_url)
    assert spent(again, ALL, DAY) == 0
    again.close()
