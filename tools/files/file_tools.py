"""Files of the workspace: read_file, write_file, edit_file, list_files, search_files.
May touch: files inside the workspace, nothing outside (workspace.py); a child process that searches or reads a PDF.
Does not promise: a lock; another program may change a file between two calls.
"""

from __future__ import annotations

import io
import json
import os
import stat
import time
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from outrider.tools.documents.reader import NAMES, document_page, html_page, kind_of
from outrider.tools.files import encoding, search_process, walk
from outrider.tools.files.decoding import decoded
from outrider.tools.files.guarded import with_keys
from outrider.tools.files.paths import Place, missing, open_file, place, shown
from outrider.tools.files.writing import MAX_WRITE, content_before, replace_file
from outrider.tools.process.deadlines import in_child, in_thread
from outrider.tools.tool import Change, Observation, ToolContext, ToolError, tool

MAX_READ = 100_000  # characters read_file gives in one call
MAX_LISTED = 500
MAX_WALKED = 100_000  # entries looked at for one list
MAX_FOUND = 100
MAX_DOCUMENT = 30_000_000  # bytes
MAX_SOURCE = 50_000  # bytes of an HTML file that is shown as it is written when no lines are asked for
SEARCH_S = 20.0
READ_S = 50.0  # under the time-out of a tool


@tool(effect="read", fresh_s=0)
async def read_file(path: str, ctx: ToolContext, start_line: int = 1, lines: int = 0) -> str:
    """Read a text file of the workspace, or the text of a PDF, Word, Excel, PowerPoint, OpenDocument or EPUB file.

    path: the file, relative to the workspace
    start_line: the first line wanted, from 1
    lines: how many lines; 0 means as many as fit
    """
    if start_line < 1 or lines < 0:
        raise ToolError(
            "that range has no lines",
            f"start_line={start_line}, lines={lines}",
            "start_line is 1 or more, lines 0 or more",
        )
    ends = time.monotonic() + min(READ_S, ctx.seconds_left() - 0.2)
    whole = start_line == 1 and not lines
    text = await in_thread(_read_text, path, start_line, lines, ctx, ends, whole, seconds=READ_S)
    if text is not None:
        return text
    data = await in_thread(_read_bytes, path, MAX_DOCUMENT, ctx, seconds=READ_S)
    shown_as = shown(path)
    kind = kind_of(data)
    if not kind and encoding.encoding_of(data[: encoding.SAMPLE]):
        kind = "html"
    if not kind:
        raise ToolError(f"{shown_as} is not text", f"it is a binary file of {len(data):,} bytes", "read it with python")
    seconds = max(1.0, ends - time.monotonic())
    if kind == "html":
        page = await html_page(_html(data), "", seconds=seconds)
    else:
        page = await document_page(data, kind, seconds=seconds)
    note = f" ({page.note})" if page.note else ""
    if kind == "picture":
        return f"{shown_as} is{' ' + page.note if page.note else ' a damaged picture'}, {len(data):,} bytes; it has no text to read"
    if not page.text:
        raise ToolError(f"{shown_as} has no text to read", page.note or "it holds none", "use another file")
    more = "; lines=200 gives its source" if kind == "html" else ""
    said = _slice(io.StringIO(page.text), path, len(page.text), start_line, lines, ends)
    return f"[text of the {NAMES[kind]} {shown_as}{note}{more}]\n{said}"


def _html(data: bytes) -> str:
    text = decoded(io.BytesIO(data))
    return text.stream.read() if text else ""


def _read_text(path: str, start: int, count: int, ctx: ToolContext, ends: float, whole: bool) -> str | None:
    """The lines wanted, or None for a document: binary, a PDF, or a large HTML file of which no lines were asked for."""
    with place(ctx.workspace, path) as at, os.fdopen(open_file(at, path), "rb") as file:
        begins = file.read(1024)
        file.seek(0)
        size = os.fstat(file.fileno()).st_size
        if b"%PDF-" in begins or (
            whole and size > MAX_SOURCE and at.name.lower().endswith((".html", ".htm", ".xhtml"))
        ):
            return None
        text = decoded(file, newline=None)
        if text is None:
            return None
        said = _slice(text.stream, path, size, start, count, ends)
        return f"[read as {text.encoding}: it is not UTF-8]\n{said}" if text.guessed else said


