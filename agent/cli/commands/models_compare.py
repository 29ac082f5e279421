"""`outrider models compare`: a governance table of models, for the person who must approve one."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.output import out, out_json, out_lines, say
from outrider.memory.errors import NoDatabase, OutriderError

if TYPE_CHECKING:
    from outrider.tools.hub.compare import Governed
    from outrider.tools.tool import ToolContext


Names = Annotated[list[str], typer.Argument(metavar="MODEL…", help="OWNER/NAME on the hub, or PROVIDER:NAME.")]


def compare(
    names: Names,
    markdown: Annotated[bool, typer.Option("--markdown", help="A Markdown table.")] = False,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Compare models for approval: licence, data declared, size, gating, who serves them, price.

    Hub models are looked up on the hub (in the catalogue when it cannot be reached). Exit code 6: one was not found; 5:
    the hub could not be asked about one; 2: one is no name of a model.
    """
    from outrider.tools.hub.compare import as_markdown

    found, errors = asyncio.run(_all(names, _context(memory)))
    failed = {name: f"{error.what}: {error.why}" for name, error in errors.items()}
    if json:
        out_json({"models": [_as_json(one) for one in found], "failed": failed})
    elif markdown and found:
        out(as_markdown(found))
    elif found:
        _show(found)
    for name, why in failed.items():
        say(f"{name}: {why}")
    codes = {error.exit_code for error in errors.values()}
    raise typer.Exit(next((code for code in (5, 6, 2) if code in codes), 5 if codes else 0))


async def _all(names: list[str], context: ToolContext) -> tuple[list[Governed], dict[str, OutriderError]]:
    """(models found, why each other was not)."""
    found: list[Governed] = []
    failed: dict[str, OutriderError] = {}
    for name in dict.fromkeys(names):
        try:
            found.append(await _one(name, context))
        except OutriderError as error:
            failed[name] = error
    return found, failed


async def _one(name: str, context: ToolContext) -> Governed:
    from outrider.agent.cli.given import meant
    from outrider.tools.hub.compare import UNSTATED, Governed, governed

    spec = meant(name) or name
    if ":" not in spec or "://" in spec:
        return await governed(spec, context, _hub_price)
    from outrider.agent.models import split_spec

    provider = split_spec(spec)[0]
    terms = f"the terms of {provider}"
    return Governed(
        model=spec, licence=terms, commercial="unknown", attribution="unknown", share_alike="unknown", data=UNSTATED,
        made_from=UNSTATED, size=UNSTATED, gated="no" if provider == "llama" else "by key", providers=provider, price=_price(spec),
        as_of="",
    )  # fmt: skip


def _price(spec: str) -> str:
    from outrider.agent.models.prices import find_price

    price = find_price(spec)
    return _dollars(price.input, price.output, price.source) if price else "not known"


def _hub_price(model: str, providers: tuple[str, ...]) -> str:
    """What the providers that serve a hub model take, as far as the price table knows."""
    from outrider.agent.models.prices import hub_price

    rows = [(name, hub_price(model, name)) for name in providers]
    told = [f"{name} {_dollars(price.input, price.output, price.source)}" for name, price in rows if price]
    return "; ".join(told) or ("not known" if providers else "runs here: nothing is billed")


def _dollars(into: Any, out_of: Any, source: str) -> str:
    return f"${into.normalize():f} in, ${out_of.normalize():f} out a million tokens ({source})"


def _context(memory: str | None) -> ToolContext:
    from pathlib import Path

    from outrider.agent.cli.given import from_config, read_config
    from outrider.agent.cli.listing.databases import open_store
    from outrider.memory.listings import Listings
    from outrider.tools.tool import ToolContext

    context = ToolContext(workspace=Path.cwd(), settings=from_config(read_config()).get("tool_settings", {}))
    try:
        context.listings = Listings(open_store(memory, writing=True))
    except NoDatabase:
        if memory and not os.environ.get("OUTRIDER_MEMORY"):
            raise
    return context


def _as_json(one: Governed) -> dict[str, str]:
    from dataclasses import asdict

    return asdict(one)


def _show(found: list[Governed]) -> None:
    """A block a model: wide texts would not fit side by side."""
    from outrider.agent.review.lines import Line, one_line
    from outrider.tools.hub.compare import HEADINGS

    for one in found:
        values = _as_json(one)
        out_lines([Line(((one_line(values.pop("model"), 200), "strong"),))])
        for name, value in values.items():
            if value:
                out_lines([Line(((one_line(value, 400), "plain"),), ((f"  {HEADINGS[name]:16}", "dim"),))])
