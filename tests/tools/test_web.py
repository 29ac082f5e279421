"""`web_search` and `read_page`: what is found, what is cut, what is told apart, and that a hostile page is only data."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from outrider.tools.documents import reader as pages
from outrider.tools.net.robots import ROBOTS
from outrider.tools.tool import ToolContext, ToolError
from outrider.tools.web import search, web_tools
from tests.servers.documents import pdf
from tests.servers.web import Asked, Route, WebServer, answer, drip, endless, gzip_bomb, page, raw, redirect

ARTICLE = """<html><head><title>Fish &amp; chips</title><style>p{color:red}</style></head><body>
<nav><a href="/home">Home</a></nav><article><h1>How to fry</h1>
<p>The oil should be at <b>180 degrees</b>, says <a href="/people/ann">Ann</a>, who has fried fish for thirty years.</p>
<table><tr><th>fish</th><th>minutes</th></tr><tr><td>cod</td><td>6</td></tr></table>
<p>Serve at once with vinegar and salt, and do not forget the peas.</p></article>
<script>document.write("evil")</script></body></html>"""


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """Each test asks anew."""
    search.KEPT.clear()
    ROBOTS.clear()


def context(web_server: WebServer | None = None, **more: Any) -> ToolContext:
    allowed = (web_server.host,) if web_server else ()
    return ToolContext(workspace=Path(), allowed_hosts=allowed, **more)


async def read(url: str, ctx: ToolContext) -> str:
    text = await web_tools.read_page.run(web_tools.read_page.check({"url": url}), ctx)
    assert isinstance(text, str)
    return text


async def find(ctx: ToolContext, query: str = "fried fish", **more: Any) -> str:
    text = await web_tools.web_search.run(web_tools.web_search.check({"query": query, **more}), ctx)
    assert isinstance(text, str)
    return text


def test_both_tools_read_and_are_not_trusted() -> None:
    """Looking things up needs no approval, and what comes back is marked as a stranger's."""
    for tool in (web_tools.web_search, web_tools.read_page):
        assert (tool.effect_of({}), tool.origin) == ("read", "untrusted")


# ---- read_page -------------------------------------------------------------------------------------------------------


async def test_read_page_gives_title_address_text_links_and_tables() -> None:
    """The main text as Markdown, links made absolute, scripts and styles gone."""
    with WebServer({"/a": page(ARTICLE)}) as server:
        text = await read(server.url("/a"), context(server))
        assert text.startswith(f"Fish & chips\n{server.url('/a')}\n\n")
        assert f"[Ann]({server.url('/people/ann')})" in text
        assert "| cod | 6 |" in text
        assert "evil" not in text


async def test_read_page_names_the_address_it_ended_at() -> None:
    """After a redirect the reader sees where the text is from."""
    with WebServer({"/a": redirect("/b"), "/b": page(ARTICLE)}) as server:
        assert server.url("/b") in await read(server.url("/a"), context(server))


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b'{"a": [1, 2]}', "application/json", '{"a": [1, 2]}'),
        (b"plain\x1b[31m text\x00\xc2\x9b", "text/plain", "plain text"),
        ("naïve".encode("latin-1"), "text/plain; charset=iso-8859-1", "naïve"),
        (b"\xff\xfe\xfa", "text/plain", "\ufffd"),
    ],
)
async def test_read_page_gives_plain_text_as_it_is_without_control_codes(body: bytes, kind: str, text: str) -> None:
    """JSON and text are not touched, but nothing in them steers a terminal."""
    with WebServer({"/t": answer(body, headers={"Content-Type": kind})}) as server:
        assert (await read(server.url("/t"), context(server))).split("\n\n", 1)[1] == text


async def test_read_page_reads_a_pdf() -> None:
    """Title and text of a PDF, page after page."""
    with WebServer(
        {"/r": answer(pdf("First page", "Second page"), headers={"Content-Type": "application/pdf"})}
    ) as server:
        text = await read(server.url("/r"), context(server))
        assert text.startswith("A report\n")
        assert "[page 1]\nFirst page\n\n[page 2]\nSecond page" in text


