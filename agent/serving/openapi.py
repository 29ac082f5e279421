"""The OpenAPI document of the HTTP API. Touches nothing. A test compares it with the routes there are."""

from __future__ import annotations

from typing import Any

from outrider.agent.version import VERSION

_RUN = {"name": "run", "in": "path", "required": True, "schema": {"type": "string"}, "description": "The id of a run."}
_ERROR = {
    "description": "What happened, why, and what to do.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_TEXT, _OBJECT = {"type": "string"}, {"type": "object"}
_BUDGET = {
    "type": "object",
    "description": 'Limits; when going on, "+0.50" adds to what there was.',
    "properties": {name: {} for name in ("usd", "tokens", "steps", "seconds", "calls", "wall_seconds")},
}
_GOAL = {
    "type": "object",
    "required": ["goal"],
    "additionalProperties": False,
    "properties": {
        "goal": _TEXT,
        "model": {**_TEXT, "description": "provider:name; without one, the server's."},
        "budget": _BUDGET,
        "label": _TEXT,
        "tools": {"type": "array", "items": _TEXT, "description": "Built-in tools it may use."},
        "schema": {"description": 'What the answer must be: a JSON Schema, or "name, age int".'},
        "workspace": {**_TEXT, "description": "A folder below the server's."},
    },
}
_ANSWER = {
    "type": "object",
    "required": ["approve"],
    "additionalProperties": False,
    "properties": {
        "approve": {"type": "boolean"},
        "scope": {"enum": ["once", "run"]},
        "arguments": {**_OBJECT, "description": "In place of those that were shown."},
        "reason": _TEXT,
    },
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    run = "/v1/runs/{run}"
    return {
        "openapi": "3.1.0",
        "info": {"title": "Outrider", "version": VERSION, "description": "Give it a goal and a budget; follow it; get an answer."},
        "security": [{"token": []}],
        "paths": {
            "/v1/runs": {
                "get": _does("listRuns", "Runs, newest first.", 200, [_query("label", _TEXT), _query("limit", {"type": "integer"})]),
                "post": _does("submitGoal", "Give a goal; 200 instead of 201 where the key was used for it before.", 201,
                              [{"name": "Idempotency-Key", "in": "header", "schema": _TEXT}], _GOAL),
            },
            run: {"get": _does("getRun", "One run as it stands, with the calls that wait for a yes.", 200, [_RUN])},
            f"{run}/events": {
                "get": _does("followRun", "Its events as server-sent events; `id` is the number of the event.", 200,
                             [_RUN, {"name": "Last-Event-ID", "in": "header", "schema": _TEXT}, _query("after", {"type": "integer"})],
                             kind="text/event-stream"),
            },
            f"{run}/cancel": {"post": _does("cancelRun", "Leave it after its step.", 202, [_RUN])},
            f"{run}/resume": {"post": _does("resumeRun", "Go on, with more of a budget.", 202, [_RUN],
                                            {"type": "object", "properties": {"budget": _BUDGET}})},
            "/v1/approvals": {"get": _does("listApprovals", "Calls of all runs that wait for a yes.", 200, [])},
            f"{run}/approvals/{{call}}": {
                "post": _does("answerCall", "Allow a call, or refuse it.", 200,
                              [_RUN, {"name": "call", "in": "path", "required": True, "schema": _TEXT}], _ANSWER),
            },
            "/v1/health": {"get": _does("health", "That it is there, and how much it does.", 200, [])},
            "/v1/openapi.json": {"get": _does("openapi", "This document.", 200, [])},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": {"type": "object", "properties": {"error": {
                "type": "object", "properties": {"what": _TEXT, "why": _TEXT, "fix": _TEXT}}}}},
        },
    }  # fmt: skip


def _does(
    name: str, says: str, status: int, takes: list[dict[str, Any]], body: dict[str, Any] | None = None,
    kind: str = "application/json",
) -> dict[str, Any]:  # fmt: skip
    told: dict[str, Any] = {"operationId": name, "summary": says, "parameters": takes}
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    good = {"description": says, "content": {kind: {"schema": _OBJECT if kind.endswith("json") else _TEXT}}}
    told["responses"] = {str(status): good, "default": _ERROR}
    return told


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}
