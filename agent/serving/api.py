"""The HTTP API: give a goal, follow it, stop it, go on with it, answer what it asks. START HERE for `outrider serve`.
Touches the database, and the runs through the worker. Does not promise: accounts; whoever has the token may do all of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from outrider.agent.fleet.lines import Wrong, item_of
from outrider.agent.history.run_view import Run, read_run
from outrider.agent.serving.following import Hub, as_sse
from outrider.agent.serving.openapi import document
from outrider.agent.serving.worker import Busy, Conflict, Worker
from outrider.agent.structured.schema import schema_of
from outrider.agent.version import VERSION
from outrider.memory import run_index, schema
from outrider.memory.errors import LeaseLost, ModelUnavailable, OutriderError, StoreError, UsageError
from outrider.memory.inbox import answer, open_questions, stop, waiting
from outrider.memory.inbox.questions import Question

TAKEN = ("goal", "model", "budget", "label", "tools", "schema", "workspace")  # of a line of a batch
MOST_LIST = 500


class NotThere(UsageError):
    """There is no such run, or no such call."""


class Api:
    """The handlers. workspace: the folder runs may work in, and the folders below it."""

    def __init__(self, worker: Worker, hub: Hub, workspace: Path) -> None:
        self._worker, self._hub, self._workspace = worker, hub, workspace.resolve()

    @property
    def _store(self) -> Any:
        return self._worker.agent.store

    def routes(self) -> list[Route]:
        """Every address there is; all of them are in the OpenAPI document."""
        run = "/v1/runs/{run:str}"
        return [
            Route("/v1/runs", self.runs, methods=["GET"]),
            Route("/v1/runs", self.submit, methods=["POST"]),
            Route(run, self.get, methods=["GET"]),
            Route(f"{run}/events", self.events, methods=["GET"]),
            Route(f"{run}/cancel", self.cancel, methods=["POST"]),
            Route(f"{run}/resume", self.resume, methods=["POST"]),
            Route("/v1/approvals", self.approvals, methods=["GET"]),
            Route(f"{run}/approvals/{{call:str}}", self.approve, methods=["POST"]),
            Route("/v1/health", self.health, methods=["GET"]),
            Route("/v1/openapi.json", self.openapi, methods=["GET"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Take a goal in. 201: a new run; 200: the run there is for this Idempotency-Key."""
        fields = await _object(request)
        if strange := set(fields) - set(TAKEN):
            raise UsageError(
                f"a goal has no {', '.join(sorted(strange))}", "there is no such field", f"it has {', '.join(TAKEN)}"
            )
        item = item_of(0, _without_files(fields))
        if isinstance(item, Wrong):
            raise UsageError("this is no goal", item.why, "correct it")
        line = item.line
        settings: dict[str, Any] = {"budget": dict(line.budget), "workspace": self._folder(line.workspace)}
        given = {"model": line.model, "label": line.label, "tools": line.tools, "schema": line.schema_}
        settings |= {name: value for name, value in given.items() if value is not None}
        key = request.headers.get("idempotency-key", "")[:200]
        run_id, new = await self._worker.submit(line, item.digest, key, settings)
        told = {"run": run_id, "events": f"/v1/runs/{run_id}/events"}
        return JSONResponse(told, 201 if new else 200, {"location": f"/v1/runs/{run_id}"})

    async def runs(self, request: Request) -> Response:
        """Runs, newest first; `label` and `limit`."""
        limit = _number(request, "limit", 50, MOST_LIST)
        label = request.query_params.get("label", "")
        return JSONResponse({"runs": await asyncio.to_thread(self._rows, label, limit)})

    async def get(self, request: Request) -> Response:
        """One run as it stands, with the calls that wait for a yes."""
        run = await asyncio.to_thread(self._run, request)
        questions = await asyncio.to_thread(open_questions, self._store, run.id)
        return JSONResponse(_plain(run.as_json() | {"waits_for": [_told(one) for one in questions]}))

    async def events(self, request: Request) -> Response:
        """Its events as they are committed, as server-sent events; those after Last-Event-ID (or `after`)."""
        run = await asyncio.to_thread(self._exact, request)
        raw = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        if not raw.isascii() or not raw.isdigit():
            raise UsageError(f"{raw[:40]!r} is no event", "events are numbered from 1", "send the id that came last")
        after = int(raw) if len(raw) < 19 else sys.maxsize
        return StreamingResponse(self._stream(run, after), media_type="text/event-stream")

    async def cancel(self, request: Request) -> Response:
        """Leave the run after its step; `resume` goes on."""
        run = await asyncio.to_thread(self._exact, request)
        if not self._worker.cancel(run, "stopped through the API"):
            try:
                await asyncio.to_thread(stop, self._store, run, via="api")
            except UsageError as error:
                raise Conflict(error.what, error.why, error.fix) from error
        return JSONResponse({"run": run, "told": "to stop after this step"}, 202)

    async def resume(self, request: Request) -> Response:
        """Go on with it; `budget` changes its limits: {"usd": "+0.50"}."""
        run, fields = await asyncio.to_thread(self._exact, request), await _object(request)
        if set(fields) - {"budget"} or not isinstance(fields.get("budget", {}), dict):
            raise UsageError(
                "this does not say how to go on", "only budget can be given, an object", '{"budget": {"usd": "+0.50"}}'
            )
        await self._worker.resume(run, fields.get("budget", {}))
        return JSONResponse({"run": run}, 202)

    async def approvals(self, request: Request) -> Response:
        """The calls of all runs that wait for a yes."""
        return JSONResponse(_plain({"waiting": [_told(one) for one in await asyncio.to_thread(waiting, self._store)]}))

    async def approve(self, request: Request) -> Response:
        """Allow a call (`approve`: true) or refuse it; `scope` once or run, `arguments` in place of those shown, `reason`."""
        run, fields = await asyncio.to_thread(self._exact, request), await _object(request)
        wrong = set(fields) - {"approve", "scope", "arguments", "reason"}
        if wrong or not isinstance(fields.get("approve"), bool) or fields.get("scope", "once") not in ("once", "run"):
            raise UsageError("this is no answer", "it needs approve (true or false), and may have scope (once, run), arguments, reason",
                             '{"approve": true}')  # fmt: skip
        return JSONResponse(
            _plain(await asyncio.to_thread(self._answer, run, str(request.path_params["call"]), fields))
        )

    async def health(self, request: Request) -> Response:
        """That it is there, and how much it does."""
        return JSONResponse({"version": VERSION, "runs": len(self._worker.live), "jobs": self._worker.jobs})

    async def openapi(self, request: Request) -> Response:
        """The description of all this."""
        return JSONResponse(document())

    async def _stream(self, run: str, after: int) -> AsyncIterator[str]:
        async for stored in self._hub.follow(self._store, run, after):
            yield ": still here\n\n" if stored is None else as_sse(stored)
        state = (await asyncio.to_thread(read_run, self._store, run)).state
        yield f"event: end\ndata: {json.dumps({'run': run, 'state': state})}\n\n"

    def _rows(self, label: str, limit: int) -> list[dict[str, Any]]:
        with run_index.opened(self._store.url.render_as_string(hide_password=False)) as ask:
            rows = list(islice(run_index.runs(ask, label=label), limit))
        return [
            {"run": row.run_id, "goal": row.told.goal, "label": row.label, "created_at": row.created_at, "running": row.held,
             "reason": row.told.reason, "usd": float(row.told.usd), "tokens": row.told.tokens, "steps": row.told.steps}
            for row in rows
        ]  # fmt: skip

    def _exact(self, request: Request) -> str:
        """The run an address names, by its whole id. Raises NotThere."""
        wanted = str(request.path_params["run"])
        with self._store.read() as db:
            found = db.scalar(
                schema.runs.select().with_only_columns(schema.runs.c.run_id).where(schema.runs.c.run_id == wanted)
            )
        if found is None:
            raise NotThere(f"there is no run {wanted[:60]!r}", "this database does not hold it", "see /v1/runs")
        return str(found)

    def _run(self, request: Request) -> Run:
        return read_run(self._store, self._exact(request))

    def _answer(self, run: str, call: str, fields: dict[str, Any]) -> dict[str, Any]:
        found = [one for one in open_questions(self._store, run) if call in (one.code, one.asked.call_id)]
        if not found:
            raise NotThere(
                f"run {run} has no call {call[:60]!r} that waits",
                "it was decided, changed, or never asked",
                "see /v1/approvals",
            )
        given = answer(
            self._store, found[0], approve=fields["approve"], via="api", scope=fields.get("scope", "once"),
            arguments=fields.get("arguments"), reason=str(fields.get("reason", "")),
        )  # fmt: skip
        return {"run": run, "call": found[0].code, "answer": str(given), "again": given.again}

    def _folder(self, given: str | None) -> str:
        folder = (self._workspace / (given or ".")).resolve()
        if not folder.is_relative_to(self._workspace):
            raise UsageError(f"the workspace {str(given)[:100]!r} is not the server's", "runs work in its folder and below",
                             "name a folder below it")  # fmt: skip
        return str(folder)