@pytest.mark.parametrize(("status", "why"), [(404, "no such page"), (403, "refuses us"), (500, "server failed")])
async def test_read_page_says_why_a_page_could_not_be_read(status: int, why: str) -> None:
    """The status in words, and what to do."""
    with WebServer({"/x": answer(b"<h1>no</h1>", status=status)}) as server, pytest.raises(ToolError, match=why):
        await read(server.url("/x"), context(server))


async def test_read_page_refuses_a_picture_and_a_private_address() -> None:
    """Pictures are no text; the machine's own network is closed."""
    with WebServer({"/p": answer(b"\x89PNG\x00", headers={"Content-Type": "image/png"})}) as server:
        with pytest.raises(ToolError, match="image/png"):
            await read(server.url("/p"), context(server))
        with pytest.raises(ToolError, match="refused"):
            await read(server.url("/p"), context())
        with pytest.raises(ToolError, match="refused"):
            await read("169.254.169.254/latest/meta-data", context(server))


async def test_read_page_says_how_much_it_has_when_a_page_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endless pages and bombs are cut at the cap and said to be."""
    monkeypatch.setattr(web_tools, "MAX_PAGE", 100_000)
    with WebServer({"/e": endless(), "/b": gzip_bomb(20)}) as server:
        for path in ("/e", "/b"):
            assert "(cut: larger than 100,000 bytes)" in await read(server.url(path), context(server))


async def test_read_page_gives_up_in_time_when_a_page_drips() -> None:
    """A call that has three seconds takes no more."""
    with WebServer({"/d": drip()}) as server:
        ends = time.monotonic() + 3
        said = await read(server.url("/d"), context(server, seconds_left=lambda: ends - time.monotonic()))
        assert "(cut: the time was over after" in said
        assert time.monotonic() < ends + 1


async def test_read_page_falls_back_to_plain_text_when_a_page_burns_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page built to keep the parser busy costs seconds at most and still gives its text."""
    monkeypatch.setattr(pages, "HTML_S", 2.0)
    with WebServer({"/burn": page("<html><title>slow</title>" + "<p>word " * 130_000)}) as server:
        began = time.monotonic()
        text = await read(server.url("/burn"), context(server))
        assert "only plain text" in text
        assert "word\nword" in text
        assert time.monotonic() - began < 12


@pytest.mark.parametrize(
    "html",
    [
        "", "<", "<html>" * 20_000, "<!doctype html><title>" + "x" * 100_000, "<html><body>" + "<div>" * 50_000 + "deep",
        "<html>\x00\x1b]0;owned\x07<p>\ud7ff bell\u202e</p>", "<html><p>" + "&#x1b;[2J" * 10, "<html><script>" + "a" * 10_000,
    ],
)  # fmt: skip
async def test_read_page_takes_any_page_as_data(html: str) -> None:
    """Odd, deep, empty and terminal-steering pages give text or a clear note; never a crash or a control code."""
    with WebServer({"/h": page(html)}) as server:
        text = await read(server.url("/h"), context(server))
        assert server.url("/h") in text
        assert not set(text) & {"\x00", "\x1b", "\x07", "\x9b"}


# ---- web_search ------------------------------------------------------------------------------------------------------


def searx(**body: Any) -> Any:
    return answer(json.dumps(body).encode(), headers={"Content-Type": "application/json"})


async def test_web_search_asks_the_persons_own_server() -> None:
    """Numbered title, address, snippet; the server named in the settings needs no other permission."""
    rows = [{"title": f"Page {n}\x1b[1m", "url": f"https://example.org/{n}", "content": "a\nb"} for n in range(1, 9)]
    with WebServer({"/search": searx(results=rows)}) as server:
        ctx = context(settings={"web_search": {"url": server.url("/search")}})
        text = await find(ctx, "cod & chips", limit=2)
        assert text == ("1. Page 1\n   https://example.org/1\n   a b\n2. Page 2\n   https://example.org/2\n   a b")
        assert server.requests[0].query == "q=cod+%26+chips&format=json"


