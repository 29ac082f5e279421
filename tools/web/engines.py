"""The HTTP client that ddgs's engines are given in place of their own: every request goes through the HTTP gateway.
May touch: the network, where the gateway lets it. Does not promise: that an engine answers a program that says what it is;
many turn away what is not a browser, and ddgs's own client plays one. docs/decisions/0030-engines-through-the-gateway.md says why not.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from outrider.tools.net.gateway import Fetched, fetch, user_agent
from outrider.tools.net.pace import Net

ENGINE_S = 8.0  # seconds one request to an engine gets
MAX_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Way:
    """How engines are asked: on the run's event loop, from ddgs's threads. agent: the user agent, "" for ours."""

    loop: asyncio.AbstractEventLoop
    allowed: tuple[str, ...]
    net: Net
    agent: str = ""

    def ask(self, url: str, **options: Any) -> Fetched:
        """One request through the gateway. For any thread but the loop's. Raises ToolError, TimeoutError."""
        asked = fetch(url, allowed=self.allowed, net=self.net, max_bytes=MAX_BYTES, deadline_s=ENGINE_S, **options)
        waiting = asyncio.run_coroutine_threadsafe(asked, self.loop)
        try:
            return waiting.result(ENGINE_S + 1)
        finally:
            waiting.cancel()


class Answer:
    """What ddgs wants of an answer."""

    def __init__(self, got: Fetched) -> None:
        self.status_code, self.content, self.text = got.status, got.body, got.text()


class EngineClient:
    """Stands where ddgs's `HttpClient` stands, and where the `client` in it does."""

    def __init__(self, way: Way, headers: Mapping[str, str]) -> None:
        self._way = way
        self._headers = {"user-agent": way.agent or f"Mozilla/5.0 (compatible; {user_agent()})"}
        self._cookies: dict[str, str] = {}
        self.client = self
        self.headers_update(headers)

    def headers_update(self, headers: Mapping[str, str]) -> None:
        """Send these too; who asks stays ours to say."""
        self._headers |= {k.lower(): v for k, v in headers.items() if k.lower() != "user-agent"}

    def set_cookies(self, url: str, cookies: Mapping[str, str]) -> None:
        """Send these too. An engine sets cookies for itself alone."""
        self._cookies |= cookies

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        data: Mapping[str, Any] | str | bytes | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. Raises ToolError, TimeoutError, and TypeError for an option that is not known here."""
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
        sent = self._headers | {k.lower(): v for k, v in (headers or {}).items()}
        if self._cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        content, kind = _body(data, json)
        if kind:
            sent.setdefault("content-type", kind)
        return Answer(self._way.ask(url, method=method, headers=sent, content=content))

    def get(self, url: str, **options: Any) -> Answer:
        """A GET."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Answer:
        """A POST."""
        return self.request("POST", url, **options)


def _body(data: Mapping[str, Any] | str | bytes | None, value: Any) -> tuple[bytes | None, str]:
    """(the bytes to send, their type)."""
    if value is not None:
        return json.dumps(value).encode(), "application/json"
    if isinstance(data, Mapping):
        return urlencode(data, doseq=True).encode(), "application/x-www-form-urlencoded"
    return (data.encode() if isinstance(data, str) else data), ""
