"""A governance table of models, for the person who must approve one: licence, data, size, gating, who serves it, price.
May touch: the hub or its catalogue (ask_hub.py). Does not promise: that a card tells all; what it does not state is said so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from outrider.tools.hub.ask_hub import looked_up, model_id
from outrider.tools.hub.card import Card, in_bytes, short_size
from outrider.tools.hub.licences import licence_of
from outrider.tools.tool import ToolContext

UNSTATED = "not stated"


@dataclass(frozen=True, slots=True)
class Governed:
    """One model, each field in words. as_of: "" for what the hub says now, else from when it is."""

    model: str
    licence: str
    commercial: str
    attribution: str
    share_alike: str
    data: str
    made_from: str
    size: str
    gated: str
    providers: str
    price: str
    as_of: str = ""


HEADINGS = {
    "model": "model", "licence": "licence", "commercial": "commercial use", "attribution": "attribution",
    "share_alike": "share-alike", "data": "data declared", "made_from": "made from", "size": "size", "gated": "gated",
    "providers": "served by", "price": "price", "as_of": "as of",
}  # fmt: skip


async def governed(name: str, ctx: ToolContext, price: Callable[[str, tuple[str, ...]], str]) -> Governed:
    """What a person must know of a hub model. Raises ToolError for one that is not there.

    price(model, providers): what the providers that serve it take, in words.
    """
    card, note = await looked_up(ctx, model_id(name))
    terms = [licence_of(one) for one in card.licences or ("",)]
    live = tuple(provider.name for provider in card.providers if provider.live)
    return Governed(
        model=card.id,
        licence=card.licence,
        commercial=_each(one.commercial for one in terms),
        attribution=_each(one.attribution for one in terms),
        share_alike=_each(one.share_alike for one in terms),
        data=", ".join(card.datasets) or UNSTATED,
        made_from=", ".join(card.base) or UNSTATED,
        size=_size(card),
        gated=card.gated or "no",
        providers=", ".join(live) or "none",
        price=price(card.id, live),
        as_of=note,
    )


def _each(answers: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(answers))


def _size(card: Card) -> str:
    total = sum(size or 0 for _, size in card.files)
    parts = [f"{short_size(card.parameters)} parameters" if card.parameters else ""]
    parts += [f"{in_bytes(total)} of files" if total else ""]
    return ", ".join(part for part in parts if part) or UNSTATED


def as_rows(found: Sequence[Governed]) -> list[list[str]]:
    """A line for each thing to know, a column for each model; the first line names the models."""
    names = [field.name for field in fields(Governed)]
    rows = [[HEADINGS[name], *(getattr(one, name) for one in found)] for name in names]
    return [row for row in rows if any(row[1:])]


def as_markdown(found: Sequence[Governed]) -> str:
    """The table in Markdown, for a document or an issue."""
    rows = [[cell.replace("|", "\\|").replace("<", "&lt;") for cell in row] for row in as_rows(found)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]])
