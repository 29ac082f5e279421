"""Who may talk to the viewer: a browser that was given this start's token, asking for the address it really is at.
Touches requests and responses. Does not promise: protection from a program that runs as the same user; it can read the
database itself.

Host is checked against DNS rebinding, Origin against other pages that post here, and a strict Content-Security-Policy
leaves hostile text nothing to run or to load.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # with "no-referrer" a browser posts `Origin: null`: every button is refused
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


class Guard:
    """The outermost layer: refuses with 400, 401 or 403 before anything of the viewer runs."""

    def __init__(self, app: App, *, token: str, port: int) -> None:
        self._app, self._token, self._port = app, token, port
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self._cookie = f"outrider_{port}"  # cookies know no ports: two viewers must not overwrite each other's

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        if headers.get("host", "") not in self._hosts:
            await _refuse(send, 400, "this address is not the viewer's: open the one that `outrider view` printed")
        elif scope["method"] not in ("GET", "HEAD") and not self._own(headers.get("origin", "")):
            await _refuse(send, 403, "another page asked for this")
        elif given := parse_qs(scope["query_string"].decode("latin-1")).get("token"):
            await self._enter(scope, send, given[0])
        elif not self._known(headers.get("cookie", "")):
            await _refuse(send, 401, "open the address that `outrider view` printed: it holds this start's token")
        else:
            await self._app(scope, receive, _with_headers(send))

    def _own(self, origin: str) -> bool:
        return origin.removeprefix("http://") in self._hosts and origin.startswith("http://")

    def _known(self, cookies: str) -> bool:
        try:
            morsel = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self._token.encode())

    async def _enter(self, scope: Scope, send: Send, given: str) -> None:
        """The token moves from the address into a cookie, so that it stays in no history and no link."""
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            await _refuse(send, 401, "this token is of another start")
            return
        rest = parse_qs(scope["query_string"].decode("latin-1"))
        rest.pop("token")
        where = scope["path"] + (f"?{urlencode(rest, doseq=True)}" if rest else "")
        place = where.encode("latin-1", "replace") if where.startswith("/") and not where.startswith("//") else b"/"
        cookie = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
        await _answer(send, 303, b"", [(b"location", place), (b"set-cookie", cookie.encode())])


async def _refuse(send: Send, status: int, why: str) -> None:
    await _answer(send, status, f"{why}\n".encode(), [(b"content-type", b"text/plain; charset=utf-8")])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *HEADERS]})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = {key for key, _ in HEADERS}
            message["headers"] = [(k, v) for k, v in message["headers"] if k.lower() not in own] + HEADERS
        await send(message)

    return sending
