"""Transcripts of other systems, read for review and search: one line a format, first that recognises the file reads it."""

from __future__ import annotations

FORMATS: dict[str, str] = {  # what people call it → module with `recognises(data)` and `read(data)`
    "openai": "chat JSON lines (OpenAI fine-tuning, TRL)",
    "mini-swe-agent": "mini-swe-agent trajectories",
    "swe-agent": "SWE-agent trajectories",
    "inspect": "Inspect JSON logs",
    "atif": "Agent Trajectory Interchange Format",
}
