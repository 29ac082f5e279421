"""robots.txt: `read_page` keeps to it, says so, and a person can decide otherwise."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from outrider.tools.net import robots
from outrider.tools.tool import ToolContext, ToolError
from outrider.tools.web.web_tools import read_page
from tests.servers.web import Asked, Route, WebServer, answer, endless, raw, redirect

PAGE = answer(b"the page itself")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    robots.ROBOTS.clear()


async def read(server: WebServer, path: str = "/a/page", **settings: Any) -> str:
    ctx = ToolContext(
        workspace=Path(), allowed_hosts=("127.0.0.1", "localhost"), settings={"net": settings} if settings else {}
    )
    return str(await read_page.run({"url": server.url(path)}, ctx))


def site(rules: Route, **more: Route) -> WebServer:
    return WebServer({"/robots.txt": rules, "/a/page": PAGE, "/b/page": PAGE, **more})


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ("User-agent: *\nDisallow: /a/", False),
        ("User-agent: *\nDisallow: /b/", True),
        ("User-agent: outrider\nDisallow: /a\n\nUser-agent: *\nAllow: /", False),
        ("User-agent: outrider\nAllow: /a\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: *\nDisallow: /a/\nAllow: /a/page", True),  # the longest fit decides
        ("User-agent: *\nDisallow: /*page$", False),
        ("\ufeffUser-Agent: *\r\nDISALLOW: /a/", False),
        ("<html>not found, says this server with a 200</html>", True),
        ("", True),
    ],
)
async def test_a_page_is_read_when_the_sites_rules_let_it(rules: str, allowed: bool) -> None:
    """As RFC 9309 reads them."""
    with site(answer(rules.encode())) as server:
        if allowed:
            assert "the page itself" in await read(server)
            return
        with pytest.raises(ToolError, match=r"robots\.txt of the site says so.*another source.*robots = false"):
            await read(server)
        assert [asked.path for asked in server.requests] == ["/robots.txt"]


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (410, True), (500, False), (502, False)])
async def test_no_file_lets_everything_be_read_and_a_failing_server_nothing(status: int, allowed: bool) -> None:
    """RFC 9309, 2.3.1.3 and 2.3.1.4."""
    with site(answer(b"User-agent: *\nDisallow: /", status=status)) as server:
        if allowed:
            assert "the page itself" in await read(server)
        else:
            with pytest.raises(ToolError, match=rf"status {status}"):
                await read(server)


async def test_a_site_that_breaks_off_is_not_read() -> None:
    """Unreachable is a no, and says why."""
    with site(raw(b"")) as server, pytest.raises(ToolError, match=r"robots\.txt cannot be read"):
        await read(server)


async def test_a_person_can_decide_otherwise() -> None:
    """`robots = false`: the file is not even asked for."""
    with site(answer(b"User-agent: *\nDisallow: /")) as server:
        assert "the page itself" in await read(server, robots=False)
        assert [asked.path for asked in server.requests] == ["/a/page"]


async def test_the_file_is_asked_for_once_and_by_a_true_name() -> None:
    """Kept for a day; both requests say who asks."""
    with site(answer(b"User-agent: *\nDisallow: /x")) as server:
        for path in ("/a/page", "/b/page", "/a/page"):
            await read(server, path)
        assert [asked.path for asked in server.requests] == ["/robots.txt", "/a/page", "/b/page", "/a/page"]
        assert all(asked.headers["user-agent"].startswith("outrider/") for asked in server.requests)


async def test_a_redirect_is_held_to_the_rules_of_where_it_leads() -> None:
    """On the same site and on another."""
    with site(answer(b"User-agent: *\nDisallow: /b/"), **{"/go": redirect("/b/page")}) as server:
        with pytest.raises(ToolError, match="not for programs"):
            await read(server, "/go")
        away = site(answer(b""), **{"/away": redirect(server.url("/b/page"))})
        with away as other, pytest.raises(ToolError, match="not for programs"):
            await read(other, "/away")
        assert "/b/page" not in [asked.path for asked in server.requests]


async def test_a_huge_file_is_read_as_far_as_500_kilobytes() -> None:
    """It ends, in bounded memory, and what was said by then holds."""
    with site(answer(b"User-agent: *\nDisallow: /a/\n" + b"Disallow: /x\n" * 400_000)) as server:
        with pytest.raises(ToolError, match="not for programs"):
            await read(server)
        assert "the page itself" in await read(server, "/b/page")
    robots.ROBOTS.clear()
    with site(endless()) as server:
        assert "the page itself" in await read(server)


async def test_what_is_kept_of_sites_is_bounded() -> None:
    """The oldest makes room."""
    for number in range(robots.KEPT_MOST + 50):
        robots.ROBOTS._keep(f"http://h{number}", "")
    assert len(robots.ROBOTS._kept) == robots.KEPT_MOST


async def test_what_one_run_may_not_reach_is_no_rule_of_the_site() -> None:
    """A private address that one run may not ask is asked by the next one that may."""
    with site(answer(b"User-agent: *\nDisallow: /x")) as server:
        with pytest.raises(ToolError):
            await read_page.run({"url": server.url("/a/page")}, ToolContext(workspace=Path()))
        assert "the page itself" in await read(server)


def late(route: Route) -> Route:
    """The same answer after a while, so that others come meanwhile."""

    def wait(connection: socket.socket, asked: Asked) -> None:
        time.sleep(0.3)
        route(connection, asked)

    return wait


async def test_who_waits_for_a_site_that_cannot_be_reached_does_not_try_it_again() -> None:
    """A site that breaks off does so once for all who wait, not for one after the other."""
    with site(late(raw(b""))) as server:
        found = await asyncio.gather(*(read(server) for _ in range(8)), return_exceptions=True)
        assert all("cannot be read" in str(error) for error in found)
        assert len(server.requests) <= 3  # one reader, and what the gateway repeats


async def test_many_readers_at_once_ask_for_the_rules_once() -> None:
    """One fetches the file, the others wait for it: a site is not stormed by those who want to be polite."""
    with site(late(answer(b"User-agent: *\nDisallow: /x"))) as server:
        pages = await asyncio.gather(*(read(server, per_second=1000) for _ in range(12)))
        assert len([page for page in pages if "the page itself" in page]) == 12
        assert [asked.path for asked in server.requests].count("/robots.txt") == 1


async def test_who_waits_fetches_the_rules_when_the_first_was_cancelled() -> None:
    """A reader that gives up takes nobody with it."""
    with site(late(answer(b"User-agent: *\nDisallow: /x"))) as server:
        first, second = (asyncio.create_task(read(server)) for _ in range(2))
        await asyncio.sleep(0.1)
        first.cancel()
        assert "the page itself" in await second
