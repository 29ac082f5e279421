"""A model of the hub as the rest of the program knows it: read from what the hub said, every word of it a stranger's.
Touches nothing. Does not promise: that what a card states is true; it is what its owner wrote.

An id is checked against the hub's own rule before it is used; texts are one line and capped. Neither is ever a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from outrider.memory.text import for_storage

ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?")
MOST = 20  # of each list on a card
FILES = 400
_SCALE = (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3))
LOCAL_LIBRARIES = ("transformers", "sentence-transformers")


@dataclass(frozen=True, slots=True)
class Provider:
    """Who serves a model: the provider, the name the model has there, the task it serves it for, and whether it is live."""

    name: str
    model: str
    task: str
    live: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model. None and "" mean that the hub does not say.

    parameters: in all. weights: parameters by number format ("F16"), of safetensors. gated: "", "auto" or "manual".
    modified: ISO date. files: (name, bytes or None). packaged: the package of this machine that holds the model, "" for the hub's.
    """

    id: str
    task: str = ""
    licences: tuple[str, ...] = ()
    licence_name: str = ""
    parameters: int | None = None
    weights: tuple[tuple[str, int], ...] = ()
    downloads: int | None = None
    likes: int | None = None
    gated: str = ""
    library: str = ""
    modified: str = ""
    formats: tuple[str, ...] = ()
    providers: tuple[Provider, ...] = ()
    languages: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    files: tuple[tuple[str, int | None], ...] = ()
    packaged: str = ""

    @property
    def licence(self) -> str:
        """The licence as a person reads it: "apache-2.0", "other: acme-community", "unknown"."""
        if self.licences == ("other",) and self.licence_name:
            return f"other: {self.licence_name}"
        return ", ".join(self.licences) or "unknown"

    @property
    def places(self) -> tuple[str, ...]:
        """Where it can run: names of inference providers that serve it now, "transformers", "llama.cpp"."""
        if self.packaged:
            return ("installed here",)
        found = [provider.name for provider in self.providers if provider.live]
        found += ["transformers"] if self.library in LOCAL_LIBRARIES and "safetensors" in self.formats else []
        return (*found, *(("llama.cpp",) if "gguf" in self.formats else ()))


def card_of(row: Mapping[str, Any]) -> Card | None:
    """The card of what the hub said of one model; None where its id is none."""
    name = str(row.get("id") or "")
    if not ID.fullmatch(name):
        return None
    gated = row.get("gated")
    return Card(
        id=name,
        task=word(row.get("task")),
        licences=tuple(word.lower() for word in _words(row.get("licences"))),
        licence_name=word(row.get("licence_name")),
        parameters=_count(row.get("parameters")) or None,
        weights=tuple((word(kind), _count(n) or 0) for kind, n in list(_pairs(row.get("weights")))[:MOST]),
        downloads=_count(row.get("downloads")),
        likes=_count(row.get("likes")),
        gated=str(gated) if gated in ("auto", "manual") else "manual" if gated else "",
        library=word(row.get("library")),
        modified=word(row.get("modified"))[:10],
        formats=_words(row.get("formats")),
        providers=tuple(_providers(row.get("providers"))),
        languages=_words(row.get("languages")),
        base=_words(row.get("base")),
        datasets=_words(row.get("datasets")),
        results=_words(row.get("results")),
        files=tuple(_files(row.get("files"))),
    )


def word(value: Any, most: int = 160) -> str:
    """A stranger's text in one line, capped; "" for what is no text."""
    return " ".join(for_storage(value[: most * 4]).split())[:most] if isinstance(value, str) else ""


def _words(value: Any) -> tuple[str, ...]:
    several = value if isinstance(value, list | tuple) else [value]
    return tuple(said for one in several[:MOST] if (said := word(one)))


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18 else None


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else ()


def _providers(value: Any) -> Iterable[Provider]:
    for one in value[:MOST] if isinstance(value, list) else ():
        if isinstance(one, Mapping) and (name := word(one.get("name"))):
            yield Provider(name, word(one.get("model"), 400), word(one.get("task")), one.get("status") == "live")


def _files(value: Any) -> Iterable[tuple[str, int | None]]:
    for one in value[:FILES] if isinstance(value, list) else ():
        if isinstance(one, list | tuple) and len(one) == 2 and (name := word(one[0])):
            yield name, _count(one[1])


def short_size(size: int) -> str:
    """66955010 → "67M": three digits at most."""
    for letter, scale in _SCALE:
        if size >= scale * 0.9995:
            amount = size / scale
            return f"{amount:.0f}{letter}" if amount >= 9.95 else f"{amount:.1f}".removesuffix(".0") + letter
    return str(size)


def in_bytes(size: float) -> str:
    """267832560 → "268 MB": decimal units, as the hub shows them."""
    for unit, scale in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale * 0.9995:
            return f"{size / scale:.3g} {unit}"
    return f"{size:.0f} bytes"


def table(cards: Iterable[Card]) -> str:
    """One line a model under a line of headings."""
    rows = [" | ".join(HEADINGS), *(" | ".join(_cells(card)) for card in cards)]
    return "\n".join(rows)


HEADINGS = ("model", "task", "licence", "parameters", "downloads", "likes", "gated", "changed", "runs on")


def _cells(card: Card) -> list[str]:
    known = (card.downloads, card.likes)
    counts = ["?" if number is None else str(number) for number in known]
    size = short_size(card.parameters) if card.parameters else "?"
    cells = [card.id, card.task or "?", card.licence, size, *counts, card.gated or "no", card.modified or "?"]
    return [cell.replace("|", "/") for cell in (*cells, ", ".join(card.places) or "nowhere known")]
