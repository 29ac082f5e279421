"""The web: `web_search` finds pages, `read_page` reads one. What comes back was written by strangers.
May touch: the network through net.py (ddgs through its own client); a child process that takes pages apart.
Does not promise: that a page is true, whole or meant for us; scripts on a page are not run.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from outrider.tools.documents import reader as pages
from outrider.tools.net.gateway import Fetched, fetch, proxy_of
from outrider.tools.tool import ToolContext, ToolError, tool
from outrider.tools.web import search

SEARCH_S = 20.0
FETCH_S = 25.0
MAX_PAGE = 5_000_000  # bytes of a page
MAX_PDF = 20_000_000
MAX_TEXT = 200_000  # characters of text given back; the toolbox shows the model less
TEXT_TYPES = re.compile(
    r"text/|application/(?:[\w.+-]*\+)?(?:json|xml|yaml|x-yaml|javascript|x-ndjson|toml)|application/rss"
)


@tool(effect="read", origin="untrusted", timeout_s=45)
async def web_search(query: str, ctx: ToolContext, limit: int = 5) -> str:
    """Search the web; gives titles, addresses and snippets of the best pages.

    query: what to look for, in a few words
    limit: how many results, 1 to 20

    Settings (`web_search`): `url`, a SearXNG-style server to ask instead; `backend`, ddgs engines such as
    "duckduckgo,brave"; `region`, such as "us-en". How "no results" and "blocked" are told apart: search.py.
    """
    query = " ".join(query.split())
    if not query:
        raise ToolError("there is nothing to search for", "the query is empty", "give a few words")
    own = ctx.settings.get("web_search")
    own = own if isinstance(own, dict) else {}
    limit, seconds = max(1, min(limit, 20)), max(1.0, min(SEARCH_S, ctx.seconds_left() - 1))
    ctx.progress(f"searching the web for {query[:80]!r}")
    if address := str(own.get("url") or ""):
        found = await search.ask_server(address, query, limit, allowed=ctx.allowed_hosts, seconds=seconds)
    else:
        backend, region = str(own.get("backend") or "auto"), str(own.get("region") or "us-en")
        proxy = proxy_of(ctx.settings)
        found = await search.ask_engines(query, limit, backend=backend, region=region, seconds=seconds, proxy=proxy)
    return search.said(found, query)


@tool(effect="read", origin="untrusted", timeout_s=60)
async def read_page(url: str, ctx: ToolContext) -> str:
    """Read a web page or a PDF on the web as text with links.

    url: the full address, starting with http:// or https://
    """
    url = url.strip() if "://" in url else f"https://{url.strip()}"
    seconds = ctx.seconds_left()
    got = await fetch(
        url,
        headers={
            "Accept": "text/html,application/xhtml+xml,application/pdf,text/plain,application/json;q=0.9,*/*;q=0.5"
        },
        allowed=ctx.allowed_hosts,
        proxy=proxy_of(ctx.settings),
        max_bytes=MAX_PDF if url.split("?")[0].lower().endswith(".pdf") else MAX_PAGE,
        deadline_s=max(1.0, min(FETCH_S, seconds * 0.6)),
    )
    if got.status >= 400:
        raise ToolError(
            f"{got.url[:300]} could not be read",
            _status(got),
            "check the address, or find another page with web_search",
        )
    ctx.progress(f"reading {len(got.body):,} bytes of {urlsplit(got.url).hostname}")
    page = await _page(got, max(1.0, ctx.seconds_left() - 1))
    return _shown(page, got)


def _status(got: Fetched) -> str:
    meanings = {
        401: "it wants a login", 403: "it refuses us", 404: "there is no such page", 410: "the page is gone",
        429: "it was asked too often", 451: "it is blocked for legal reasons",
    }  # fmt: skip
    meaning = meanings.get(got.status, "the server failed" if got.status >= 500 else "the server refused")
    return f"{meaning} (status {got.status})"


async def _page(got: Fetched, seconds: float) -> pages.Page:
    kind = got.media_type
    if got.body.startswith(b"%PDF-") or kind == "application/pdf":
        return await pages.document_page(got.body, "pdf", seconds=min(seconds, 30))
    start = got.body[:512].lstrip().lower()
    if "html" in kind or (not kind and start.startswith((b"<!doctype html", b"<html"))):
        return await pages.html_page(_html(got), got.url, seconds=min(seconds, 30))
    if TEXT_TYPES.match(kind) or (not kind and b"\0" not in got.body[:4096]):
        return pages.text_page(got.text())
    raise ToolError(
        f"{got.url[:300]} is not a page of text",
        f"it is {kind or 'binary data'}, {len(got.body):,} bytes",
        "use another address",
    )


def _html(got: Fetched) -> str:
    """The page as text. Its own <meta charset> counts when the server named none."""
    if "charset" not in got.headers.get("content-type", ""):
        named = re.search(rb"<meta[^>]{0,200}charset=[\"']?([\w:.-]{1,40})", got.body[:4096], re.IGNORECASE)
        if named:
            try:
                return got.body.decode(named[1].decode("ascii"), "replace")
            except (LookupError, ValueError):
                pass
    return got.text()


def _shown(page: pages.Page, got: Fetched) -> str:
    notes = [note for note in (f"cut: {got.cut}" if got.cut else "", page.note) if note]
    text = page.text
    if len(text) > MAX_TEXT:
        notes.append(f"the first {MAX_TEXT:,} of {len(text):,} characters")
        text = text[:MAX_TEXT]
    if not text:
        notes.append("no text was found: it may need a browser")
    head = [page.title] if page.title else []
    head += [got.url[:1000], *(f"({note})" for note in notes)]
    return "\n".join(head) + (f"\n\n{text}" if text else "")
