"""Which tools a model is told of: all of a few; of many those that fit, and a way to the others."""

from __future__ import annotations

import json

from outrider.agent.models.model import Reply, Request
from outrider.memory.store import Store
from outrider.tools.openapi.api_tools import read_api
from outrider.tools.tool import Tool, tool
from tests.agent.helpers import Actor, call, calls, observations, run, says

ANIMALS = [f"{kind}{n}" for kind in ("otter", "heron", "badger", "lynx", "marten", "viper") for n in range(10)]


def about(name: str) -> Tool:
    @tool(name=f"count_{name}")
    def count() -> str:
        """Count them."""
        return f"{name}: 3"

    from dataclasses import replace

    return replace(count, description=f"How many {name[:-1]}s were seen in area {name[-1]}.")


def test_with_sixty_tools_the_model_gets_a_part_and_finds_the_others(store: Store) -> None:
    """At most twenty and find_tool; one that was found is offered from then on, and can be called."""
    wanted: list[set[str]] = []

    def reply(request: Request) -> Reply:
        wanted.append({one.name for one in request.tools})
        if len(wanted) == 1:
            return calls(call("find_tool", json.dumps({"query": "how many vipers were seen in area 9"})))
        return calls(call("count_viper9")) if len(wanted) == 2 else says("3 vipers")

    done = run(store, Actor(reply), [about(name) for name in ANIMALS], goal="look at the otters")
    assert len(wanted[0]) == 21
    assert "find_tool" in wanted[0]
    assert "count_otter3" in wanted[0]
    assert "count_viper9" not in wanted[0]
    assert "count_viper" in observations(done)[0]
    assert {name for name in wanted[1] if "viper" in name}
    assert observations(done)[1] == "viper9: 3"


def test_forty_tools_are_all_told(store: Store) -> None:
    """The limit itself: nothing is hidden."""
    model = Actor(says("done"))
    run(store, model, [about(name) for name in ANIMALS[:40]])
    assert len(model.asked[0].tools) == 40


def test_an_api_of_three_hundred_operations_is_two_tools_and_each_can_be_found(store: Store) -> None:
    """find_operation tells of it, and the call of what it told is built right."""
    paths = {
        f"/{name}/{n}": {"get": {"operationId": f"get_{name}_{n}", "summary": f"Read {name} number {n}"}}
        for name in ("invoice", "customer", "parcel")
        for n in range(100)
    }
    api = read_api(json.dumps({"openapi": "3.1.0", "servers": [{"url": "https://x.example"}], "paths": paths}), "shop")
    assert (len(api.tools), api.operations) == (2, 300)
    find = next(one for one in api.tools if "find" in one.name)
    done = run(
        store,
        Actor(calls(call(find.name, json.dumps({"words": "read parcel number 77"}))), says("done")),
        list(api.tools),
    )
    assert "get_parcel_77" in observations(done)[0]
