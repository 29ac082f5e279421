"""`outrider tools add openapi`: added once, there in every new run, signed by a secret that goes to that server alone."""

from __future__ import annotations

import json

import pytest

from tests.cli.program import Program
from tests.servers.web import WebServer, answer


def spec(host: str) -> str:
    paths = {
        "/orders": {"get": {"operationId": "orders", "summary": "All open orders"}},
        "/bad": {"get": {"parameters": [{"$ref": "other.yaml#/x"}]}},
    }
    components = {"securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    document = {"openapi": "3.0.0", "info": {"title": "Shop"}, "servers": [{"url": f"http://{host}"}]}
    return json.dumps(document | {"paths": paths, "components": components})


def test_an_api_is_added_used_in_a_run_and_removed(program: Program) -> None:
    """The whole way of a person: add, list, call, run, remove."""
    with WebServer({"/orders": answer(b'["A-17"]', headers={"Content-Type": "application/json"})}) as web:
        (program.folder / "shop.json").write_text(spec(web.host))
        program.environment["SHOP_KEY"] = "s3cret-value-1"
        added = program(
            "tools", "add", "openapi", str(program.folder / "shop.json"), "--name", "shop", "--secret", "SHOP_KEY"
        )
        assert (added.code, added.out) == (0, f"added shop: 1 tool of Shop, at http://{web.host}\n")
        assert "left out: GET /bad: other.yaml#/x is in another file" in added.err
        assert "shop_orders" in program("tools", "list").out
        called = program("tools", "call", "shop_orders", "--allow-host", web.host)
        assert called.code == 0, called.err
        assert "A-17" in called.out
        assert web.requests[-1].headers["x-key"] == "s3cret-value-1"
        model = program.script({"tool": "shop_orders", "arguments": {}}, {"text": "A-17 is open"})
        ran = program("run", "which orders are open?", "--model", model, "--allow-host", web.host)
        assert ran.code == 0, ran.err
        assert "A-17 is open" in ran.out
        assert web.requests[-1].headers["x-key"] == "s3cret-value-1"
        assert "s3cret" not in program("show", "last", "--json").out
        assert program("tools", "remove", "shop").code == 0
        assert "shop_orders" not in program("tools", "list").out
        again = program("tools", "remove", "shop")
        assert again.code == 2
        assert "there is nothing" in again.err


@pytest.mark.parametrize(
    ("text", "why"), [("hello", "no `openapi`"), ('{"openapi": "3.0.0", "paths": {}}', "no operations")]
)
def test_what_is_no_api_is_not_added(program: Program, text: str, why: str) -> None:
    """And says why."""
    (program.folder / "x.yaml").write_text(text)
    done = program("tools", "add", "openapi", str(program.folder / "x.yaml"), "--name", "x")
    assert done.code == 2
    assert why in done.err
    assert not (program.home / "tools").exists()


def test_an_api_is_fetched_from_its_address(program: Program) -> None:
    """A private address needs the person's word."""
    with WebServer({"/spec": answer(spec("127.0.0.1:9").encode())}) as web:
        refused = program("tools", "add", "openapi", web.url("/spec"), "--name", "shop")
        assert refused.code == 2
        assert "--allow-host" in refused.err
        added = program("tools", "add", "openapi", web.url("/spec"), "--name", "shop", "--allow-host", web.host)
        assert added.code == 0, added.err
