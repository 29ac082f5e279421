"""The model hub: `hub_search` finds models by task, licence and size, `hub_model` tells about one.
May touch: the hub, or with no network the catalogue of what it listed before (ask_hub.py).
Does not promise: sizes and licences the hub does not state; they are shown as unknown.
"""

from __future__ import annotations

import re

from outrider.tools.hub.ask_hub import Wish, listed, looked_up, model_id
from outrider.tools.hub.card import Card, in_bytes, short_size, table
from outrider.tools.hub.fit import fit_line
from outrider.tools.hub.licences import licence_of, wanted_licence
from outrider.tools.hub.tasks import TASKS, spelt_task
from outrider.tools.tool import ToolContext, ToolError, tool

_SCALE = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
MOST = 100  # models of one search
MOST_FILES = 15


@tool(effect="read", origin="untrusted", timeout_s=40)
async def hub_search(
    ctx: ToolContext, task: str = "", query: str = "", licence: str = "", max_parameters: str = "", limit: int = 5
) -> str:
    """Search the model hub for models by task, words in the name, licence and size; the most downloaded first.

    task: such as "text-classification" or "text-generation"
    query: words in the model's name
    licence: such as "apache-2.0" or "mit"
    max_parameters: the largest size, such as "500M" or "2B"
    limit: how many models, 1 to 100
    """
    wish = Wish(hub_tag(task), " ".join(query.split()), _licences(licence), parameters(max_parameters))
    found = (await listed(ctx, [wish], max(1, min(limit, MOST))))[0]
    note = f"\n({found.note})" if found.note else ""
    if not found.cards:
        return f"no model matches {said(wish)}{note}"
    more = "\n(there are more: ask for a larger limit, or narrow it)" if found.more else ""
    return f"{table(found.cards)}{more}{note}"


@tool(effect="read", origin="untrusted", timeout_s=40)
async def hub_model(model: str, ctx: ToolContext) -> str:
    """Tell about one model of the hub: task, what its licence allows, size, files, whether it fits this machine, where it runs, results, languages, what it was made from.

    model: its id, "owner/name"
    """
    card, note = await looked_up(ctx, model_id(model))
    return "\n".join(f"{key}: {value}" for key, value in facts(card)) + (f"\n({note})" if note else "")


def facts(card: Card) -> list[tuple[str, str]]:
    """What is known of a model, a line each."""
    licences = "; ".join(licence_of(one).line() for one in card.licences) or licence_of("").line()
    named = f" ({card.licence_name})" if card.licence_name else ""
    size = f"{card.parameters:,} ({short_size(card.parameters)})" if card.parameters else "unknown"
    return [
        ("model", card.id),
        ("task", card.task or "unknown"),
        ("licence", licences + named),
        ("parameters", size),
        ("memory", fit_line(card)),
        ("runs on", ", ".join(card.places) or "nowhere known"),
        ("downloads", "unknown" if card.downloads is None else str(card.downloads)),
        ("likes", "unknown" if card.likes is None else str(card.likes)),
        ("gated", {"": "no", "auto": "yes (anyone who agrees to its terms)"}.get(card.gated, "yes (its owner decides who)")),
        ("library", card.library or "unknown"),
        ("formats", ", ".join(card.formats) or "unknown"),
        ("last modified", card.modified or "unknown"),
        ("languages", ", ".join(card.languages) or "not stated"),
        ("made from", ", ".join(card.base) or "not stated"),
        ("datasets", ", ".join(card.datasets) or "not stated"),
        ("results its owner states", "; ".join(card.results) or "none"),
        ("files", _files(card)),
    ]  # fmt: skip


def _files(card: Card) -> str:
    if not card.files:
        return "not listed"
    total = sum(size or 0 for _, size in card.files)
    largest = sorted(card.files, key=lambda file: -(file[1] or 0))
    told = ", ".join(f"{name} {in_bytes(size)}" if size is not None else name for name, size in largest[:MOST_FILES])
    more = f" and {len(card.files) - MOST_FILES} more" if len(card.files) > MOST_FILES else ""
    return f"{len(card.files)}, {in_bytes(total)} in all: {told}{more}"


def parameters(text: str) -> int:
    """How many parameters "500M", "2B" or "1.5 billion" are, 0 for "". Raises ToolError for anything else."""
    if not text.strip():
        return 0
    found = re.fullmatch(
        r"<?=?\s*(\d+(?:\.\d+)?)\s*([kmbt]?)(?:illion|rillion)?\s*(?:parameters)?", text.strip().lower()
    )
    if not found or not float(found[1]):
        raise ToolError(
            f"{text[:40]!r} is not a size", "it is not a number of parameters", 'write for example "500M" or "2B"'
        )
    return int(float(found[1]) * _SCALE[found[2]])


def hub_tag(task: str) -> str:
    """The hub's tag for a task as a person or a model may spell it."""
    name = spelt_task(task)
    return TASKS[name].tag if name in TASKS else name


def _licences(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(wanted_licence(one) for one in text.split(",") if one.strip()))[:8]


def said(wish: Wish) -> str:
    """A wish in words."""
    parts = [f"task {wish.task}" if wish.task else "", repr(wish.words) if wish.words else ""]
    parts += [f"licence {' or '.join(wish.licences)}" if wish.licences else ""]
    parts += [f"at most {short_size(wish.most)} parameters" if wish.most else ""]
    return ", ".join(part for part in parts if part) or "that"
