"""How often and how many at once: requests to a model or a host, over all runs of this process.
Touches the clock. Does not promise: to know what another process sends to the same host.

A run waits here before its request is recorded and sent, and its working time stands still meanwhile. When a server says
that it is asked too often, everybody waits as long as it said.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from outrider.agent.budget import Ledger
from outrider.agent.models.model import Model, ModelFailure
from outrider.memory.errors import UsageError

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests a minute, and at once; None: as many as come."""

    per_minute: float | None = None
    at_once: int | None = None


class Gate:
    """Lets requests through at one rate, in the order they came."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._slots = asyncio.Semaphore(rate.at_once) if rate.at_once else None
        self._sent: deque[float] = deque()
        self._line = asyncio.Lock()
        self._closed_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Inside, one request may be sent."""
        async with self._slots or _FREE:
            async with self._line:  # one by one: who came first goes first
                while (wait_s := self._wait_s()) > 0:  # noqa: ASYNC110  (only time opens it)
                    await asyncio.sleep(wait_s)
                if self._rate.per_minute:
                    self._sent.append(self._clock())
            yield

    def close_for(self, seconds: float) -> None:
        """Let nobody through for so long: the server asked for it."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    def _wait_s(self) -> float:
        now = self._clock()
        wait_s = self._closed_until - now
        if self._rate.per_minute:
            window_s = MINUTE_S if self._rate.per_minute >= 1 else MINUTE_S / self._rate.per_minute
            while self._sent and self._sent[0] <= now - window_s:
                self._sent.popleft()
            if len(self._sent) >= max(1, int(self._rate.per_minute)):
                wait_s = max(wait_s, self._sent[0] + window_s - now)
        return wait_s


class _Free:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


_FREE = _Free()


class Gates:
    """The gates of this process, by model and by host. rates: "" for every model, a model's name, or a host."""

    def __init__(self, rates: Mapping[str, Rate] | None = None) -> None:
        self._rates = dict(rates or {})
        self._gates: dict[str, Gate] = {}

    def of(self, model: Model) -> list[Gate]:
        """Those a request to this model passes."""
        host = host_of(model)
        names = {f"model {model.name}": self._rates.get(model.name) or self._rates.get("", Rate())}
        if host:
            names[f"host {host}"] = self._rates.get(host, Rate())
        for name, rate in names.items():
            if name not in self._gates:
                self._gates[name] = Gate(rate)
        return [self._gates[name] for name in sorted(names)]

    def for_run(self, model: Model, ledger: Ledger) -> Callable[[], Any]:
        """What a run enters before each of its requests."""
        gates = self.of(model)

        @asynccontextmanager
        async def turn() -> AsyncIterator[None]:
            async with AsyncExitStack() as stack:
                with ledger.waiting_for_a_person():  # waiting for a turn is not working time
                    for gate in gates:
                        await stack.enter_async_context(gate.turn())
                try:
                    yield
                except ModelFailure as failure:
                    if failure.retryable and failure.retry_after_s:
                        for gate in gates:
                            gate.close_for(failure.retry_after_s)
                    raise

        return turn


def host_of(model: Model) -> str:
    """The host a model is reached at, with its port if the address names one; "" for one in this process."""
    return urlsplit(str(getattr(model, "base_url", "") or "")).netloc.rpartition("@")[2].lower()


def read_rates(per_minute: Sequence[str], at_once: Sequence[str]) -> dict[str, Rate]:
    """Rates as people write them: "60" for every model, "api.openai.com=500", "openai:gpt-5-mini=8". Raises UsageError."""
    rates: dict[str, Rate] = {}
    for written, minute in (*((one, True) for one in per_minute), *((one, False) for one in at_once)):
        who, _, number = written.rpartition("=")
        try:
            value = float(number)
            good = 0 < value <= 1e9 and (minute or value == int(value))
        except ValueError:
            good = False
        if not good:
            what = "requests a minute" if minute else "requests at once"
            raise UsageError(f"{written[:100]!r} is no rate", f"it names no number of {what}",
                             "write 60, or MODEL=60, or HOST=60")  # fmt: skip
        before = rates.get(who, Rate())
        rates[who] = Rate(value, before.at_once) if minute else Rate(before.per_minute, int(value))
    return rates
