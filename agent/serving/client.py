"""A client of `outrider serve`, for async programs: give a goal, follow it over every cut of the connection, get the answer.
Touches the network: the one server it is given. Does not promise: to wait for a server that is gone longer than `patience_s`.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any, Self

import httpx2

from outrider.agent.serving.access import TOKEN
from outrider.memory.errors import OutriderError, UsageError

URL = "http://127.0.0.1:8765"
PAUSE_S = 0.5
SILENT_S = 60.0  # the server says something at least every 15 s


class ServerError(OutriderError):
    """What the server said it could not do; `status` is the HTTP status."""

    def __init__(self, what: str, why: str, fix: str, status: int = 0) -> None:
        super().__init__(what, why, fix)
        self.status = status


class Client:
    """`async with Client(url, token) as client: run = await client.submit("…")`.

    token: default OUTRIDER_SERVE_TOKEN, else the file a server on this machine made. patience_s: how long to wait for a
    server that restarts. Raises ServerError for what the server refuses, and where it cannot be reached.
    """

    def __init__(self, url: str = URL, token: str | None = None, *, patience_s: float = 60.0) -> None:
        held = token or os.environ.get(TOKEN) or _own_token()
        self._http = httpx2.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {held}"}, timeout=httpx2.Timeout(30, read=SILENT_S),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
        )  # fmt: skip
        self._patience_s = patience_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def submit(self, goal: str, *, key: str = "", **fields: Any) -> str:
        """Give a goal; returns the id of its run. key: the same again is the same run; without one it is made up, so that a
        request that is sent twice because the connection was cut is one run."""
        told = await self._ask("POST", "/v1/runs", {"goal": goal, **fields}, {"idempotency-key": key or token_hex(16)})
        return str(told["run"])

    async def get(self, run: str) -> dict[str, Any]:
        """The run as it stands (`state`, `answer`, `spent`, `waits_for` …)."""
        return await self._ask("GET", f"/v1/runs/{run}")

    async def runs(self, *, label: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """Runs, newest first."""
        query = httpx2.QueryParams({"label": label, "limit": limit})
        return list((await self._ask("GET", f"/v1/runs?{query}"))["runs"])

    async def cancel(self, run: str) -> None:
        """Leave the run after its step."""
        await self._ask("POST", f"/v1/runs/{run}/cancel", {})

    async def resume(self, run: str, *, budget: Mapping[str, Any] | None = None) -> None:
        """Go on with it. budget: limits to change, such as {"usd": "+0.50"}."""
        await self._ask("POST", f"/v1/runs/{run}/resume", {"budget": dict(budget or {})})

    async def approvals(self) -> list[dict[str, Any]]:
        """The calls of all runs that wait for a yes."""
        return list((await self._ask("GET", "/v1/approvals"))["waiting"])

    async def approve(
        self, run: str, call: str, *, scope: str = "once", arguments: Mapping[str, Any] | None = None
    ) -> None:
        """Allow a call, by its code."""
        more = {"arguments": dict(arguments)} if arguments is not None else {}
        await self._ask("POST", f"/v1/runs/{run}/approvals/{call}", {"approve": True, "scope": scope, **more})

    async def deny(self, run: str, call: str, *, reason: str = "") -> None:
        """Refuse a call; the model reads the reason."""
        await self._ask("POST", f"/v1/runs/{run}/approvals/{call}", {"approve": False, "reason": reason})

    async def follow(self, run: str, *, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """Its events after `after`, each once and in order, over any number of cut connections; ends when the run does."""
        down_since: float | None = None
        while True:
            try:
                async for name, seq, data in self._events(run, after):
                    down_since = None
                    if name == "end":
                        return
                    after = seq
                    yield data
            except httpx2.HTTPError as error:
                down_since = down_since or time.monotonic()
                if time.monotonic() - down_since > self._patience_s:
                    raise _gone(error) from error
            await asyncio.sleep(PAUSE_S)

    async def result(self, run: str) -> dict[str, Any]:
        """The run once it has ended, however it did."""
        async for _ in self.follow(run):
            pass
        return await self.get(run)

    async def _events(self, run: str, after: int) -> AsyncIterator[tuple[str, int, dict[str, Any]]]:
        async with self._http.stream("GET", f"/v1/runs/{run}/events", headers={"last-event-id": str(after)}) as reply:
            if reply.status_code != 200:
                await reply.aread()
                raise _refused(reply)
            fields: dict[str, str] = {}
            async for line in reply.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    yield fields.get("event", ""), int(fields.get("id", "0")), json.loads(fields["data"])
                    fields = {}

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        until = time.monotonic() + self._patience_s
        while True:
            try:
                reply = await self._http.request(method, path, json=body, headers=dict(headers or {}))
                break
            except httpx2.HTTPError as error:
                may_repeat = method == "GET" or headers is not None or isinstance(error, httpx2.ConnectError)
                if not may_repeat or time.monotonic() > until:
                    raise _gone(error) from error
            await asyncio.sleep(PAUSE_S)
        if reply.status_code >= 400:
            raise _refused(reply)
        return dict(reply.json())


def _refused(reply: httpx2.Response) -> ServerError:
    try:
        said = reply.json()["error"]
        return ServerError(str(said["what"]), str(said["why"]), str(said["fix"]), reply.status_code)
    except (ValueError, KeyError, TypeError):
        return ServerError("the server refused", f"HTTP {reply.status_code}", "look at its log", reply.status_code)


def _gone(error: Exception) -> OutriderError:
    why = str(error) or type(error).__name__
    return ServerError("the server cannot be reached", why, "start it: outrider serve, or check its address")


def _own_token() -> str:
    from outrider.agent.serving.server import token_file

    file: Path = token_file()
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(
            "there is no token", f"neither {TOKEN} nor {str(file)!r} holds one", "start the server: outrider serve"
        ) from error
