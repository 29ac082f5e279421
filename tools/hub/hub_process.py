"""The child process that asks the model hub: `python -m outrider.tools.hub.hub_process`, killed at its deadline by ask_hub.py.
May touch: the network, at the hub's endpoint, through huggingface_hub and with the person's own token. Every connection
goes to an address that the rule of the HTTP gateway allows (a redirect's too); only the endpoint itself may be private.
Does not promise: every model on the hub.

A process because huggingface_hub retries a list for 23 s when there is no network, and cannot be told not to; here it
can be changed without changing it for anybody else, and be ended.
stdin: {"do": "search", "asks": […]} or {"do": "model", "model"}, and "endpoint". stdout: {"rows": [rows of each ask]} or
{"error": kind, "detail": text}.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from outrider.tools.net.addresses import judge, resolve
from outrider.tools.process.limits import limit_self

FIELDS: list[Any] = [
    "downloads", "likes", "gated", "cardData", "safetensors", "gguf", "tags", "library_name", "pipeline_tag",
    "lastModified", "inferenceProviderMapping",
]  # fmt: skip
MOST = 20  # of each list on a card


def main() -> None:
    limit_self(cpu_s=60)
    asked = json.load(sys.stdin)
    try:
        print(json.dumps({"rows": _ask(asked)}))  # noqa: T201  # the parent reads this
    except Exception as error:  # whatever it is, the parent is told what kind
        print(json.dumps({"error": _kind(error), "detail": str(error)[:500]}))  # noqa: T201


def _ask(asked: dict[str, Any]) -> list[list[dict[str, Any]]]:
    from huggingface_hub import HfApi

    _only_checked_addresses(asked["endpoint"] or os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    hub = HfApi(endpoint=asked["endpoint"] or None)
    if asked["do"] == "model":
        row = _row(hub.model_info(asked["model"], timeout=asked["seconds"], expand=FIELDS))
        return [[row | ({"files": _files(hub, asked)} if asked.get("files") else {})]]
    _do_not_retry()
    return [_listed(hub, one) for one in asked["asks"]]


def _listed(hub: Any, asked: dict[str, Any]) -> list[dict[str, Any]]:
    licence = [f"license:{asked['licence']}"] if asked["licence"] else []
    found = hub.list_models(
        search=asked["query"] or None,
        filter=licence or None,
        pipeline_tag=asked["task"] or None,
        num_parameters=f"max:{asked['most']}" if asked["most"] else None,
        sort=asked.get("sort") or "downloads",
        limit=asked["limit"],
        expand=FIELDS,
    )
    return [_row(model) for model in found]


def _only_checked_addresses(endpoint: str) -> None:
    """Make the library connect as the gateway does: a name is resolved once, checked, and the checked address used."""
    import httpcore2
    import httpx2
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    own = urlsplit(endpoint)
    allowed = (f"{own.hostname}:{own.port or (443 if own.scheme == 'https' else 80)}",)

    class Checked(httpcore2.SyncBackend):
        def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> Any:  # type: ignore[override]
            return super().connect_tcp(
                judge(host, port, resolve(host, port), allowed)[0], port, timeout=timeout, **options
            )

    def client() -> httpx2.Client:
        transport = httpx2.HTTPTransport()
        transport._pool = httpcore2.ConnectionPool(httpx2.create_ssl_context(), network_backend=Checked())
        hooks = {"request": [hook]} if (hook := getattr(_http, "hf_request_event_hook", None)) else {}
        return httpx2.Client(
            transport=transport,
            event_hooks=hooks,
            follow_redirects=True,
            max_redirects=5,
            timeout=None,
            trust_env=False,
        )

    set_client_factory(client)


def _do_not_retry() -> None:
    """Lists are fetched with five retries and no way to say so; if the library has moved, the deadline is what is left."""
    from huggingface_hub.utils import _pagination

    if hasattr(_pagination, "http_backoff"):
        _pagination.http_backoff = partial(_pagination.http_backoff, max_retries=0)


def _files(hub: Any, asked: dict[str, Any]) -> list[tuple[str, int | None]]:
    """Names and sizes of the files of a model; none where the hub does not tell them."""
    try:
        told = hub.model_info(asked["model"], timeout=asked["seconds"], files_metadata=True)
    except Exception:  # the model itself was told of already
        return []
    return [(str(file.rfilename), file.size) for file in told.siblings or []]


def _row(model: Any) -> dict[str, Any]:
    """What is known of a model as plain JSON; card.py reads it and caps every word."""
    tags = [str(tag) for tag in model.tags or []]
    card = model.card_data.to_dict() if model.card_data else {}
    licence = card.get("license") or [tag[8:] for tag in tags if tag.startswith("license:")]
    changed = model.last_modified
    return {
        "id": str(model.id),
        "task": model.pipeline_tag,
        "licences": licence if isinstance(licence, list) else [licence],
        "licence_name": card.get("license_name"),
        "parameters": getattr(model.safetensors, "total", None) or (model.gguf or {}).get("total"),
        "weights": dict(getattr(model.safetensors, "parameters", None) or {}),
        "downloads": model.downloads,
        "likes": model.likes,
        "gated": model.gated,
        "library": model.library_name,
        "modified": changed.date().isoformat() if changed else None,
        "formats": [tag for tag in ("gguf", "safetensors", "onnx") if tag in tags],
        "providers": [
            {"name": one.provider, "model": one.provider_id, "task": one.task, "status": one.status}
            for one in (getattr(model, "inference_provider_mapping", None) or [])[:MOST]
        ],
        "languages": _several(card.get("language")),
        "base": _several(card.get("base_model")),
        "datasets": _several(card.get("datasets")) or [tag[8:] for tag in tags if tag.startswith("dataset:")][:MOST],
        "results": _results(card),
    }


def _several(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [str(one)[:400] for one in found[:MOST] if one]


def _results(card: dict[str, Any]) -> list[str]:
    """Evaluation results as the card's model-index states them: "accuracy 0.91 on sst2"."""
    found = []
    index = card.get("model-index")
    for model in index if isinstance(index, list) else []:
        for result in model.get("results") or [] if isinstance(model, dict) else []:
            dataset = (result.get("dataset") or {}).get("name", "?")
            for metric in result.get("metrics") or []:
                found.append(f"{metric.get('name') or metric.get('type')} {metric.get('value')} on {dataset}")
    return [str(one)[:400] for one in found[:MOST]]


def _kind(error: Exception) -> str:
    """gated, missing, offline, busy, refused, or failed."""
    import httpx2
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):  # a kind of missing, so it comes first
        return "gated"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "missing"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "offline mode"
    if isinstance(error, errors.HFValidationError):
        return "no id"
    response = getattr(error, "response", None)
    if response is not None:
        status = int(response.status_code)
        return {429: "busy", 401: "refused", 403: "refused", 404: "missing"}.get(status, f"status {status}")
    if isinstance(error, httpx2.TransportError | ConnectionError):
        return "offline"
    return "failed"


if __name__ == "__main__":
    main()
