"""What a goal comes with: files named on the command line and what is piped in. A small text is context, the rest a path.
May touch: reads those files and standard input; writes a piped text that is too long for context into the workspace.
Does not promise: that a model reads what it is only pointed to.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import select
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from outrider.memory.errors import UsageError
from outrider.memory.events import Attachment

SMALL = 20_000  # characters of one text that is shown to the model whole; all together three times as many
MOST_BYTES = 50_000_000  # of what is piped in
WAITED_S = 1.0  # for the first byte of what is piped in, before a word is said
PICTURES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP", b"BM": "BMP"}


class Attachments:
    """Collects what a goal comes with. `small`: characters that count as small, 0 for a model that only gets paths."""

    def __init__(self, workspace: Path, *, small: int = SMALL) -> None:
        self.workspace, self._small, self._room = workspace, small, 3 * small
        self.kept: list[Attachment] = []

    def add_file(self, name: str) -> None:
        """Attach a file. Raises UsageError for one that is not there, cannot be read, or that no tool could reach."""
        path = Path(name).expanduser()
        try:
            found = path.stat()
        except OSError as error:
            raise _not_there(path, error) from None
        if stat.S_ISDIR(found.st_mode):
            self.kept.append(Attachment(name=name, path=self._reachable(path, "a folder"), note="a folder"))
            return
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{name!r} cannot be attached", "it is not a file", "pipe it in: … | outrider run")
        try:
            with path.open("rb") as file:
                head = file.read(8192)
        except OSError as error:
            raise _not_there(path, error) from None
        self._add(name, path, head, found.st_size)

    def add_text(self, data: bytes) -> None:
        """Attach what was piped in."""
        from outrider.tools.files.encoding import encoding_of

        encoding = encoding_of(data[:8192])
        if encoding is not None and self._fits(text := _decoded(data, encoding)):
            self.kept.append(Attachment(name="standard input", text=text, size=len(data)))
            return
        name = self._write(data, "stdin.txt" if encoding else "stdin.bin")
        self.kept.append(Attachment(name="standard input", path=name, size=len(data), note=f"kept as {name}"))

    def _add(self, name: str, path: Path, head: bytes, size: int) -> None:
        from outrider.tools.files.encoding import encoding_of

        if kind := next((kind for magic, kind in PICTURES.items() if head.startswith(magic)), ""):
            where = self._reachable(path, f"a picture ({kind})")
            self.kept.append(Attachment(name=name, path=where, size=size, note="a picture"))
            return
        text: str | None = None
        encoding, document = encoding_of(head), head.startswith((b"%PDF", b"PK\x03\x04"))
        if document:
            text = _document_text(path) if self._small and size <= MOST_BYTES else None
        elif encoding is not None and size <= 4 * self._small:
            text = _decoded(path.read_bytes(), encoding)
        if text is not None and self._fits(text):
            self.kept.append(Attachment(name=name, text=text, size=size))
        else:
            what = "a document" if document else "too long to be shown whole" if encoding else "no text"
            self.kept.append(Attachment(name=name, path=self._reachable(path, what), size=size, note=what))

    def _fits(self, text: str) -> bool:
        """Whether a text is shown whole; its room is then taken."""
        if len(text) > min(self._small, self._room):
            return False
        self._room -= len(text)
        return True

    def _reachable(self, path: Path, what: str) -> str:
        """The path as tools know it. Raises UsageError for one outside the workspace, where none can read."""
        resolved = path.resolve()
        if not resolved.is_relative_to(self.workspace):
            raise UsageError(
                f"{str(path)!r} lies outside the workspace",
                f"it is {what}, so tools must read it, and they see only {self.workspace}",
                "copy it there, or give --workspace a folder that holds it",
            )
        return str(resolved.relative_to(self.workspace)) or "."

    def _write(self, data: bytes, name: str) -> str:
        stem, _, ending = name.rpartition(".")
        for number in range(1, 1000):
            free = self.workspace / (name if number == 1 else f"{stem}-{number}.{ending}")
            try:
                with free.open("xb") as file:
                    file.write(data)
                return free.name
            except FileExistsError:
                continue
            except OSError as error:
                raise UsageError(
                    "what was piped in could not be kept",
                    f"{free}: {error.strerror}",
                    "give --workspace a folder that can be written to",
                ) from None
        raise UsageError("what was piped in could not be kept", "too many files of that name", "remove some")


def piped_in() -> bytes | None:
    """What is piped in, whole; None when stdin is a terminal, nothing, or not a pipe or file. Raises UsageError."""
    stream = sys.stdin
    try:
        descriptor = stream.fileno()
        kind = os.fstat(descriptor).st_mode
    except (AttributeError, OSError, ValueError):  # closed, or a stand-in
        text = getattr(stream, "getvalue", lambda: "")()
        return text.encode() or None
    if not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind) or stat.S_ISSOCK(kind)):
        return None
    if not select.select([descriptor], [], [], WAITED_S)[0]:
        from outrider.agent.cli.output import say

        say("waiting for standard input to end (`< /dev/null` gives none)")
    data = stream.buffer.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UsageError(
            "too much was piped in", f"more than {MOST_BYTES // 1_000_000} MB", "name it as a file of the workspace"
        )
    return data or None


def _decoded(data: bytes, encoding: str) -> str:
    from outrider.memory.text import for_storage

    return for_storage(data.decode(encoding, "replace"))


def _document_text(path: Path) -> str | None:
    """The text of a PDF, a Word document, a workbook …; None when it holds none that can be read whole and in time."""
    from outrider.tools.documents.reader import document_page, kind_of

    data = path.read_bytes()
    if (kind := kind_of(data)) in ("", "picture"):
        return None
    page = asyncio.run(document_page(data, kind, seconds=20))
    return page.text if page.text.strip() and not page.note else None


def _not_there(path: Path, error: OSError) -> UsageError:
    if path.is_symlink() and isinstance(error, FileNotFoundError):
        why = f"it is a link to {str(path.readlink())!r}, which is not there"
        return UsageError(f"{str(path)!r} cannot be attached", why, "name a file that is there")
    near: Sequence[str] = ()
    if isinstance(error, FileNotFoundError) and path.parent.is_dir():
        near = difflib.get_close_matches(path.name, [one.name for one in path.parent.iterdir()], 3, 0.6)
    fix = (
        f"did you mean {' or '.join(near)}?"
        if near
        else "check the path; a goal of several words is one argument in quotes"
    )
    return UsageError(f"{str(path)!r} cannot be attached", error.strerror or str(error), fix)


def small_for(model: str | None) -> int:
    """Characters of one text that a model is shown whole: none for the built-in one, which only chooses; few for a GGUF."""
    name = model or ""
    return 0 if name == "starter" else 4_000 if name.startswith("llama:") else SMALL


def tidy(attachments: Sequence[Attachment], workspace: str) -> None:
    """Remove what was piped in from the workspace again: the run is answered, and its journal holds what was read of it."""
    for one in attachments:
        if one.path and one.name == "standard input":
            with suppress(OSError):
                (Path(workspace).expanduser() / one.path).unlink()
