"""A run as OpenTelemetry spans in OTLP's JSON encoding: one trace a run, a span for the run, each request and each tool call.
`write` gives it in one piece for a file, `requests` in pieces that a collector takes (send.py).
Touches the journal, to read. Does not promise: that a collector knows the GenAI conventions; the attribute names are
those of open-telemetry/semantic-conventions-genai (gen_ai.*), written out here because they still move.

Ids are made from the run's id and the event's number, so exporting twice gives the same spans.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any

from outrider.agent.history.run_view import Run, read_run
from outrider.agent.review.story import Call, Step, steps
from outrider.agent.version import VERSION
from outrider.memory.journal import Journal

INTERNAL, CLIENT = 1, 3  # span kinds
OK, ERROR = 1, 2  # status codes
MOST_SPANS, MOST_BYTES = 500, 2_000_000  # of one request to a collector


def write(journal: Journal) -> Iterator[str]:
    """One `ExportTraceServiceRequest` as JSON."""
    run, told = read_run(journal.store, journal.run_id), list(steps(journal.read()))
    yield _request_of(list(_spans(run, told))) + "\n"


def requests(journal: Journal) -> Iterator[tuple[str, int]]:
    """(an `ExportTraceServiceRequest` as JSON, how many spans it holds), each of a size that collectors take."""
    run, held, size = read_run(journal.store, journal.run_id), list[dict[str, Any]](), 0
    for span in _spans(run, list(steps(journal.read()))):
        weight = len(json.dumps(span))
        if held and (len(held) >= MOST_SPANS or size + weight > MOST_BYTES):
            yield _request_of(held), len(held)
            held, size = [], 0
        held.append(span)
        size += weight
    yield _request_of(held), len(held)


def _request_of(spans: list[dict[str, Any]]) -> str:
    resource = {"attributes": _attributes({"service.name": "outrider", "service.version": VERSION})}
    scope = {"name": "outrider", "version": VERSION}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]})


def _spans(run: Run, told: list[Step]) -> Iterator[dict[str, Any]]:
    trace, root = _id(run.id, 16), _id(f"{run.id}/run", 8)
    start = _nanoseconds(told[0].at) if told else 0
    end = start
    for step in told:
        if step.asked:
            span = _request(run, step, trace, root)
            end = max(end, int(span["endTimeUnixNano"]))
            yield span
        for call in step.calls:
            span = _tool(run, call, trace, root)
            end = max(end, int(span["endTimeUnixNano"]))
            yield span
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "outrider",
        "gen_ai.conversation.id": run.id,
        "gen_ai.request.model": run.model.partition(":")[2] or run.model,
        "gen_ai.provider.name": run.model.partition(":")[0],
        "gen_ai.usage.input_tokens": sum(s.replied.usage.input_tokens for s in told if s.replied and s.replied.usage),
        "gen_ai.usage.output_tokens": sum(s.replied.usage.output_tokens for s in told if s.replied and s.replied.usage),
        "outrider.tokens": run.spent.tokens,
        "outrider.goal": run.goal,
        "outrider.state": run.state,
        "outrider.cost.usd": float(run.spent.usd),
    }
    failed = "" if run.state == "answered" else run.stop_reason or run.state
    said = f"{failed}: {run.detail}" if failed else ""
    yield _span(trace, root, "", "invoke_agent outrider", INTERNAL, start, end, attributes, failed, said)


def _request(run: Run, step: Step, trace: str, root: str) -> dict[str, Any]:
    replied = step.replied
    provider, _, model = run.model.partition(":")
    start = _nanoseconds(step.at)
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model or provider,
        "gen_ai.request.max_tokens": step.asked.max_tokens if step.asked else 0,
        "gen_ai.conversation.id": run.id,
        "outrider.step": step.number,
    }
    if replied and replied.usage:
        attributes |= {
            "gen_ai.usage.input_tokens": replied.usage.input_tokens,
            "gen_ai.usage.output_tokens": replied.usage.output_tokens,
        }
        parts = (("cache_read", replied.usage.cached_tokens), ("cache_creation", replied.usage.cache_write_tokens))
        attributes |= {f"gen_ai.usage.{name}.input_tokens": tokens for name, tokens in parts if tokens}
    if replied and replied.finish_reason:
        attributes["gen_ai.response.finish_reasons"] = [replied.finish_reason]
    latency = int((replied.latency_s if replied else 0) * 1e9)
    error = replied.error if replied else "no reply was recorded"
    span_id = _id(f"{run.id}/{step.first}", 8)
    kind = "model_error" if error else ""
    name = f"chat {model or provider}"
    return _span(trace, span_id, root, name, CLIENT, start, start + latency, attributes, kind, error)


def _tool(run: Run, call: Call, trace: str, root: str) -> dict[str, Any]:
    returned = call.returned
    start = _nanoseconds(call.called_at)
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.tool,
        "gen_ai.tool.call.id": call.call_id,
        "gen_ai.tool.type": "function",
        "gen_ai.conversation.id": run.id,
    }
    if call.called:
        attributes["gen_ai.tool.call.arguments"] = json.dumps(call.called.arguments, ensure_ascii=False)
        attributes["outrider.effect"] = call.called.effect
    if returned:
        attributes |= {"gen_ai.tool.call.result": returned.text, "outrider.origin": returned.origin}
    wall = int((returned.wall_s if returned else 0) * 1e9)
    error = "no_result" if returned is None else "" if returned.ok else "tool_error"
    said = "" if returned is None or returned.ok else returned.text
    span_id = _id(f"{run.id}/{call.called_seq or call.returned_seq}", 8)
    name = f"execute_tool {call.tool}"
    return _span(trace, span_id, root, name, INTERNAL, start, start + wall, attributes, error, said)


def _span(
    trace: str,
    span: str,
    parent: str,
    name: str,
    kind: int,
    start: int,
    end: int,
    attributes: dict[str, Any],
    error: str,
    said: str,
) -> dict[str, Any]:
    """error: a word from a short list, or ""; said: the same for people."""
    made = {
        "traceId": trace,
        "spanId": span,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": _attributes(attributes | ({"error.type": error} if error else {})),
        "status": {"code": ERROR, "message": said[:500]} if error else {"code": OK},
    }
    return made | ({"parentSpanId": parent} if parent else {})


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}  # 64-bit numbers are strings in protobuf's JSON
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": str(value)}


def _id(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()


def _nanoseconds(at: str) -> int:
    try:
        return int(datetime.fromisoformat(at).timestamp() * 1e9)
    except ValueError:
        return 0
