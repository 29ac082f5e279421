"""One self-contained page: style and pictures inside, no script, no address outside; it opens from a disk or an e-mail.
Touches the journal and the blobs, to read. Does not promise: a small file for a run with large pictures.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from outrider.agent.history.run_view import read_run
from outrider.agent.plan.graph import plan_graph
from outrider.agent.review.page import charts, graph
from outrider.agent.review.page.render import data_url, page, static
from outrider.agent.review.page.whole import Links, differ, head_values, limits
from outrider.agent.review.story import Step, steps
from outrider.memory.errors import UsageError
from outrider.memory.events import ChildStarted
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify

MOST_PICTURE = 2_000_000  # bytes of one picture that is put into the page
DEPTH = 3


def write(journal: Journal) -> Iterator[str]:
    """The page in one piece."""
    run, told = read_run(journal.store, journal.run_id), list(steps(journal.read()))
    style = static("style.css")
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    children = _children(journal.store, told, DEPTH)
    shown = {child["run"].id for child in children}
    text = page(
        "export.html",
        **head_values(journal, run),
        verified=verify(journal),
        steps=told,
        links=_links(journal.store, shown),
        plan=graph.plan(plan_graph(stored.event for stored in journal.read())),
        timeline=charts.timeline(charts.spans(told)),
        burn=charts.burn_down(told, limits(run)),
        children=children,
        style=style,
        style_hash=f"sha256-{digest}",
    )
    yield text + "\n"


def _links(store: Store, children: set[str], prefix: str = "") -> Links:
    def picture(digest: str) -> str:
        data = store.get_blob(digest)
        return data_url(data) if data and len(data) <= MOST_PICTURE else ""

    return Links(
        picture=picture,
        whole=lambda digest: "",
        child=lambda run_id: f"#run-{run_id}" if run_id in children else "",
        context=lambda step: "",
        event=lambda seq: f"#e{seq}",
        diff=differ(store),
    )


def _children(store: Store, told: list[Step], depth: int) -> list[dict[str, Any]]:
    """The runs this one handed goals to, and theirs, each with its steps."""
    found: list[dict[str, Any]] = []
    ids = [s.event.child for step in told for s in step.others if isinstance(s.event, ChildStarted)]
    for child in ids if depth else []:
        try:
            journal = Journal.open_for_reading(store, child)
        except UsageError:  # deleted since
            continue
        below = list(steps(journal.read()))
        found.append({"run": read_run(store, child), "steps": below, "links": _links(store, set())})
        found += _children(store, below, depth - 1)
    return found
