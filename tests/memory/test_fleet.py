"""One budget over many runs: what is set aside never passes it, whoever asks, and what is not needed comes back."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

from outrider.memory.spending.fleet import Slice, in_all, keep, open_fleet, set_aside, take
from outrider.memory.store import Store

ALL = Slice(Decimal("1.00"), 1000)


def test_a_slice_is_as_much_as_is_usual_and_less_where_less_is_left(any_store: Store) -> None:
    """The last one gets what is left, if that is enough for it, and otherwise nothing."""
    fleet = open_fleet(any_store, "goals", ALL).id
    usual = Slice(Decimal("0.40"), 100)
    assert take(any_store, fleet, "a", Slice(Decimal("0.01"), 1), usual) == usual
    assert take(any_store, fleet, "b", Slice(Decimal("0.01"), 1), usual) == usual
    assert take(any_store, fleet, "c", Slice(Decimal("0.01"), 1), usual) == Slice(Decimal("0.20"), 100)
    assert take(any_store, fleet, "d", Slice(Decimal("0.01"), 1), usual) is None
    assert take(any_store, fleet, "d", Slice(Decimal(0), 701), usual) is None
    assert in_all(any_store, fleet) == Slice(Decimal("1.00"), 300)


def test_what_was_not_used_is_given_back_once(any_store: Store) -> None:
    """Keeping twice changes nothing more; what was used beyond a slice is booked, too."""
    fleet = open_fleet(any_store, "goals", ALL).id
    take(any_store, fleet, "a", Slice(Decimal("0.50"), 500), Slice())
    for _ in range(2):
        keep(any_store, fleet, "a", Slice(Decimal("0.10"), 20))
    assert in_all(any_store, fleet) == set_aside(any_store, fleet, "a") == Slice(Decimal("0.10"), 20)
    keep(any_store, fleet, "a", Slice(Decimal("0.60"), 600))
    assert in_all(any_store, fleet) == Slice(Decimal("0.60"), 600)


def test_the_same_name_is_the_same_fleet_until_it_begins_afresh(any_store: Store) -> None:
    """Limits are those that were named last; a fresh round has spent nothing."""
    first = open_fleet(any_store, "goals", ALL)
    take(any_store, first.id, "a", Slice(Decimal("0.50"), 1), Slice())
    again = open_fleet(any_store, "goals", Slice(Decimal("0.60")))
    assert (again.id, again.round) == (first.id, first.round)
    assert take(any_store, first.id, "b", Slice(Decimal("0.11")), Slice()) is None
    assert take(any_store, first.id, "b", Slice(Decimal("0.10"), 10**9), Slice()) is not None
    fresh = open_fleet(any_store, "goals", ALL, fresh=True)
    assert fresh.id != first.id
    assert in_all(any_store, fresh.id) == Slice(Decimal(0), 0)


def test_many_processes_never_take_more_than_there_is(any_url: str) -> None:
    """Four processes take slices as fast as they can; the sum is the limit, to the last billionth."""
    store = Store(any_url)
    fleet = open_fleet(store, "goals", Slice(Decimal("0.100000007"))).id
    code = (
        "import sys\nfrom decimal import Decimal\nfrom outrider.memory.spending.fleet import Slice, take\n"
        "from outrider.memory.store import Store\nstore = Store(sys.argv[1])\n"
        "while take(store, sys.argv[2], sys.argv[3], Slice(Decimal('1e-9')), Slice(Decimal('0.001'))): pass\n"
    )
    takers = [subprocess.Popen([sys.executable, "-c", code, any_url, fleet, f"run{n}"]) for n in range(4)]
    assert [taker.wait(timeout=100) for taker in takers] == [0] * 4
    assert in_all(store, fleet).usd == Decimal("0.100000007")
    store.close()
