"""A run in the formats of others: one line a format, one module each, imported when it is asked for."""

from __future__ import annotations

FORMATS: dict[str, tuple[str, str]] = {  # name → (module:function, what it is)
    "html": ("html:write", "one page that opens offline, with the reading view of `outrider view`"),
    "md": ("markdown:write", "Markdown"),
    "jsonl": ("jsonl:write", "every event with its hash and every stored output; `outrider import` reads it back"),
    "otel": ("otel:write", "OpenTelemetry spans (GenAI conventions) as OTLP JSON"),
    "sft": ("sft:write", "chat JSON lines with tools for fine-tuning, secrets masked"),
    "atif": ("atif:write", "Agent Trajectory Interchange Format 1.4"),
}
