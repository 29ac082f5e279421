"""The door to the network: what it refuses, what it bounds, what it repeats."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.tools.net import addresses
from outrider.tools.net.gateway import MAX_HEADERS, check_address, fetch, is_public, judge
from outrider.tools.net.pace import Net
from outrider.tools.tool import ToolError
from tests.servers.web import (
    WebServer,
    answer,
    drip,
    endless,
    gzip_bomb,
    gzipped,
    one_after_the_other,
    raw,
    redirect,
)

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "168.63.129.16", "100.100.100.200", "::1", "::", "fe80::1", "fd00:ec2::254",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "fec0::1",
    "2001:db8::1", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_address_is_not_public_when_it_is_private_local_reserved_or_wraps_such(address: str) -> None:
    """No spelling of an inner address passes for a public one."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "172.32.0.1"])
def test_address_is_public_when_it_is(address: str) -> None:
    """The positive control: the rule does not refuse everything."""
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_address_wrapped_in_ipv6_is_judged_as_the_ipv4_it_is(ip: object) -> None:
    """Mapping cannot change the verdict."""
    assert is_public(f"::ffff:{ip}") == is_public(str(ip))


def test_judge_keeps_only_public_addresses_when_a_name_has_both() -> None:
    """A name with one inner address among public ones never leads inside."""
    assert judge("both.example", 80, ["10.0.0.1", "8.8.8.8"]) == ["8.8.8.8"]


@pytest.mark.parametrize(
    ("entry", "host", "port", "inside"),
    [
        ("localhost", "localhost", 80, True),
        ("localhost", "LOCALHOST.", 80, True),
        ("127.0.0.1:8123", "127.0.0.1", 8123, True),
        ("127.0.0.1:8123", "127.0.0.1", 8124, False),
        ("[::1]:80", "::1", 80, True),
        ("*.internal", "a.b.internal", 443, True),
        ("*.internal", "internal", 443, False),
        ("*.internal", "notinternal", 443, False),
        ("localhost", "localhost.evil.example", 80, False),
        ("*", "anything", 80, False),
    ],
)
def test_host_is_allowed_by_its_name_only(entry: str, host: str, port: int, inside: bool) -> None:
    """An entry opens the host it names, on the port it names."""
    assert addresses.is_allowed(host, port, [entry]) is inside


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "::1"])
async def test_check_address_refuses_every_spelling_of_loopback(host: str) -> None:
    """The numbers are checked after resolving, so no spelling helps."""
    with pytest.raises(ToolError, match=r"refused|cannot be reached"):
        await check_address(host, 80)


async def test_check_address_gives_addresses_when_the_host_is_allowed() -> None:
    """Allowed by name: the addresses to connect to."""
    assert await check_address("127.0.0.1", 80, ["127.0.0.1"]) == ["127.0.0.1"]


async def test_fetch_reads_a_page_when_the_host_is_allowed_and_says_who_asks() -> None:
    """The plain case, with a plain User-Agent and no cookies."""
    with WebServer({"/": answer(b"hello", headers={"Set-Cookie": "a=b"})}) as web:
        got = await fetch(web.url("/"), allowed=[web.host])
        assert (got.status, got.text(), got.cut, got.media_type) == (200, "hello", "", "text/plain")
        assert web.requests[0].headers["user-agent"].startswith("outrider")
        assert web.requests[0].headers["host"] == web.host


async def test_fetch_refuses_loopback_unless_it_is_allowed() -> None:
    """The server is there (the test above), and is not even connected to."""
    with WebServer({"/": answer(b"hello")}) as web:
        with pytest.raises(ToolError, match="refused"):
            await fetch(web.url("/"))
        assert web.connections == 0


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/", "gopher://x/", "//x", "javascript:1", "", "http://"]
)
async def test_fetch_refuses_what_is_not_http(url: str) -> None:
    """Files and other schemes are no web addresses."""
    with pytest.raises(ToolError, match=r"cannot be opened|not a web address"):
        await fetch(url)


