"""Asks search engines: a SearXNG-style JSON endpoint, or ddgs in a thread with a deadline of ours; both through the HTTP gateway.
May touch: the network, where the gateway lets it.
Does not promise: to know an empty result from a block. Engines do not say: ddgs reports both as "No results found".

So each engine is watched: which status it got and what it found. A block is a status of 202, 401, 403, 429 or 503, or a
page with a captcha; an empty result is a 200 without one from a general engine (an encyclopedia finding nothing says
little). "blocked" is only claimed when some engine was blocked and no general engine answered freely.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from outrider.memory.text import for_storage
from outrider.tools.net.gateway import fetch, parse
from outrider.tools.net.pace import Net
from outrider.tools.process.deadlines import in_thread, until
from outrider.tools.tool import ToolError
from outrider.tools.web.engines import ENGINE_S, EngineClient, Way

KEPT_S, KEPT_MOST = 900.0, 200  # seconds, answers
SPARE_S = 3.0  # below it no other engine is asked
BLOCKED = (202, 401, 403, 429, 503)
_CAPTCHA = ("captcha", "unusual traffic", "anomaly-modal", "are you a robot", "verify you are human")
_ENCYCLOPEDIAS = ("wikipedia", "grokipedia")


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    url: str
    snippet: str


@dataclass(slots=True)
class Found:
    """What the engines gave. `blocked`, `empty`, `unreachable` name engines; `late`: time was up first."""

    hits: list[Hit] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    late: bool = False


class Kept:
    """Answers of the last minutes, for runs of this process that ask the same: engines block those who ask too often."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, str]] = {}

    def get(self, key: Hashable) -> str:
        """The answer, "" if there is none that is fresh."""
        at, said = self._kept.get(key, (-math.inf, ""))
        return said if time.monotonic() - at < KEPT_S else ""

    def put(self, key: Hashable, said: str) -> None:
        """Keep an answer, the oldest making room."""
        self._kept.pop(key, None)
        self._kept[key] = (time.monotonic(), said)
        while len(self._kept) > KEPT_MOST:
            self._kept.pop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


KEPT = Kept()


# ---- a search server of the person's own -----------------------------------------------------------------------------


async def ask_server(
    address: str, query: str, limit: int, *, allowed: Sequence[str], net: Net, seconds: float
) -> Found:
    """Ask a SearXNG-style endpoint: `address?q=…&format=json` → {"results": [{"title", "url", "content"}]}.

    The host of `address` is allowed because the person named it. Raises ToolError when it does not answer as it should.
    """
    base = parse(address)
    port = base.port or (443 if base.scheme == "https" else 80)
    url = f"{address}{'&' if '?' in address else '?'}{urlencode({'q': query, 'format': 'json'})}"
    got = await fetch(
        url,
        headers={"Accept": "application/json"},
        allowed=(*allowed, f"{base.host}:{port}"),
        net=replace(net, proxy=""),  # the person's own server is no business of a proxy
        deadline_s=seconds,
    )
    if got.status in BLOCKED:
        return Found(blocked=[f"{base.host} ({got.status})"])
    try:
        answer = json.loads(got.text())
        rows, silent = list(answer.get("results") or []), list(answer.get("unresponsive_engines") or [])
    except (ValueError, AttributeError, TypeError, RecursionError):
        why = f"status {got.status}, {got.media_type or 'no content type'}"
        raise ToolError(
            "the search server did not answer with JSON results",
            why,
            "check its address; SearXNG needs the json format enabled",
        ) from None
    hits = [_hit(row, "content") for row in rows if isinstance(row, dict)]
    blocked = [": ".join(map(str, one)) if isinstance(one, list | tuple) else str(one) for one in silent]
    return Found([h for h in hits if h.url][:limit], blocked=blocked, empty=[] if blocked else [base.host])


# ---- ddgs ------------------------------------------------------------------------------------------------------------


async def ask_engines(query: str, limit: int, *, way: Way, backend: str, region: str, seconds: float) -> Found:
    """Ask through ddgs for at most `seconds` in all; what some engines found by then counts.

    When the engines of `backend` refuse, all others are asked in the time that is left.
    """
    ends = time.monotonic() + seconds
    found = await _ask(query, limit, way, backend, region, seconds)
    left = ends - time.monotonic()
    if found.hits or not found.blocked or backend == "auto" or left < SPARE_S:
        return found
    others = await _ask(query, limit, way, "auto", region, left)
    others.blocked = list(dict.fromkeys([*found.blocked, *others.blocked]))
    return others


