"""The child process that asks the model hub: `python -m outrider.tools.hub.hub_process`, killed at its deadline by hub.py.
May touch: the network, at the hub's endpoint, through huggingface_hub and with the person's own token. Every connection
goes to an address that the rule of the HTTP gateway allows (a redirect's too); only the endpoint itself may be private.
Does not promise: every model on the hub.

A process because huggingface_hub retries a list for 23 s when there is no network, and cannot be told not to; here it
can be changed without changing it for anybody else, and be ended.
stdin: {"do": "search" | "model", "endpoint", …}. stdout: {"rows": […]} or {"error": kind, "detail": text}.
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
    "lastModified",
]  # fmt: skip


def main() -> None:
    limit_self(cpu_s=60)
    asked = json.load(sys.stdin)
    try:
        print(json.dumps({"rows": _ask(asked)}))  # noqa: T201  # the parent reads this
    except Exception as error:  # whatever it is, the parent is told what kind
        print(json.dumps({"error": _kind(error), "detail": str(error)[:500]}))  # noqa: T201


def _ask(asked: dict[str, Any]) -> list[dict[str, Any]]:
    from huggingface_hub import HfApi

    _only_checked_addresses(asked["endpoint"] or os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    hub = HfApi(endpoint=asked["endpoint"] or None)
    if asked["do"] == "model":
        return [_row(hub.model_info(asked["model"], timeout=asked["seconds"], expand=FIELDS))]
    _do_not_retry()
    licence = [f"license:{asked['licence']}"] if asked["licence"] else []
    found = hub.list_models(
        search=asked["query"] or None,
        filter=licence or None,
        pipeline_tag=asked["task"] or None,
        num_parameters=f"max:{asked['most']}" if asked["most"] else None,
        sort="downloads",
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


def _row(model: Any) -> dict[str, Any]:
    tags = [str(tag) for tag in model.tags or []]
    card = model.card_data
    licence = getattr(card, "license", None) or next((t[8:] for t in tags if t.startswith("license:")), None)
    size = getattr(model.safetensors, "total", None) or (model.gguf or {}).get("total")
    changed = model.last_modified
    return {
        "id": str(model.id),
        "task": model.pipeline_tag,
        "licence": ", ".join(map(str, licence)) if isinstance(licence, list) else licence,
        "licence_name": getattr(card, "license_name", None) or (card.to_dict().get("license_name") if card else None),
        "parameters": size,
        "downloads": model.downloads,
        "likes": model.likes,
        "gated": model.gated,
        "library": model.library_name,
        "modified": changed.date().isoformat() if changed else None,
        "formats": [tag for tag in ("gguf", "safetensors", "onnx") if tag in tags],
    }


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
