"""Lanes are opened once for all test files: a sandbox serves many attacks, as it does many calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.sandbox.lanes import Lane


@pytest.fixture(scope="session")
def open_lane() -> Iterator[Callable[[str], Lane]]:
    """The lane of that name, opened when first asked for; a lane that cannot be had skips, with the reason."""
    lanes: dict[str, Lane | str] = {}

    def get(name: str) -> Lane:
        if name not in lanes:
            try:
                lanes[name] = Lane(name)
            except pytest.skip.Exception as reason:
                lanes[name] = str(reason)
        found = lanes[name]
        if isinstance(found, str):
            pytest.skip(found)
        return found

    yield get
    for lane in lanes.values():
        if isinstance(lane, Lane):
            lane.close()
