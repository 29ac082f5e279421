"""A model hub on loopback: /api/models and /api/models/OWNER/NAME, as far as look-ups need them."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from tests.servers.web import Asked, Route, WebServer, answer

MODELS: tuple[dict[str, Any], ...] = (
    {
        "id": "acme/tiny-sentiment", "pipeline_tag": "text-classification", "library_name": "transformers", "likes": 42,
        "downloads": 9000, "gated": False, "tags": ["license:apache-2.0", "safetensors"], "cardData": {"license": "apache-2.0"},
        "safetensors": {"parameters": {"F32": 66955010}, "total": 66955010}, "lastModified": "2026-03-04T05:06:07.000Z",
    },
    {
        "id": "acme/huge-chat", "pipeline_tag": "text-generation", "library_name": "transformers", "likes": 7,
        "downloads": 500000, "gated": "manual", "tags": ["license:other"],
        "cardData": {"license": "other", "license_name": "acme-community"},
        "safetensors": {"parameters": {"BF16": 70553706496}, "total": 70553706496}, "lastModified": "2026-05-01T00:00:00.000Z",
    },
    {
        "id": "bits/little-chat-gguf", "pipeline_tag": "text-generation", "likes": 1, "downloads": 12, "gated": False,
        "tags": ["gguf", "license:mit"], "gguf": {"total": 1100048384}, "lastModified": "2025-12-31T00:00:00.000Z",
    },
    {"id": "bits/mystery", "likes": 0, "downloads": 3, "gated": False, "tags": []},
)  # fmt: skip


def hub(models: tuple[Mapping[str, Any], ...] = MODELS) -> WebServer:
    """A server that lists, filters by search, task and licence, and shows one model; "acme/locked" is gated."""
    routes: dict[str, Route] = {"/api/models": _list(models)}
    for model in models:
        routes[f"/api/models/{model['id']}"] = _json(model)
    routes["/api/models/acme/locked"] = _json({"error": "gated"}, 403, {"X-Error-Code": "GatedRepo"})
    routes["/api/models/acme/nothing"] = _json({"error": "no"}, 404, {"X-Error-Code": "RepoNotFound"})
    return WebServer(routes)


def _list(models: tuple[Mapping[str, Any], ...]) -> Route:
    def route(connection: socket.socket, asked: Asked) -> None:
        query = parse_qs(asked.query)
        rows = [
            model for model in models
            if query.get("search", [""])[0] in model["id"]
            and query.get("pipeline_tag", [model.get("pipeline_tag")])[0] == model.get("pipeline_tag")
            and all(tag in model["tags"] for tag in query.get("filter", []))
        ]  # fmt: skip
        rows.sort(key=lambda model: -model["downloads"])
        _json(rows[: int(query.get("limit", ["100"])[0])])(connection, asked)

    return route


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Route:
    return answer(
        json.dumps(value).encode(), status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )
