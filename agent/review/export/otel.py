"""A run as OpenTelemetry spans in OTLP's JSON encoding: one trace a run, a span for the run, each request and each tool call.
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


def write(journal: Journal) -> Iterator[str]:
    """One `ExportTraceServiceRequest` as JSON."""
    run, told = read_run(journal.store, journal.run_id), list(steps(journal.read()))
    resource = {"attributes": _attributes({"service.name": "outrider", "service.version": VERSION})}
    scope = {"name": "outrider", "version": VERSION}
    spans = list(_spans(run, told))
    yield (
        json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]}) + "\n"
    )


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
        "gen_ai.usage.total_tokens": run.spent.tokens,
        "outrider.goal": run.goal,
        "outrider.state": run.state,
        "outrider.cost.usd": float(run.spent.usd),
    }
    failed = "" if run.state == "answered" else run.stop_reason
    yield _span(trace, root, "", "invoke_agent outrider", INTERNAL, start, end, attributes, failed)


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
    if replied and replied.finish_reason:
        attributes["gen_ai.response.finish_reasons"] = [replied.finish_reason]
    latency = int((replied.latency_s if replied else 0) * 1e9)
    error = replied.error if replied else "no reply was recorded"
    span_id = _id(f"{run.id}/{step.first}", 8)
    return _span(trace, span_id, root, f"chat {model or provider}", CLIENT, start, start + latency, attributes, error)


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
    error = "no result was recorded" if returned is None else "" if returned.ok else "the tool failed"
    span_id = _id(f"{run.id}/{call.called_seq or call.returned_seq}", 8)
    return _span(trace, span_id, root, f"execute_tool {call.tool}", INTERNAL, start, start + wall, attributes, error)


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
) -> dict[str, Any]:
    made = {
        "traceId": trace,
        "spanId": span,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": _attributes(attributes | ({"error.type": error[:200]} if error else {})),
        "status": {"code": ERROR, "message": error[:500]} if error else {"code": OK},
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
