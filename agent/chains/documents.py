"""The documents of a chain: text files, folders of them, and JSON lines with `text` (and perhaps `id` and `label`).
May touch: reads the files it is named. Does not promise: to read other kinds; `read_file` of a run does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outrider.memory.errors import UsageError, words_of
from outrider.memory.given.file import read_given_text

LINES = (".jsonl", ".ndjson")
TEXTS = (".txt", ".md", ".text", ".log", ".csv", ".html", ".json", ".eml", "")


@dataclass(frozen=True, slots=True)
class Document:
    """One text. label: the right last answer, where somebody knows it."""

    name: str
    text: str
    label: Any = None


def read_documents(places: Sequence[str]) -> list[Document]:
    """Every document of these files and folders, in order. Raises UsageError for what cannot be read, or a name twice."""
    found = [one for place in places for one in _of(Path(place).expanduser())]
    if twice := next((name for name, times in Counter(one.name for one in found).items() if times > 1), None):
        raise UsageError(f"two documents are called {twice!r}", "their answers could not be told apart", "rename one")
    if not found:
        raise UsageError("there are no documents", f"{', '.join(places) or 'nothing'} holds none", "name text files")
    return found


def _of(place: Path) -> Iterator[Document]:
    if place.is_dir():
        for file in sorted(place.iterdir()):
            if file.is_file() and file.suffix.lower() in (*TEXTS, *LINES) and not file.name.startswith("."):
                yield from _of(file)
        return
    text = _read(place)
    if place.suffix.lower() not in LINES:
        yield Document(str(place), text)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _line(place, number, line)


def _line(place: Path, number: int, line: str) -> Document:
    try:
        read = json.loads(line)
        text = read["text"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"line {number} of {str(place)!r} is no document", str(error)[:200], 'write {"id": "a", "text": "…"}'
        ) from error
    if not isinstance(text, str):
        raise UsageError(f"line {number} of {str(place)!r} is no document", "`text` is not text", "write a string")
    return Document(str(read.get("id") or f"{place.name}:{number}"), text, read.get("label"))


def _read(place: Path) -> str:
    try:
        return read_given_text(place)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{str(place)!r} cannot be read", words_of(error), "name a text file (UTF-8) or JSON lines"
        ) from error
