"""The operations of an OpenAPI document, each as what a tool needs: name, parameters with their places, body, server.
Touches nothing. Does not promise: every operation; those that cannot become tools are reported with the reason.
Start reading at `read_operations`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urljoin

from outrider.tools.openapi.reading import Schemas, Unusable, follow

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
MAX_NAME = 64
_BODIES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the request. place: path, query, header or cookie. name: what the model calls it; wire: on the wire."""

    name: str
    wire: str
    place: str
    style: str
    explode: bool
    required: bool
    schema: dict[str, Any]
    json: bool = False  # its value is sent as JSON text
    raw: bool = False  # reserved characters are allowed


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. body_type: the media type of the body, "" without one; body_fields: the body's own fields are arguments."""

    name: str
    method: str
    path: str
    server: str
    description: str
    parameters: tuple[Parameter, ...]
    body_type: str = ""
    body_schema: dict[str, Any] = field(default_factory=dict)
    body_required: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What a document gave: operations, and for those that were left out `{"GET /pets": why}`."""

    title: str
    operations: tuple[Operation, ...]
    left_out: dict[str, str]
    security: dict[str, Any]


def read_operations(document: dict[str, Any], *, base: str = "") -> Read:
    """Every operation that can become a tool. base: where the document came from, for servers without a host."""
    found: list[Operation] = []
    left_out: dict[str, str] = {}
    names: set[str] = set()
    for path, item in document.get("paths", {}).items():
        try:
            item = follow(document, item)
        except Unusable as error:
            left_out[str(path)] = str(error)
            continue
        if not isinstance(item, dict):
            left_out[str(path)] = "it is no object"
            continue
        for method in METHODS:
            if method not in item:
                continue
            try:
                operation = _Reader(document, base, str(path), method, item).read()
            except (Unusable, TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
                left_out[f"{method.upper()} {path}"] = str(error)[:300] or type(error).__name__
                continue
            name = _unique(operation.name, names)
            names.add(name)
            found.append(_renamed(operation, name))
    info = document.get("info")
    title = str(info.get("title", "")) if isinstance(info, dict) else ""
    return Read(title, tuple(found), left_out, _security(document))


def _renamed(operation: Operation, name: str) -> Operation:
    return replace(operation, name=name)


def _unique(name: str, taken: set[str]) -> str:
    count, one = 1, name
    while one in taken:
        count += 1
        one = f"{name[: MAX_NAME - len(str(count)) - 1]}_{count}"
    return one


def _security(document: dict[str, Any]) -> dict[str, Any]:
    components = document.get("components")
    schemes = components.get("securitySchemes") if isinstance(components, dict) else document.get("securityDefinitions")
    found = {}
    for name, scheme in (schemes or {}).items() if isinstance(schemes, dict) else ():
        try:
            found[str(name)] = follow(document, scheme)
        except Unusable:
            continue
    return {name: scheme for name, scheme in found.items() if isinstance(scheme, dict)}


def plain_name(text: str) -> str:
    """A name that every provider takes: letters, digits, _ and -, not a digit first."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-") or "operation"
    return (name if re.match(r"[A-Za-z_]", name) else f"op_{name}")[:MAX_NAME]


