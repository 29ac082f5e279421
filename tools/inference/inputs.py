"""What a model is given: a text, or a picture or sound of the workspace.
May touch: reads files of the workspace. Does not promise: that a model understands the format; what is no picture or sound is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outrider.tools.files.paths import open_file, place, shown
from outrider.tools.hub.tasks import Task
from outrider.tools.inference.result import sniffed
from outrider.tools.tool import ToolContext, ToolError

MOST_BYTES = 20_000_000
MOST_TEXT = 200_000  # characters


@dataclass(frozen=True, slots=True)
class Given:
    """text, or data with its media type. paths: the files it is from, none for words of the call. options: the model's parameters."""

    text: str = ""
    data: bytes = b""
    media_type: str = ""
    paths: tuple[str, ...] = ()
    context: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def given(
    ctx: ToolContext, task: Task, inputs: str, context: str, labels: list[str], options: Mapping[str, Any]
) -> Given:
    """What the call gives the model. Raises ToolError for what is missing or of the wrong kind."""
    if not inputs.strip():
        what = "a text" if task.takes == "text" else f"the path of a {_noun(task)} of the workspace"
        raise ToolError(f"{task.name} has nothing to work on", "inputs is empty", f"give {what}")
    more = dict(options) | ({"candidate_labels": labels} if labels else {})
    if task.name == "zero-shot-classification" and not labels:
        raise ToolError("there are no labels to choose from", "labels is empty", 'give for example ["urgent", "later"]')
    if task.name == "question-answering" and not context.strip():
        raise ToolError(
            "there is nothing to answer from", "context is empty", "give the text, or a file of the workspace"
        )
    if task.takes == "text":
        text, path = _text(ctx, inputs)
        beside, other = _text(ctx, context) if context else ("", "")
        return Given(text, paths=tuple(filter(None, (path, other))), context=beside, options=more)
    data = _bytes(ctx, inputs)
    kind = sniffed(data)
    if kind.partition("/")[0] != task.takes:
        fix = f"give a {_noun(task)}" + (
            " (PNG, JPEG, GIF or WebP)" if task.takes == "image" else " (WAV, FLAC, OGG or MP3)"
        )
        raise ToolError(f"{shown(inputs)} is no {_noun(task)}", f"it is {kind or 'of another kind'}", fix)
    return Given(data=data, media_type=kind, paths=(inputs,), options=more)


def _noun(task: Task) -> str:
    return "picture" if task.takes == "image" else "sound file"


def _text(ctx: ToolContext, words: str) -> tuple[str, str]:
    """(the text, the file it is from): what names a file of the workspace is read, everything else is the text itself."""
    path = words if "\n" not in words and _is_file(ctx, words) else ""
    text = _bytes(ctx, path).decode("utf-8", "replace") if path else words
    if len(text) > MOST_TEXT:
        raise ToolError("the text is too long", f"{len(text):,} characters are over {MOST_TEXT:,}", "give a part of it")
    return text, path


def _is_file(ctx: ToolContext, words: str) -> bool:
    try:
        return (ctx.workspace / words).is_file()
    except (OSError, ValueError):  # too long for a name, or no name at all: then it is words
        return False


def _bytes(ctx: ToolContext, path: str) -> bytes:
    with place(ctx.workspace, path) as at, os.fdopen(open_file(at, path), "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ToolError(f"{shown(path)} is too large", f"over {MOST_BYTES:,} bytes", "use a smaller file")
    return data
