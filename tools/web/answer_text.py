"""What a web API answered, as text: the status, a few headers, and the body if it is text.
Touches nothing. Does not promise: the whole body of a large answer; it says when it was cut.
"""

from __future__ import annotations

import json

from outrider.memory.text import for_storage
from outrider.tools.net.gateway import Fetched

SHOWN_HEADERS = ("content-type", "content-length", "location", "retry-after", "etag", "last-modified", "link")


def shown_answer(got: Fetched, note: str = "", body: str | None = None) -> str:
    """Status, headers that say something, a note, and the body (or what stands in its place)."""
    lines = [f"status {got.status}", *(f"moved to {address}" for address in got.redirects[-1:])]
    lines += [f"{name}: {got.headers[name][:500]}" for name in SHOWN_HEADERS if name in got.headers]
    lines += [f"(cut: {got.cut})"] if got.cut else []
    lines += [f"({note})"] if note else []
    return for_storage("\n".join(lines) + "\n\n" + (_body(got) if body is None else body)).rstrip()


def _body(got: Fetched) -> str:
    if not got.body:
        return "(no body)"
    read = got.decoded()
    if "json" in got.media_type and not got.cut:
        try:
            return json.dumps(json.loads(read.text), indent=1, ensure_ascii=False)
        except (ValueError, RecursionError):
            pass
    text = f"({read.note})\n{read.text}" if read.note else read.text
    if ("\0" in text[:4096] and not read.encoding.startswith("utf-16")) or text[:1000].count("\ufffd") > 100:
        return f"({len(got.body):,} bytes of {got.media_type or 'binary data'}, not shown)"
    return text
