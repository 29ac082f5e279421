"""OpenAPI documents: each version, circles, bad operations, other files; and the calls as a server sees them."""

from __future__ import annotations

import base64
import copy
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from outrider.memory.errors import UsageError
from outrider.tools.builtin import collect, from_file
from outrider.tools.openapi.added import Added, add, added_files, remove, secret_words
from outrider.tools.openapi.api_tools import Api, read_api
from outrider.tools.tool import Tool, ToolContext, ToolError
from tests.servers.web import Asked, WebServer, answer

PETS: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "http://{host}/v1", "variables": {"host": {"default": "HOST"}}}],
    "components": {
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["name", "id"],
                "properties": {
                    "id": {"type": "integer", "readOnly": True},
                    "name": {"type": "string", "minLength": 1},
                    "age": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "nullable": True},
                    "parent": {"$ref": "#/components/schemas/Pet"},
                },
            }
        },
        "parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}},
    },
    "paths": {
        "/pets": {
            "get": {
                "operationId": "list pets",
                "summary": "All the pets there are",
                "parameters": [
                    {"$ref": "#/components/parameters/limit"},
                    {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                ],
            },
            "post": {
                "operationId": "createPet",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                },
            },
        },
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {},
            "delete": {"operationId": "list-pets"},
        },
        "/bad": {"get": {"operationId": "elsewhere", "parameters": [{"$ref": "http://127.0.0.1:9/p.json#/x"}]}},
        "/nothing": {"get": {"parameters": [{"$ref": "#/components/parameters/none"}]}},
        "/circle": {"$ref": "#/paths/~1circle"},
    },
}


def document(server: str = "example.org", **more: Any) -> str:
    return json.dumps(copy.deepcopy(PETS) | more).replace("HOST", server)


def by_name(api: Api) -> dict[str, Tool]:
    return {tool.name: tool for tool in api.tools}


async def call(tool: Tool, ctx: ToolContext, **arguments: Any) -> str:
    text = await tool.run(tool.check(arguments), ctx)
    assert isinstance(text, str)
    return text


def echo(connection: socket.socket, asked: Asked) -> None:
    shown = {
        "line": f"{asked.method} {asked.path}?{asked.query}",
        "headers": dict(asked.headers),
        "body": asked.body.decode(),
    }
    answer(json.dumps(shown).encode(), headers={"Content-Type": "application/json"})(connection, asked)


def test_every_good_operation_is_a_tool_and_every_bad_one_is_reported() -> None:
    """Circles are cut, other files are not read, names are unique."""
    api = read_api(document(), "pets")
    assert sorted(by_name(api)) == ["pets_createPet", "pets_get_pets_id", "pets_list-pets", "pets_list_pets"]
    assert api.left_out == {
        "GET /bad": "http://127.0.0.1:9/p.json#/x is in another file, and no other file is read",
        "GET /nothing": "#/components/parameters/none refers to nothing",
        "/circle": "#/paths/~1circle refers to itself",
    }
    create = by_name(api)["pets_createPet"]
    body = create.parameters["properties"]["body"]
    assert body["required"] == ["name"]
    assert body["properties"]["age"] == {"type": ["integer", "null"], "exclusiveMinimum": 0}
    assert [create.effect_of({}), by_name(api)["pets_list_pets"].effect_of({})] == ["network", "read"]
    assert {tool.origin for tool in api.tools} == {"untrusted"}
    assert (
        by_name(api)["pets_list_pets"].description == "GET /pets, of which its document says: “All the pets there are”"
    )


def test_arguments_are_checked_before_anything_is_sent() -> None:
    """What is wrong, and what would be right."""
    tools = by_name(read_api(document(), "pets"))
    for name, arguments, why in (
        ("pets_list_pets", {"limit": 1000}, "1000 is greater than the maximum of 100"),
        ("pets_list_pets", {"limt": 1}, "limt"),
        ("pets_get_pets_id", {}, "id"),
        ("pets_createPet", {"body": {"name": ""}}, "body.name"),
    ):
        with pytest.raises(ToolError, match=why) as refused:
            tools[name].check(arguments)
        assert "call it as" in refused.value.fix


