"""The web: `web_search` finds pages, `read_page` reads one. What comes back was written by strangers.
May touch: the network through the HTTP gateway; a child process that takes pages apart.
Does not promise: that a page is true, whole or meant for us; scripts on a page are not run.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from outrider.tools.documents import charset
from outrider.tools.documents import reader as pages
from outrider.tools.files import encoding
from outrider.tools.net.gateway import Fetched, fetch
from outrider.tools.net.pace import net_of
from outrider.tools.net.robots import ROBOTS
from outrider.tools.tool import ToolContext, ToolError, tool
from outrider.tools.web import search
from outrider.tools.web.engines import Way

SEARCH_S = 20.0
FETCH_S = 25.0
MAX_PAGE = 5_000_000  # bytes of a page
MAX_DOCUMENT = 20_000_000  # bytes of a PDF or an Office file
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
    "duckduckgo,brave"; `region`, such as "us-en"; `user_agent`. How "no results" and "blocked" are told apart: search.py.
    """
    query = " ".join(query.split())
    if not query:
        raise ToolError("there is nothing to search for", "the query is empty", "give a few words")
    own = ctx.settings.get("web_search")
    own = own if isinstance(own, dict) else {}
    limit, seconds = max(1, min(limit, 20)), max(1.0, min(SEARCH_S, ctx.seconds_left() - 1))
    key = (query.lower(), limit, json.dumps(own, sort_keys=True, default=str), net_of(ctx.settings).proxy)
    if kept := search.KEPT.get(key):
        return kept
    ctx.progress(f"searching the web for {query[:80]!r}")
    if address := str(own.get("url") or ""):
        found = await search.ask_server(
            address, query, limit, allowed=ctx.allowed_hosts, net=net_of(ctx.settings), seconds=seconds
        )
    else:
        backend, region = str(own.get("backend") or "auto"), str(own.get("region") or "us-en")
        agent = str(own.get("user_agent") or "")
        way = Way(asyncio.get_running_loop(), tuple(ctx.allowed_hosts), net_of(ctx.settings), agent)
        found = await search.ask_engines(query, limit, way=way, backend=backend, region=region, seconds=seconds)
    said = search.said(found, query)
    if found.hits:
        search.KEPT.put(key, said)
    return said


@tool(effect="read", origin="untrusted", timeout_s=60)
async def read_page(url: str, ctx: ToolContext) -> str:
    """Read a web page or a PDF on the web as text with links.

    url: the full address, starting with http:// or https://
    """
    url = url.strip() if "://" in url else f"https://{url.strip()}"
    seconds = ctx.seconds_left()
    net = net_of(ctx.settings)
    got = await fetch(
        url,
        headers={
            "Accept": "text/html,application/xhtml+xml,application/pdf,text/plain,application/json;q=0.9,*/*;q=0.5"
        },
        allowed=ctx.allowed_hosts,
        net=net,
        check=partial(ROBOTS.check, allowed=ctx.allowed_hosts, net=net, seconds=seconds * 0.3),
        max_bytes=MAX_PAGE,
        max_document=MAX_DOCUMENT,
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


_UNSAID = frozenset({
    "", "application/octet-stream", "binary/octet-stream", "application/unknown", "unknown/unknown", "*/*", "application/x-download",
    "application/force-download", "application/zip", "application/x-zip-compressed",
})  # fmt: skip
_HTML_BEGINS = re.compile(
    r"\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype html|html|head|body|title|meta|script|style|table|div|h1|p|a|br|iframe|font)\b", re.IGNORECASE | re.DOTALL
)  # fmt: skip


async def _page(got: Fetched, seconds: float) -> pages.Page:
    """What the answer holds, told by its content where the server did not say."""
    if not got.body:
        return pages.Page("", "", f"the server sent nothing (status {got.status})")
    said, kind = got.media_type, pages.kind_of(got.body)
    if kind and (kind not in ("picture", "ole") or said in _UNSAID):
        return await pages.document_page(got.body, kind, seconds=min(seconds, 30))
    if said == "application/pdf":
        return await pages.document_page(got.body, "pdf", seconds=min(seconds, 30))
    unsaid = said in _UNSAID
    if not (unsaid or "html" in said or TEXT_TYPES.match(said)) or (unsaid and _is_binary(got.body)):
        raise ToolError(
            f"{got.url[:300]} is not a page of text",
            f"it is {said or 'binary data'}, {len(got.body):,} bytes",
            "use another address",
        )
    text = got.decoded()
    if "html" in said or (unsaid and _HTML_BEGINS.match(text.text[:5000])):
        page = await pages.html_page(text.text, got.url, seconds=min(seconds, 30))
        page = (
            page
            if page.text or page.note or page.refresh
            else replace(page, note="no text was found: it may need a browser")
        )
    else:
        page = pages.text_page(text.text)
    return replace(page, note="; ".join(filter(None, (text.note, page.note))))


def _is_binary(body: bytes) -> bool:
    sample = body[: encoding.SAMPLE]
    return encoding.encoding_of(sample) is None and not charset.wide(sample)


def _shown(page: pages.Page, got: Fetched) -> str:
    notes = [note for note in (f"cut: {got.cut}" if got.cut else "", page.note, _sends_on(page, got)) if note]
    text = page.text
    if len(text) > MAX_TEXT:
        notes.append(f"the first {MAX_TEXT:,} of {len(text):,} characters")
        text = text[:MAX_TEXT]
    if not text and not notes:
        notes.append("it holds no text")
    head = [page.title] if page.title else []
    head += [got.url[:1000], *(f"({note})" for note in notes)]
    return "\n".join(head) + (f"\n\n{text}" if text else "")


def _sends_on(page: pages.Page, got: Fetched) -> str:
    """Where an answer that is not the page itself points: a 3xx that was not followed, a <meta> refresh."""
    if 300 <= got.status < 400 and got.status != 304:
        target = got.headers.get("location", "")
        return f"status {got.status}: the page is elsewhere, {f'at {target[:500]}' if target else 'and the server does not say where'}"
    return f"it sends its reader on to {page.refresh}" if page.refresh and page.refresh != got.url else ""
