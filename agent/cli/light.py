"""The commands that list, find, total and show runs, when their flags are written plainly: nothing else is imported, so they open
in a third of the time. Touches nothing itself. Does not promise: to understand a command line; what is not plain
(`--help`, a flag it does not know, a value that does not fit) is left to app.py, which has the same flags and the words.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

MANY = ("many", str)
TEXT = ("one", str)
FLAG = ("flag", bool)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError(text)
    return int(text)


def _step(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _by(text: str) -> Any:
    from outrider.agent.cli.listing.usage import By

    return By(text)


SHARED: dict[str, tuple[str, tuple[str, Callable[[str], Any]]]] = {
    "--memory": ("memory", TEXT),
    "--json": ("json", FLAG),
}
FILTERS = {
    "--label": ("label", TEXT),
    "--model": ("model", TEXT),
    "-m": ("model", TEXT),
    "--since": ("since", TEXT),
}
LIMIT = {"--limit": ("limit", ("one", _positive)), "-n": ("limit", ("one", _positive))}
# Each command: the function that does it, what its bare words are called ("": it takes none), its flags as app.py has them.
LIGHT = {
    "runs": ("runs.list_runs", "", SHARED | FILTERS | LIMIT | {"--state": ("state", MANY), "--grep": ("grep", TEXT)}),
    "show": (
        "transcript.show_run",
        "run",
        SHARED
        | {f"--{name}": (name, FLAG) for name in ("follow", "full", "files", "tools", "cost", "children")}
        | {"-f": ("follow", FLAG), "--no-pager": ("no_pager", FLAG)}
        | {"--svg": ("svg", ("one", Path)), "--step": ("step", ("one", _step))},
    ),
    "find": ("find.find_words", "text", SHARED | LIMIT),
    "usage": (
        "usage.tell_usage",
        "",
        SHARED | FILTERS | {"--by": ("by", ("one", _by)), "--plot": ("plot", FLAG), "--csv": ("as_csv", FLAG)},
    ),
}


def plainly(arguments: list[str]) -> Callable[[], int] | None:
    """The work that a command line asks for; None if it is not one of LIGHT, or not written plainly."""
    if not arguments or arguments[0] not in LIGHT:
        return None
    where, bare, flags = LIGHT[arguments[0]]
    try:
        given = _read(arguments[1:], bare, flags)
    except (KeyError, ValueError, StopIteration):
        return None
    if bare and not given.get(bare):
        return None
    if bare == "run":  # one of them
        if len(given[bare]) > 1:
            return None
        (given[bare],) = given[bare]
    module, _, name = where.partition(".")
    return lambda: int(getattr(import_module(f"outrider.agent.cli.listing.{module}"), name)(**given))


def _read(words: list[str], bare: str, flags: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    left = iter(words)
    for word in left:
        if not word.startswith("-"):
            if not bare:
                raise ValueError(word)
            given.setdefault(bare, []).append(word)
            continue
        name, (how, read) = flags[word]
        if how == "flag":
            given[name] = True
            continue
        value = next(left)
        if value.startswith("-"):
            raise ValueError(value)
        if how == "many":
            given.setdefault(name, []).append(read(value))
        else:
            given[name] = read(value)
    return given
