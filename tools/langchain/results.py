"""What LangChain things return, as observations: messages, documents, content in parts, artifacts.
Touches nothing. Does not promise: to show an artifact to the model; it is kept with the run as a file.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from pydantic_core import to_json

from outrider.tools.tool import File, Observation, observe

MOST_DOCUMENT = 4000  # characters of one found passage


def observed(value: Any) -> Observation:
    """The observation of a tool's or a runnable's result."""
    from langchain_core.documents import Document
    from langchain_core.messages import BaseMessage, ToolMessage

    if isinstance(value, list | tuple) and value and all(isinstance(one, Document) for one in value):
        return of_documents(list(value))
    if isinstance(value, Document):
        return of_documents([value])
    if isinstance(value, BaseMessage):
        text, files = _content(value.content)
        artifact = value.artifact if isinstance(value, ToolMessage) else None
        ok = not (isinstance(value, ToolMessage) and value.status == "error")
        return Observation(text or "done (no output)", ok=ok, files=(*files, *_kept(artifact)))
    if hasattr(value, "to_string") and callable(value.to_string):  # a prompt value
        return Observation(str(value.to_string()))
    return observe(value)


def of_documents(found: list[Any]) -> Observation:
    """Passages, each with where it is from."""
    if not found:
        return Observation("nothing was found")
    parts = []
    for number, one in enumerate(found, 1):
        text = one.page_content
        cut = f"\n[… {len(text) - MOST_DOCUMENT:,} more characters]" if len(text) > MOST_DOCUMENT else ""
        about = f" {_json(one.metadata)}" if one.metadata else ""
        parts.append(f"[{number}]{about}\n{text[:MOST_DOCUMENT]}{cut}")
    return Observation("\n\n".join(parts))


def _content(content: Any) -> tuple[str, tuple[File, ...]]:
    """(the text of a message, the pictures and files in it)."""
    if isinstance(content, str):
        return content, ()
    texts: list[str] = []
    files: list[File] = []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif (file := _file(part, len(files))) is not None:
            files.append(file)
            texts.append(f"[{file.media_type}, {len(file.data):,} bytes: {file.name}]")
        else:
            texts.append(_json(part))
    return "\n".join(texts), tuple(files)


def _file(part: Any, number: int) -> File | None:
    """The picture or file a part of a message holds in base64."""
    if not isinstance(part, dict):
        return None
    data, media = part.get("base64") or part.get("data"), str(part.get("mime_type") or "application/octet-stream")
    url = part.get("image_url")
    url = url.get("url") if isinstance(url, dict) else url
    if isinstance(url, str) and url.startswith("data:") and ";base64," in url:
        media, data = url[5:].split(";", 1)[0], url.partition(";base64,")[2]
    if not isinstance(data, str):
        return None
    try:
        return File(f"part{number + 1}.{media.rpartition('/')[2][:8]}", media, base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        return None


def _kept(artifact: Any) -> tuple[File, ...]:
    """An artifact, as a file of the run."""
    if artifact is None:
        return ()
    if isinstance(artifact, bytes):
        return (File("artifact.bin", "application/octet-stream", artifact),)
    if isinstance(artifact, str):
        return (File("artifact.txt", "text/plain", artifact.encode("utf-8", "replace")),)
    return (File("artifact.json", "application/json", _json(artifact).encode()),)


def _json(value: Any) -> str:
    """JSON of any value; what has no form of its own is told in words."""
    return to_json(value, fallback=repr, inf_nan_mode="constants", serialize_unknown=True).decode("utf-8", "replace")
