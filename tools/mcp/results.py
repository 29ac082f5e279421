"""What an MCP server sent back, as an observation: text, structured data, pictures as files. Touches nothing.
Does not promise: that any of it is true; it counts as untrusted, whatever the server says of itself.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from outrider.tools.tool import File, Observation

MOST_BYTES = 5_000_000
KINDS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
}


def observation(result: Any) -> Observation:
    """The result of a call. An `is_error` result is one that failed."""
    texts: list[str] = []
    files: list[File] = []
    for number, part in enumerate(result.content or [], 1):
        text, file = _part(part, number)
        texts += [text] if text else []
        files += [file] if file else []
    structured = getattr(result, "structured_content", None)
    if not texts and structured is not None:
        texts = [json.dumps(structured, ensure_ascii=False, indent=1, default=str)]
    return Observation("\n".join(texts) or "(no output)", ok=not result.is_error, files=tuple(files))


def resource_text(result: Any) -> Observation:
    """What a resource holds."""
    texts: list[str] = []
    files: list[File] = []
    for number, part in enumerate(result.contents or [], 1):
        text, file = _resource(part, number)
        texts += [text] if text else []
        files += [file] if file else []
    return Observation("\n".join(texts) or "(empty)", files=tuple(files))


def _part(part: Any, number: int) -> tuple[str, File | None]:
    kind = getattr(part, "type", "")
    if kind == "text":
        return str(part.text), None
    if kind in ("image", "audio"):
        return _data(part.data, str(part.mime_type), number)
    if kind == "resource":
        return _resource(part.resource, number)
    if kind == "resource_link":
        return f"[resource {part.uri}: {getattr(part, 'name', '')}]", None
    return f"[{kind or 'something'} that cannot be shown]", None


def _resource(part: Any, number: int) -> tuple[str, File | None]:
    if (text := getattr(part, "text", None)) is not None:
        return str(text), None
    return _data(str(getattr(part, "blob", "")), str(getattr(part, "mime_type", "") or ""), number)


def _data(encoded: str, kind: str, number: int) -> tuple[str, File | None]:
    if len(encoded) > MOST_BYTES * 4 // 3:
        return f"[{kind or 'data'} of more than {MOST_BYTES:,} bytes, left out]", None
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return f"[{kind or 'data'} that is not base64]", None
    name = f"result-{number}.{KINDS.get(kind, 'bin')}"
    return f"[{kind or 'data'}, {len(data):,} bytes, kept as {name}]", File(
        name, kind or "application/octet-stream", data
    )
