"""Inspect's JSON logs (`inspect log dump`, or `.json` logs): every sample of an evaluation is a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from outrider.agent.review.importing.turns import Conversation, from_messages, text_of


def recognises(data: Any) -> bool:
    """An `eval` with samples."""
    return isinstance(data, dict) and isinstance(data.get("eval"), dict) and isinstance(data.get("samples"), list)


def read(data: dict[str, Any]) -> Iterator[Conversation]:
    """The samples, in order."""
    about = data["eval"]
    for sample in data["samples"]:
        if not isinstance(sample, dict):
            continue
        one = from_messages(
            [m for m in sample.get("messages") or [] if isinstance(m, dict)],
            source="inspect", model=str(about.get("model") or "unknown"),
        )  # fmt: skip
        one.goal = one.goal or _input(sample.get("input"))
        scores = sample.get("scores")
        values = (
            {k: v.get("value") for k, v in scores.items() if isinstance(v, dict)} if isinstance(scores, dict) else {}
        )
        task = str(about.get("task") or "")
        one.ended = f"{task} sample {sample.get('id')}" + (
            f", scores {json.dumps(values, default=str)}" if values else ""
        )
        yield one


def _input(value: Any) -> str:
    if isinstance(value, list):
        users = [m for m in value if isinstance(m, dict) and m.get("role") == "user"]
        return text_of(users[0].get("content")) if users else ""
    return text_of(value)
