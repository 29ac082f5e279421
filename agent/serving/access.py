"""Who may talk to the server: a program that has its token, asking for a name the server goes by.
Touches requests and responses. Does not promise: TLS; put a proxy before a server that others reach, and give its names.

Nothing answers without the token, not even what says that there is a server. Host is checked against DNS rebinding, Origin
against pages of a browser; a request that is too long is refused, and nothing of it is kept.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import os
import secrets
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from outrider.memory.errors import UsageError, words_of

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TLS_PORT = 443
MOST_BODY = 1_000_000  # bytes
PASSED_OVER = 16 * MOST_BODY  # bytes of a request that is too long: beyond this the connection is closed on it
PATIENCE_S = 5.0
LEAST_TOKEN = 16  # characters
TOKEN = "OUTRIDER_SERVE_TOKEN"  # noqa: S105  (the name of a variable)
HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Access:
    """The outermost layer: refuses with 400, 401, 403 or 413 before anything else runs.

    names: hosts it goes by, also behind a proxy with TLS at the usual port; one with a port goes by that port alone.
    """

    def __init__(self, app: App, *, token: str, port: int, names: Collection[str] = (), public: bool = False) -> None:
        self._app, self._token, self._public = app, token, public
        own = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
        given = [
            at for name in names for at in ([name] if _has_port(name) else [f"{name}:{port}", f"{name}:{TLS_PORT}"])
        ]
        self._hosts = {host.lower() for host in (*own, *given)}
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope.get("headers", ())}
        if scope["type"] != "http":
            return  # no websockets: the connection is closed
        length = headers.get("content-length", "0")
        if not self._is_own(headers.get("host", "")):
            await refuse(send, 400, "this name is not the server's", "Host names another",
                         "use the address it was started with, or start it with --name HOST")  # fmt: skip
        elif "origin" in headers and not self._is_own_page(headers["origin"]):
            await refuse(send, 403, "a page asked for this", "Origin names another host", "ask from a program")
        elif not self._knows(headers.get("authorization", "")):
            await refuse(send, 401, "there is no token, or not this server's", "nothing answers without",
                         "send the header Authorization: Bearer TOKEN")  # fmt: skip
        elif not length.isdigit() or int(length) > MOST_BODY or "transfer-encoding" in headers:
            await _pass_over(receive)
            await refuse(send, 413, "the request is too long", f"{MOST_BODY:,} bytes are the most", "send less at once")
        else:
            await self._app(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        """Whether the server goes by what a client called it, which names no port where that is its scheme's own."""
        return any(self._goes_by(_with_port(host, port)) for port in (80, TLS_PORT))

    def _is_own_page(self, origin: str) -> bool:
        scheme, _, host = origin.lower().partition("://")
        port = {"http": 80, "https": TLS_PORT}.get(scheme)
        return port is not None and self._goes_by(_with_port(host, port))

    def _goes_by(self, host: str) -> bool:
        if host.lower() in self._hosts:
            return True
        name, _, port = host.rpartition(":")  # an address, not a name, cannot be rebound
        return self._public and port == str(self._port) and _is_address(name.strip("[]"))

    def _knows(self, given: str) -> bool:
        kind, _, token = given.partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token.encode())


def _has_port(host: str) -> bool:
    _, colon, port = host.rpartition(":")
    return bool(colon) and port.isdigit() and not _is_address(host)


def _with_port(host: str, port: int) -> str:
    return host if _has_port(host) else f"{host}:{port}"


async def _pass_over(receive: Receive) -> None:
    """Take what still comes and keep none of it: a server that closes meanwhile resets the connection, and its answer is lost."""
    taken = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while taken < PASSED_OVER and (message := await receive())["type"] == "http.request":
                taken += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def refuse(send: Send, status: int, what: str, why: str, fix: str) -> None:
    """An error as the server tells all of them."""
    body = json.dumps({"error": {"what": what, "why": why, "fix": fix}}).encode()
    more = [(b"www-authenticate", b"Bearer")] if status == 401 else []
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *HEADERS, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def token_of(file: Path) -> str:
    """The token: that of the environment, else the one in `file`, which is made if there is none. Raises UsageError."""
    if given := os.environ.get(TOKEN, "").strip():
        return _checked(given, f"the variable {TOKEN}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
                made.write(secrets.token_urlsafe(32) + "\n")
        return _checked(file.read_text(encoding="utf-8").strip(), f"the file {str(file)!r}")
    except FileExistsError:
        return token_of(file)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the token cannot be read from {str(file)!r}", words_of(error), f"set {TOKEN}, or name another file"
        ) from error


def _checked(token: str, where: str) -> str:
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"the token in {where} is none", f"it has {LEAST_TOKEN} letters at the least, and no spaces",
                         "take a long random word")  # fmt: skip
    return token