async def test_fetch_refuses_a_user_name_in_the_address() -> None:
    """good.example@evil.example looks like the one and goes to the other."""
    with pytest.raises(ToolError, match="user name"):
        await fetch("http://good.example@127.0.0.1/", allowed=["127.0.0.1"])


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://[::1]/", "http://localhost:1/"]
)
async def test_fetch_checks_every_redirect(target: str) -> None:
    """A public page cannot send us inside."""
    with WebServer({"/": redirect(target)}) as web:
        with pytest.raises(ToolError, match=r"refused|cannot be opened"):
            await fetch(web.url("/"), allowed=[web.host])
        assert len(web.requests) == 1


async def test_fetch_follows_a_relative_redirect_and_keeps_its_headers_on_the_same_host() -> None:
    """Redirects within a host work as they should."""
    with WebServer({"/a": redirect("b?x=1"), "/b": answer(b"there")}) as web:
        got = await fetch(web.url("/a"), allowed=[web.host], headers={"Authorization": "Bearer s"})
        assert (got.body, got.url) == (b"there", web.url("/b?x=1"))
        assert web.requests[1].headers["authorization"] == "Bearer s"


async def test_fetch_leaves_private_headers_behind_when_a_redirect_changes_the_host() -> None:
    """A key for one host is never shown to another."""
    with WebServer({"/": answer(b"got you")}) as other, WebServer({"/": redirect(other.url("/"))}) as web:
        headers = {"Authorization": "Bearer s", "X-Api-Key": "s", "Cookie": "s=1", "Accept": "text/html"}
        await fetch(web.url("/"), allowed=["127.0.0.1"], headers=headers)
        assert web.requests[0].headers["x-api-key"] == "s"
        assert not {"authorization", "x-api-key", "cookie"} & set(other.requests[0].headers)
        assert other.requests[0].headers["accept"] == "text/html"


async def test_fetch_does_not_carry_a_body_to_another_host() -> None:
    """What was sent to one host is not sent on: the caller sees the redirect instead."""
    with WebServer({"/": answer(b"got you")}) as other, WebServer({"/": redirect(other.url("/"), 307)}) as web:
        got = await fetch(web.url("/"), method="POST", content=b"mine", allowed=["127.0.0.1"])
        assert (got.status, got.headers["location"], other.connections) == (307, other.url("/"), 0)


async def test_fetch_ends_when_a_server_redirects_for_ever() -> None:
    """A loop costs one request and one clear sentence."""
    with WebServer({"/": redirect("/")}) as web:
        with pytest.raises(ToolError, match="redirects in a circle"):
            await fetch(web.url("/"), allowed=[web.host])
        assert len(web.requests) == 1


@pytest.mark.parametrize(
    "headers",
    [
        "".join(f"X-{number}: y\r\n" for number in range(MAX_HEADERS + 1)),
        "Set-Cookie: a=b\r\n" * 1000,
        f"X-Long: {'y' * 70_000}\r\n",
        f"X-Longer: {'y' * 3_000_000}\r\n",
        "X: y\r\n" * 300_000,
    ],
)
async def test_fetch_refuses_an_answer_with_too_many_or_too_large_headers(headers: str) -> None:
    """Each is refused with a message; none is kept."""
    with WebServer({"/": raw(f"HTTP/1.1 200 OK\r\n{headers}Content-Length: 2\r\n\r\nhi".encode())}) as server:
        tracemalloc.start()
        with pytest.raises(ToolError):
            await fetch(server.url("/"), allowed=(server.host,))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 30_000_000  # the server of this test holds its answer, too


async def test_fetch_takes_as_many_headers_as_honest_servers_send() -> None:
    """A hundred lines, a long cookie, a long policy."""
    headers = "".join(f"X-{number}: y\r\n" for number in range(100)) + f"Set-Cookie: a={'b' * 4000}\r\n"
    with WebServer({"/": raw(f"HTTP/1.1 200 OK\r\n{headers}Content-Length: 2\r\n\r\nhi".encode())}) as server:
        assert (await fetch(server.url("/"), allowed=(server.host,))).body == b"hi"


