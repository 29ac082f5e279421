"""Kept connections to a model server: how long they live, who may share them, and the proxies in between."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from outrider.agent.models.openai.exchange import Post, TransportError
from outrider.agent.models.openai.model import OpenAIModel
from outrider.agent.models.openai.transport import HttpTransport
from outrider.memory.errors import UsageError
from tests.servers.openai_server import OpenAIServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def post(body: bytes = b"{}", timeout_s: float = 5.0) -> Post:
    return Post("/chat", [("X-A", "b")], body, None, timeout_s, 100_000)


@asynccontextmanager
async def connection_by_connection(*scripts: list[bytes | float]) -> AsyncIterator[tuple[int, list[int]]]:
    """A server whose n-th connection says the n-th script: bytes after each request (or a pause, then the next at once)."""
    requests: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = len(requests)
        requests.append(0)
        try:
            for said in scripts[min(mine, len(scripts) - 1)]:
                if isinstance(said, float):
                    await asyncio.sleep(said)
                    continue
                if said.startswith(b"HTTP/1.1 200"):
                    await reader.readuntil(b"{}")
                    requests[mine] += 1
                writer.write(said.removeprefix(b"unasked "))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], requests


async def test_one_connection_carries_request_after_request() -> None:
    """A new connection costs round trips; a kept one none."""
    async with connection_by_connection([OK] * 5) as (port, requests):
        way = HttpTransport(f"http://127.0.0.1:{port}")
        for _ in range(5):
            assert (await way.post(post())).body == b"ok"
        await way.aclose()
    assert requests == [5]


async def test_a_late_answer_nobody_asked_for_is_not_the_next_ones() -> None:
    """Bytes that arrive on an idle connection end it, whether or not the event loop has seen them."""
    smuggled = b"unasked HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    async with connection_by_connection([OK, 0.05, smuggled, OK], [OK]) as (port, _):
        way = HttpTransport(f"http://127.0.0.1:{port}")
        assert (await way.post(post())).body == b"ok"
        await asyncio.sleep(0.2)
        assert (await way.post(post())).body == b"ok"
        await way.aclose()


async def test_a_connection_closed_while_idle_is_not_used_and_nothing_is_sent_twice() -> None:
    """A POST that may have been billed is never repeated behind the ledger's back."""
    async with connection_by_connection([OK], [OK], [OK]) as (port, requests):
        way = HttpTransport(f"http://127.0.0.1:{port}")
        for _ in range(3):
            assert (await way.post(post())).body == b"ok"
            await asyncio.sleep(0.05)
        await way.aclose()
    assert requests == [1, 1, 1]


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    """The key goes to the address it was given for, nowhere else."""
    moved = b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    async with connection_by_connection([b"unasked " + moved, 0.3]) as (port, _):
        way = HttpTransport(f"http://127.0.0.1:{port}")
        answer = await way.post(post())
        await way.aclose()
    assert (answer.status, answer.headers["location"]) == (307, "http://127.0.0.1:9/")


async def test_a_query_in_the_address_stays_at_its_end() -> None:
    """Azure's older deployments want `?api-version=…` behind the path."""
    with OpenAIServer([{"text": "hi"}]) as server:
        model = OpenAIModel("x", base_url=f"{server.base_url}?api-version=2025-01-01", api_key="")
        way = model._transport
        assert (await way.post(Post("/chat/completions", [], b'{"messages":[]}', None, 5, 10_000))).status == 200
        await model.aclose()
    assert server.requests[0].path == "/v1/chat/completions?api-version=2025-01-01"


# event loops

LOOPS = """
import asyncio, gc, sys, threading
from outrider.agent.models.model import Message, Request
from outrider.agent.models.openai.model import OpenAIModel

def request():
    return Request(messages=(Message("user", "hi"),), tools=(), max_tokens=10, timeout_s=10)

model = OpenAIModel("x", base_url=sys.argv[1], api_key="")

async def ask(n=1):
    replies = await asyncio.gather(*(model.reply(request()) for _ in range(n)))
    assert [reply.text for reply in replies] == ["ok"] * n

async def cut_short():
    task = asyncio.create_task(model.reply(request()))
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

def left_open():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(ask(3))
    loop.close()

"""
LIVES = {
    "successive runs": "for _ in range(3): asyncio.run(ask(2))",
    "fifty at once": "asyncio.run(ask(50))",
    "cancelled": "for _ in range(3): asyncio.run(cut_short())",
    "threads": "ts = [threading.Thread(target=asyncio.run, args=(ask(4),)) for _ in range(6)]\n[t.start() for t in ts]\n[t.join() for t in ts]",
    "loops nobody shuts down": "left_open()\nleft_open()\nasyncio.run(ask())",
    "a loop that is never closed": "loop = asyncio.new_event_loop()\nloop.run_until_complete(ask(2))",
    "dropped models": "async def main():\n    global model\n    await ask()\n    model = OpenAIModel('x', base_url=sys.argv[1], api_key='')\n    gc.collect()\n    await ask()\nasyncio.run(main())",
    "closed by hand": "async def main():\n    await ask(3)\n    await model.aclose()\n    await model.aclose()\n    await ask(2)\nasyncio.run(main())\nasyncio.run(model.aclose())",
}


