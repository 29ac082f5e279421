"""robots.txt (RFC 9309): whether a site lets programs read an address. Kept for a day, one a site, at most 500 kB each.
May touch: the network through the gateway. Does not promise: that who may read a page may also use it.

No such file (any 4xx): everything may be read. A server that fails (5xx) or cannot be reached: nothing, for some minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from outrider.tools.net.addresses import short
from outrider.tools.net.gateway import Fetched, fetch, parse
from outrider.tools.net.pace import Net
from outrider.tools.tool import ToolError

if TYPE_CHECKING:
    from protego import Protego

PRODUCT = "outrider"  # the name rules are written for
MAX_BYTES = 512_000  # RFC 9309, 2.5: at least 500 KiB are read
MAX_LINES = 20_000
REDIRECTS = 5  # RFC 9309, 2.3.1.2
KEPT_S, KEPT_FAILED_S = 86_400.0, 300.0
KEPT_MOST = 500  # sites
FETCH_S = 8.0


class _Turn:
    """Who asks a site now, and what the last one got (at: when, on the clock)."""

    __slots__ = ("__weakref__", "at", "lock", "rules")

    def __init__(self) -> None:
        self.lock, self.at = asyncio.Lock(), 0.0
        self.rules: Protego | str | None = None


_Turns = WeakValueDictionary[tuple[str, tuple[str, ...]], _Turn]  # by site, and the private hosts a run may ask


class Robots:
    """What sites said, for the runs of this process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Protego | str]] = {}
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()

    async def check(self, url: str, *, allowed: Sequence[str], net: Net, seconds: float) -> None:
        """Raises ToolError when the site of `url` does not let programs read it. allowed: hosts that may be private."""
        if not net.robots:
            return
        address = parse(url)
        site = f"{address.scheme}://{address.netloc.decode('ascii')}"
        at, rules = self._kept.get(site, (0.0, ""))
        if site not in self._kept or at < time.monotonic():
            rules = await self._asked(site, tuple(allowed), net, seconds)
        if isinstance(rules, str):
            if rules:
                raise _refused(url, rules, "try later")
        elif not rules.can_fetch(url, PRODUCT):
            raise _refused(url, "robots.txt of the site says so", "use another source")

    async def _asked(self, site: str, allowed: tuple[str, ...], net: Net, seconds: float) -> Protego | str:
        """The rules of a site that are not kept. One asks for them, and who comes meanwhile waits for what it gets."""
        turns, began = self._turns.setdefault(asyncio.get_running_loop(), WeakValueDictionary()), time.monotonic()
        turn = turns.setdefault((site, allowed), _Turn())  # gone when nobody waits for it or holds it
        async with turn.lock:  # if the one before was cancelled, the next asks
            if turn.rules is not None and turn.at >= began:
                return turn.rules
            rules, said = await _rules_of(site, allowed, net, seconds)
            if said:  # that this run may not reach the site, or had no time left, is nothing the site said
                self._keep(site, rules)
            if said or seconds >= FETCH_S:
                turn.rules, turn.at = rules, time.monotonic()
            return rules

    def _keep(self, site: str, rules: Protego | str) -> None:
        self._kept.pop(site, None)
        seconds = KEPT_FAILED_S if isinstance(rules, str) and rules else KEPT_S
        self._kept[site] = (time.monotonic() + seconds, rules)
        while len(self._kept) > KEPT_MOST:
            self._kept.pop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


ROBOTS = Robots()


async def _rules_of(site: str, allowed: Sequence[str], net: Net, seconds: float) -> tuple[Protego | str, bool]:
    """(the rules of a site; "" when everything may be read, else why nothing may; whether the site itself said so)."""
    try:
        got = await fetch(
            f"{site}/robots.txt",
            allowed=allowed,
            net=net,
            max_bytes=MAX_BYTES,
            deadline_s=max(0.5, min(FETCH_S, seconds)),
            max_redirects=REDIRECTS,
        )
    except ToolError as error:
        return f"its robots.txt cannot be read: {error.what} ({error.why})", False
    if got.status >= 500:
        return f"its robots.txt cannot be read: the server failed (status {got.status})", True
    return (read_rules(got) if 200 <= got.status < 300 else ""), True


def read_rules(got: Fetched) -> Protego | str:
    """The rules in a file, however broken it is."""
    from protego import Protego

    text = got.body.decode("utf-8", "replace").lstrip("\ufeff")
    lines = text.splitlines()[:MAX_LINES]
    rules: Any = Protego.parse("\n".join(line[:2000] for line in lines))
    return rules  # type: ignore[no-any-return]


def _refused(url: str, why: str, fix: str) -> ToolError:
    return ToolError(
        f"{short(url)} is not for programs to read",
        why,
        f"{fix}; a person can set robots = false in [tool_settings.net]",
    )
