"""The body of an HTTP request: text, JSON, a form, or a form with files of the workspace.
May touch: reads files of the workspace. Does not promise: to send a file that holds keys; paths.py refuses those.
"""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from outrider.tools.files.paths import open_file, place, shown
from outrider.tools.net.named_secrets import Filler
from outrider.tools.tool import ToolContext, ToolError

MAX_SENT = 1_000_000  # bytes of a body
MAX_FILES = 20_000_000  # bytes of a body with files


def request_body(
    ctx: ToolContext, filler: Filler, body: str, value: Any, form: Mapping[str, str], files: Mapping[str, str]
) -> tuple[bytes | None, str]:
    """(content, content type) of what is to be sent, secrets filled in; (None, "") for nothing. Raises ToolError."""
    given = [bool(body), value is not None, bool(form or files)]
    if sum(given) > 1:
        raise ToolError("the request has two bodies", "body, json and form exclude each other", "give one of them")
    if body:
        return _bounded(filler.text(body).encode("utf-8", "replace"), MAX_SENT), "text/plain; charset=utf-8"
    if value is not None:
        text = json.dumps(filler.value(value), ensure_ascii=False)
        return _bounded(text.encode("utf-8", "replace"), MAX_SENT), "application/json"
    fields = {str(name): filler.text(str(text)) for name, text in form.items()}
    if files:
        return _with_files(ctx, fields, files)
    if form:
        return _bounded(urlencode(fields).encode(), MAX_SENT), "application/x-www-form-urlencoded"
    return None, ""


def _bounded(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise ToolError("the body is too large to send", f"{len(data):,} bytes are over {most:,}", "send less")
    return data


def _with_files(ctx: ToolContext, fields: Mapping[str, str], files: Mapping[str, str]) -> tuple[bytes, str]:
    import httpx2

    read = {}
    for field, path in files.items():
        with place(ctx.workspace, path) as at, os.fdopen(open_file(at, path), "rb") as file:
            data = _bounded(file.read(MAX_FILES + 1), MAX_FILES)
        name = shown(at.name)
        read[field] = (name, data, mimetypes.guess_type(name)[0] or "application/octet-stream")
    request = httpx2.Request("POST", "http://form/", data=dict(fields), files=read)
    return _bounded(request.read(), MAX_FILES), request.headers["content-type"]