@pytest.mark.parametrize("life", LIVES)
def test_connections_end_with_their_loop_without_a_word(life: str) -> None:
    """No "Unclosed client session" on a user's screen, however loops, threads and models come and go."""
    with OpenAIServer([{"text": "ok"}], latency_s=0.05) as server:
        script = LOOPS + LIVES[life] + "\nmodel = None\ngc.collect()\n"
        done = subprocess.run(
            [sys.executable, "-c", script, server.base_url], capture_output=True, text=True, timeout=60
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads_share_a_model_at_the_same_time() -> None:
    """Each event loop has connections of its own; nobody waits for another's."""
    with OpenAIServer([{"text": "ok"}], latency_s=0.1) as server:
        way = HttpTransport(server.base_url)
        statuses: list[int] = []

        async def several() -> None:
            for _ in range(3):
                body = b'{"messages":[]}'
                statuses.append((await way.post(Post("/chat/completions", [], body, None, 10, 10_000))).status)

        threads = [threading.Thread(target=asyncio.run, args=(several(),)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 15


# proxies


@asynccontextmanager
async def proxy(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A proxy that notes what it is asked and says `answer` (an empty one: it connects through, to wherever asked)."""
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head)
        if answer:
            writer.write(answer)
            await writer.drain()
            return writer.close()
        port = int(head.split(b" ")[1].rpartition(b":")[2])
        there, to = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(_pump(reader, to), _pump(there, writer))
        return None

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    sink.close()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", ""])
async def test_a_proxy_carries_plain_requests(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment or as a setting, with its name and password, which the server never sees."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with proxy(OK) as (port, asked):
        address = f"http://ann:geheim@127.0.0.1:{port}"
        if variable:
            monkeypatch.setenv(variable, address)
        way = HttpTransport("http://models.example/v1", proxy=None if variable else address)
        assert (await way.post(post())).body == b"ok"
        await way.aclose()
    assert asked[0].startswith(b"POST http://models.example/v1/chat HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"ann:geheim") in asked[0]


async def test_https_goes_through_a_tunnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy sees the host and nothing more; the certificate is still the server's."""
    import ssl

    from tests.agent.models.openai.test_transport import speaking

    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=models.example",
         "-addext", "subjectAltName=DNS:models.example", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    mine = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    mine.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    async with speaking(OK, tls=mine) as port, proxy(b"") as (door, asked):
        base = f"https://models.example:{port}/v1"
        way = HttpTransport(base, proxy=f"127.0.0.1:{door}", tls=trusting)
        assert (await way.post(post())).body == b"ok"
        await way.aclose()
        stranger = HttpTransport(base, proxy=f"127.0.0.1:{door}")
        with pytest.raises(TransportError) as caught:
            await stranger.post(post())
        await stranger.aclose()
    assert (caught.value.stage, caught.value.sent) == ("tls", False)
    assert asked[0].startswith(f"CONNECT models.example:{port} ".encode())
    assert b"X-A" not in asked[0]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", None])
async def test_a_proxy_that_refuses_is_named_without_its_password(answer: bytes | None) -> None:
    """Nothing was sent to the model, so nothing is billed; the password stays out of the words."""
    async with proxy(answer or OK) as (port, _):
        refused = port if answer else 9
        way = HttpTransport("https://models.example/v1", proxy=f"http://ann:geheim@127.0.0.1:{refused}")
        with pytest.raises(TransportError) as caught:
            await way.post(post())
        await way.aclose()
    assert (caught.value.stage, caught.value.sent) == ("connect", False)
    assert "geheim" not in caught.value.why


def test_a_proxy_that_is_none_is_refused_with_what_to_write() -> None:
    """A SOCKS address would be ignored in silence otherwise, or the key sent past the proxy."""
    with pytest.raises(UsageError, match=r"http://proxy\.example") as caught:
        HttpTransport("https://models.example/v1", proxy="socks5://ann:geheim@127.0.0.1:1080")
    assert "geheim" not in str(caught.value)


async def test_netrc_is_nobodys_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in ~/.netrc for other programs is not sent to a model server."""
    (tmp_path / "netrc").write_text("default login ann password geheim\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with OpenAIServer([{"text": "ok"}]) as server:
        way = HttpTransport(server.base_url)
        await way.post(Post("/chat/completions", [], b'{"messages":[]}', None, 5, 10_000))
        await way.aclose()
    assert "authorization" not in server.requests[0].headers
