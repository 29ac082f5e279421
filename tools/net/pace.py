"""How often and how many at once: the limits of the HTTP gateway on requests to one host, and what else a person may set.
Touches nothing but the clock. Does not promise: to count requests of another process, or of code in the sandbox.

Every request of every run of a process counts, redirects and repeats too: a server sees one client, not our runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from outrider.memory.errors import UsageError
from outrider.tools.net.addresses import short
from outrider.tools.tool import ToolError

MOST_HOSTS = 1000  # that are remembered


@dataclass(frozen=True, slots=True)
class Net:
    """What a person may set (`[tool_settings.net]`).

    proxy: an HTTP proxy; none is taken from the environment. concurrent: requests to one host at once.
    per_second: requests to one host a second, after as many at once as a second allows. robots: whether `read_page` keeps to robots.txt.
    """

    proxy: str = ""
    concurrent: int = 6
    per_second: float = 10.0
    robots: bool = True


def net_of(settings: Mapping[str, Any]) -> Net:
    """The limits in a run's tool settings. Raises UsageError for a value that cannot be one."""
    own = settings.get("net")
    own = own if isinstance(own, dict) else {}
    concurrent, per_second, robots = own.get("concurrent", 6), own.get("per_second", 10.0), own.get("robots", True)
    if isinstance(concurrent, bool) or not isinstance(concurrent, int) or concurrent < 1:
        raise _wrong("concurrent", concurrent, "a whole number above zero")
    if isinstance(per_second, bool) or not isinstance(per_second, int | float) or not 0 < per_second < float("inf"):
        raise _wrong("per_second", per_second, "a number above zero")
    if not isinstance(robots, bool):
        raise _wrong("robots", robots, "true or false")
    return Net(str(own.get("proxy") or ""), concurrent, float(per_second), robots)


def _wrong(name: str, value: Any, right: str) -> UsageError:
    return UsageError(f"tool_settings.net.{name} is {str(value)[:80]!r}", f"it must be {right}", "see docs/config.md")


@dataclass(slots=True)
class _Host:
    """One host. due: when the next request would come at an even pace (on the clock)."""

    due: float = 0.0
    slots: dict[int, asyncio.Semaphore] = field(default_factory=dict)
    using: int = 0


class Pace:
    """Gives turns to ask a host. One an event loop; clock and sleep can be others', for tests."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._hosts: dict[str, _Host] = {}

    @contextlib.asynccontextmanager
    async def turn(self, name: str, net: Net, ends: float = float("inf")) -> AsyncIterator[None]:
        """Wait for a turn to ask the host `name` and hold it for as long as the request takes.

        Raises ToolError when the turn would come after `ends` (on the clock).
        """
        host = self._host(name)
        host.using += 1
        try:
            async with host.slots.setdefault(net.concurrent, asyncio.Semaphore(net.concurrent)):
                await self._evenly(name, host, net, ends)
                yield
        finally:
            host.using -= 1

    async def _evenly(self, name: str, host: _Host, net: Net, ends: float) -> None:
        apart, at_once = 1 / net.per_second, max(1, int(net.per_second))
        now = self._clock()
        due = max(host.due, now)
        wait = due - now - (at_once - 1) * apart
        if wait > 0 and now + wait >= ends:
            raise ToolError(
                f"{short(name)} is asked too often",
                f"it is asked at most {net.per_second:g} times a second, and the next turn comes after the deadline",
                "ask it less, or later",
            )
        host.due = due + apart
        if wait > 0:
            await self._sleep(wait)

    def _host(self, name: str) -> _Host:
        if name not in self._hosts and len(self._hosts) >= MOST_HOSTS:
            now = self._clock()
            self._hosts = {one: host for one, host in self._hosts.items() if host.using or host.due > now}
        return self._hosts.setdefault(name, _Host())


_PACES: WeakKeyDictionary[asyncio.AbstractEventLoop, Pace] = WeakKeyDictionary()


def pace() -> Pace:
    """The turns of the running event loop."""
    return _PACES.setdefault(asyncio.get_running_loop(), Pace())
