"""What a hub listed is kept with its date, replaced when it is seen again, and found without a network."""

from __future__ import annotations

from pathlib import Path

from outrider.memory import listings
from outrider.memory.listings import Listings
from outrider.memory.store import Store


def test_the_newest_word_on_a_name_is_kept_with_its_date(tmp_path: Path) -> None:
    """Seen twice, an entry says what was said last, and when; another source's entry of that name is its own."""
    store = Store(f"sqlite:///{tmp_path}/m.db")
    kept = Listings(store)
    kept.keep("hub:a", [("x/one", {"likes": 1}), ("x/two", {"likes": 2})], "2026-11-01T00:00:00Z")
    kept.keep("hub:b", [("x/one", {"likes": 9})], "2026-11-01T00:00:00Z")
    kept.keep("hub:a", [("x/one", {"likes": 5})], "2026-11-02T00:00:00Z")
    assert [(one.name, one.body["likes"], one.at[:10]) for one in kept.all("hub:a")] == [
        ("x/one", 5, "2026-11-02"),
        ("x/two", 2, "2026-11-01"),
    ]
    found = kept.one("hub:b", "x/one")
    assert found is not None
    assert found.body == {"likes": 9}
    assert kept.one("hub:a", "x/three") is None


def test_a_catalogue_does_not_grow_without_end(tmp_path: Path) -> None:
    """Over the most that are kept, the entries seen longest ago go."""
    store = Store(f"sqlite:///{tmp_path}/m.db")
    kept, before = Listings(store), listings.MOST
    listings.MOST = 3
    try:
        for day in range(1, 6):
            kept.keep("hub:a", [(f"m{day}", {})], f"2026-11-0{day}T00:00:00Z")
    finally:
        listings.MOST = before
    assert [one.name for one in kept.all("hub:a")] == ["m3", "m4", "m5"]


def test_a_database_that_is_only_read_keeps_nothing(tmp_path: Path) -> None:
    """A command that only reads leaves the database as it was, and does not fail."""
    url = f"sqlite:///{tmp_path}/m.db"
    Store(url).close()
    kept = Listings(Store(url, mode="read"))
    kept.keep("hub:a", [("x", {})], "2026-11-01T00:00:00Z")
    assert kept.all("hub:a") == []
