"""Which names the server answers to: its own at its own port, those it was given also behind a proxy with TLS, and no other."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest

from outrider.agent.serving.access import Access, Receive, Scope, Send

TOKEN = "a-long-random-word-for-tests"
NAMES = ("Agents.example", "odd.example:8443")


async def status(names: tuple[str, ...] = NAMES, port: int = 8765, public: bool = False, **headers: str) -> int:
    """What a request with these headers and the token gets."""
    got: list[MutableMapping[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        got.append(message)

    given = {"authorization": f"Bearer {TOKEN}"} | headers
    scope = {"type": "http", "headers": [(name.encode(), said.encode()) for name, said in given.items()]}
    await Access(app, token=TOKEN, port=port, names=names, public=public)(scope, receive, send)
    return int(got[0]["status"])


@pytest.mark.parametrize(
    "host",
    ["agents.example", "agents.example:443", "AGENTS.example:8765", "odd.example:8443", "127.0.0.1:8765", "[::1]:8765"],
)
async def test_a_name_it_was_given_is_known_behind_a_proxy_too(host: str) -> None:
    """A proxy with TLS hands on the Host its client wrote, which has no port, or 443."""
    assert await status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:443", "evil.example:8765", "agents.example:444", "agents.example.evil.example", "localhost",
     "localhost:443", "127.0.0.1", "odd.example", "odd.example:443", "odd.example:8765", "", "192.0.2.7:8765"],
)  # fmt: skip
async def test_any_other_name_is_refused(host: str) -> None:
    """A name that was rebound to this machine is not one it goes by, whatever the port."""
    assert await status(host=host) == 400


@pytest.mark.parametrize(
    ("origin", "expected"),
    [("https://agents.example", 200), ("https://agents.example:443", 200), ("http://agents.example:8765", 200),
     ("http://127.0.0.1:8765", 200), ("https://odd.example:8443", 200), ("http://agents.example", 403),
     ("https://evil.example", 403), ("https://localhost", 403), ("null", 403), ("", 403), ("file://agents.example", 403)],
)  # fmt: skip
async def test_pages_of_its_own_names_alone_may_ask(origin: str, expected: int) -> None:
    """What came with TLS says https and no port; the same name without TLS, at a port that is not the server's, is another."""
    assert await status(host="agents.example", origin=origin) == expected


async def test_at_its_scheme_s_own_port_no_port_is_needed() -> None:
    """Clients leave 80 out. An address is taken where other machines reach it, and only there."""
    assert await status(port=80, host="localhost") == 200
    assert await status(port=80, host="localhost", origin="http://localhost") == 200
    assert await status(host="192.0.2.7:8765", public=True) == 200
    assert await status(host="192.0.2.7", public=True) == 400
