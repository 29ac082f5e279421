"""What a model gave as the caller sees it: words, or a new file of the workspace with its picture in the transcript.
May touch: writes new files under `hub/` in the workspace, never over another. Does not promise: that a sound can be heard.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from outrider.tools.files.paths import place
from outrider.tools.files.writing import MAX_WRITE, replace_file
from outrider.tools.hub.tasks import Task
from outrider.tools.inference.inputs import Given
from outrider.tools.inference.result import Found, Result, Unusable, sniffed
from outrider.tools.process.deadlines import in_child
from outrider.tools.tool import Change, File, ToolContext, ToolError

FOLDER = "hub"
ENDINGS = {"image/jpeg": "jpg", "audio/mpeg": "mp3"}
SHOWN_ROWS = 20


async def told(
    ctx: ToolContext, task: Task, given: Given, result: Result
) -> tuple[str, tuple[File, ...], tuple[Change, ...]]:
    """(the words, pictures for the transcript, files written). Raises Unusable for a file that cannot be kept."""
    if task.gives == "text":
        return result.text, (), ()
    if task.gives == "vectors":
        return _vectors(ctx, task, result)
    if task.gives == "labels":
        return _rows(result.found), (), ()
    if task.gives in ("boxes", "masks"):
        if not result.found:
            return "it found nothing in the picture", (), ()
        media = await _drawn(given, result.found)
        words = _rows(result.found)
    else:
        media, words = result.media, ""
    kind = sniffed(media)
    name, change = _written(ctx, task, ENDINGS.get(kind, kind.partition("/")[2]), media)
    said = f"wrote {name} ({kind}, {len(media):,} bytes)"
    return "\n".join(filter(None, (words, said))), (File(name, kind, media),), (change,)


def _rows(found: Sequence[Found]) -> str:
    rows = [f"{one.score:.3f} {one.label}{_corners(one)}" for one in found[:SHOWN_ROWS]]
    more = [f"and {len(found) - SHOWN_ROWS} more"] if len(found) > SHOWN_ROWS else []
    return "\n".join((*rows, *more))


def _corners(one: Found) -> str:
    return f" at x {one.box[0]} to {one.box[2]}, y {one.box[1]} to {one.box[3]}" if one.box else ""


def _vectors(ctx: ToolContext, task: Task, result: Result) -> tuple[str, tuple[File, ...], tuple[Change, ...]]:
    """A table of vectors goes to a file: numbers by the hundred are nothing to read."""
    if not result.vectors:
        raise Unusable("it gave no vector")
    name, change = _written(ctx, task, "json", json.dumps(result.vectors).encode())
    first = ", ".join(f"{number:.4f}" for number in result.vectors[0][:4])
    count = f"{len(result.vectors)} vector{'' if len(result.vectors) == 1 else 's'} of {len(result.vectors[0])} numbers"
    return f"{count} in {name}; the first begins {first}", (), (change,)


async def _drawn(given: Given, found: Sequence[Found]) -> bytes:
    """The picture with boxes or masks on it, as PNG. Raises Unusable."""
    rows = [
        {"label": one.label, "score": one.score, "box": one.box, "mask": base64.b64encode(one.mask).decode()}
        for one in found[:50]
    ]
    asked = {
        "data": base64.b64encode(given.data).decode(),
        "boxes": [row for row in rows if row["box"]],
        "masks": [row for row in rows if row["mask"]],
    }
    done = await in_child(
        "outrider.tools.inference.picture_process",
        stdin=json.dumps(asked).encode(),
        seconds=30,
        max_output=MAX_WRITE + 1,
    )
    if done.exit_code or not sniffed(done.output):
        raise Unusable("what it found could not be drawn on the picture")
    return done.output


def _written(ctx: ToolContext, task: Task, ending: str, data: bytes) -> tuple[str, Change]:
    """A new file with this content: its name, and what `undo` needs. Raises Unusable, ToolError."""
    if len(data) > MAX_WRITE:
        raise Unusable(f"what it gave is too large to keep: {len(data):,} bytes are over {MAX_WRITE:,}")
    for number in range(1, 10_000):
        name = f"{FOLDER}/{task.name}-{number}.{ending}"
        with place(ctx.workspace, name, make_folders=True) as at:
            if at.status() is None:
                replace_file(at, name, data)
                return name, Change(name, None, data)
    raise ToolError("the result was not kept", f"{FOLDER}/ is full of results", "move some of them away")
