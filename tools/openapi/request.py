"""Builds the request of an operation: path, query, headers, cookies and body in the styles that OpenAPI knows.
May touch: reads files of the workspace that a multipart body names. Does not promise: XML bodies; they are sent as text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from outrider.tools.files.paths import open_file, place, shown
from outrider.tools.openapi.operations import Operation, Parameter
from outrider.tools.tool import ToolContext, ToolError

MAX_FILES = 20_000_000  # bytes
_RESERVED = ":/?#[]@!$&'()*+,;="


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out. `url` is whole."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None


def build(operation: Operation, arguments: Mapping[str, Any], context: ToolContext | None = None) -> Request:
    """The request of a call. Raises ToolError for an argument that has no place in it."""
    path, query, headers, cookies = operation.path, [], dict[str, str](), []
    for one in operation.parameters:
        if arguments.get(one.name) is None:
            continue
        value = arguments[one.name]
        if one.place == "path":
            path = path.replace(f"{{{one.wire}}}", _in_path(one, value))
        elif one.place == "query":
            query += _in_query(one, value)
        elif one.place == "header":
            headers[one.wire] = _header(one, value)
        else:
            cookies.append(f"{one.wire}={quote(_joined(value, ','), safe='')}")
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    content, kind = _body(operation, arguments.get("body"), context)
    if kind:
        headers["Content-Type"] = kind
    base = operation.server.rstrip("/")
    joiner = "&" if "?" in path else "?"
    return Request(operation.method, base + path + (joiner + "&".join(query) if query else ""), headers, content)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict | list)
        else str(value)
    )


def _joined(value: Any, by: str) -> str:
    if isinstance(value, list):
        return by.join(map(_text, value))
    if isinstance(value, dict):
        return by.join(f"{key}{by}{_text(inner)}" for key, inner in value.items())
    return _text(value)


def _in_path(one: Parameter, value: Any) -> str:
    def safe(inner: Any) -> str:
        text = quote(_text(inner), safe="")
        return text.replace(".", "%2E") if text in (".", "..") else text  # no way up

    if one.json:
        return safe(json.dumps(value, ensure_ascii=False))
    items = value if isinstance(value, list) else None
    pairs = list(value.items()) if isinstance(value, dict) else None
    name = quote(one.wire, safe="")
    if one.style == "label":
        if pairs is not None:
            return "." + (
                ".".join(f"{safe(k)}={safe(v)}" for k, v in pairs)
                if one.explode
                else ",".join(f"{safe(k)},{safe(v)}" for k, v in pairs)
            )
        return "." + ((("." if one.explode else ",").join(map(safe, items))) if items is not None else safe(value))
    if one.style == "matrix":
        if pairs is not None:
            return (
                "".join(f";{safe(k)}={safe(v)}" for k, v in pairs)
                if one.explode
                else f";{name}=" + ",".join(f"{safe(k)},{safe(v)}" for k, v in pairs)
            )
        if items is not None:
            return (
                "".join(f";{name}={safe(item)}" for item in items)
                if one.explode
                else f";{name}=" + ",".join(map(safe, items))
            )
        return f";{name}={safe(value)}"
    if pairs is not None:
        return ",".join(f"{safe(k)}={safe(v)}" if one.explode else f"{safe(k)},{safe(v)}" for k, v in pairs)
    result = ",".join(map(safe, items)) if items is not None else safe(value)
    if not result:
        raise ToolError(f"{one.name} is empty", "it is a part of the address", "give a value")
    return result


def _in_query(one: Parameter, value: Any) -> list[str]:
    safe_characters = _RESERVED.replace("&", "").replace("#", "").replace("=", "").replace("+", "") if one.raw else ""

    def safe(inner: Any) -> str:
        return quote(_text(inner), safe=safe_characters)

    name = quote(one.wire, safe="[]")
    if one.json:
        return [f"{name}={safe(json.dumps(value, ensure_ascii=False))}"]
    if isinstance(value, dict):
        if one.style == "deepObject":
            return _deep(name, value, safe)
        if one.explode:
            return [f"{quote(str(k), safe='')}={safe(v)}" for k, v in value.items()]
        return [f"{name}=" + ",".join(f"{safe(k)},{safe(v)}" for k, v in value.items())]
    if isinstance(value, list):
        if one.explode and one.style in ("form", "deepObject"):
            return [f"{name}={safe(item)}" for item in value]
        by = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}.get(one.style, ",")
        return [f"{name}=" + by.join(map(safe, value))]
    return [f"{name}={safe(value)}"]


def _deep(name: str, value: Mapping[str, Any], safe: Any) -> list[str]:
    out: list[str] = []
    for key, inner in value.items():
        place = f"{name}[{quote(str(key), safe='')}]"
        if isinstance(inner, dict):
            out += _deep(place, inner, safe)
        elif isinstance(inner, list):
            out += [f"{place}={safe(item)}" for item in inner]
        else:
            out.append(f"{place}={safe(inner)}")
    return out


def _header(one: Parameter, value: Any) -> str:
    if one.json:
        return json.dumps(value)
    if isinstance(value, dict) and one.explode:
        return ",".join(f"{key}={_text(inner)}" for key, inner in value.items())
    return _joined(value, ",")


# ---- the body --------------------------------------------------------------------------------------------------------


def _body(operation: Operation, value: Any, context: ToolContext | None) -> tuple[bytes | None, str]:
    if value is None or not operation.body_type:
        return None, ""
    kind = operation.body_type.split(";")[0].strip().lower()
    if "json" in kind:
        return json.dumps(value, ensure_ascii=False).encode(), operation.body_type
    if kind == "application/x-www-form-urlencoded" and isinstance(value, dict):
        pairs = [
            (key, item) for key, inner in value.items() for item in (inner if isinstance(inner, list) else [inner])
        ]
        return "&".join(f"{quote(str(k), safe='')}={quote(_text(v), safe='')}" for k, v in pairs).encode(), kind
    if kind == "multipart/form-data" and isinstance(value, dict):
        return _multipart(operation, value, context)
    return _text(value).encode("utf-8", "replace"), operation.body_type


def _multipart(operation: Operation, value: Mapping[str, Any], context: ToolContext | None) -> tuple[bytes, str]:
    import httpx2

    properties = operation.body_schema.get("properties") or {}
    fields, files = {}, []
    for name, inner in value.items():
        schema = properties.get(name) or {}
        if schema.get("format") in ("binary", "byte") and isinstance(inner, str) and context is not None:
            files.append((name, _file(inner, context)))
        else:
            fields[name] = _text(inner)
    if not files:  # httpx2 writes multipart only where there is a file
        plain = [(name, (None, text.encode())) for name, text in fields.items()]
        request = httpx2.Request("POST", "http://form/", files=plain)
    else:
        request = httpx2.Request("POST", "http://form/", data=fields, files=files)
    return request.read(), request.headers["content-type"]


def _file(path: str, context: ToolContext) -> tuple[str, bytes]:
    with place(context.workspace, path) as at, os.fdopen(open_file(at, path), "rb") as file:
        data = file.read(MAX_FILES + 1)
        if len(data) > MAX_FILES:
            raise ToolError(f"{shown(path)} is too large to send", f"over {MAX_FILES:,} bytes", "send a smaller file")
        return shown(at.name), data
