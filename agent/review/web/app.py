"""The viewer's pages: the list of runs, one run, its decisions, the context of a step, search, a diff, a comparison, and
pieces that the script loads.
Touches the database, to read; actions start `outrider` itself (actions.py). Every handler is synchronous: starlette runs
them in threads. Does not promise: to be a server for several people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from outrider.agent.context.conversation import Context
from outrider.agent.history.ends import RunState
from outrider.agent.history.run_view import read_run
from outrider.agent.models.model import as_shown
from outrider.agent.plan.graph import plan_graph
from outrider.agent.review.comparison import by_model, of_label, of_run
from outrider.agent.review.decisions import decisions
from outrider.agent.review.diff import compare, moves
from outrider.agent.review.page import charts, graph
from outrider.agent.review.page.render import media_type, page, static
from outrider.agent.review.page.whole import head_values, limits
from outrider.agent.review.story import Step, outline, read_steps, steps
from outrider.agent.review.web import actions, live
from outrider.agent.review.web.links import links
from outrider.agent.review.web.lists import family, listed, plots
from outrider.memory import inbox, recall
from outrider.memory.errors import OutriderError
from outrider.memory.events import ModelAsked
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import Verdict, verify

CHUNK = 50  # steps a piece
LIST = 200  # runs on the first page
VERIFIED = 5_000  # events; a longer run is verified by `outrider verify`, not on every look
MOST_MESSAGE = 40_000
STATES = ("", *get_args(RunState))
TOLD = {
    "resume": "It was told to go on; this page follows as soon as it does.",
    "stop": "It was told to stop after the step it is at.",
}


def make_app(store: Store, go: Callable[[list[str]], None]) -> Starlette:
    """The viewer of one database. `go` starts an outrider command (actions.py)."""
    pages = _Pages(store)
    run = "/runs/{run:str}"
    routes = [
        Route("/", pages.runs),
        Route("/rows", pages.rows),
        Route("/search", pages.search),
        Route("/diff", pages.diff),
        Route("/compare", pages.compare),
        Route("/waiting", pages.waiting),
        Route(run, pages.run),
        Route(f"{run}/steps", pages.steps),
        Route(f"{run}/charts", pages.charts),
        Route(f"{run}/decisions", pages.decisions),
        Route(f"{run}/waiting", pages.waiting),
        Route(f"{run}/context/{{step:int}}", pages.context),
        Route(f"{run}/live", live.endpoint(store)),
        Route(f"{run}/blob/{{digest:str}}", pages.blob),
        Route(f"{run}/{{action:str}}", actions.endpoint(store, go), methods=["POST"]),
        Route("/static/{name:str}", _static),
    ]
    return Starlette(routes=routes, exception_handlers={OutriderError: _failed})


@dataclass(frozen=True, slots=True)
class _Pages:
    store: Store

    def runs(self, request: Request) -> Response:
        """The newest runs."""
        query, asked = dict(request.query_params), inbox.waiting(self.store)
        return HTMLResponse(
            page("runs.html", **self._list(request, asked), states=STATES, query=query, questions=asked)
        )

    def rows(self, request: Request) -> Response:
        """Only the rows, for the list to keep itself fresh."""
        return HTMLResponse(page("rows.html", **self._list(request, inbox.waiting(self.store))))

    def _list(self, request: Request, asked: list[inbox.Question]) -> dict[str, Any]:
        wanted = {name: request.query_params.get(name, "") for name in ("q", "state", "label")}
        found = listed(self.store, wanted["q"], wanted["state"], wanted["label"])
        return {"runs": list(islice(found, LIST)), "asking": {one.run_id for one in asked}}

    def waiting(self, request: Request) -> Response:
        """The calls that wait for a person: of one run and its children, or of every run."""
        everywhere = request.path_params.get("run") is None
        questions = inbox.waiting(self.store) if everywhere else self._asked(self._journal(request))
        return HTMLResponse(page("waiting.html", questions=questions))

    def _asked(self, journal: Journal) -> list[inbox.Question]:
        below = {one.id for one in family(self.store, journal) if one.what == "child"}
        children = [one for one in inbox.waiting(self.store) if one.run_id in below]
        return inbox.open_questions(self.store, journal.run_id) + children

    def run(self, request: Request) -> Response:
        """One run: its head, and the first steps; the rest is loaded as it comes into sight."""
        journal = self._journal(request)
        run = read_run(self.store, journal.run_id)
        starts = outline(journal)
        verdict = verify(journal) if journal.head_seq <= VERIFIED else Verdict(True, 0)
        chunks = [(first, starts[first], min(CHUNK, len(starts) - first)) for first in range(0, len(starts), CHUNK)]
        values = head_values(journal, run)
        return HTMLResponse(
            page(
                "run.html", **values, verified=verdict, links=links(self.store, journal.run_id), chunks=chunks, head=journal.head_seq,
                first=read_steps(journal, starts, 0, CHUNK), tree=family(self.store, journal), budget=run.budget,
                questions=self._asked(journal), told=TOLD.get(request.query_params.get("told", ""), ""),
                at=request.query_params.get("at", "")[:12],
            )
        )  # fmt: skip

    def steps(self, request: Request) -> Response:
        """Some steps as cards: `from` counts from 0."""
        journal = self._journal(request)
        first = max(0, int(request.query_params.get("from", "0") or 0))
        return self._cards(journal, read_steps(journal, outline(journal), first, CHUNK))

    def _cards(self, journal: Journal, told: list[Step]) -> Response:
        return HTMLResponse(page("steps.html", steps=told, links=links(self.store, journal.run_id)))

    def charts(self, request: Request) -> Response:
        """Both pictures of a run; they read all of it, so they come after the first screen."""
        journal = self._journal(request)
        told = list(steps(journal.read()))
        limit = limits(read_run(self.store, journal.run_id))
        plan = graph.plan(plan_graph(stored.event for stored in journal.read()))
        lanes, burn = charts.timeline(charts.spans(told)), charts.burn_down(told, limit)
        return HTMLResponse(page("charts.html", plan=plan, timeline=lanes, burn=burn))

    def decisions(self, request: Request) -> Response:
        """What decided whether each call ran, and the flags of the rule of two."""
        journal = self._journal(request)
        run = read_run(self.store, journal.run_id)
        return HTMLResponse(page("decisions.html", run=run, found=decisions(journal.read())))

    def context(self, request: Request) -> Response:
        """What the model was shown at a step, rebuilt from the events before it."""
        journal, step = self._journal(request), int(request.path_params["step"])
        context = Context()
        for stored in journal.read():
            event = stored.event
            if isinstance(event, ModelAsked) and event.step == step and event.purpose == "step":
                break
            context.add(event, seq=stored.seq)
        shown = [(m.role, m.label, as_shown(m)[:MOST_MESSAGE], m.calls) for m in context.messages]
        return HTMLResponse(page("context.html", run_id=journal.run_id, step=step, messages=shown))

    def search(self, request: Request) -> Response:
        """Every observation, answer and note of every run."""
        query = request.query_params.get("q", "")[:500]
        hits = recall.search(self.store, query, limit=50) if query.strip() else []
        return HTMLResponse(page("search.html", query=query, hits=hits))

    def diff(self, request: Request) -> Response:
        """Two runs side by side."""
        names = [request.query_params.get(side, "") for side in ("a", "b")]
        journals = [Journal.open_for_reading(self.store, name) for name in names]
        rows = compare(*(moves(steps(journal.read())) for journal in journals))
        runs = [read_run(self.store, journal.run_id) for journal in journals]
        return HTMLResponse(page("diff.html", left=runs[0], right=runs[1], rows=rows))

    def compare(self, request: Request) -> Response:
        """Many runs: those named, or those of a label. Every one is counted; of many the newest are listed."""
        label, names = request.query_params.get("label", ""), request.query_params.getlist("run")
        found = [of_run(read_run(self.store, name)) for name in names] or of_label(self.store, label)
        rows, shown = list(by_model(found)), found[-LIST:]
        return HTMLResponse(
            page("compare.html", label=label, total=len(found), runs=shown, rows=rows, plots=plots(rows, shown))
        )

    def blob(self, request: Request) -> Response:
        """A stored output this run names: a picture as one, anything else as plain text that no browser interprets."""
        data = self.store.get_blob(str(request.path_params["digest"]))
        if data is None:
            return PlainTextResponse("there is no such output", 404)
        if kind := media_type(data):
            return Response(data, media_type=kind)
        return PlainTextResponse(data.decode("utf-8", "replace"))

    def _journal(self, request: Request) -> Journal:
        return Journal.open_for_reading(self.store, str(request.path_params["run"]))


def _static(request: Request) -> Response:
    kinds = {"style.css": "text/css", "script.js": "text/javascript", "icon.svg": "image/svg+xml"}
    name = str(request.path_params["name"])
    if name not in kinds:
        return PlainTextResponse("there is no such file", 404)
    return Response(static(name), media_type=kinds[name])


def _failed(request: Request, error: Exception) -> Response:
    return HTMLResponse(page("error.html", **{name: getattr(error, name, "") for name in ("what", "why", "fix")}), 404)
