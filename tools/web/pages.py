"""Turns a web page or a PDF into text, in a child process with a deadline: what they hold is hostile until shown otherwise.
May touch: a child process (extract.py). No network, no files.
Does not promise: the main text of every page; `Page.note` says what is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from outrider.memory.text import for_storage, hidden_in
from outrider.tools.process.deadlines import in_child

EXTRACT_S = 10.0
PLAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Page:
    """`text` is Markdown or plain text, fit for storage; `note` says why it is not whole ("" when it is)."""

    title: str
    text: str
    note: str = ""


async def html_page(html: str, url: str, *, seconds: float) -> Page:
    """The main text of an HTML page as Markdown with absolute links; all its text when that takes too long."""
    data = html.encode("utf-8", "replace")
    rows, late = await _extract("html", url, data, min(EXTRACT_S, seconds * 0.6))
    if any("text" in row for row in rows):
        return _page(rows, "")
    rows, _ = await _extract("plain", url, data, min(PLAIN_S, seconds * 0.3))
    return _page(
        rows, "it took too long to read: only plain text" if late else "its main text was not found: all its text"
    )


async def pdf_page(data: bytes, *, seconds: float) -> Page:
    """The text of a PDF, page after page."""
    rows, late = await _extract("pdf", "", data, seconds)
    error = next((row["error"] for row in rows if "error" in row), "")
    total = next((row["pages"] for row in rows if "pages" in row), 0)
    read = sum("text" in row for row in rows)
    note = error or (f"the first {read} of {total} pages" if read < total else "")
    if late:
        note = f"it took too long to read: {read} of {total or '?'} pages"
    return _page(rows, note)


async def _extract(kind: str, url: str, data: bytes, seconds: float) -> tuple[list[dict[str, Any]], bool]:
    done = await in_child("outrider.tools.web.extract_process", kind, url, stdin=data, seconds=seconds)
    rows = []
    for line in done.output.splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:  # the child was killed in the middle of a line
            break
    return rows, done.timed_out


def _page(rows: list[dict[str, Any]], note: str) -> Page:
    title = next((str(row["title"]) for row in rows if "title" in row), "")
    return text_page("\n\n".join(row["text"] for row in rows if "text" in row), title, note)


def text_page(text: str, title: str = "", note: str = "") -> Page:
    """A page of text that needs no reading of its own; hidden characters are dropped, and the note says so."""
    hidden = hidden_in(text)
    note = "; ".join(filter(None, (note, hidden and f"left out, for they cannot be seen: {hidden}")))
    return Page(" ".join(for_storage(title).split())[:300], for_storage(text).strip(), note)
