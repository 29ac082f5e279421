"""Inspect's logs, `.json` and `.eval` (archive.py opens those): every sample of an evaluation is a run."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from outrider.agent.review.importing.left_out import LeftOut, objects
from outrider.agent.review.importing.turns import Conversation, from_messages, text_of, usage_of

_APART = re.compile(r"attachment://([0-9a-f]{16,64})")


def recognises(data: Any) -> bool:
    """An `eval` with samples."""
    return isinstance(data, dict) and isinstance(data.get("eval"), dict) and isinstance(data.get("samples"), list)


def read(data: dict[str, Any]) -> Iterator[Conversation]:
    """The samples, in order."""
    about = data["eval"]
    odd: LeftOut = Counter()
    samples = objects(data["samples"], "sample", odd)
    for sample in samples:
        one = from_messages(
            sample.get("messages"), source="inspect", model=str(about.get("model") or "unknown"),
        )  # fmt: skip
        one.left_out += odd if sample is samples[0] else Counter()
        _fill_in(one, sample)
        one.goal = one.goal or _input(sample.get("input"))
        scores = sample.get("scores")
        values = (
            {k: v.get("value") for k, v in scores.items() if isinstance(v, dict)} if isinstance(scores, dict) else {}
        )
        task = str(about.get("task") or "")
        scored = f", scores {json.dumps(values, default=str)}" if values else ""
        failure = f": {one.ended}" if one.failed and one.ended else ""
        one.ended = f"{task} sample {sample.get('id')}{scored}{failure}"
        yield one


def _fill_in(one: Conversation, sample: dict[str, Any]) -> None:
    """Long texts that are kept apart, what each request used, and the output that was scored."""
    apart = sample.get("attachments")
    if isinstance(apart, dict):
        one.goal, one.system = _whole(one.goal, apart), _whole(one.system, apart)
        for turn in one.turns:
            turn.text = _whole(turn.text, apart)
            for call in turn.calls:
                call.result = None if call.result is None else _whole(call.result, apart)
                call.arguments = {k: _whole(v, apart) if isinstance(v, str) else v for k, v in call.arguments.items()}
    asked = [e for e in objects(sample.get("events"), "event", one.left_out) if e.get("event") == "model"]
    replies = [turn for turn in one.turns if turn.role == "assistant"]
    if len(asked) == len(replies):
        for turn, event in zip(replies, asked, strict=True):
            output = event.get("output")
            turn.usage = usage_of(output.get("usage")) if isinstance(output, dict) else None
    output, error = sample.get("output"), sample.get("error")
    one.answer = text_of(output.get("completion")) if isinstance(output, dict) else ""
    one.failed = bool(error)
    if isinstance(error, dict):
        one.ended = text_of(error.get("message"))[:1000]


def _whole(text: str, apart: dict[str, Any]) -> str:
    return _APART.sub(lambda found: text_of(apart.get(found[1], found[0])), text)


def _input(value: Any) -> str:
    if isinstance(value, list):
        users = [m for m in value if isinstance(m, dict) and m.get("role") == "user"]
        return text_of(users[0].get("content")) if users else ""
    return text_of(value)
