"""SSRF through every way out: each trick is tried by each way a stranger or a model can name an address, and as the redirect of
each server a person named. A listener on this machine judges: nobody comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.cli.commands.tools_add import _document
from outrider.agent.models.model import Message, Request
from outrider.agent.models.openai.model import OpenAIModel
from outrider.agent.review.export import send as otlp
from outrider.memory.errors import OutriderError
from outrider.tools.code.code_tools import _Hosts
from outrider.tools.hub.tasks import task_of
from outrider.tools.inference import remote
from outrider.tools.inference.inputs import Given
from outrider.tools.mcp.http import checked_client
from outrider.tools.mcp.servers import ServerSpec
from outrider.tools.net.pace import Net
from outrider.tools.openapi.api_tools import read_api
from outrider.tools.openapi.auth import Auth, signed
from outrider.tools.openapi.request import Request as ApiRequest
from outrider.tools.tool import ToolContext
from outrider.tools.web.engines import EngineClient, Way
from outrider.tools.web.http_request import http_request
from outrider.tools.web.web_tools import read_page
from tests.servers.web import WebServer, answer, redirect

SECONDS = 2.0
HUB = threading.Lock()  # its library has one client for all
PUBLIC = "192.0.2.1"  # stands for a public address in the names below: documentation, where nobody listens
NAMES = {
    "inside.test": ["127.0.0.1"],
    "two.test": [PUBLIC, "127.0.0.1"],
    "two-other-way.test": ["127.0.0.1", PUBLIC],
    "six.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "zero.test": ["0.0.0.0"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "sixtofour.test": ["2002:7f00:1::"],
    "compatible.test": ["::7f00:1"],
    "changing.test": [],  # public when it is checked, this machine afterwards
    "127.0.0.1.nip.test": ["127.0.0.1"],
}
TRICKS = (
    "http://127.0.0.1:{p}/", "http://127.1:{p}/", "http://127.0.1:{p}/", "http://2130706433:{p}/", "http://0x7f000001:{p}/", "http://0x7f.1:{p}/",
    "http://0177.0.0.1:{p}/", "http://017700000001:{p}/", "http://0x7f.0x0.0x0.0x1:{p}/", "http://127.0.0.1.:{p}/", "http://0x7F.0.0.01:{p}/",
    "http://localhost:{p}/", "http://LOCALHOST:{p}/", "http://LocalHost.:{p}/", "http://localhost.localdomain:{p}/", "http://ip6-localhost:{p}/",
    "http://[::1]:{p}/", "http://[::]:{p}/", "http://[0:0:0:0:0:0:0:1]:{p}/", "http://[::ffff:127.0.0.1]:{p}/", "http://[::ffff:7f00:1]:{p}/",
    "http://[::127.0.0.1]:{p}/", "http://[64:ff9b::127.0.0.1]:{p}/", "http://[64:ff9b:1::7f00:1]:{p}/", "http://[2002:7f00:1::]:{p}/",
    "http://[2001:0:7f00:1::]:{p}/", "http://[fe80::1%25lo]:{p}/", "http://[::1%25lo]:{p}/", "http://[::1%lo]:{p}/", "http://0:{p}/", "http://0.0.0.0:{p}/",
    "http://127.255.255.254:{p}/", "http://example.org@127.0.0.1:{p}/", "http://127.0.0.1:{p}@127.0.0.1:{p}/", "http://127.0.0.1:{p}\\@example.org/",
    "http://127.0.0.1:{p}#@example.org/", "http://127.0.0.1:{p}?@example.org/", "http://①②⑦.⓪.⓪.①:{p}/", "http://127。0。0。1:{p}/", "http://127｡0｡0｡1:{p}/",
    "http://ｌｏｃａｌｈｏｓｔ:{p}/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{p}/", "http://loc\u00adalhost:{p}/", "http://loc\u200balhost:{p}/", "http://127.0.0.1%00.example.org:{p}/",
    "http://127.0.0.1%2eexample.org:{p}/", "http://%31%32%37.0.0.1:{p}/", "HTTP://127.0.0.1:{p}/", "http:127.0.0.1:{p}/", "http:/127.0.0.1:{p}/",
    "http:\\\\127.0.0.1:{p}/", "//127.0.0.1:{p}/", "http:///127.0.0.1:{p}/", "http://[127.0.0.1]:{p}/", "http://127.000.000.001:{p}/", "http://:{p}/", "http://",
    "gopher://127.0.0.1:{p}/_GET%20/", "file:///etc/passwd", "file://127.0.0.1:{p}/etc/passwd", "ftp://127.0.0.1:{p}/", "dict://127.0.0.1:{p}/", "ldap://127.0.0.1:{p}/",
    "tftp://127.0.0.1:{p}/", "ws://127.0.0.1:{p}/", "data:text/plain,hi", "jar:http://127.0.0.1:{p}/!/", "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "http://127.0.0.1:{p}/\r\nHost: x", "http://127.0.0.1:{p}/ HTTP/1.1\r\nX: y", "http://e.org\r\n@127.0.0.1:{p}/",
    "http://127.0.0.1:{p}/\thttp://e.org", "http://127.0.0.1\t:{p}/", "\u00a0http://127.0.0.1:{p}/", "http://127.0.0.1:0{p}/", "http://127.0.0.1:{p}:80/",
    "http://inside.test:{p}/", "http://INSIDE.test.:{p}/", "http://two.test:{p}/", "http://two-other-way.test:{p}/", "http://six.test:{p}/", "http://mapped.test:{p}/",
    "http://zero.test:{p}/", "http://nat64.test:{p}/", "http://sixtofour.test:{p}/", "http://compatible.test:{p}/", "http://changing.test:{p}/",
    "http://127.0.0.1.nip.test:{p}/", "http://user:pass@inside.test:{p}/", "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://100.100.100.200/",
)  # fmt: skip


QUICK = TRICKS[::8]


class Listener:
    """Counts who comes to its port on 127.0.0.1 or ::1."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        four = socket.create_server(("127.0.0.1", 0))
        self.port = four.getsockname()[1]
        self._sockets = [four]
        with contextlib.suppress(OSError):
            self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for one in self._sockets:
            threading.Thread(target=self._accept, args=(one,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.heard.append(b"somebody")
            with contextlib.suppress(OSError), connection:
                connection.settimeout(1)
                self.heard[-1] = connection.recv(300)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def close(self) -> None:
        for one in self._sockets:
            one.close()


@dataclass
class Place:
    """One try: where the person's own server is, and what a run's context lets it reach."""

    folder: Path
    server: WebServer
    proxy: str = ""
    asked: int = 0
    context: ToolContext = field(init=False)

    def __post_init__(self) -> None:
        settings = {"net": {"proxy": self.proxy, "per_second": 10_000, "robots": False}}
        self.context = ToolContext(
            workspace=self.folder, allowed_hosts=(self.server.host,), settings=settings, secret={"KEY": "id:key"}.get, seconds_left=lambda: SECONDS + 4
        )  # fmt: skip


async def by_request(place: Place, url: str) -> None:
    await http_request.run({"url": url, "headers": {"X-A": "b"}}, place.context)


async def by_post(place: Place, url: str) -> None:
    await http_request.run({"url": url, "method": "POST", "body": "x"}, place.context)


async def by_page(place: Place, url: str) -> None:
    await read_page.run({"url": url}, place.context)


async def by_robots(place: Place, url: str) -> None:
    settings = {"net": {"per_second": 10_000}}
    await read_page.run({"url": url}, ToolContext(workspace=place.folder, settings=settings))


async def by_engine(place: Place, url: str) -> None:
    way = Way(asyncio.get_running_loop(), (place.server.host,), Net(per_second=10_000))
    await asyncio.to_thread(EngineClient(way, {}).get, url)


async def by_endpoint(place: Place, url: str) -> None:
    await remote.ask_endpoint(place.context, task_of("translation"), url, Given("hello"))


async def by_result(place: Place, url: str) -> None:
    place.server.routes["/picture"] = answer(
        json.dumps({"url": url}).encode(), headers={"Content-Type": "application/json"}
    )
    await remote.ask_endpoint(place.context, task_of("text-to-image"), place.server.url("/picture"), Given("a cat"))


async def by_api(place: Place, url: str) -> None:
    document = {
        "openapi": "3.0.0",
        "info": {"title": "x"},
        "servers": [{"url": url}],
        "paths": {"/": {"get": {"operationId": "a"}}},
    }
    await read_api(json.dumps(document), "x").tools[0].run({}, place.context)


async def by_variable(place: Place, url: str) -> None:
    server = {"url": "{whole}", "variables": {"whole": {"default": url}}}
    document = {
        "openapi": "3.0.0",
        "info": {"title": "x"},
        "servers": [server],
        "paths": {"/": {"get": {"operationId": "a"}}},
    }
    await read_api(json.dumps(document), "x", base=place.server.url("/spec.json")).tools[0].run({}, place.context)


async def by_path(place: Place, url: str) -> None:
    path = "/{a}" + url.partition(":")[2]
    parameters = [{"name": "a", "in": "path", "required": True, "schema": {"type": "string"}}]
    document = {"openapi": "3.0.0", "info": {"title": "x"}, "servers": [{"url": place.server.url("").rstrip("/")}],
                "paths": {path: {"get": {"operationId": "a", "parameters": parameters}}}}  # fmt: skip
    await read_api(json.dumps(document), "x").tools[0].run({"a": url}, place.context)


async def by_token_url(place: Place, url: str) -> None:
    await signed(
        ApiRequest("GET", place.server.url("/"), {}, None), Auth("KEY", "oauth2", token_url=url), place.context
    )


async def by_spec(place: Place, url: str) -> None:
    await asyncio.to_thread(_document, url, (place.server.host,))


async def by_reference(place: Place, url: str) -> None:
    one = {"get": {"operationId": "a", "parameters": [{"name": "a", "in": "query", "schema": {"$ref": f"{url}#/x"}}]}}
    document = {
        "openapi": "3.0.0",
        "info": {"title": "x"},
        "servers": [{"url": place.server.url("")}],
        "paths": {"/": one, "/b": {"$ref": url}},
    }
    api = read_api(json.dumps(document), "x")
    await api.tools[0].run(api.tools[0].check({}), place.context)


async def by_schema(place: Place, url: str) -> None:
    from outrider.agent.structured.schema import checked, validator
    from outrider.tools.json_schema import checker, usable

    schema = {"type": "object", "properties": {"a": {"$ref": url}}}
    usable(schema)
    with contextlib.suppress(Exception):
        checker("x", schema)({"a": 1})
    for made in (schema, {"$schema": url}, {"$id": url, "$ref": "#x"}, {"$dynamicRef": url}):
        with contextlib.suppress(OutriderError, ValueError):
            checked(made, "x")
        with contextlib.suppress(ValueError):
            validator(made).is_valid({"a": 1})


async def by_sandbox(place: Place, url: str) -> None:
    host, _, port = url.partition("//")[2].rstrip("/").rpartition(":")
    await asyncio.to_thread(
        lambda: _Hosts(("example.org", "*.test", "0x7f.1", host), ()).connect(host, int(port)).close()
    )


async def by_picture(place: Place, url: str) -> None:
    from outrider.agent.cli.input.attach import Attachments
    from outrider.agent.context.pictures import with_pictures

    with contextlib.suppress(OutriderError):
        Attachments(place.folder).add_file(url)
    await with_pictures((), [url], str(place.folder), sees=True)


async def by_skill(place: Place, url: str) -> None:
    from outrider.tools.skills.shelf import add, read_shelf

    read_shelf([url])
    add(place.folder / "shelf", Path(url))


async def by_hub_library(place: Place, url: str) -> None:
    """What the hub's library is made to do in its child process."""
    from huggingface_hub import get_session, set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    from outrider.tools.hub.hub_process import _only_checked_addresses

    def work() -> None:
        with HUB:
            _only_checked_addresses(place.server.url("").rstrip("/"))
            try:
                get_session().get(url, timeout=SECONDS)
            finally:
                set_client_factory(default_client_factory)

    await asyncio.to_thread(work)


NAMED: dict[str, Callable[[Place, str], Awaitable[None]]] = {
    "http_request": by_request, "a POST": by_post, "read_page": by_page, "robots.txt": by_robots, "a search engine": by_engine, "hub_run's endpoint": by_endpoint,
    "hub_run's result": by_result, "an API's server": by_api, "a variable of an API's server": by_variable, "an API's path": by_path,
    "an API's token server": by_token_url, "the address of a document": by_spec, "a reference of a document": by_reference, "a schema's reference": by_schema,
    "a granted host": by_sandbox, "a picture": by_picture, "a skill": by_skill, "the hub's library": by_hub_library,
}  # fmt: skip


# ---- the same, as where a person's own server sends on -----------------------------------------------------------------------


async def to_search(place: Place) -> None:
    from outrider.tools.web.search import ask_server

    await ask_server(
        place.server.url("/"), "q", 3, allowed=(), net=Net(proxy=place.proxy, per_second=10_000), seconds=SECONDS
    )


async def to_inference(place: Place) -> None:
    settings = place.context.settings | {"hub": {"inference": place.server.url("/"), "seconds": SECONDS}}
    context = ToolContext(workspace=place.folder, settings=settings, seconds_left=lambda: 30.0)
    call = remote.Call(place.server.url("/"), b"{}", "application/json")
    await remote._result(context, task_of("translation"), call)


async def to_mcp(place: Place) -> None:
    async with checked_client(ServerSpec(name="x", url=place.server.url("/"), timeout_s=SECONDS)) as client:
        got = await client.post(place.server.url("/"), json={})
        with contextlib.suppress(Exception):
            await client.get(got.headers["location"])  # what a careless client would do


async def to_collector(place: Place) -> None:
    from outrider.memory.events import RunStarted, Stopped
    from outrider.memory.journal import Journal
    from outrider.memory.store import Store

    def work() -> None:
        store = Store(f"sqlite:///{place.folder / 'runs.db'}")
        journal = Journal.create(store, RunStarted(goal="x", model="m"))
        journal.append(Stopped(reason="answered"))
        otlp.send(journal, place.server.url("/v1/traces"))

    await asyncio.to_thread(work)


async def to_model(place: Place) -> None:
    model = OpenAIModel("gpt-x", base_url=place.server.url("/"), api_key="key-0123456789-value")
    try:
        await model.reply(Request(messages=(Message("user", "hi"),), tools=(), max_tokens=5, timeout_s=SECONDS))
    finally:
        await model.aclose()


def sent_on(way: Callable[[Place, str], Awaitable[None]], path: str = "/") -> Callable[[Place], Awaitable[None]]:
    return lambda place: way(place, place.server.url(path))


SENT_ON: dict[str, Callable[[Place], Awaitable[None]]] = {
    "http_request": sent_on(by_request), "a POST": sent_on(by_post), "read_page": sent_on(by_page), "a search engine": sent_on(by_engine),
    "hub_run's endpoint": sent_on(by_endpoint), "hub_run's result": sent_on(by_result), "an API": sent_on(by_api), "an API's token server": sent_on(by_token_url),
    "the address of a document": sent_on(by_spec), "the hub's library": sent_on(by_hub_library), "a search server": to_search, "an inference server": to_inference,
    "an MCP server": to_mcp, "a collector": to_collector, "a model's server": to_model,
}  # fmt: skip


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that a stranger holds, for names that end in .test; one changes its mind at the second question."""
    real, asked = socket.getaddrinfo, {"changing.test": 0}

    def resolve(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        name = name.rstrip(".").lower()
        if not name.endswith(".test"):
            return real(host, port, *more, **options)
        found = NAMES.get(name, [])
        if name == "changing.test":
            asked[name] += 1
            found = [PUBLIC if asked[name] % 2 else "127.0.0.1"]
        kinds = [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in found]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (one, int(port or 0), *((0, 0) if ":" in one else ())))
            for kind, one in kinds
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    import outrider.tools.net.addresses as rule

    closed = tuple(block for block in rule._CLOSED if str(block) != "192.0.2.0/24")
    monkeypatch.setattr(rule, "_CLOSED", closed)


async def tried(work: Awaitable[None], seconds: float = SECONDS + 3) -> str:
    """What a try came to, in words; whatever is raised is a refusal."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {error}"[:200]
    return "done"


async def reached_by(way: str, tricks: tuple[str, ...], listener: Listener, folder: Path) -> dict[str, list[bytes]]:
    """What came to the listener, by trick, where a stranger or a model names the address."""
    reached = {}
    with WebServer({"/": answer(b"{}")}) as server:
        place = Place(folder, server)

        async def one(trick: str) -> None:
            before = len(listener.heard)
            await tried(NAMED[way](place, trick.format(p=listener.port)))
            if len(listener.heard) > before:
                reached[trick] = listener.heard[before:]

        slow = [trick for trick in tricks if any(word in trick for word in (".test", "169.254", "100.100", "ec2"))]
        await asyncio.gather(*(one(trick) for trick in tricks if trick not in slow))
        for trick in slow:
            await one(trick)
    return reached


async def sent_on_by(way: str, tricks: tuple[str, ...], listener: Listener, folder: Path) -> dict[str, list[bytes]]:
    """The same where a person's own server sends on, with every status of a redirect."""
    reached: dict[str, list[bytes]] = {}
    for number, trick in enumerate(tricks):
        status = (301, 302, 303, 307, 308)[number % 5]
        to = redirect(trick.format(p=listener.port).replace("\r\n", "%0d%0a").encode().decode("latin-1"), status)
        with WebServer({"/": to, "/v1/traces": to, "/chat/completions": to}) as server:
            inner = folder / str(number)
            inner.mkdir()
            before = len(listener.heard)
            await tried(SENT_ON[way](Place(inner, server)), 30)  # the first try imports a library
            assert server.requests, "the server was not asked: the trick was not tried"
            if len(listener.heard) > before:
                reached[trick] = listener.heard[before:]
    return reached


@pytest.mark.parametrize("way", NAMED)
async def test_an_address_that_is_named_does_not_reach_this_machine(
    way: str, listener: Listener, tmp_path: Path
) -> None:
    """A dozen of the tricks; all are below."""
    assert await reached_by(way, QUICK, listener, tmp_path) == {}
    assert listener.heard == []


@pytest.mark.parametrize("way", SENT_ON)
async def test_a_redirect_of_a_named_server_does_not_reach_this_machine(
    way: str, listener: Listener, tmp_path: Path
) -> None:
    """A few of the tricks; all are below."""
    assert await sent_on_by(way, QUICK[::3], listener, tmp_path) == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", NAMED)
async def test_no_trick_reaches_this_machine_where_an_address_is_named(
    way: str, listener: Listener, tmp_path: Path
) -> None:
    """0 of all tricks."""
    assert await reached_by(way, TRICKS, listener, tmp_path) == {}
    assert listener.heard == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", SENT_ON)
async def test_no_trick_reaches_this_machine_by_a_redirect(way: str, listener: Listener, tmp_path: Path) -> None:
    """0 of all tricks."""
    assert await sent_on_by(way, TRICKS, listener, tmp_path) == {}


async def test_the_listener_hears_who_is_let_through(listener: Listener, tmp_path: Path) -> None:
    """Control: the same request to a host the person allowed comes."""
    with WebServer({}) as server:
        place = Place(tmp_path, server)
        place.context = ToolContext(workspace=tmp_path, allowed_hosts=("localhost", "inside.test"))
        await tried(by_request(place, f"http://localhost:{listener.port}/"))
        await tried(by_request(place, f"http://inside.test:{listener.port}/"))
    assert len(listener.heard) == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", NAMED)
async def test_no_proxy_of_the_environment_is_taken(
    way: str, listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's HTTP_PROXY sees nothing; a proxy is what a person set in the settings."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "FTP_PROXY",
        "SOCKS_PROXY",
    ):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    with WebServer({"/": answer(b"{}")}) as server:
        for url in (server.url("/"), "http://two.test/", "https://inside.test/"):
            await tried(NAMED[way](Place(tmp_path, server), url))
    assert listener.heard == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "way", ["http_request", "a POST", "read_page", "hub_run's endpoint", "an API's server", "an API's token server"]
)
async def test_a_proxy_is_not_asked_for_what_is_known_to_be_private(
    way: str, listener: Listener, tmp_path: Path
) -> None:
    """The person's proxy stands where private addresses are; whatever resolves here is checked first."""
    with WebServer({"/": answer(b"{}")}) as server, WebServer({}) as proxy:
        place = Place(tmp_path, server, proxy=proxy.url(""))
        told = {}
        for trick in TRICKS:
            if any(word in trick for word in ("two", "changing")):
                continue  # the proxy resolves them: docs/threats.md says so
            before = len(proxy.requests)
            await tried(NAMED[way](place, trick.format(p=listener.port)))
            if (
                len(proxy.requests) > before and proxy.requests[-1].path != "http:443"
            ):  # read_page's https://http:/127.0.0.1
                told[trick] = proxy.requests[-1].path
        assert told == {}
    assert listener.heard == []