async def test_web_search_tells_no_results_from_blocked_from_broken() -> None:
    """Nothing found is an answer; a block and nonsense are errors that say so."""
    routes = {
        "/empty": searx(results=[]),
        "/blocked": searx(results=[], unresponsive_engines=[["google", "CAPTCHA"]]),
        "/busy": answer(b"", status=403),
        "/html": page("<p>hello</p>"),
        "/list": answer(b"[1]", headers={"Content-Type": "application/json"}),
    }
    with WebServer(routes) as server:

        def at(path: str) -> ToolContext:
            return context(settings={"web_search": {"url": server.url(path)}})

        assert await find(at("/empty")) == "no results for 'fried fish'"
        with pytest.raises(ToolError, match=r"blocked.*google: CAPTCHA"):
            await find(at("/blocked"))
        with pytest.raises(ToolError, match=r"blocked.*403"):
            await find(at("/busy"))
        for path in ("/html", "/list"):
            with pytest.raises(ToolError, match="JSON results"):
                await find(at(path))


async def test_web_search_refuses_an_empty_question() -> None:
    """Before anything is asked."""
    with pytest.raises(ToolError, match="empty"):
        await find(context(), "  ")


@dataclass
class Engines:
    """ddgs with engines of ours: a server on loopback, and how each engine answers."""

    server: WebServer

    def __setitem__(self, name: str, route: Route) -> None:
        self.server.routes[f"/{name}"] = route

    def context(self, **settings: Any) -> ToolContext:
        return context(self.server, settings={"web_search": settings})


NAMES = ("duckduckgo", "brave", "wikipedia")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engines]:
    """Three engines that find nothing. Nothing leaves the machine."""
    from ddgs.base import BaseSearchEngine
    from ddgs.engines import ENGINES

    def engine(engine_name: str, port: int) -> type:
        class Stub(BaseSearchEngine[Any]):
            name: ClassVar[str] = engine_name
            category: ClassVar[Any] = "text"
            provider: ClassVar[str] = engine_name
            search_url = f"http://127.0.0.1:{port}/{engine_name}"
            search_method: ClassVar[str] = "GET" if engine_name == "brave" else "POST"
            headers_update: ClassVar[dict[str, str]] = {"Referer": "https://e.org/"}
            items_xpath: ClassVar[str] = "//div"
            elements_xpath: ClassVar[dict[str, str]] = {
                "title": "./h3/text()",
                "href": "./a/text()",
                "body": "./p/text()",
            }

            def build_payload(self, query: str, *_: Any, **__: Any) -> dict[str, Any]:
                self.http_client.client.set_cookies("https://e.org", {"lang": "en"})
                return {"q": query}

        return Stub

    with WebServer({f"/{name}": page("<html></html>") for name in NAMES}) as server:
        monkeypatch.setitem(ENGINES, "text", {name: engine(name, server.port) for name in NAMES})
        yield Engines(server)


def slow(route: Route, seconds: float) -> Route:
    def late(connection: socket.socket, asked: Asked) -> None:
        time.sleep(seconds)
        route(connection, asked)

    return late


def html_of(*titles: str) -> str:
    rows = "".join(f"<div><h3>{t}</h3><a>https://e.org/{t}</a><p>about {t}</p></div>" for t in titles)
    return f"<html><body>{rows}</body></html>"


async def test_web_search_gives_what_the_engines_found(engines: Engines) -> None:
    """Results come from ddgs, short and in one form."""
    engines["brave"] = page(html_of("fish", "fries"))
    text = await find(engines.context(backend="brave"))
    assert "https://e.org/fish\n   about fish" in text
    assert text.startswith("1. ")


async def test_web_search_says_no_results_when_a_free_engine_found_none(engines: Engines) -> None:
    """One general engine that answered with nothing is believed."""
    assert await find(engines.context()) == "no results for 'fried fish'"


