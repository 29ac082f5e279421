"""`recall` finds what runs saw, or reads one observation whole; `note` keeps a line with the run.
May touch: the run's memory, through its context.
Does not promise: that what is recalled is still true; it says when it was seen.
"""

from __future__ import annotations

import re

from outrider.memory.events import Origin
from outrider.tools.tool import Memory, Observation, ToolContext, ToolError, tool

FOUND = 8
EXCERPT = 300  # characters of a hit that are shown
PAGE = 8000  # characters read at once by default
MAX_PAGE = 50_000
MAX_NOTE = 10_000
_HANDLE = re.compile(r"#?(?:(?P<run>[\w.-]*[A-Za-z-][\w.-]*)/)?(?P<seq>\d{1,9}(?:\.\d{1,6}(?:/\d{1,4}){0,3})?)")


@tool(effect="read", fresh_s=0)
def recall(query: str, ctx: ToolContext, run: str = "", start: int = 0, length: int = PAGE) -> Observation:
    """Search what this and earlier runs saw and noted, or read one stored observation whole by its handle.

    query: words to look for, or a handle such as "12", "3.1" or "RUN/12"
    run: only this run ("this" means the present one); empty means all
    start: for a handle, the character to read from
    length: for a handle, how many characters
    """
    memory = _memory(ctx)
    query, inside = query.strip(), ctx.run_id if run.strip().lower() == "this" else run.strip()
    if not query:
        raise ToolError("there is nothing to recall", "the query is empty", "give a few words, or a handle")
    handle = _HANDLE.fullmatch(query)
    if handle:
        return _one(memory, handle["run"] or inside or ctx.run_id, handle["seq"], start, length, ctx.run_id)
    hits = memory.search(query, limit=FOUND, run=inside or None)
    if not hits:
        where = f" in run {inside}" if inside else ""
        return Observation(f"nothing is remembered about {query!r}{where}", private=())
    text = "\n".join(_line(hit, query, ctx.run_id) for hit in hits)
    others = any(hit.get("run") != ctx.run_id for hit in hits)
    strange = any(hit.get("origin", "untrusted") == "untrusted" for hit in hits)
    return Observation(text, origin="untrusted" if strange else "trusted", private=("memory",) if others else ())


def _one(memory: Memory, run: str, seq: str, start: int, length: int, this_run: str) -> Observation:
    """One observation, with the origin it had; of another run it is private too."""
    text = _read(memory, run, seq, start, length)
    origin_of = getattr(memory, "origin_of", None)
    origin: Origin = origin_of(run, seq) if origin_of else "untrusted"
    return Observation(text, origin=origin, private=() if run == this_run else ("memory",))


@tool(effect="read", fresh_s=0)
def note(text: str, ctx: ToolContext) -> str:
    """Keep a short note with this run, to recall it later.

    text: what to remember
    """
    text = text.strip()
    if not text:
        raise ToolError("there is nothing to note", "the text is empty", "write what to remember")
    if len(text) > MAX_NOTE:
        raise ToolError("the note is too long", f"{len(text):,} characters are over {MAX_NOTE:,}", "write it to a file")
    _memory(ctx).note(text)
    return "noted"


def _memory(ctx: ToolContext) -> Memory:
    if ctx.memory is None:
        raise ToolError("nothing can be recalled", "this run has no memory", "go on without it")
    return ctx.memory


def _read(memory: Memory, run: str, seq: str, start: int, length: int) -> str:
    text = memory.read(run, int(seq) if seq.isdigit() else seq)
    start, length = max(0, start), max(1, min(length, MAX_PAGE))
    if start >= len(text) and text:
        raise ToolError(
            f"{run}/{seq} has no character {start:,}", f"it has {len(text):,}", f"start is 0 to {len(text) - 1}"
        )
    part = text[start : start + length]
    if len(part) == len(text):
        return text
    end = start + len(part)
    rest = f"go on with start={end}" if end < len(text) else "to its end"
    return f"[characters {start} to {end} of {len(text)} of {run}/{seq}; {rest}]\n{part}"


def _line(hit: dict[str, object], query: str, this_run: str) -> str:
    where = "this run" if hit.get("run") == this_run else f"run {hit.get('run')}"
    what = hit.get("tool") or {"answered": "answer", "noted": "note", "run_started": "goal"}.get(
        str(hit.get("kind")), hit.get("kind")
    )
    when = str(hit.get("at", ""))[:16].replace("T", " ")
    return f"[{hit.get('run')}/{hit.get('seq')}] {when}, {where}, {what}: {_excerpt(str(hit.get('text', '')), query)}"


def _excerpt(text: str, query: str) -> str:
    """The part of `text` around the first word of the query in it, in one line."""
    flat = " ".join(text.split())
    low = flat.lower()
    places = [low.find(word) for word in re.findall(r"\w+", query.lower())]
    first = min((place for place in places if place >= 0), default=0)
    begin = max(0, first - EXCERPT // 3) if len(flat) > EXCERPT else 0
    part = flat[begin : begin + EXCERPT]
    return ("…" if begin else "") + part + ("…" if begin + EXCERPT < len(flat) else "")
