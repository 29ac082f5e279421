"""The way to a model server, against TLS, proxies, event loops that come and go, and servers that speak badly."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which

import pytest

from outrider.agent.models.openai import transport
from outrider.agent.models.openai.exchange import HttpResponse, Post, TransportError
from outrider.agent.models.openai.transport import HttpTransport

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def post(timeout_s: float = 5.0) -> Post:
    return Post("/chat", [("X-A", "b")], b"{}", None, timeout_s, 100_000)


@asynccontextmanager
async def speaking(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that gives these bytes to one request after another, then hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            try:
                await reader.readuntil(b"{}")
            except asyncio.IncompleteReadError:
                break
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nT: x\r\n\r\n", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_every_framing_of_http_is_read(raw: bytes, body: bytes) -> None:
    """Length, chunks, end of connection, nothing, and a hint before."""
    async with speaking(raw) as port:
        assert (await HttpTransport(f"http://127.0.0.1:{port}").post(post())).body == body


@pytest.mark.parametrize(
    ("raw", "stage"),
    [
        (b"220 smtp.example ESMTP\r\n\r\n", "garbled"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok", "garbled"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, "garbled"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "garbled"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * 200_000, "size"),
        (b"", "cut"),
    ],
)
async def test_bad_framing_is_one_kind_of_error(raw: bytes, stage: str) -> None:
    """Whatever is on the port, it ends as a TransportError that knows the request was sent."""
    async with speaking(raw) as port:
        with pytest.raises(TransportError) as caught:
            await HttpTransport(f"http://127.0.0.1:{port}").post(post())
    assert caught.value.stage == stage
    assert caught.value.sent


async def test_bytes_nobody_asked_for_end_the_connection() -> None:
    """An answer smuggled in after an answer is not given to the next request."""
    async with speaking(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", OK) as port:
        way = HttpTransport(f"http://127.0.0.1:{port}")
        for _ in range(2):
            assert (await way.post(post())).body == b"ok"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


async def tls_answer(certificate: Path, host: str = "localhost") -> HttpResponse:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    transport.tls_context.cache_clear()
    try:
        async with speaking(OK, tls=context) as port:
            return await HttpTransport(f"https://{host}:{port}").post(post())
    finally:
        transport.tls_context.cache_clear()


async def test_tls_refuses_a_certificate_nobody_vouches_for(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is never sent to a stranger in the middle."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(TransportError) as caught:
        await tls_answer(certificate)
    assert caught.value.stage == "tls"
    assert not caught.value.sent


async def test_tls_takes_a_private_authority_from_ssl_cert_file(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the certificate trusted the same server is read; under another name it is not."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    assert (await tls_answer(certificate)).body == b"ok"
    with pytest.raises(TransportError) as caught:
        await tls_answer(certificate, host="127.0.0.1")
    assert caught.value.stage == "tls"
