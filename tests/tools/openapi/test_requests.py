"""Requests of operations: every style of every place, as the OpenAPI specification's own table has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outrider.tools.openapi.operations import Operation, Parameter
from outrider.tools.openapi.request import build
from outrider.tools.tool import ToolContext, ToolError

LIST, OBJECT = ["blue", "black"], {"R": 100, "G": 200}


def asked(place: str, style: str, explode: bool, value: Any, path: str = "/x", **more: Any) -> str:
    parameter = Parameter("color", "color", place, style, explode, False, {}, **more)
    return build(Operation("o", "GET", path, "http://h", "", (parameter,)), {"color": value}).url.removeprefix(
        "http://h"
    )


@pytest.mark.parametrize(
    ("style", "explode", "value", "url"),
    [
        ("form", True, "blue", "/x?color=blue"), ("form", True, LIST, "/x?color=blue&color=black"),
        ("form", False, LIST, "/x?color=blue,black"), ("form", True, OBJECT, "/x?R=100&G=200"),
        ("form", False, OBJECT, "/x?color=R,100,G,200"), ("spaceDelimited", False, LIST, "/x?color=blue%20black"),
        ("pipeDelimited", False, LIST, "/x?color=blue%7Cblack"), ("deepObject", True, OBJECT, "/x?color[R]=100&color[G]=200"),
        ("form", True, "a b&c=d/é", "/x?color=a%20b%26c%3Dd%2F%C3%A9"), ("form", True, True, "/x?color=true"),
        ("form", True, "", "/x?color="), ("form", True, None, "/x"), ("tabDelimited", False, LIST, "/x?color=blue%09black"),
    ],
)  # fmt: skip
def test_a_query_is_written_in_its_style(style: str, explode: bool, value: Any, url: str) -> None:
    """And every reserved character is escaped."""
    assert asked("query", style, explode, value) == url


@pytest.mark.parametrize(
    ("style", "explode", "value", "url"),
    [
        ("simple", False, "blue", "/blue"), ("simple", False, LIST, "/blue,black"), ("simple", False, OBJECT, "/R,100,G,200"),
        ("simple", True, OBJECT, "/R=100,G=200"), ("label", False, "blue", "/.blue"), ("label", True, LIST, "/.blue.black"),
        ("label", True, OBJECT, "/.R=100.G=200"), ("matrix", False, "blue", "/;color=blue"), ("matrix", False, LIST, "/;color=blue,black"),
        ("matrix", True, LIST, "/;color=blue;color=black"), ("matrix", True, OBJECT, "/;R=100;G=200"),
        ("simple", False, "../admin?x", "/..%2Fadmin%3Fx"), ("simple", False, "..", "/%2E%2E"), ("simple", False, "a b", "/a%20b"),
    ],
)  # fmt: skip
def test_a_path_is_written_in_its_style_and_never_leads_up(style: str, explode: bool, value: Any, url: str) -> None:
    """A value cannot become another address."""
    assert asked("path", style, explode, value, "/{color}") == url


def test_an_empty_part_of_a_path_is_refused() -> None:
    """/pets/ is another operation than /pets/{id}."""
    with pytest.raises(ToolError, match="part of the address"):
        asked("path", "simple", False, "", "/{color}")


def test_headers_cookies_and_json_parameters_are_written() -> None:
    """Each in its place."""
    parameters = (
        Parameter("h", "X-H", "header", "simple", False, False, {}),
        Parameter("c", "session", "cookie", "form", False, False, {}),
        Parameter("f", "filter", "query", "form", True, False, {}, json=True),
    )
    request = build(Operation("o", "GET", "/x", "http://h/v1/", "", parameters), {"h": LIST, "c": "a;b", "f": {"a": 1}})
    assert request.headers == {"X-H": "blue,black", "Cookie": "session=a%3Bb"}
    assert request.url == "http://h/v1/x?filter=%7B%22a%22%3A%201%7D"


@pytest.mark.parametrize(
    ("kind", "value", "content"),
    [
        ("application/json", {"a": [1, "é"]}, '{"a": [1, "é"]}'),
        ("application/merge-patch+json", {"a": None}, '{"a": null}'),
        (
            "application/x-www-form-urlencoded",
            {"a": "b c", "l": [1, 2], "o": {"x": 1}},
            "a=b%20c&l=1&l=2&o=%7B%22x%22%3A%201%7D",
        ),
        ("text/plain", "hi", "hi"),
    ],
)
def test_a_body_is_written_by_its_media_type(kind: str, value: Any, content: str) -> None:
    """JSON, forms, text."""
    request = build(Operation("o", "POST", "/x", "http://h", "", (), kind, {}), {"body": value})
    assert request.content is not None
    assert request.content.decode() == content
    assert request.headers["Content-Type"] == kind


def test_a_multipart_body_sends_files_of_the_workspace(tmp_path: Path) -> None:
    """And nothing from elsewhere."""
    (tmp_path / "a.txt").write_text("content of a")
    schema = {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}, "n": {"type": "integer"}},
    }
    operation = Operation("o", "POST", "/x", "http://h", "", (), "multipart/form-data", schema)
    request = build(operation, {"body": {"file": "a.txt", "n": 3}}, ToolContext(workspace=tmp_path))
    assert request.content is not None
    assert b"content of a" in request.content
    assert b'name="n"\r\n\r\n3' in request.content
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    with pytest.raises(ToolError, match="outside the workspace"):
        build(operation, {"body": {"file": "/etc/passwd"}}, ToolContext(workspace=tmp_path))
    assert json.dumps(schema)