async def test_fetch_stops_at_its_deadline_when_the_body_drips() -> None:
    """The time is in all, not per byte."""
    with WebServer({"/": drip()}) as web:
        began = time.monotonic()
        got = await fetch(web.url("/"), allowed=[web.host], deadline_s=1.0)
        assert "the time was over" in got.cut
        assert time.monotonic() - began < 3


async def test_fetch_keeps_the_first_bytes_when_the_body_never_ends() -> None:
    """An endless body is cut and said to be."""
    with WebServer({"/": endless()}) as web:
        got = await fetch(web.url("/"), allowed=[web.host], max_bytes=100_000)
        assert len(got.body) == 100_000
        assert "larger than" in got.cut


async def test_fetch_bounds_memory_when_the_body_is_a_gzip_bomb() -> None:
    """300 MB packed in 300 kB cost a few megabytes."""
    with WebServer({"/": gzip_bomb(300)}) as web:
        tracemalloc.start()
        got = await fetch(web.url("/"), allowed=[web.host], max_bytes=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(got.body) == 1_000_000
        assert "larger than" in got.cut
        assert peak < 20_000_000


async def test_fetch_unpacks_gzip_and_refuses_an_encoding_it_did_not_ask_for() -> None:
    """Honest compression works; an unknown one is an error, not noise."""
    odd = answer(b"\x0b", headers={"Content-Encoding": "aes128gcm"})
    with WebServer({"/": gzipped(b"hello" * 100), "/br": odd}) as web:
        assert (await fetch(web.url("/"), allowed=[web.host])).body == b"hello" * 100
        with pytest.raises(ToolError, match="encoding"):
            await fetch(web.url("/br"), allowed=[web.host])


async def test_fetch_says_how_much_it_has_when_content_length_lies() -> None:
    """What came is kept, and is not taken for the whole."""
    with WebServer({"/": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")}) as web:
        got = await fetch(web.url("/"), allowed=[web.host])
        assert (got.body, got.cut) == (b"only this", "the connection ended after 9 bytes")


async def test_fetch_reads_text_when_it_is_not_valid_utf8_or_its_charset_is_unknown() -> None:
    """An invented charset is ignored, and what is not UTF-8 then is guessed."""
    odd = answer(b"caf\xe9", headers={"Content-Type": "text/plain; charset=klingon"})
    latin = answer(b"caf\xe9", headers={"Content-Type": "text/plain; charset=latin-1"})
    with WebServer({"/odd": odd, "/latin": latin}) as web:
        assert (await fetch(web.url("/odd"), allowed=[web.host])).text() == "café"
        assert (await fetch(web.url("/latin"), allowed=[web.host])).text() == "café"


async def test_fetch_asks_again_when_the_server_is_busy_and_the_question_is_safe() -> None:
    """429 with Retry-After is obeyed for GET; a POST is asked once."""
    busy = answer(b"later", status=429, headers={"Retry-After": "1"})
    with WebServer({"/": one_after_the_other(busy, answer(b"now"))}) as web:
        began = time.monotonic()
        got = await fetch(web.url("/"), allowed=[web.host])
        assert (got.body, len(web.requests)) == (b"now", 2)
        assert time.monotonic() - began >= 1
    with WebServer({"/": one_after_the_other(busy, answer(b"now"))}) as web:
        got = await fetch(web.url("/"), method="POST", content=b"x", allowed=[web.host])
        assert (got.status, len(web.requests)) == (429, 1)


async def test_fetch_does_not_wait_when_retry_after_is_beyond_the_deadline() -> None:
    """An hour of waiting is not ours to spend: the 429 is the answer."""
    with WebServer({"/": answer(b"later", status=429, headers={"Retry-After": "3600"})}) as web:
        got = await fetch(web.url("/"), allowed=[web.host], deadline_s=5)
        assert (got.status, len(web.requests)) == (429, 1)


async def test_fetch_asks_again_when_the_connection_breaks_before_an_answer() -> None:
    """One reset is not the end for a GET, and is for a POST."""
    with WebServer({"/": one_after_the_other(raw(b""), answer(b"ok"))}) as web:
        assert (await fetch(web.url("/"), allowed=[web.host])).body == b"ok"
    with WebServer({"/": one_after_the_other(raw(b""), answer(b"ok"))}) as web:
        with pytest.raises(ToolError, match="could not be asked"):
            await fetch(web.url("/"), method="POST", content=b"", allowed=[web.host])
        assert len(web.requests) == 1


async def test_fetch_says_so_when_nobody_listens_or_what_answers_is_not_http() -> None:
    """No traceback for a dead port or another protocol."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ToolError, match="could not be asked"):
        await fetch(f"http://127.0.0.1:{port}/", allowed=["127.0.0.1"])
    with WebServer({"/": raw(b"SSH-2.0-OpenSSH\r\n\r\n")}) as web, pytest.raises(ToolError, match="could not be asked"):
        await fetch(web.url("/"), allowed=[web.host])


async def test_fetch_connects_to_the_address_it_checked_when_the_name_changes_its_mind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the name is public when it is checked and loopback when it is asked again. It is not asked again."""
    asked: list[str] = []
    tried: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["203.0.113.77"] if len(asked) == 1 else ["127.0.0.1"]

    async def connect(self: object, sock: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address[0])
        raise OSError("nothing there")

    monkeypatch.setattr(addresses, "resolve", resolve)
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "203.0.113.77")
    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", connect)
    with pytest.raises(ToolError):
        await fetch("http://rebind.example/", method="POST")
    assert (asked, tried) == (["rebind.example"], ["203.0.113.77"])


async def test_fetch_ignores_a_proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy nobody chose for us would see everything and skip the address check."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with WebServer({"/": answer(b"direct")}) as web:
        assert (await fetch(web.url("/"), allowed=[web.host])).body == b"direct"


async def test_fetch_uses_the_proxy_a_person_chose_and_still_refuses_private_hosts() -> None:
    """The proxy gets the whole address; what is known to be inside is refused before it is asked."""
    with WebServer({"http://name.only.the.proxy.knows.invalid/page": answer(b"through")}) as proxy:
        address = proxy.url("").replace("http://", "http://ann:pw@")
        got = await fetch("http://name.only.the.proxy.knows.invalid/page", net=Net(proxy=address))
        assert got.body == b"through"
        assert proxy.requests[0].headers["proxy-authorization"].startswith("Basic ")
        with pytest.raises(ToolError, match="refused"):
            await fetch("http://127.0.0.1/", net=Net(proxy=address))
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("later", ["\u00b2", "-1", "soon", "9" * 400, "Fri, 99 Foo"])
async def test_fetch_takes_any_retry_after(later: str) -> None:
    """Nonsense in a header is no crash: the usual pause, or the 429 as the answer."""
    busy = answer(b"later", status=429, headers={"Retry-After": later})
    with WebServer({"/": one_after_the_other(busy, answer(b"now"))}) as web:
        got = await fetch(web.url("/"), allowed=[web.host], deadline_s=8, headers={"X-Name": "caf\u00e9"})
        assert got.body in (b"now", b"later")


def _certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", "2", "-subj", "/CN=secure.test", "-addext", "subjectAltName=DNS:secure.test"],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    return key, certificate


async def test_fetch_keeps_name_and_certificate_right_when_it_connects_by_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is checked for the name in the address, though the connection goes to a number; a wrong name fails."""
    from outrider.tools.net import gateway

    key, certificate = _certificate(tmp_path)
    names: list[str | None] = []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    server.sni_callback = lambda sock, name, context: names.append(name)
    client = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(gateway, "tls", lambda: client)
    monkeypatch.setattr(addresses, "resolve", lambda host, port: ["127.0.0.1"])
    with WebServer({"/": answer(b"safe")}, tls=server) as web:
        allowed = [f"secure.test:{web.port}", f"other.test:{web.port}"]
        got = await fetch(f"https://secure.test:{web.port}/", allowed=allowed)
        assert (got.body, names[0], web.requests[0].headers["host"]) == (
            b"safe",
            "secure.test",
            f"secure.test:{web.port}",
        )
        with pytest.raises(ToolError, match="could not be asked"):
            await fetch(f"https://other.test:{web.port}/", allowed=allowed)
