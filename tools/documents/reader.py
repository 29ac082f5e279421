"""Turns pages and documents into text, in a child process with a deadline: what they hold is hostile until shown otherwise.
May touch: a child process (document_process.py). No network, no files.
Does not promise: the main text of every page; `Page.note` says what is missing.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from outrider.memory.text import for_storage, hidden_in
from outrider.tools.process.deadlines import in_child

HTML_S = 10.0
PLAIN_S = 5.0
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
NAMES = {
    "pdf": "PDF", "docx": "Word document", "pptx": "presentation", "xlsx": "workbook", "opendocument": "OpenDocument file",
    "epub": "EPUB", "picture": "picture", "html": "HTML page", "ole": "old Office document",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """`text` is Markdown or plain text, fit for storage; `note` says why it is not whole ("" when it is).

    refresh: the address the page sends its reader on to, "" for most.
    """

    title: str
    text: str
    note: str = ""
    refresh: str = ""


def kind_of(data: bytes) -> str:
    """What a document is, by its first bytes and the names inside a zip; "" for none that is known here."""
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(_PICTURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return "picture"
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "ole"
    if not data.startswith(b"PK\x03\x04"):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            names = set(book.namelist()[:10_000])
            kind = book.read("mimetype")[:100].decode("ascii", "replace") if "mimetype" in names else ""
    except Exception:  # a damaged zip raises many things
        return ""
    if "epub" in kind:
        return "epub"
    if "opendocument" in kind:
        return "opendocument"
    found = {"word/document.xml": "docx", "ppt/presentation.xml": "pptx", "xl/workbook.xml": "xlsx"}
    return next((kind for name, kind in found.items() if name in names), "")


async def document_page(data: bytes, kind: str, *, seconds: float) -> Page:
    """The text of a document of a kind that `kind_of` gave, part after part under "[page 2]" and the like."""
    if kind == "ole":
        return Page("", "", "it is in the old Office format: save it as .docx, .xlsx or .pptx")
    rows, late = await _extract(kind, "", data, seconds)
    error = next((str(row["error"]) for row in rows if "error" in row), "")
    total = next((int(row["parts"]) for row in rows if "parts" in row), 0)
    parts = [row for row in rows if "text" in row]
    word = str(parts[0].get("part", "part")).split(" ")[0] if parts else "page"
    note = error or (f"the first {len(parts)} of {total} {word}s" if len(parts) < total else "")
    if late:
        note = f"it took too long to read: {len(parts)} of {total or '?'} {word}s"
    if not note and kind != "picture" and not any(str(row["text"]).strip() for row in parts):
        note = "it holds no text: its pages are perhaps pictures" if kind == "pdf" else "it holds no text"
    return _page(rows, note)


async def html_page(html: str, url: str, *, seconds: float) -> Page:
    """The main text of an HTML page as Markdown with absolute links; all its text when that takes too long."""
    data = html.encode("utf-8", "replace")
    rows, late = await _extract("html", url, data, min(HTML_S, seconds * 0.6))
    if any("text" in row for row in rows):
        return _page(rows, "")
    rows, _ = await _extract("plain", url, data, min(PLAIN_S, seconds * 0.3))
    return _page(
        rows, "it took too long to read: only plain text" if late else "its main text was not found: all its text"
    )


async def _extract(kind: str, url: str, data: bytes, seconds: float) -> tuple[list[dict[str, Any]], bool]:
    done = await in_child("outrider.tools.documents.document_process", kind, url, stdin=data, seconds=seconds)
    rows = []
    for line in done.output.splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:  # the child was killed in the middle of a line
            break
    if not rows and not done.timed_out and done.exit_code:
        rows.append({"error": "it is damaged, or needs too much memory"})
    return rows, done.timed_out


def _page(rows: list[dict[str, Any]], note: str) -> Page:
    title = next((str(row["title"]) for row in rows if "title" in row), "")
    refresh = next((str(row["refresh"]) for row in rows if "refresh" in row), "")
    notes = [note, *(str(row["note"]) for row in rows if "note" in row)]
    texts = [(str(row.get("part", "")), str(row["text"])) for row in rows if "text" in row]
    named = [f"[{part}]\n{text}" if part else text for part, text in texts]
    whole = "\n\n".join(named) if any(text.strip() for _, text in texts) else ""
    return text_page(whole, title, "; ".join(filter(None, notes)), refresh)


def text_page(text: str, title: str = "", note: str = "", refresh: str = "") -> Page:
    """A page of text that needs no reading of its own; hidden characters are dropped, and the note says so."""
    hidden = hidden_in(text)
    note = "; ".join(filter(None, (note, hidden and f"left out, for they cannot be seen: {hidden}")))
    return Page(" ".join(for_storage(title).split())[:300], for_storage(text).strip(), note, for_storage(refresh))
