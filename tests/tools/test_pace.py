"""How often one host is asked, and how many requests are under way at once. The clock of these tests is their own."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from outrider.memory.errors import UsageError
from outrider.tools.net.gateway import fetch
from outrider.tools.net.pace import MOST_HOSTS, Net, Pace, net_of
from outrider.tools.tool import ToolError
from tests.servers.web import WebServer, answer


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def turns(pace: Pace, count: int, net: Net, host: str = "a:80", ends: float = float("inf")) -> None:
    for _ in range(count):
        async with pace.turn(host, net, ends):
            pass


async def test_a_host_is_asked_no_oftener_than_it_may() -> None:
    """A second's worth at once, then evenly: 25 requests at 5 a second take 20 / 5 seconds."""
    clock = Clock()
    await turns(Pace(clock, clock.sleep), 25, Net(per_second=5))
    assert clock.now == pytest.approx(1004.0)


async def test_a_pause_is_made_up_for_by_no_more_than_a_second() -> None:
    """A host that was left alone for an hour is not asked thousands of times at once."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    await turns(pace, 1, Net(per_second=5))
    clock.now += 3600
    began = clock.now
    await turns(pace, 15, Net(per_second=5))
    assert clock.now - began == pytest.approx(2.0)


async def test_hosts_do_not_wait_for_each_other() -> None:
    """The limit is for each host."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for host in ("a:80", "b:80", "a:443"):
        await turns(pace, 5, Net(per_second=5), host)
    assert clock.now == pytest.approx(1000.0)


async def test_a_turn_after_the_deadline_is_refused_and_takes_no_ones_place() -> None:
    """Said at once, not after waiting in vain."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    await turns(pace, 2, Net(per_second=0.5))
    with pytest.raises(ToolError, match=r"asked at most 0\.5 times a second"):
        await turns(pace, 1, Net(per_second=0.5), ends=1003.0)
    await turns(pace, 1, Net(per_second=0.5), ends=1004.5)
    assert clock.now == pytest.approx(1004.0)


async def test_at_most_so_many_requests_are_under_way_and_all_get_their_turn() -> None:
    """Also when some of them fail or are cancelled."""
    pace, net = Pace(), Net(concurrent=3, per_second=1000)
    under_way, most, done = 0, 0, 0

    async def one(number: int) -> None:
        nonlocal under_way, most, done
        async with pace.turn("a:80", net):
            under_way += 1
            most = max(most, under_way)
            try:
                for _ in range(5):
                    await asyncio.sleep(0)
                if number % 3 == 0:
                    raise ValueError("failed")
                done += 1
            finally:
                under_way -= 1

    tasks = [asyncio.ensure_future(one(number)) for number in range(30)]
    await asyncio.sleep(0)
    for task in tasks[10:20]:
        task.cancel()
    with contextlib.suppress(ValueError):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 3
    assert done == sum(1 for number in range(30) if number % 3 and not 10 <= number < 20)


async def test_what_is_remembered_of_hosts_is_bounded() -> None:
    """A page with a million links to a million hosts does not fill the memory."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for number in range(3 * MOST_HOSTS):
        clock.now += 1
        await turns(pace, 1, Net(), f"h{number}:80")
    assert len(pace._hosts) <= MOST_HOSTS


async def test_fetch_asks_a_host_at_its_pace() -> None:
    """The gateway takes a turn for each request, each redirect and repeat: here one in a hundred seconds."""
    with WebServer({"/": answer(b"hi")}) as server:
        net = Net(per_second=0.01)
        await fetch(server.url("/"), allowed=(server.host,), net=net)
        with pytest.raises(ToolError, match="asked too often"):
            await fetch(server.url("/"), allowed=(server.host,), net=net, deadline_s=5)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"concurrent": 0}, "concurrent"), ({"concurrent": True}, "concurrent"), ({"concurrent": "3"}, "concurrent"),
        ({"per_second": 0}, "per_second"), ({"per_second": float("inf")}, "per_second"), ({"per_second": "fast"}, "per_second"),
        ({"robots": "no"}, "robots"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named(settings: dict[str, object], wrong: str) -> None:
    """Never a limit that silently is none."""
    with pytest.raises(UsageError, match=wrong):
        net_of({"net": settings})


def test_settings_are_read_as_they_are_written() -> None:
    """And what is not written has its default."""
    assert net_of({}) == net_of({"net": {}}) == Net()
    own = {"proxy": "http://p:1", "concurrent": 2, "per_second": 1, "robots": False}
    assert net_of({"net": own}) == Net("http://p:1", 2, 1.0, False)