async def test_the_server_sees_the_request_the_document_says() -> None:
    """Method, path, query, body."""
    routes = {"/v1/pets": echo, "/v1/pets/7": echo}
    with WebServer(routes) as web:
        ctx = ToolContext(workspace=Path(), allowed_hosts=(web.host,))
        tools = by_name(read_api(document(web.host), "pets"))
        assert '"GET /v1/pets?limit=5&tags=a&tags=b%20c"' in await call(
            tools["pets_list_pets"], ctx, limit=5, tags=["a", "b c"]
        )
        assert '"GET /v1/pets/7?"' in await call(tools["pets_get_pets_id"], ctx, id=7)
        said = await call(tools["pets_createPet"], ctx, body={"name": "Rex", "age": None})
        assert '"POST /v1/pets?"' in said
        assert json.loads(web.requests[-1].body) == {"name": "Rex", "age": None}


async def test_a_private_server_needs_the_persons_word() -> None:
    """A document from a stranger may name the machine's own network."""
    with WebServer({"/v1/pets": echo}) as web:
        tools = by_name(read_api(document(web.host), "pets"))
        with pytest.raises(ToolError, match=r"--allow-host"):
            await call(tools["pets_list_pets"], ToolContext(workspace=Path()))
        assert not web.requests


@pytest.mark.parametrize(
    ("scheme", "where", "value"),
    [
        ({"type": "http", "scheme": "bearer"}, "authorization", "Bearer id:s3cret"),
        ({"type": "http", "scheme": "basic"}, "authorization", f"Basic {base64.b64encode(b'id:s3cret').decode()}"),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, "x-key", "id:s3cret"),
        ({"type": "apiKey", "in": "cookie", "name": "key"}, "cookie", "key=id%3As3cret"),
        ({"type": "apiKey", "in": "query", "name": "key"}, "", "key=id%3As3cret"),
        (None, "authorization", "Bearer id:s3cret"),
    ],
)
async def test_a_named_secret_signs_the_calls_in_the_documents_way(scheme: Any, where: str, value: str) -> None:
    """Bearer, basic, a key in a header, a cookie or the query."""
    more = copy.deepcopy(PETS["components"]) | {"securitySchemes": {"s": scheme} if scheme else {}}
    with WebServer({"/v1/pets": echo}) as web:
        tools = by_name(read_api(document(web.host, components=more), "pets", secret="KEY"))
        ctx = ToolContext(workspace=Path(), allowed_hosts=(web.host,), secret={"KEY": "id:s3cret"}.get)
        await call(tools["pets_list_pets"], ctx)
        seen = web.requests[0]
        assert (seen.headers[where] if where else seen.query) == value
        bound = ToolContext(
            workspace=Path(),
            allowed_hosts=(web.host,),
            secret={"KEY": "x"}.get,
            secret_hosts={"KEY": ("other.example",)},
        )
        with pytest.raises(ToolError, match="may only go to"):
            await call(tools["pets_list_pets"], bound)
        with pytest.raises(ToolError, match="there is no secret KEY"):
            await call(tools["pets_list_pets"], ToolContext(workspace=Path(), allowed_hosts=(web.host,)))


async def test_client_credentials_get_a_token_once() -> None:
    """OAuth2 for programs: the token is asked for by the first call of a run."""
    with WebServer({"/v1/pets": echo, "/token": answer(b'{"access_token": "t0k"}')}) as web:
        flow = {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": web.url("/token"), "scopes": {}}}}
        more = copy.deepcopy(PETS["components"]) | {"securitySchemes": {"o": flow}}
        tools = by_name(read_api(document(web.host, components=more), "pets", secret="KEY"))
        ctx = ToolContext(workspace=Path(), allowed_hosts=(web.host,), secret={"KEY": "id:s3cret"}.get)
        for _ in range(2):
            await call(tools["pets_list_pets"], ctx)
        assert [one.path for one in web.requests] == ["/token", "/v1/pets", "/v1/pets"]
        assert web.requests[1].headers["authorization"] == "Bearer t0k"


async def test_a_swagger_2_document_becomes_tools_too() -> None:
    """Body, form fields, collection formats, base path."""
    old = {
        "swagger": "2.0", "info": {"title": "Old"}, "host": "HOST", "basePath": "/v2", "schemes": ["http"],
        "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "paths": {
            "/pets": {
                "post": {"operationId": "add", "parameters": [{"in": "body", "name": "pet", "required": True, "schema": {"$ref": "#/definitions/Pet"}}]},
                "get": {"operationId": "find", "parameters": [{"in": "query", "name": "ids", "type": "array", "items": {"type": "integer"}, "collectionFormat": "pipes"}]},
            },
            "/form": {"post": {"operationId": "form", "parameters": [{"in": "formData", "name": "a", "type": "string", "required": True}]}},
        },
    }  # fmt: skip
    with WebServer({"/v2/pets": echo, "/v2/form": echo}) as web:
        tools = by_name(read_api(json.dumps(old).replace("HOST", web.host), "old"))
        ctx = ToolContext(workspace=Path(), allowed_hosts=(web.host,))
        assert "ids=1%7C2" in await call(tools["old_find"], ctx, ids=[1, 2])
        await call(tools["old_add"], ctx, body={"name": "Rex"})
        assert json.loads(web.requests[-1].body) == {"name": "Rex"}
        await call(tools["old_form"], ctx, body={"a": "b c"})
        assert web.requests[-1].body == b"a=b%20c"


