"""SSRF: over sixty ways to spell an address that must not be reached; none reaches the listener that is on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from outrider.tools.net.addresses import is_public
from outrider.tools.net.gateway import fetch
from outrider.tools.tool import ToolContext, ToolError
from tests.servers.web import WebServer, redirect

CLOSED = (
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.1.2.3", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "192.0.0.192", "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "100.100.100.200", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe",
    "::a9fe:a9fe", "::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::127.0.0.1", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:ffff::1", "2002:a9fe:a9fe::",
    "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:7f00:1::", "2001:db8::1", "2001:10::1", "2001:20::1", "2001:2::1", "fc00::1", "fd12:3456::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1", "4000::1", "::ffff:0:7f00:1",
)  # fmt: skip
OPEN = (
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "64:ff9b::808:808",
    "2002:808:808::1",
)


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_that_is_not_the_publics_is_closed(address: str) -> None:
    """`ipaddress.is_global` says otherwise of several of these."""
    assert not is_public(address)


@pytest.mark.parametrize("address", OPEN)
def test_an_address_of_the_public_is_open(address: str) -> None:
    """Control: the rule does not refuse everything."""
    assert is_public(address)


class Listener:
    """Counts who comes to 127.0.0.1 and ::1 at its port."""

    def __init__(self) -> None:
        self.heard = 0
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self._sockets[0].getsockname()[1]
        for one in self._sockets:
            threading.Thread(target=self._accept, args=(one,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.heard += 1
            connection.close()

    def close(self) -> None:
        for one in self._sockets:
            one.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


SPELLINGS = (
    "http://127.0.0.1:{p}/", "http://127.1:{p}/", "http://127.0.1:{p}/", "http://2130706433:{p}/", "http://0x7f000001:{p}/", "http://0x7f.1:{p}/",
    "http://0177.0.0.1:{p}/", "http://017700000001:{p}/", "http://0x7f.0x0.0x0.0x1:{p}/", "http://127.0.0.1.:{p}/", "http://localhost:{p}/",
    "http://LOCALHOST:{p}/", "http://LocalHost.:{p}/", "http://[::ffff:127.0.0.1]:{p}/", "http://[::ffff:7f00:1]:{p}/", "http://[0:0:0:0:0:ffff:7f00:1]:{p}/",
    "http://0:{p}/", "http://0.0.0.0:{p}/", "http://[::]:{p}/", "http://example.org@127.0.0.1:{p}/", "http://127.0.0.1:{p}@127.0.0.1:{p}/",
    "http://127.0.0.1:{p}\\@example.org/", "http://①②⑦.⓪.⓪.①:{p}/", "http://127。0。0。1:{p}/", "http://ｌｏｃａｌｈｏｓｔ:{p}/", "http://127.0.0.1%00.example.org:{p}/",
    "http://127.0.0.1:{p}#@example.org/", "http://127.0.0.1:{p}?@example.org/", "HTTP://127.0.0.1:{p}/", "http:127.0.0.1:{p}/", "//127.0.0.1:{p}/",
    "http:///127.0.0.1:{p}/", "http://[127.0.0.1]:{p}/", "http://127.000.000.001:{p}/", "gopher://127.0.0.1:{p}/_x", "file:///etc/passwd", "ftp://127.0.0.1:{p}/",
    "data:text/plain,hi", "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "dict://127.0.0.1:{p}/", "ws://127.0.0.1:{p}/",
    "http://127.0.0.1:{p}/\r\nHost: x", "http://127.0.0.1:{p}/ HTTP/1.1\r\nX: y", "http://[fe80::1%25eth0]:{p}/", "http://[::1%25lo]:{p}/", "javascript:alert(1)",
)  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_reaches_the_listener(spelling: str, listener: Listener) -> None:
    """Decimal, octal, hexadecimal, mapped, full width, user names, other schemes, line ends."""
    with pytest.raises(ToolError):
        await fetch(spelling.format(p=listener.port), deadline_s=5)
    assert listener.heard == 0


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{p}/",
        "http://localhost:{p}/",
        "//127.0.0.1:{p}/",
        "http://[::ffff:127.0.0.1]:{p}/",
        "http://2130706433:{p}/",
    ],
)
async def test_no_redirect_reaches_the_listener(target: str, listener: Listener) -> None:
    """A host that is allowed sends on to one that is not."""
    with WebServer({"/": redirect(target.format(p=listener.port))}) as server, pytest.raises(ToolError):
        await fetch(server.url("/"), allowed=(server.host,), deadline_s=5)
    assert listener.heard == 0


async def test_the_hubs_library_reaches_no_other_private_address(listener: Listener) -> None:
    """A hub that redirects to loopback is not followed: its library connects by the rule of the gateway."""
    from outrider.tools.hub.hub_tools import hub_model

    to = f"http://127.0.0.1:{listener.port}/api/models/a/b"
    with WebServer({"/api/models/a/b": redirect(to)}) as server:
        from pathlib import Path

        context = ToolContext(workspace=Path(), settings={"hub": {"endpoint": server.url("").rstrip("/")}})
        with pytest.raises(ToolError):
            await hub_model.run({"model": "a/b"}, context)
        assert server.requests
    assert listener.heard == 0
