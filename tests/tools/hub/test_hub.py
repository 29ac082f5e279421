"""The hub tools against a hub on loopback: what is shown, and each way it can fail, told apart and in time."""

from __future__ import annotations

import contextlib
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from outrider.memory.listings import Listings
from outrider.memory.store import Store
from outrider.tools.hub import ask_hub, card
from outrider.tools.hub import hub_tools as tools
from outrider.tools.hub.licences import licence_of, wanted_licence
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


async def test_hub_search_shows_a_table() -> None:
    """A line a model under headings: licence, size, downloads, where it can run; the most downloaded first."""
    with hub() as server:
        lines = (await search(server.url())).splitlines()
        assert lines[0] == "model | task | licence | parameters | downloads | likes | gated | changed | runs on"
        assert lines[1] == (
            "acme/huge-chat | text-generation | other: acme-community | 71B | 500000 | 7 | manual | 2026-05-01 | nowhere known"
        )
        assert lines[2].endswith("| 67M | 9000 | 42 | no | 2026-03-04 | hf-inference, transformers")
        assert lines[3].endswith("| mit | 1.1B | 12 | 1 | no | 2025-12-31 | llama.cpp")
        assert lines[4] == "bits/mystery | ? | unknown | ? | 3 | 0 | no | ? | nowhere known"


async def test_hub_search_asks_the_hub_for_task_licence_size_and_words() -> None:
    """Free spelling becomes the hub's own words; a size nobody states is not known to be small enough."""
    with hub() as server:
        one = await search(
            server.url(), task="Text Classification", licence="Apache 2.0", query="tiny", max_parameters="500M", limit=3
        )
        assert "acme/tiny-sentiment | text-classification | apache-2.0 | 67M" in one
        query = server.requests[-1].query
        assert "pipeline_tag=text-classification" in query
        assert "filter=license%3Aapache-2.0" in query
        assert "num_parameters=max%3A500000000" in query
        small = await search(server.url(), max_parameters="2B")
        assert "huge-chat" not in small
        assert "mystery" not in small
        assert "little-chat-gguf | text-generation | mit | 1.1B" in small
        assert await search(server.url(), query="zebra", licence="mit") == "no model matches 'zebra', licence mit"


async def test_hub_model_shows_a_fact_a_line() -> None:
    """Everything needed to choose and to approve, one `key: value` a line."""
    with hub() as server:
        told = (await model(server.url(), "https://huggingface.co/acme/tiny-sentiment")).splitlines()
        known = dict(line.split(": ", 1) for line in told)
        assert known.pop("memory").startswith("needs about 321 MB of ")
        assert known == {
            "model": "acme/tiny-sentiment",
            "task": "text-classification",
            "licence": "apache-2.0: commercial use yes, attribution yes, share-alike no; https://spdx.org/licenses/Apache-2.0.html",
            "parameters": "66,955,010 (67M)",
            "runs on": "hf-inference, transformers",
            "downloads": "9000",
            "likes": "42",
            "gated": "no",
            "library": "transformers",
            "formats": "safetensors",
            "last modified": "2026-03-04",
            "languages": "en",
            "made from": "acme/base",
            "datasets": "sst2",
            "results its owner states": "Accuracy 0.91 on SST-2",
            "files": "2, 268 MB in all: model.safetensors 268 MB, README.md 2.05 kB",
        }
        huge = await model(server.url(), "acme/huge-chat")
        assert "gated: yes (its owner decides who)" in huge
        assert "commercial use unknown" in huge


async def test_what_a_card_says_is_capped_and_is_never_a_path() -> None:
    """An id that is none is left out; a name of 100,000 letters and control codes come as one short line."""
    hostile = (
        {"id": "../../etc/passwd", "tags": [], "downloads": 5},
        {"id": "acme/odd", "tags": ["license:" + "x" * 100_000], "downloads": 4, "pipeline_tag": "a\x1b[31mb\nmodel | c",
         "cardData": {"language": ["en\u202e"] * 500}, "siblings": [{"rfilename": "../../x\n\x1b[2J", "size": 1}]},
    )  # fmt: skip
    with hub(hostile) as server:
        found = await search(server.url())
        assert "passwd" not in found
        assert len(found.splitlines()) == 2
        told = await model(server.url(), "acme/odd")
        assert max(map(len, told.splitlines())) < 1000
        assert len(told.splitlines()) == 17
        assert "\x1b" not in found + told


@pytest.mark.parametrize(
    ("name", "why"), [("acme/nothing", "no model 'acme/nothing'"), ("acme/locked", "gated"), ("a b", "not the id")]
)
async def test_hub_model_says_why_there_is_nothing(name: str, why: str) -> None:
    """Missing, gated and no id at all are three different answers."""
    with hub() as server, pytest.raises(ToolError, match=why):
        await model(server.url(), name)


@pytest.mark.parametrize("ask", [search, lambda endpoint: model(endpoint, "acme/x")])
async def test_hub_says_offline_at_once_when_nobody_answers(ask: Any) -> None:
    """In under a second, with nothing to look it up in: no 23 seconds of retries in the library."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(ToolError, match="cannot be reached"):
        await ask(f"http://127.0.0.1:{port}")
    assert time.monotonic() - began < 1


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
    monkeypatch.setattr(ask_hub, "HUB_S", 2.5)
    began = time.monotonic()
    with WebServer({"/api/models": drip()}) as server, pytest.raises(ToolError, match="in time"):
        await search(server.url())
    assert time.monotonic() - began < 12


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
    assert card.short_size(size) == text


async def test_offline_a_search_answers_from_the_catalogue_and_says_how_old_it_is(tmp_path: Path) -> None:
    """What was listed is kept; with the hub gone the same filters answer, dated, in under a second."""
    listings = Listings(Store(f"sqlite:///{tmp_path}/m.db"))
    with hub() as server:
        here = context(server.url(), listings=listings)
        online = await tools.hub_search.run(tools.hub_search.check({"task": "text-generation"}), here)
        await tools.hub_model.run({"model": "acme/tiny-sentiment"}, here)
    with contextlib.suppress(OSError):  # the listener of a server that was closed takes one more
        socket.create_connection(("127.0.0.1", server.port), 1).close()
    began = time.monotonic()
    offline = await tools.hub_search.run(tools.hub_search.check({"task": "text-generation"}), here)
    small = await tools.hub_search.run(tools.hub_search.check({"max_parameters": "100M", "query": "TINY"}), here)
    told = await tools.hub_model.run({"model": "acme/tiny-sentiment"}, here)
    assert time.monotonic() - began < 3
    today = datetime.now(UTC).date().isoformat()
    assert offline.startswith(online)
    assert f"from the catalogue of 3 models listed here before, the oldest of these today ({today})" in offline
    assert "acme/tiny-sentiment" in small
    assert "from the catalogue" in told
    with pytest.raises(ToolError, match="cannot be reached"):
        await tools.hub_model.run({"model": "acme/never-seen"}, here)


async def test_a_licence_nobody_knows_is_unknown_and_never_guessed() -> None:
    """Names that look permissive are not taken for it; the families the hub names have a line with a source."""
    assert licence_of("apache-3.0").commercial == "unknown"
    assert licence_of("cc-by-nc-4.0").commercial == "no"
    assert licence_of("cc-by-sa-4.0").share_alike == "yes"
    assert licence_of("llama3.1").commercial == "conditions"
    assert "https://" in licence_of("gpl-3.0").line()
    assert wanted_licence("Apache 2.0 license") == "apache-2.0"
