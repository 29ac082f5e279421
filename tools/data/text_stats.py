"""`text_stats`: counts and turns of a text, answered without code.
May touch: reads files of the workspace, as streams: a file of any size costs little memory.
Does not promise: to finish a huge file in time; it says so.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from outrider.tools.files import encoding
from outrider.tools.files.paths import open_file, place, shown
from outrider.tools.tool import ToolContext, ToolError, tool

MAX_TURNED = 1_000_000  # characters `reverse`, `upper` and `lower` give back
CHUNK = 1 << 20
LIMIT_S = 110.0  # under the tool's time-out, so that the answer is ours and no thread is left reading


def _ends(ctx: ToolContext) -> float:
    """When to stop, on the monotonic clock: a little before the call or the run is out of time."""
    return time.monotonic() + min(LIMIT_S, ctx.seconds_left() - 0.5)


@tool(effect="read", fresh_s=0, timeout_s=120)
def text_stats(
    operation: Literal["characters", "words", "lines", "count", "reverse", "upper", "lower"],
    ctx: ToolContext,
    text: str = "",
    path: str = "",
    of: str = "",
) -> str:
    """Count the characters, words or lines of a text or how often something occurs in it, or turn it round or into
    upper or lower case.

    operation: what to do
    text: the text itself
    path: or a text file in the workspace
    of: for count, what to count, such as "r"
    """
    if bool(text) == bool(path):
        why = "both text and path were given" if text else "neither text nor path was given"
        raise ToolError(f"{operation} needs one text", why, 'give text="…" or path="notes.txt"')
    if operation == "count" and not of:
        raise ToolError("count needs something to count", "of is empty", 'give of="r" for example')
    if text:
        return _text_answer(operation, io.StringIO(text, newline=""), "the text", of, _ends(ctx))
    with place(ctx.workspace, path) as at:
        stream = encoding.open_text(open_file(at, path), newline="")
    if stream is None:
        raise ToolError(f"{shown(path)} is not text", "it is a binary file", "read it with python")
    with stream:
        return _text_answer(operation, stream, shown(path), of, _ends(ctx))


def _text_answer(operation: str, stream: io.TextIOBase, name: str, of: str, ends: float) -> str:
    if operation in ("reverse", "upper", "lower"):
        text = stream.read(MAX_TURNED + 1)
        if len(text) > MAX_TURNED:
            raise ToolError(f"{name} is too long to {operation}", f"over {MAX_TURNED:,} characters", "use python")
        return text[::-1] if operation == "reverse" else text.upper() if operation == "upper" else text.lower()
    if operation == "count":
        found, whatever = _occurrences(_chunks(stream, name, ends), of)
        other = f" ({whatever} with upper and lower case the same)" if whatever != found else ""
        return f'{found} time{"" if found == 1 else "s"} "{of}" occurs in {name}{other}'
    count = {"characters": _characters, "words": _words, "lines": _lines}[operation](_chunks(stream, name, ends))
    return f"{count} {operation if count != 1 else operation[:-1]} in {name}"


def _chunks(stream: io.TextIOBase, name: str, ends: float) -> Iterator[str]:
    while chunk := stream.read(CHUNK):
        yield chunk
        if time.monotonic() > ends:
            raise ToolError(f"{name} was not read to its end", "time was up", "use a smaller file")


def _characters(chunks: Iterator[str]) -> int:
    return sum(map(len, chunks))


def _words(chunks: Iterator[str]) -> int:
    count, inside = 0, False
    for chunk in chunks:
        count += len(chunk.split()) - (inside and not chunk[0].isspace())
        inside = not chunk[-1].isspace()
    return count


def _lines(chunks: Iterator[str]) -> int:
    count, last = 0, "\n"
    for chunk in chunks:
        count += chunk.count("\n")
        last = chunk[-1]
    return count + (last != "\n")


def _occurrences(chunks: Iterator[str], of: str) -> tuple[int, int]:
    """How often `of` occurs, not overlapping, also across the seams of the chunks; and the same whatever the case."""
    exactly, whatever = _Finder(of), _Finder(of.lower())
    for chunk in chunks:
        exactly.take(chunk)
        whatever.take(chunk.lower())
    return exactly.count, whatever.count


@dataclass(slots=True)
class _Finder:
    of: str
    count: int = 0
    rest: str = ""

    def take(self, chunk: str) -> None:
        self.rest += chunk
        at = 0
        while (found := self.rest.find(self.of, at)) >= 0:
            self.count += 1
            at = found + len(self.of)
        self.rest = self.rest[max(at, len(self.rest) - len(self.of) + 1) :]