def make_app(api: Api, worker: Worker) -> Starlette:
    """The server's pages, and the worker that lives as long as it does."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        worker.start()
        try:
            yield
        finally:
            await worker.close()

    handlers: dict[Any, Callable[[Request, Any], Response]] = {OutriderError: _failed, HTTPException: _http}
    return Starlette(routes=api.routes(), exception_handlers=handlers, lifespan=lifespan)


def _told(question: Question) -> dict[str, Any]:
    asked = question.asked
    return {"run": question.run_id, "call": question.code, "tool": asked.tool, "arguments": asked.arguments,
            "effect": asked.effect, "why": asked.why, "at": question.at}  # fmt: skip


async def _object(request: Request) -> dict[str, Any]:
    raw = await request.body()
    try:
        read = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError) as error:
        raise UsageError("the request is not JSON", str(error)[:200], "send one JSON object") from error
    if not isinstance(read, dict):
        raise UsageError("the request is no JSON object", f"it is {type(read).__name__}", "send one JSON object")
    return read


def _without_files(fields: dict[str, Any]) -> dict[str, Any]:
    """A goal's fields that name no file of the server's: whoever has the token may run goals, not read the disk. Raises UsageError."""
    model, schema = fields.get("model"), fields.get("schema")
    provider, _, name = model.strip().partition(":") if isinstance(model, str) else ("", "", "")
    if provider == "scripted" or (provider == "llama" and (name[:1] in "/.~" or name.lower().endswith(".gguf"))):
        raise UsageError("that model is not taken", "it is a file of the server's", "start the server with it")
    return fields | ({"schema": schema_of(schema, files=False)} if isinstance(schema, str) else {})


def _number(request: Request, name: str, usual: int, most: int) -> int:
    raw = request.query_params.get(name, str(usual))
    if not raw.isascii() or not raw.isdigit() or not 0 < int(raw[:9]) <= most:
        raise UsageError(f"{name} is no number from 1 to {most}", f"it is {raw[:40]!r}", "leave it out")
    return int(raw)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


STATUS: tuple[tuple[type[OutriderError], int], ...] = (
    (NotThere, 404), (Conflict, 409), (LeaseLost, 409), (Busy, 503), (StoreError, 503), (ModelUnavailable, 502), (UsageError, 400),
)  # fmt: skip


def _failed(request: Request, error: OutriderError) -> Response:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    more = {"retry-after": "5"} if status == 503 else {}
    return JSONResponse({"error": {"what": error.what, "why": error.why, "fix": error.fix}}, status, more)


def _http(request: Request, error: HTTPException) -> Response:
    told = {"what": error.detail, "why": f"{request.method} {request.url.path[:100]}", "fix": "see /v1/openapi.json"}
    return JSONResponse({"error": told}, error.status_code)
