"""A model hub on loopback: /api/models and /api/models/OWNER/NAME in the shape of the real one, with its filters and pages."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.servers.web import Asked, Route, WebServer, answer

MODELS: tuple[dict[str, Any], ...] = (
    {
        "id": "acme/tiny-sentiment", "pipeline_tag": "text-classification", "library_name": "transformers", "likes": 42,
        "downloads": 9000, "gated": False, "tags": ["license:apache-2.0", "safetensors"],
        "cardData": {
            "license": "apache-2.0", "language": ["en"], "datasets": ["sst2"], "base_model": "acme/base",
            "model-index": [{"name": "tiny", "results": [{
                "task": {"type": "text-classification"}, "dataset": {"name": "SST-2", "type": "glue"},
                "metrics": [{"type": "accuracy", "value": 0.91, "name": "Accuracy"}],
            }]}],
        },
        "siblings": [{"rfilename": "README.md", "size": 2048}, {"rfilename": "model.safetensors", "size": 267832560}],
        "inferenceProviderMapping": [
            {"provider": "hf-inference", "providerId": "acme/tiny-sentiment", "task": "text-classification", "status": "live"},
        ],
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


PAGE = 200  # models of one answer at the most; the rest is behind its Link header


def hub(
    models: Sequence[Mapping[str, Any]] = MODELS, *, filters: bool = True, more: Mapping[str, Route] | None = None
) -> WebServer:
    """A server that lists, filters and sorts, and shows one model; "acme/locked" is gated. filters=False: it ignores them.

    more: further routes, such as those of an inference server.
    """
    routes: dict[str, Route] = {"/api/models": _list(models, filters)}
    for model in models:
        routes[f"/api/models/{model['id']}"] = _json(model)
    routes["/api/models/acme/locked"] = _json({"error": "gated"}, 403, {"X-Error-Code": "GatedRepo"})
    routes["/api/models/acme/nothing"] = _json({"error": "no"}, 404, {"X-Error-Code": "RepoNotFound"})
    return WebServer(routes | dict(more or {}))


def _list(models: Sequence[Mapping[str, Any]], filters: bool) -> Route:
    def route(connection: socket.socket, asked: Asked) -> None:
        query = parse_qs(asked.query)
        rows = [model for model in models if not filters or _fits(model, query)]
        rows.sort(key=lambda model: _sort_key(model, query.get("sort", ["downloads"])[0]), reverse=True)
        start, limit = int(query.get("cursor", ["0"])[0]), min(int(query.get("limit", ["1000"])[0]), PAGE)
        headers = {}
        if start + limit < len(rows):
            again = urlencode({**query, "cursor": start + limit}, doseq=True)
            headers["Link"] = f'<http://{asked.headers["host"]}/api/models?{again}>; rel="next"'
        _json(rows[start : start + limit], headers=headers)(connection, asked)

    return route


def _fits(model: Mapping[str, Any], query: Mapping[str, list[str]]) -> bool:
    least, most = 0, float("inf")
    for part in query.get("num_parameters", [""])[0].split(","):
        name, _, value = part.partition(":")
        least, most = (int(value), most) if name == "min" else (least, int(value)) if name == "max" else (least, most)
    size = (model.get("safetensors") or model.get("gguf") or {}).get("total")
    return (
        query.get("search", [""])[0].lower() in model["id"].lower()
        and query.get("pipeline_tag", [model.get("pipeline_tag")])[0] == model.get("pipeline_tag")
        and all(tag in model["tags"] for tag in query.get("filter", []))
        and ("num_parameters" not in query or (size is not None and least <= size <= most))
    )


def _sort_key(model: Mapping[str, Any], sort: str) -> Any:
    name = {"last_modified": "lastModified"}.get(sort, sort)
    return model.get(name) or ("" if name == "lastModified" else 0)


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Route:
    return answer(
        json.dumps(value).encode(), status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )
