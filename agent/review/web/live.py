"""Server-sent events of one run: each step's card again whenever it grew, within half a second of its commit.
Touches the journal, to read, every POLL_S while somebody watches. Does not promise: to notice a reader that left at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from outrider.agent.history.run_view import read_run
from outrider.agent.review.page.render import page
from outrider.agent.review.story import outline, read_steps
from outrider.agent.review.web.links import links
from outrider.memory.errors import OutriderError
from outrider.memory.journal import Journal
from outrider.memory.lease import holder_lives
from outrider.memory.store import Store

POLL_S = 0.25
AT_ONCE = 20  # steps sent in one go to a reader that is behind
BEAT_S = 15.0  # a comment now and then, so that a dead connection is found


def endpoint(store: Store) -> Callable[[Request], Awaitable[Response]]:
    """The handler for a store."""

    async def follow(request: Request) -> Response:
        raw = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        after = int(raw) if raw.isdigit() else 0
        stream = _events(store, str(request.path_params["run"]), after)
        return StreamingResponse(stream, media_type="text/event-stream")

    return follow


async def _events(store: Store, run_id: str, after: int) -> AsyncIterator[str]:
    state, quiet = "", 0.0
    while True:
        try:
            found, seen, now = await asyncio.to_thread(_news, store, run_id, after)
        except OutriderError as error:
            yield _event("gone", {"why": error.what}, after)
            return
        if found or now != state:
            after, state, quiet = seen, now, 0.0
            yield _event("steps", {"html": found, "state": state}, after)
        if state not in ("", "running"):
            yield _event("end", {"state": state}, after)
            return
        await asyncio.sleep(POLL_S)
        quiet += POLL_S
        if quiet >= BEAT_S:
            quiet = 0.0
            yield ": still here\n\n"


def _news(store: Store, run_id: str, after: int) -> tuple[str, int, str]:
    """(cards of the steps that grew since event `after`, the last event in them, the run's state)."""
    journal = Journal.open_for_reading(store, run_id)
    row = journal.current()
    if journal.head_seq <= after and holder_lives(row["holder"], row["beat"]):
        return "", after, "running"  # nothing new: a long run is not read again at every look
    state = read_run(store, run_id).state
    if journal.head_seq <= after:
        return "", after, state
    starts = outline(journal)
    first = max((n for n, start in enumerate(starts) if start <= after + 1), default=0)
    told = read_steps(journal, starts, first, AT_ONCE)
    return page("steps.html", steps=told, links=links(store, journal.run_id)), told[-1].last, state


def _event(name: str, data: dict[str, str], seq: int) -> str:
    return f"id: {seq}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