class _Reader:
    """Reads one operation."""

    def __init__(self, document: dict[str, Any], base: str, path: str, method: str, item: dict[str, Any]) -> None:
        self._document, self._base, self._path, self._method, self._item = document, base, path, method, item
        self._schemas = Schemas(document)
        self._two = "swagger" in document

    def read(self) -> Operation:
        node = follow(self._document, self._item[self._method])
        if not isinstance(node, dict):
            raise Unusable("it is no object")
        told = [self._parameter(one) for one in self._all_parameters(node)]
        parameters = _distinct([one for one in told if isinstance(one, Parameter)])
        missing = set(re.findall(r"\{([^{}]+)\}", self._path)) - {one.wire for one in parameters if one.place == "path"}
        parameters += [
            Parameter(plain_name(wire), wire, "path", "simple", False, True, {"type": "string"})
            for wire in sorted(missing)
        ]
        body_type, schema, required = self._body(node)
        return Operation(
            plain_name(str(node.get("operationId") or f"{self._method}{self._path}")),
            self._method.upper(), self._path, self._server(node), self._description(node), tuple(parameters),
            body_type, schema, required,
        )  # fmt: skip

    def _description(self, node: dict[str, Any]) -> str:
        said = [str(node.get(key) or "") for key in ("summary", "description")]
        text = said[0] if len(said[0]) > 15 else ". ".join(filter(None, said))
        return f"{'Deprecated. ' if node.get('deprecated') is True else ''}{' '.join(text.split())[:300]}".strip()

    def _all_parameters(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        """The path's parameters, and the operation's own over them."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for one in [*(self._item.get("parameters") or []), *(node.get("parameters") or [])]:
            plain = follow(self._document, one)
            if isinstance(plain, dict) and isinstance(plain.get("name"), str) and isinstance(plain.get("in"), str):
                found[plain["name"], plain["in"]] = plain
        return list(found.values())

    def _parameter(self, node: dict[str, Any]) -> Parameter | None:
        """A parameter outside the body; None for one that is not a model's to give."""
        wire, place = node["name"], node["in"]
        if place not in ("path", "query", "header", "cookie"):
            return None
        if place == "header" and wire.lower() in ("accept", "content-type", "authorization"):
            return None
        content = node.get("content")
        as_json = isinstance(content, dict) and bool(content)
        source = next(iter(content.values())) if as_json and isinstance(content, dict) else node
        schema = self._schemas.plain(source.get("schema") or {}) if not self._two else self._schemas.plain(node)
        if isinstance(node.get("description"), str):
            schema["description"] = " ".join(node["description"].split())[:200]
        style, explode = self._style(node, place)
        required = place == "path" or node.get("required") is True
        if self._two:
            schema.pop("required", None)
        return Parameter(
            plain_name(wire), wire, place, style, explode, required, schema, as_json, node.get("allowReserved") is True
        )

    def _style(self, node: dict[str, Any], place: str) -> tuple[str, bool]:
        if self._two:
            form = str(node.get("collectionFormat") or "csv")
            styles = {
                "csv": "form",
                "ssv": "spaceDelimited",
                "tsv": "tabDelimited",
                "pipes": "pipeDelimited",
                "multi": "form",
            }
            return ("simple" if place in ("path", "header") else styles.get(form, "form")), form == "multi"
        usual = "simple" if place in ("path", "header") else "form"
        style = str(node.get("style") or usual)
        return style, bool(node.get("explode", style == "form"))

    def _body(self, node: dict[str, Any]) -> tuple[str, dict[str, Any], bool]:
        if self._two:
            return self._old_body(node)
        body = follow(self._document, node.get("requestBody"))
        content = body.get("content") if isinstance(body, dict) else None
        if not isinstance(content, dict) or not content:
            return "", {}, False
        kind = next((one for wanted in _BODIES for one in content if one.split(";")[0].strip().lower() == wanted), "")
        kind = kind or next((one for one in content if "json" in one.lower()), "") or next(iter(content))
        media = content[kind]
        schema = self._schemas.plain(media.get("schema") or {}) if isinstance(media, dict) else {}
        sent = "application/json" if kind.strip() in ("*/*", "application/*") else kind
        return sent, schema, body.get("required") is True

    def _old_body(self, node: dict[str, Any]) -> tuple[str, dict[str, Any], bool]:
        consumes = node.get("consumes") or self._document.get("consumes") or ["application/json"]
        parameters = self._all_parameters(node)
        if whole := next((one for one in parameters if one["in"] == "body"), None):
            kind = next((str(one) for one in consumes if "json" in str(one)), str(consumes[0]))
            return kind, self._schemas.plain(whole.get("schema") or {}), whole.get("required") is True
        fields = [one for one in parameters if one["in"] == "formData"]
        if not fields:
            return "", {}, False
        files = any(one.get("type") == "file" for one in fields)
        properties = {}
        for one in fields:
            properties[one["name"]] = self._schemas.plain(one)
            properties[one["name"]].pop("required", None)
            if one.get("type") == "file":
                properties[one["name"]]["format"] = "binary"
        required = [one["name"] for one in fields if one.get("required") is True]
        kind = (
            "multipart/form-data" if files or "multipart/form-data" in consumes else "application/x-www-form-urlencoded"
        )
        return kind, {"type": "object", "properties": properties, "required": required}, bool(required)

    def _server(self, node: dict[str, Any]) -> str:
        if self._two:
            schemes = self._document.get("schemes") or ["https"]
            scheme = "https" if "https" in schemes else str(schemes[0])
            host = str(self._document.get("host") or "")
            path = str(self._document.get("basePath") or "")
            return f"{scheme}://{host}{path}" if host else urljoin(self._base, path)
        for holder in (node, self._item, self._document):
            servers = holder.get("servers")
            if isinstance(servers, list) and servers and isinstance(servers[0], dict):
                return urljoin(self._base, self._filled(servers[0]))
        return urljoin(self._base, "/") if self._base else ""

    def _filled(self, server: dict[str, Any]) -> str:
        """The server's address with the defaults of its variables."""
        url = str(server.get("url") or "")
        for name, variable in (server.get("variables") or {}).items():
            if isinstance(variable, dict):
                url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        return url


def _distinct(parameters: list[Parameter]) -> list[Parameter]:
    """Parameters of one name in two places, or of two names that look the same to a model, get names of their own."""
    taken: set[str] = set()
    out = []
    for one in parameters:
        name = one.name if one.name not in taken else _unique(f"{one.name}_{one.place}"[:MAX_NAME], taken)
        taken.add(name)
        out.append(replace(one, name=name))
    return out
