"""Builds the request that a provider other than the hub's own takes: `python -m outrider.tools.inference.request_process`.
May touch: nothing but its own memory; huggingface_hub knows the formats, and is told who serves the model, so it asks nobody.
Does not promise: that a provider answers. The token is not here: a placeholder stands for it, and headers stay behind.

stdin: {"provider", "model", "provider_model", "task", "text", "data", "parameters"}. stdout: {"url", "body", "media_type"}
or {"error"}.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from outrider.tools.process.limits import limit_self


def main() -> None:
    limit_self(cpu_s=30)
    try:
        print(json.dumps(_request(json.load(sys.stdin))))  # noqa: T201  # the parent reads this
    except Exception as error:  # whatever the library raises for a task or provider it does not know
        print(json.dumps({"error": str(error)[:300] or type(error).__name__}))  # noqa: T201


def _request(asked: dict[str, Any]) -> dict[str, str]:
    from huggingface_hub import hf_api
    from huggingface_hub.inference._providers import _common as known
    from huggingface_hub.inference._providers import get_provider_helper

    mapping: Any = hf_api.InferenceProviderMapping
    known.HARDCODED_MODEL_INFERENCE_MAPPING.setdefault(asked["provider"], {})[asked["model"]] = mapping(
        provider=asked["provider"], hf_model_id=asked["model"], providerId=asked["provider_model"], task=asked["task"],
        status="live",
    )  # fmt: skip
    helper = get_provider_helper(asked["provider"], asked["task"], asked["model"])
    inputs = asked["text"] or base64.b64decode(asked["data"])
    made = helper.prepare_request(
        inputs=inputs, parameters=asked["parameters"], headers={}, model=asked["model"], api_key="hf_placeholder"
    )
    body = json.dumps(made.json).encode() if made.json is not None else bytes(made.data or b"")
    kind = str(made.headers.get("content-type") or "application/octet-stream")
    return {"url": made.url, "body": base64.b64encode(body).decode(), "media_type": kind}


if __name__ == "__main__":
    main()