async def _ask(query: str, limit: int, way: Way, backend: str, region: str, seconds: float) -> Found:
    watch = _Watch(time.monotonic() + seconds, way)
    try:
        rows = await in_thread(_search, watch, query, limit, backend, region, seconds=seconds)
    except TimeoutError:
        watch.found.late = True
        rows = [row for row in watch.early if row.get("href")]
    watch.found.hits = [_hit(row, "body") for row in rows][:limit]
    return watch.found


@dataclass(slots=True)
class _Watch:
    """What is seen of the engines while they work. Written by ddgs's threads, read by us when time is up."""

    ends: float
    way: Way
    found: Found = field(default_factory=Found)
    early: list[dict[str, str]] = field(default_factory=list)
    statuses: dict[str, list[int]] = field(default_factory=dict)

    def engine(self, engine: Any) -> None:
        """Watch one engine: its answers by status, and no wait after the deadline."""
        name, search = str(engine.name), engine.search
        statuses = self.statuses.setdefault(name, [])
        engine.http_client = EngineClient(self.way, engine.headers_update)
        request = engine.http_client.request

        def watched_request(*arguments: Any, **options: Any) -> Any:
            answer = request(*arguments, **options)
            captcha = any(word in answer.text[:20_000].lower() for word in _CAPTCHA)
            statuses.append(429 if captcha and answer.status_code == 200 else answer.status_code)
            return answer

        def watched_search(*arguments: Any, **options: Any) -> Any:
            try:
                results = until(self.ends, lambda: search(*arguments, **options))
            except Exception as error:
                if isinstance(error, TimeoutError):
                    self.found.late = True
                else:
                    self.found.unreachable.append(name)
                raise
            self.early += [_fields(result) for result in results or []]
            if not results:
                blocked = next((status for status in statuses if status in BLOCKED), None)
                (self.found.blocked if blocked else self.found.empty).append(f"{name} ({blocked})" if blocked else name)
            return results

        engine.http_client.request = watched_request
        engine.search = watched_search


def _fields(result: Any) -> dict[str, str]:
    return {key: str(getattr(result, key, "")) for key in ("title", "href", "body")}


def _search(watch: _Watch, query: str, limit: int, backend: str, region: str) -> list[dict[str, str]]:
    from ddgs.ddgs import DDGS  # `ddgs.DDGS` is a stand-in that cannot be subclassed until the real one is loaded
    from ddgs.exceptions import DDGSException

    class Watched(DDGS):
        def _get_engines(self, category: str, backend: str) -> list[Any]:
            engines: list[Any] = super()._get_engines(category, backend)
            for engine in engines:
                if "watched" not in engine.search.__qualname__:
                    watch.engine(engine)
            return engines

    try:
        rows = Watched(timeout=int(ENGINE_S)).text(query, region=region, max_results=max(limit, 10), backend=backend)
        return [dict(row) for row in rows]
    except DDGSException:  # no result, or every engine failed: the watch knows which
        return []


def _hit(row: dict[str, Any], body: str) -> Hit:
    return Hit(_line(row.get("title"), 200), _line(row.get("href") or row.get("url"), 1000), _line(row.get(body), 400))


def _line(value: Any, most: int) -> str:
    text = " ".join(for_storage(str(value or "")).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def said(found: Found, query: str) -> str:
    """Numbered results, or that there are none. Raises ToolError when that is not known: blocked, unreachable, late."""
    if found.hits:
        return "\n".join(
            f"{number}. {hit.title or '(no title)'}\n   {hit.url}" + (f"\n   {hit.snippet}" if hit.snippet else "")
            for number, hit in enumerate(found.hits, start=1)
        )
    general = [name for name in found.empty if name not in _ENCYCLOPEDIAS]
    if general or (found.empty and not found.blocked and not found.unreachable and not found.late):
        return f"no results for {query!r}"
    if found.blocked:
        raise ToolError(
            "the search was blocked",
            f"refused by {', '.join(found.blocked[:5])}",
            "try again in a minute, or read a page you know with read_page; a person can name a search server of their own (web_search.url)",
        )
    if found.late:
        raise ToolError("the search did not end in time", "the engines were slow", "try again with fewer words")
    raise ToolError(
        "no search engine could be reached",
        f"tried {', '.join(dict.fromkeys(found.unreachable)) or 'all'}; there may be no network",
        "go on without the web, or try later",
    )