def test_a_3_1_document_in_yaml_becomes_tools() -> None:
    """Types in lists, dates that stay text, a server beside the document."""
    text = """
openapi: 3.1.0
info: {title: New, version: 2026-01-01}
paths:
  /x:
    get:
      parameters:
        - {name: day, in: query, schema: {type: [string, "null"], default: 2026-01-01}}
"""
    api = read_api(text, "new", base="https://api.example.org/spec/openapi.yaml")
    assert by_name(api)["new_get_x"].parameters["properties"]["day"] == {
        "type": ["string", "null"],
        "default": "2026-01-01",
    }
    assert api.server == "https://api.example.org/"


async def test_a_large_api_is_searched_and_called_by_name() -> None:
    """Above forty operations a model gets two tools, and the policy still sees what a call does."""
    paths = {
        f"/thing{n}": {
            "get": {"operationId": f"getThing{n}", "summary": f"Reads the thing number {n}"},
            "post": {"operationId": f"makeThing{n}"},
        }
        for n in range(30)
    }
    paths["/invoices/{id}"] = {"get": {"operationId": "getInvoice", "summary": "One invoice with its lines"}}
    with WebServer({"/v1/invoices/7": echo}) as web:
        tools = by_name(read_api(document(web.host, paths=paths), "big"))
        assert sorted(tools) == ["big_call_operation", "big_find_operation"]
        ctx = ToolContext(workspace=Path(), allowed_hosts=(web.host,))
        found = tools["big_find_operation"].run(tools["big_find_operation"].check({"words": "an invoice"}), ctx)
        assert found.startswith(
            "getInvoice: GET /invoices/{id}, of which its document says: “One invoice with its lines” arguments: "
        )
        caller = tools["big_call_operation"]
        assert "GET /v1/invoices/7?" in await call(caller, ctx, operation="getInvoice", arguments={"id": "7"})
        assert caller.effect_of({"operation": "getInvoice"}) == "read"
        assert caller.effect_of({"operation": "makeThing3"}) == "network"
        with pytest.raises(ToolError, match="did you mean getInvoice"):
            caller.check({"operation": "getInvoices", "arguments": {}})
        with pytest.raises(ToolError, match="getInvoice do not fit"):
            caller.check({"operation": "getInvoice", "arguments": {"idd": 1}})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "no `openapi`"),
        ('{"openapi": "9.0"}', "says version"),
        ("[1]", "no `openapi`"),
        ("a: [", "neither JSON nor YAML"),
        ('{"openapi": "3.0.0", "paths": {}}', "no operations"),
        ('{"openapi": "3.0.0", "paths": {"/x": {"get": {}}}}', "names no server"),
        ("[" * 100_000, "nested too deep"),
        ("a: &a [x]\nb: !!python/object/apply:os.system ['true']", "neither JSON nor YAML"),
    ],
)
def test_what_is_no_openapi_document_is_refused_with_a_reason(text: str, why: str) -> None:
    """Before it is kept."""
    with pytest.raises(UsageError, match=why):
        read_api(text, "x")


def test_a_document_is_kept_read_and_removed(tmp_path: Path) -> None:
    """One file each; a plain file can be given as a tools file too."""
    file, api = add(tmp_path / "tools", Added("pets", document(), "KEY", "", "pets.json"))
    assert api.operations == 4
    assert added_files(tmp_path / "tools") == (str(file),)
    assert [tool.name for tool in from_file(file)] == [tool.name for tool in api.tools]
    assert {tool.name for tool in collect((), [file])} == {tool.name for tool in api.tools}
    assert list(secret_words((str(file),))) == ["KEY@example.org:80"]
    (tmp_path / "shop.yaml").write_text(document())
    assert "shop_createPet" in [tool.name for tool in from_file(tmp_path / "shop.yaml")]
    assert remove(tmp_path / "tools", "pets")
    assert not remove(tmp_path / "tools", "pets")
    assert not remove(tmp_path / "tools", "../shop")
    with pytest.raises(UsageError, match="cannot be a name"):
        add(tmp_path, Added("../x", document()))