def _read_bytes(path: str, most: int, ctx: ToolContext) -> bytes:
    with place(ctx.workspace, path) as at, os.fdopen(open_file(at, path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ToolError(
                f"{shown(path)} is too large", f"{size:,} bytes; the limit is {most:,}", "read a part of it with python"
            )
        return file.read(most)


def _slice(stream: io.TextIOBase, path: str, size: int, start: int, count: int, ends: float) -> str:
    kept: list[str] = []
    number, room, why = 0, MAX_READ, ""
    for number, (line, whole) in enumerate(encoding.lines(stream, MAX_READ), start=1):
        if number % 65_536 == 0 and time.monotonic() > ends:
            raise ToolError(f"{shown(path)} was not read to line {start}", "time is up", "use search_files")
        if number < start:
            continue
        if (count and len(kept) >= count) or len(line) > room:
            why = "there is more"
            break
        kept.append(line)
        room -= len(line)
        if not whole:
            why = f"line {number} is longer than this"
            break
    if not kept and number == 0:
        return f"({shown(path)} is empty)"
    if not kept:
        raise ToolError(f"{shown(path)} has no line {start}", f"it has {number} lines", f"start_line is 1 to {number}")
    text = "".join(kept)
    last = start + len(kept) - 1
    if start == 1 and not why:
        return text
    rest = f"; {why}: go on with start_line={last + 1}" if why else ", to its end"
    return f"[lines {start} to {last} of {shown(path)} ({size:,} bytes){rest}]\n{text}"


@tool(effect="write", serial=True)
def write_file(path: str, content: str, ctx: ToolContext) -> Observation:
    """Write a text file in the workspace, making its folders and replacing what was there.

    path: the file, relative to the workspace
    content: the whole new text
    """
    data = _encoded(content, path)
    with place(ctx.workspace, path, make_folders=True) as at:
        before = content_before(at, path)
        had = replace_file(at, path, data)
    size = f"{len(data):,} bytes"
    said = f"wrote {size} to {shown(path)}" + (f" (it had {had:,} bytes)" if had is not None else " (new file)")
    known = had is None or before is not None  # what is too large to keep cannot be put back
    return Observation(said, changes=(Change(path, before, data),) if known else ())


@tool(effect="write", serial=True)
def edit_file(path: str, old: str, new: str, ctx: ToolContext) -> Observation:
    """Replace one piece of text in a file of the workspace; the old text must occur exactly once.

    path: the file, relative to the workspace
    old: the text to replace, exactly as it is in the file, with enough around it to be unique
    new: the text to put there
    """
    if not old:
        raise ToolError("there is nothing to replace", "old is empty", "give the text to replace, or use write_file")
    with place(ctx.workspace, path) as at:
        text = _whole(at, path)
        if "\r\n" in text and "\r" not in old:  # the model was shown \n: it is the file that has \r\n
            old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
        found = text.count(old)
        if found != 1:
            raise _not_once(path, text, old, found)
        line = text.count("\n", 0, text.index(old)) + 1
        after = _encoded(text.replace(old, new), path)
        replace_file(at, path, after)
    return Observation(f"edited {shown(path)} at line {line}", changes=(Change(path, text.encode(), after),))


def _whole(at: Place, path: str) -> str:
    """The text of a file that may be edited: UTF-8 and not large."""
    with os.fdopen(open_file(at, path), "rb") as file:
        data = file.read(MAX_WRITE + 1)
    if len(data) > MAX_WRITE:
        raise ToolError(f"{shown(path)} is too large to edit", f"over {MAX_WRITE:,} bytes", "change it with python")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolError(
            f"{shown(path)} cannot be edited", f"it is not UTF-8 text (byte {error.start:,})", "change it with python"
        ) from None


def _not_once(path: str, text: str, old: str, found: int) -> ToolError:
    rows = text.splitlines()
    if found:
        where, at = [], -1
        for _ in range(min(found, 10)):
            at = text.index(old, at + 1)
            where.append(str(text.count("\n", 0, at) + 1))
        places = ", ".join(where) + (" …" if found > 10 else "")
        return ToolError(
            f"that text occurs {found} times in {shown(path)}",
            f"at lines {places}",
            "give more of the text around the place",
        )
    first = next((line.strip() for line in old.splitlines() if line.strip()), "")[:300]
    best, near = 0.0, ""
    for number, row in enumerate(islice(rows, 5000), start=1):
        score = SequenceMatcher(None, row.strip()[:300], first, autojunk=False).quick_ratio() if row.strip() else 0.0
        if score > best:
            best, near = score, f"line {number} is near: {row.strip()[:160]!r}"
    why = near if best > 0.6 else "no line is near it"
    return ToolError(f"that text does not occur in {shown(path)}", why, "read_file shows the text as it is")


def _encoded(text: str, path: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if len(data) > MAX_WRITE:
        raise ToolError(
            f"{shown(path)} was not written", f"{len(data):,} bytes are over {MAX_WRITE:,}", "write it with python"
        )
    return data


@tool(effect="read", fresh_s=0)
def list_files(ctx: ToolContext, path: str = ".", pattern: str = "") -> str:
    """List the files in a folder of the workspace, or all files below it that fit a pattern.

    path: the folder, relative to the workspace
    pattern: such as "*.csv", "*.{csv,tsv}" or "src/**/*.py"; searches every folder below
    """
    with place(ctx.workspace, path) as at:
        found = at.status()
        if found is None:
            raise missing(at, path)
        if not stat.S_ISDIR(found.st_mode):
            return f"1 file: {_line(at.name, 'file', found.st_size)}"
        fits = walk.glob(pattern) if pattern else None
        rows: list[str] = []
        total, whole = 0, True
        folder = at.open_folder()
        try:
            for seen, entry in enumerate(walk.entries(folder, deep=fits is not None), start=1):
                if seen > MAX_WALKED or ctx.seconds_left() <= 0.5:
                    whole = False
                    break
                if fits is None or (entry.kind == "file" and fits(entry.path)):
                    total += 1
                    if total <= MAX_LISTED:
                        rows.append(_line(entry.path, entry.kind, entry.size))
        finally:
            os.close(folder)
    return _listing(rows, total, shown(at.path), pattern, whole=whole)


def _line(path: str, kind: str, size: int) -> str:
    name = shown(path)
    return f"{name}/" if kind == "folder" else f"{name}  {size:,} bytes" if kind == "file" else f"{name}  ({kind})"


def _listing(rows: list[str], total: int, folder: str, pattern: str, whole: bool) -> str:
    where = "the workspace" if folder == "." else folder
    stopped = "" if whole else f"\n(not everything was looked at: it stopped at {MAX_WALKED:,} entries, or time was up)"
    if not total:
        return f"no file fits {pattern} in {where}{stopped}" if pattern else f"{where} is empty{stopped}"
    what = ("file" if pattern else "entry", "files" if pattern else "entries")[total != 1]
    fits = f" that fit{'s' if total == 1 else ''} {pattern}" if pattern else ""
    more = f"\n… and {total - len(rows):,} more" if total > len(rows) else ""
    return f"{total:,} {what} in {where}{fits}:\n" + "\n".join(rows) + more + stopped


@tool(effect="read", fresh_s=0)
async def search_files(
    pattern: str, ctx: ToolContext, path: str = ".", regex: bool = False, ignore_case: bool = False
) -> str:
    """Find lines that contain a text in the files of the workspace.

    pattern: the text to find
    path: the folder or file to search, relative to the workspace
    regex: take the pattern as a regular expression
    ignore_case: take upper and lower case as the same
    """
    if not pattern:
        raise ToolError("there is nothing to search for", "pattern is empty", "give the text to find")
    asked = {
        "root": str(ctx.workspace.absolute()), "path": path, "pattern": pattern, "regex": regex,
        "ignore_case": ignore_case, "most": MAX_FOUND, "with_keys": with_keys(ctx.workspace),
    }  # fmt: skip
    seconds = max(0.2, min(SEARCH_S, ctx.seconds_left() * 0.8))
    rows, late = await (_search_in_child if regex else _search_here)(asked, seconds)
    return _found(rows, pattern, f"it took longer than {seconds:.0f} s" if late else "it failed")


async def _search_here(asked: dict[str, Any], seconds: float) -> tuple[list[dict[str, object]], bool]:
    """Plain text, in a thread: (rows, whether time was up first)."""
    rows: list[dict[str, object]] = []
    ends = time.monotonic() + seconds
    try:
        await in_thread(lambda: rows.extend(search_process.search(asked, ends)), seconds=seconds + 1)
    except TimeoutError:
        return list(rows), True
    return rows, False


async def _search_in_child(asked: dict[str, Any], seconds: float) -> tuple[list[dict[str, object]], bool]:
    """A regular expression, in a child that is killed when it backtracks for ever."""
    done = await in_child("outrider.tools.files.search_process", stdin=json.dumps(asked).encode(), seconds=seconds)
    return _rows(done.output), done.timed_out


def _rows(output: bytes) -> list[dict[str, object]]:
    rows = []
    for line in output.splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:  # cut in the middle when the child was killed
            break
    return rows


def _found(rows: list[dict[str, object]], pattern: str, why_not: str) -> str:
    """What the rows say. Raises ToolError for a bad pattern or path, and when the search was stopped with nothing found."""
    end = rows[-1] if rows else {}
    if "what" in end:
        raise ToolError(str(end["what"]), str(end["why"]), str(end["fix"]))
    if "error" in end:
        fix = "correct it, or search for plain text with regex=false"
        raise ToolError("that is not a regular expression", str(end["error"]), fix)
    found = [f"{shown(str(row['path']))}:{row['line']}: {row['text']}" for row in rows if "text" in row]
    if "files" not in end:
        if not found:
            raise ToolError("the search was stopped", why_not, "use a simpler pattern or a smaller folder")
        return f"{len(found)} lines found before time was up:\n" + "\n".join(found)
    searched = f"{end['files']} file{'' if end['files'] == 1 else 's'} searched"
    passed = f", {end['skipped']} not text or too large" if end["skipped"] else ""
    if not found:
        return f"no line contains {shown(pattern)!r} ({searched}{passed})"
    count = f"first {len(found)} lines" if end["more"] else f"{len(found)} line{'' if len(found) == 1 else 's'}"
    return f"{count} found ({searched}{passed}):\n" + "\n".join(found)
