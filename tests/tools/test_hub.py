"""The hub tools against a hub on loopback: what is shown, and each way it can fail, told apart and in time."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from outrider.tools.hub import hub_tools as tools
from outrider.tools.tool import ToolContext, ToolError
from tests.servers.hub import hub
from tests.servers.web import WebServer, answer, drip


def context(endpoint: str, **more: Any) -> ToolContext:
    return ToolContext(workspace=Path(), settings={"hub": {"endpoint": endpoint}}, **more)


async def search(endpoint: str, **arguments: Any) -> str:
    text = await tools.hub_search.run(tools.hub_search.check(arguments), context(endpoint))
    assert isinstance(text, str)
    return text


async def model(endpoint: str, name: str) -> str:
    text = await tools.hub_model.run(tools.hub_model.check({"model": name}), context(endpoint))
    assert isinstance(text, str)
    return text


async def test_hub_search_shows_one_line_a_model() -> None:
    """Id first, then licence, size, task, downloads, likes, gated, library and date; the most downloaded first."""
    with hub() as server:
        lines = (await search(server.url())).splitlines()
        assert lines[0] == (
            "1. acme/huge-chat (other: acme-community, 71B parameters, text-generation, 500000 downloads, 7 likes, gated,"
            " transformers, updated 2026-05-01)"
        )
        assert (
            lines[3]
            == "4. bits/mystery (unknown, size unknown, task unknown, 3 downloads, 0 likes, not gated, library unknown)"
        )


async def test_hub_search_asks_the_hub_for_task_licence_size_and_words() -> None:
    """Free spelling becomes the hub's own words; a model over the size is left out even if the hub lists it."""
    with hub() as server:
        one = await search(
            server.url(), task="Text Classification", licence="Apache 2.0", query="tiny", max_parameters="500M", limit=3
        )
        assert one.startswith("1. acme/tiny-sentiment (apache-2.0, 67M parameters")
        query = server.requests[-1].query
        assert "pipeline_tag=text-classification" in query
        assert "filter=license%3Aapache-2.0" in query
        assert "num_parameters=max%3A500000000" in query
        small = await search(server.url(), task="text-generation", max_parameters="2B")
        assert "huge-chat" not in small
        assert "little-chat-gguf (mit, 1.1B parameters" in small
        assert await search(server.url(), query="zebra", licence="mit") == "no model matches 'zebra', licence mit"


async def test_hub_model_shows_a_fact_a_line() -> None:
    """Everything needed to choose, one `key: value` a line."""
    with hub() as server:
        assert await model(server.url(), "https://huggingface.co/acme/tiny-sentiment") == (
            "model: acme/tiny-sentiment\ntask: text-classification\nlicence: apache-2.0\nparameters: 66,955,010 (67M)\n"
            "downloads: 9000\nlikes: 42\ngated: no\nlibrary: transformers\nformats: safetensors\nlast modified: 2026-03-04"
        )
        assert "gated: yes (its owner decides who)" in await model(server.url(), "acme/huge-chat")


@pytest.mark.parametrize(
    ("name", "why"), [("acme/nothing", "no model 'acme/nothing'"), ("acme/locked", "gated"), ("a b", "not the id")]
)
async def test_hub_model_says_why_there_is_nothing(name: str, why: str) -> None:
    """Missing, gated and no id at all are three different answers."""
    with hub() as server, pytest.raises(ToolError, match=why):
        await model(server.url(), name)


@pytest.mark.parametrize("ask", [search, lambda endpoint: model(endpoint, "acme/x")])
async def test_hub_says_offline_at_once_when_nobody_answers(ask: Any) -> None:
    """No 23 seconds of retries in the library."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(ToolError, match="cannot be reached"):
        await ask(f"http://127.0.0.1:{port}")
    assert time.monotonic() - began < 6


async def test_hub_says_so_when_it_was_asked_too_often_or_fails() -> None:
    """429 and 500 are told apart, and neither is waited for."""
    with WebServer({"/api/models": answer(b"{}", status=429)}) as server, pytest.raises(ToolError, match="too often"):
        await search(server.url())
    with (
        WebServer({"/api/models": answer(b"oops", status=500)}) as server,
        pytest.raises(ToolError, match="status 500"),
    ):
        await search(server.url())
    with WebServer({"/api/models": answer(b"<html>")}) as server, pytest.raises(ToolError, match="could not answer"):
        await search(server.url())


async def test_hub_ends_at_its_deadline_when_the_hub_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow hub holds nobody."""
    monkeypatch.setattr(tools, "HUB_S", 2.5)
    began = time.monotonic()
    with WebServer({"/api/models": drip()}) as server, pytest.raises(ToolError, match="in time"):
        await search(server.url())
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("text", "size"),
    [("500M", 500_000_000), ("2b", 2_000_000_000), ("1.5 billion", 1_500_000_000), ("120000", 120_000)],
)
def test_sizes_are_understood_as_people_write_them(text: str, size: int) -> None:
    """Letters and words for thousands, millions, billions."""
    assert tools.parameters(text) == size


@pytest.mark.parametrize("text", ["big", "-3", "0", "1e9x"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """With an example of what would be right."""
    with pytest.raises(ToolError, match="500M"):
        tools.parameters(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(66_955_010, "67M"), (999_999_999, "1B"), (1_100_048_384, "1.1B"), (950, "950"), (9_960_000, "10M")],
)
def test_sizes_are_shown_short(size: int, text: str) -> None:
    """Two or three digits and a letter."""
    assert tools.short_size(size) == text