async def test_web_search_says_blocked_when_the_general_engines_were(engines: Engines) -> None:
    """A refusal or a captcha is told from an empty result, though the library reports both the same."""
    engines["brave"] = answer(b"slow down", status=403)
    engines["duckduckgo"] = page("<html>please solve this CAPTCHA</html>")
    with pytest.raises(ToolError, match="blocked"):
        await find(engines.context())


async def test_web_search_asks_other_engines_when_the_chosen_one_refuses(engines: Engines) -> None:
    """A person's favourite that blocks is not the end of the search."""
    engines["brave"] = answer(b"go away", status=403)
    engines["duckduckgo"] = page(html_of("fish"))
    text = await find(engines.context(backend="brave"))
    assert "https://e.org/fish" in text


async def test_web_search_says_unreachable_when_no_engine_could_be_asked(engines: Engines) -> None:
    """No network is not "no results"."""
    for name in NAMES:
        engines[name] = raw(b"")
    with pytest.raises(ToolError, match=r"no search engine could be reached.*tried .*brave"):
        await find(engines.context())


async def test_web_search_says_that_time_was_up_when_every_engine_hangs(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow is neither empty nor blocked nor unreachable."""
    for name in NAMES:
        engines[name] = slow(page("<html></html>"), 3)
    monkeypatch.setattr(web_tools, "SEARCH_S", 1.0)
    with pytest.raises(ToolError, match="did not end in time"):
        await find(engines.context())


async def test_web_search_ends_at_its_own_deadline_and_keeps_what_came_early(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that hangs holds nobody: the others' results are given when time is up."""

    engines["wikipedia"] = slow(page(html_of("late")), 4)
    engines["brave"] = engines["duckduckgo"] = page(html_of("early"))
    monkeypatch.setattr(web_tools, "SEARCH_S", 1.5)
    began = time.monotonic()
    text = await find(engines.context())
    assert "https://e.org/early" in text
    assert "late" not in text
    assert time.monotonic() - began < 3
    time.sleep(0.2)
    waiting = [t for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]
    assert not [t for t in waiting if t.name.startswith("DDGS")], "a hung engine would hold the process at exit"


async def test_web_search_asks_engines_through_the_gateway(engines: Engines) -> None:
    """The form, the engine's own headers and cookies go; who asks is said truly; a private address is refused as ever."""
    engines["duckduckgo"] = engines["brave"] = page(html_of("fish"))
    await find(engines.context(backend="duckduckgo,brave"))
    (form,) = [asked for asked in engines.server.requests if asked.path == "/duckduckgo"]
    (got,) = [asked for asked in engines.server.requests if asked.path == "/brave"]
    assert (form.method, form.body, got.method, got.query) == ("POST", b"q=fried+fish", "GET", "q=fried+fish")
    assert (form.headers["referer"], form.headers["cookie"]) == ("https://e.org/", "lang=en")
    assert "outrider/" in form.headers["user-agent"]
    asked = len(engines.server.requests)
    with pytest.raises(ToolError, match="no search engine could be reached"):
        await find(context(), "other words")
    assert len(engines.server.requests) == asked


async def test_web_search_keeps_an_answer_for_some_minutes() -> None:
    """Engines block those who ask the same too often; what was not found is asked again."""
    found = answer(b'{"results": [{"title": "Fish", "url": "https://example.org/f", "content": "fried"}]}')
    with WebServer({"/search": found, "/none": answer(b'{"results": []}')}) as server:
        ctx = context(server, settings={"web_search": {"url": server.url("/search")}})
        assert await find(ctx, "Fried  fish") == await find(ctx, "fried fish")
        assert len(server.requests) == 1
        await find(ctx, "fried fish", limit=9)
        assert len(server.requests) == 2
        nothing = context(server, settings={"web_search": {"url": server.url("/none")}})
        await find(nothing)
        await find(nothing)
        assert len(server.requests) == 4
