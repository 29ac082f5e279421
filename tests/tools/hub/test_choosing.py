"""Must hold: what hub_search and hub_choose give is what a direct filter over the cards gives, for task × licence × size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outrider.memory.errors import UsageError
from outrider.tools.hub import choose, hub_tools
from outrider.tools.tool import ToolContext
from tests.servers.hub import hub
from tests.servers.many_models import many_models
from tests.servers.web import WebServer

MODELS = many_models()
SIZES = {"": 0, "100M": 100_000_000, "500M": 500_000_000, "2B": 2_000_000_000, "10B": 10_000_000_000}
QUERIES = [
    (task, licence, size)
    for task in ("text-generation", "text-classification", "image-to-text", "translation", "text-to-image")
    for licence, size in (
        ("apache-2.0", ""), ("apache-2.0", "500M"), ("mit", ""), ("mit", "10B"), ("", "100M"), ("", "2B"), ("gpl-3.0", ""),
        ("cc-by-nc-4.0", "10B"), ("other", ""), ("", ""),
    )
]  # fmt: skip


def direct(task: str, licence: str, size: str) -> list[str]:
    """Ids that fit, the most downloaded first: the filter a person would write over the cards."""
    most = SIZES[size]

    def parameters(model: dict[str, Any]) -> int | None:
        told = model.get("safetensors") or model.get("gguf")
        return told["total"] if told else None

    good = [
        model
        for model in MODELS
        if model["pipeline_tag"] == task
        and (not licence or model["cardData"].get("license") == licence)
        and (not most or (parameters(model) is not None and parameters(model) <= most))
    ]
    return [model["id"] for model in sorted(good, key=lambda model: -model["downloads"])]


def ids(table: str) -> list[str]:
    """The first column of a table under its headings."""
    lines = table.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("model | ")), len(lines))
    rows = [line.split(" | ") for line in lines[start + 1 :]]
    return [row[0] for row in rows if len(row) == len(lines[start].split(" | "))]


def context(server: WebServer, **more: Any) -> ToolContext:
    return ToolContext(workspace=Path(), settings={"hub": {"endpoint": server.url(), **more}})


def same_downloads(found: list[str], wanted: list[str]) -> bool:
    """Equal as lists, but for the order of models with equal downloads."""
    downloads = {model["id"]: model["downloads"] for model in MODELS}
    return [downloads[one] for one in found] == [downloads[one] for one in wanted]


@pytest.mark.slow
@pytest.mark.timeout(1500)
async def test_fifty_queries_equal_a_direct_filter_over_the_cards() -> None:
    """640 cards, 5 tasks × 10 licences and sizes: the same models, in the order of their downloads, nothing else."""
    assert len(QUERIES) == 50
    assert await equal(QUERIES) > 500


async def test_searches_and_choices_equal_a_direct_filter_over_the_cards() -> None:
    """Four of the fifty, by task and size, by licence, and by both."""
    assert await equal(QUERIES[1:41:13]) > 5


async def equal(queries: list[tuple[str, str, str]]) -> int:
    """Hold each query against the direct filter; how many models were found in all."""
    found = 0
    with hub(MODELS) as server:
        for task, licence, size in queries:
            wanted = direct(task, licence, size)
            arguments = {"task": task, "licence": licence, "max_parameters": size}
            searched = await hub_tools.hub_search.run({**arguments, "query": "", "limit": 100}, context(server))
            chosen = await choose.hub_choose.run({**arguments, "query": "", "limit": 50}, context(server))
            assert same_downloads(ids(searched), wanted[:100]), (task, licence, size)
            assert len(wanted) > 100 or set(ids(searched)) == set(wanted), (task, licence, size)
            assert same_downloads(ids(chosen.split("left out")[0]), wanted[:50]), (task, licence, size)
            found += len(wanted)
    return found


async def test_a_hub_that_ignores_filters_and_pages_gives_the_same() -> None:
    """What the hub answers is filtered once more, and more is asked for where too little of it fits."""
    with hub(MODELS, filters=False) as server:
        arguments = {"task": "translation", "licence": "mit", "max_parameters": "2B", "query": "", "limit": 100}
        assert same_downloads(
            ids(await hub_tools.hub_search.run(arguments, context(server))), direct("translation", "mit", "2B")
        )


async def test_every_loser_is_told_why_it_lost() -> None:
    """By licence, by size that is too large or not stated, and for being gated; the same words every time."""
    with hub(MODELS) as server:
        own = context(server, licences=["apache-2.0", "mit"], max_parameters="500M", gated=False)
        arguments = {"task": "summarization", "query": "", "licence": "", "max_parameters": "", "limit": 5}
        said = await choose.hub_choose.run(arguments, own)
        assert said == await choose.hub_choose.run(arguments, own)
    cards = {model["id"]: model for model in MODELS}
    for line in said.partition("left out")[2].splitlines()[1:]:
        name, _, why = line.removeprefix("- ").partition(": ")
        card = cards[name]
        size = (card.get("safetensors") or card.get("gguf") or {}).get("total")
        assert ("licence" in why) == (card["cardData"].get("license") not in ("apache-2.0", "mit"))
        assert ("parameters" in why or "not stated" in why) == (size is None or size > 500_000_000)
        assert ("gated" in why) == bool(card["gated"])
        assert why


async def test_a_call_narrows_the_persons_policy_and_never_widens_it() -> None:
    """A licence the person did not allow stays out, whatever the model asks for."""
    with hub(MODELS) as server:
        arguments = {"task": "translation", "query": "", "licence": "cc-by-nc-4.0", "max_parameters": "70B", "limit": 5}
        said = await choose.hub_choose.run(arguments, context(server, licences=["mit"], max_parameters="1B"))
        assert "no model for translation passes the policy" in said


def test_a_policy_that_means_nothing_is_refused() -> None:
    """A rank nobody knows is an error that names those there are."""
    with pytest.raises(UsageError, match="no such rank"):
        choose.HubPolicy.of({"rank": ["vibes"]})
