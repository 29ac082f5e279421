"""Steps, charts and answers as HTML. Every text is escaped by the template engine and cleaned of what cannot be seen.
Touches the package's own templates. Does not promise: to render markup from models or pages; it is shown as text.
"""

from __future__ import annotations

import base64
import difflib
import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from outrider.agent.review.lines import arguments_in_short, dollars, duration, one_line
from outrider.agent.review.page.grid import bars, grid_in
from outrider.memory.text import for_terminal

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_SHOWN = 20_000  # characters of one text on a page; the whole is one click away in the viewer
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates, with escaping on for every one of them."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("outrider.agent.review.page"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    env.filters |= {
        "tame": for_terminal, "spelled": spelled, "rule": rule, "one_line": one_line, "duration": duration, "dollars": dollars, "json": as_json,
        "in_short": arguments_in_short, "cut": cut, "number": lambda value: f"{value:,}", "percent": percent, "grid": grid_in, "bars": bars,
    }  # fmt: skip
    return env


def page(template: str, **values: Any) -> str:
    """One template with its values."""
    return environment().get_template(template).render(**values)


def static(name: str) -> str:
    """The style sheet or the script, as text."""
    return (files("outrider.agent.review.page") / "static" / name).read_text(encoding="utf-8")


def cut(text: str, most: int = MOST_SHOWN) -> str:
    """Foreign text for a page: cleaned, and shortened with a count of what is left out."""
    shown = for_terminal(text[: most * 2])
    return shown if len(text) <= most else f"{shown[:most]}\n… {len(text) - most:,} more characters"


def spelled(text: object) -> str:
    """Text a person answers for: whole, with what cannot be seen written out."""
    return for_terminal(str(text), spelled=True)


def rule(holds: dict[str, Any]) -> str:
    """What a yes for longer stands for, in words."""
    from outrider.tools.policy import Rule

    return str(Rule.of(holds))


def as_json(value: Any) -> str:
    """A value as a person reads JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def percent(part: float, whole: float | None) -> int:
    """0 … 100."""
    return 0 if not whole else max(0, min(100, round(100 * float(part) / float(whole))))


def media_type(data: bytes) -> str:
    """What kind of picture the bytes are, "" if none that a page may show. SVG is markup and counts as none."""
    return next((kind for magic, kind in PICTURES.items() if data.startswith(magic)), "")


def data_url(data: bytes) -> str:
    """A picture that needs no server; "" for what is no picture."""
    kind = media_type(data)
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}" if kind else ""


def text_diff(before: str, after: str, *, most: int = 400) -> list[tuple[str, str]]:
    """(sign, line) of a unified diff without its header: sign is "+", "-", "@" or " "; `most` lines at most."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3))[2:]
    shown = [(line[:1] if line[:1] in "+-@" else " ", line if line[:1] == "@" else line[1:]) for line in lines[:most]]
    return shown + ([("@", f"… {len(lines) - most:,} more lines")] if len(lines) > most else [])


def evidence(text: str, citations: Iterable[Any]) -> list[tuple[str, Any | None]]:
    """The answer cut into (piece of text, the citation it is a claim of or None), in order, nothing lost."""
    pieces: list[tuple[str, Any | None]] = []
    at = 0
    for citation in citations:
        start = text.find(citation.claim, at)
        if start < 0 or not citation.claim:
            continue
        if start > at:
            pieces.append((text[at:start], None))
        at = start + len(citation.claim)
        pieces.append((citation.claim, citation))
    return [*pieces, (text[at:], None)] if at < len(text) or not pieces else pieces


Picture = Callable[[str], str]  # digest → address of the picture, "" if there is none to show
