"""The child process that reads hostile pages: `python -m outrider.tools.web.extract_process KIND URL`, killed at its deadline.
May touch: nothing but its own memory; a page is handed to it on stdin and text comes out on stdout.
Does not promise: to end by itself (1 MB of unclosed <p> keeps a parser busy for 13 s), nor to find the right text.

KIND: "html" (main text as Markdown, with links), "plain" (all text of an HTML page, by a simpler parser), "pdf".
stdout: one JSON object a line: {"title"}, {"text"} (a page of a PDF each), {"pages"}, {"error"}.
"""

from __future__ import annotations

import json
import re
import sys
from html import unescape
from html.parser import HTMLParser
from typing import Any

from outrider.tools.process.limits import limit_self

MAX_CHARACTERS = 400_000
MAX_PAGES = 300
_SILENT = frozenset({"script", "style", "template", "noscript", "svg"})
_BREAKS = frozenset(
    {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "pre", "table"}
)


def main() -> None:
    limit_self(cpu_s=60)
    kind, url = sys.argv[1], sys.argv[2]
    data = sys.stdin.buffer.read()
    if kind == "pdf":
        _pdf(data)
        return
    html = data.decode("utf-8", "replace")
    title = re.search(r"<title[^>]{0,200}>([^<]{1,500})", html[:200_000], re.IGNORECASE)
    if title:
        _say(title=" ".join(unescape(title[1]).split()))
    text = _markdown(html, url) if kind == "html" else _plain(html)
    _say(text=text[:MAX_CHARACTERS])


def _say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)  # noqa: T201  # the parent reads this


def _markdown(html: str, url: str) -> str:
    import trafilatura

    text = trafilatura.extract(
        html, url=url, output_format="markdown", include_links=True, include_tables=True, favor_recall=True
    )
    return text or _plain(html)


class _Text(HTMLParser):
    """All text outside scripts and styles, a line a block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _plain(html: str) -> str:
    parser = _Text()
    parser.feed(html)
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _pdf(data: bytes) -> None:
    import io
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.disable(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            _say(error="it is locked with a password")
            return
        _say(title=str((reader.metadata and reader.metadata.title) or ""))
        total = len(reader.pages)
        _say(pages=total)
        said = 0
        for number in range(min(total, MAX_PAGES)):
            text = reader.pages[number].extract_text()[:MAX_CHARACTERS]
            said += len(text)
            _say(text=text)
            if said > MAX_CHARACTERS:
                return
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        _say(error=f"it is damaged ({type(error).__name__})")


if __name__ == "__main__":
    main()
