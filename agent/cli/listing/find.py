"""Finds events by their words: a line each for people, JSON lines for programs.
May touch: reads the database, writes stdout. Does not promise: the whole text; a line shows what is around the first word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from outrider.agent.cli.listing.databases import asked
from outrider.agent.cli.listing.runs import NARROW, columns, id_width
from outrider.agent.cli.output import out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.review.lines import Part
    from outrider.memory.run_index import Found


def find_words(text: Sequence[str], limit: int = 20, memory: str | None = None, json: bool = False) -> int:
    """Print the places that hold every word; returns the exit code, 6 where there is none."""
    from outrider.agent.history.ends import EXIT_CODES
    from outrider.memory.run_index import find

    query = text[0] if len(text) == 1 else " ".join(f'"{one}"' if " " in one else one for one in text)
    if not any(letter.isalnum() for letter in query):
        raise UsageError("there is nothing to look for", "it holds no word", 'say words: outrider find "invoice 417"')
    with asked(memory) as ask:
        found = find(ask, query, limit=limit) if ask else []
    if json:
        for one in found:
            out_json({"run": one.run_id, "seq": one.seq, "at": one.at, "what": one.what, "text": one.text})
    else:
        _show(found, query)
    if found:
        return 0
    say(f"nothing holds {query[:100]!r}")
    return EXIT_CODES["not_found"]


def _show(found: list[Found], query: str) -> None:
    from outrider.agent.review.lines import Line, one_line

    room, ids = columns(), id_width(one.run_id for one in found)
    for one in found:
        where = f"{one.run_id:{ids}}event {one.seq}"
        what = one_line(one.what, max(4, min(20, room - len(where) - 3)))
        head: tuple[Part, ...] = ((f"{where}  ", "strong"), (what, "tool"))
        text = one_line(_around(one.text, query), 160)
        if room < NARROW:
            out_lines([Line(head), Line(((one_line(text, room - 2), "plain"),), (("  ", "plain"),))])
        else:
            out_lines([Line(((text, "plain"),), (*head, ("  ", "plain")))])


def _around(text: str, query: str) -> str:
    """The part of a text in which the first of the words stands."""
    words = [word.strip('"').lower() for word in query.split()]
    low = text.lower()
    at = min((place for word in words if (place := low.find(word)) >= 0), default=0)
    return ("…" if at > 60 else "") + text[max(0, at - 60) :]
