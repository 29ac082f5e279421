"""What a model of the hub gave, whatever runs it: read from the answers of inference servers and of our own children.
Touches nothing. Does not promise: that what a model says is so.

The shapes are those of the hub's task pages (huggingface.co/docs/inference-providers/tasks) and of chat completions;
whatever fits none of them is `Unusable`, never an empty result.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from outrider.memory.text import for_storage
from outrider.tools.hub.card import word
from outrider.tools.hub.tasks import Task

MOST_ROWS = 100
MOST_TEXT = 400_000
_TEXTS = ("generated_text", "summary_text", "translation_text", "text", "answer")
PICTURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}
SOUNDS = {
    b"OggS": "ogg",
    b"fLaC": "flac",
    b"ID3": "mpeg",
    b"\xff\xfb": "mpeg",
    b"\xff\xf3": "mpeg",
    b"\xff\xf2": "mpeg",
}


class Unusable(Exception):
    """What came is no result of the task; the text says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A label with its score; a box in pixels (left, top, right, bottom) or a mask (a PNG) where it has one."""

    label: str
    score: float
    box: tuple[int, int, int, int] | None = None
    mask: bytes = b""


@dataclass(frozen=True, slots=True)
class Result:
    """What a task gives: one of these. url: where the picture or sound lies, still to be fetched."""

    text: str = ""
    found: tuple[Found, ...] = ()
    media: bytes = b""
    url: str = ""
    vectors: tuple[tuple[float, ...], ...] = field(default=())


def sniffed(data: bytes) -> str:
    """The media type of a picture or a sound by its first bytes, "" for anything else."""
    if data[:4] == b"RIFF" and data[8:12] in (b"WEBP", b"WAVE"):
        return "image/webp" if data[8:12] == b"WEBP" else "audio/wav"
    for magic, kind in PICTURES.items():
        if data.startswith(magic):
            return f"image/{kind}"
    return next((f"audio/{kind}" for magic, kind in SOUNDS.items() if data.startswith(magic)), "")


def read_result(task: Task, media_type: str, body: bytes) -> Result:
    """The result in an answer. Raises Unusable."""
    if sniffed(body):
        return checked(task, Result(media=body))
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Unusable(f"it answered with {media_type or 'something'} that is no result") from None
    if isinstance(value, Mapping) and value.get("error"):
        raise Unusable(f"it says: {short(value['error'])}")
    return checked(task, from_value(task, value))


def from_value(task: Task, value: Any) -> Result:
    """The result in a JSON value. Raises Unusable."""
    readers = {
        "text": _text, "labels": _labels, "boxes": _boxes, "masks": _masks, "image": _media, "audio": _media, "vectors": _vectors,
    }  # fmt: skip
    try:
        return readers[task.gives](value)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, binascii.Error):
        raise Unusable(f"its answer is no result of {task.name}") from None


def checked(task: Task, result: Result) -> Result:
    """The result, if it is what the task gives. Raises Unusable."""
    kind = sniffed(result.media).partition("/")[0]
    if task.gives in ("image", "audio"):
        if not result.url and kind != task.gives:
            raise Unusable(f"what it gave is {'no ' + task.gives if not kind else 'a file of another kind'}")
    elif result.media:
        raise Unusable("it gave a file in place of an answer")
    if task.gives == "labels" and not result.found:
        raise Unusable("it gave no label")
    if task.gives == "text" and not result.text.strip():
        raise Unusable("its answer is empty")
    return result


def short(value: Any, most: int = 200) -> str:
    """A stranger's words in one line."""
    return word(str(value), most)


def _text(value: Any) -> Result:
    if isinstance(value, Mapping) and value.get("choices"):
        return Result(text=_clean(value["choices"][0]["message"]["content"]))
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, str):
        return Result(text=_clean(first))
    return Result(
        text=_clean(next(first[name] for name in _TEXTS if isinstance(first.get(name), str)) if first else "")
    )


def _clean(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError("no text")
    return for_storage(text[:MOST_TEXT])


def _labels(value: Any) -> Result:
    if isinstance(value, Mapping) and isinstance(value.get("labels"), list):
        pairs = zip(value["labels"], value["scores"], strict=True)
        return Result(found=_best(Found(short(label), float(score)) for label, score in pairs))
    rows = value[0] if isinstance(value[0], list) else value
    return Result(found=_best(Found(short(row["label"]), float(row["score"])) for row in rows))


def _boxes(value: Any) -> Result:
    if not isinstance(value, list):
        raise TypeError("no list of boxes")
    return Result(found=_best(_boxed(row) for row in value))


def _boxed(row: Mapping[str, Any]) -> Found:
    box = row["box"]
    corners = tuple(round(float(box[name])) for name in ("xmin", "ymin", "xmax", "ymax"))
    return Found(short(row["label"]), float(row["score"]), corners)  # type: ignore[arg-type]  # four of them


def _masks(value: Any) -> Result:
    return Result(
        found=_best(
            Found(short(row["label"]), float(row.get("score") or 0), mask=_decoded(row["mask"])) for row in value
        )
    )


def _best(found: Iterable[Found]) -> tuple[Found, ...]:
    return tuple(sorted(found, key=lambda one: -one.score)[:MOST_ROWS])


def _media(value: Any) -> Result:
    """A picture or a sound: in the answer itself, or the address where it lies."""
    if isinstance(value, str):
        return Result(url=value) if value.startswith(("https://", "http://")) else Result(media=_decoded(value))
    if isinstance(value, list):
        return _media(value[0])
    for name in ("depth", "images", "image", "data", "output", "audio", "b64_json", "url", "blob"):
        if value.get(name):
            return _media(value[name])
    raise KeyError("no picture and no sound")


def _decoded(text: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    return base64.b64decode(text, validate=True)


def _vectors(value: Any) -> Result:
    if isinstance(value, Mapping):  # as the embeddings of OpenAI-compatible servers
        value = [row["embedding"] for row in value["data"]]
    while isinstance(value[0], list) and isinstance(value[0][0], list):  # one vector a token, in a batch of one
        value = value[0] if len(value) == 1 else [row[0] for row in value]
    rows = value if isinstance(value[0], list) else [value]
    return Result(vectors=tuple(tuple(float(number) for number in row) for row in rows[:4096]))
