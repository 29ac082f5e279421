"""Asks the hub, or, where it cannot be reached, the catalogue: what it listed before, kept in the memory database.
May touch: a child process that asks the hub (HF_ENDPOINT, or `endpoint` of [hub]) with the person's own token; the catalogue.
Does not promise: that the catalogue is complete; it holds what was listed here, and every answer from it says how old it is.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from outrider.tools.hub.card import ID, Card, card_of
from outrider.tools.net.pace import net_of, pace
from outrider.tools.process.deadlines import in_child, in_thread
from outrider.tools.tool import ToolContext, ToolError

HUB_S = 20.0
CONNECT_S = 0.8  # to find out that there is no network; `connect_s` of [hub] for a slow one
PAGE = 100  # models asked for at once
MOST_ASKED = 2000
ENDPOINT = "https://huggingface.co"
QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1"}
_AWAY = ("offline", "offline mode", "late", "busy")  # the catalogue may know


@dataclass(frozen=True, slots=True)
class Wish:
    """Which models are looked for. task: the hub's tag. licences: any of these. most: parameters, 0 for any.

    sort: "downloads", "likes" or "last_modified", the largest first.
    """

    task: str = ""
    words: str = ""
    licences: tuple[str, ...] = ()
    most: int = 0
    sort: str = "downloads"

    def fits(self, card: Card) -> bool:
        """Whether the card says that it is one. A size nobody states is not known to be small enough."""
        return (
            (not self.task or card.task == self.task)
            and (not self.licences or any(one in self.licences for one in card.licences))
            and (not self.most or (card.parameters is not None and card.parameters <= self.most))
        )

    def named(self, card: Card) -> bool:
        """Whether the id holds all words."""
        return all(word in card.id.lower() for word in self.words.lower().split())


@dataclass(frozen=True, slots=True)
class Listing:
    """Models that fit a wish, best first. note: "" from the hub itself; else how old they are and why. more: there are others."""

    cards: tuple[Card, ...]
    note: str = ""
    more: bool = False


def settings_of(ctx: ToolContext) -> dict[str, Any]:
    """The table [hub] of the configuration."""
    own = ctx.settings.get("hub")
    return own if isinstance(own, dict) else {}


def endpoint_of(ctx: ToolContext) -> str:
    """Where the hub is."""
    return str(settings_of(ctx).get("endpoint") or os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")


def model_id(text: str) -> str:
    """The id in what a model or a person wrote, an address of the hub too. Raises ToolError for what is none."""
    name = text.strip().removeprefix("https://").removeprefix("http://")
    for host in ("huggingface.co/", "hf.co/"):
        name = name.removeprefix(host)
    name = "/".join(name.strip("/").split("/")[:2])
    if not ID.fullmatch(name):
        raise ToolError(f"{text[:100]!r} is not the id of a model", "an id is owner/name", "find one with hub_search")
    return name


async def listed(ctx: ToolContext, wishes: Sequence[Wish], limit: int) -> list[Listing]:
    """At most `limit` models for each wish, from the hub or the catalogue. Raises ToolError when neither can say.

    What the hub answers is filtered once more: a hub that does not know a filter leaves it out. Where that leaves too few
    of what it gave, it is asked for more.
    """
    asks = [_Ask(wish, licence, max(PAGE, limit + 1)) for wish in wishes for licence in wish.licences or ("",)]
    try:
        await _reach(ctx)
        while open_asks := [ask for ask in asks if not ask.done]:
            answers = await _child(ctx, {"do": "search", "asks": [ask.as_json() for ask in open_asks]})
            for ask, rows in zip(open_asks, answers, strict=True):
                _keep(ctx, rows)
                ask.learn(rows, limit)
    except _Away as away:
        return [_from_catalogue(ctx, wish, limit, away) for wish in wishes]
    return [_together(wish, [ask for ask in asks if ask.wish is wish], limit) for wish in wishes]


@dataclass(slots=True)
class _Ask:
    """One listing of the hub: a wish with one of its licences, for the hub lets several licences only exclude each other."""

    wish: Wish
    licence: str
    count: int
    good: list[Card] = field(default_factory=list)
    done: bool = False

    def as_json(self) -> dict[str, Any]:
        """What the child is told."""
        wish = self.wish
        return {
            "query": wish.words, "task": wish.task, "licence": self.licence, "most": wish.most, "sort": wish.sort,
            "limit": self.count,
        }  # fmt: skip

    def learn(self, rows: list[dict[str, Any]], limit: int) -> None:
        """Take what came; ask for more if too little of it fits and there is more."""
        self.good = [card for row in rows if (card := card_of(row)) is not None and self.wish.fits(card)]
        self.done = len(self.good) > limit or len(rows) < self.count or self.count >= MOST_ASKED
        self.count = min(MOST_ASKED, self.count * 5)


def _together(wish: Wish, asks: list[_Ask], limit: int) -> Listing:
    cards = ordered({card.id: card for ask in asks for card in ask.good}.values(), wish.sort)
    return Listing(tuple(cards[:limit]), more=len(cards) > limit)


async def looked_up(ctx: ToolContext, name: str, *, files: bool = True) -> tuple[Card, str]:
    """(the card of one model, "" or how old it is). Raises ToolError for one that is not there, or not known offline."""
    try:
        await _reach(ctx, name)
        rows = (await _child(ctx, {"do": "model", "model": name, "files": files}))[0]
    except _Away as away:
        held = ctx.listings.one(_source(ctx), name) if ctx.listings else None
        card = card_of(held.body) if held else None
        if held is None or card is None:
            raise away.error from None
        return card, f"from the catalogue, as the hub had it {_age(held.at)}: {away.error.why}"
    _keep(ctx, rows)
    card = card_of(rows[0])
    if card is None:
        raise ToolError(f"what the hub says of {name} cannot be read", "it gives no proper id", "use another model")
    return card, ""


def known_card(ctx: ToolContext, name: str) -> Card | None:
    """What the catalogue holds of a model; nobody is asked."""
    held = ctx.listings.one(_source(ctx), name) if ctx.listings else None
    return card_of(held.body) if held else None


def ordered(cards: Iterable[Card], sort: str) -> list[Card]:
    """The largest first; equals stay in the order they came."""
    if sort == "last_modified":
        return sorted(cards, key=lambda card: card.modified, reverse=True)
    if sort == "likes":
        return sorted(cards, key=lambda card: -(card.likes or 0))
    return sorted(cards, key=lambda card: -(card.downloads or 0))


# ---- the catalogue ---------------------------------------------------------------------------------------------------


class HubFailed(ToolError):
    """The hub cannot be asked, or did not answer."""

    exit_code: ClassVar[int] = 5


class NoSuchModel(HubFailed):
    """The hub has no such model."""

    exit_code: ClassVar[int] = 6


class NoModelId(HubFailed):
    """What was asked for cannot be the name of a model."""

    exit_code: ClassVar[int] = 2


class _Away(Exception):
    """The hub cannot be asked now; `error` says why."""

    def __init__(self, error: ToolError) -> None:
        self.error = error


def _source(ctx: ToolContext) -> str:
    return f"hub:{endpoint_of(ctx)}"


def _keep(ctx: ToolContext, rows: list[dict[str, Any]]) -> None:
    if ctx.listings is None:
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    named = [(str(row.get("id")), row) for row in rows if ID.fullmatch(str(row.get("id") or ""))]
    ctx.listings.keep(_source(ctx), named, now)


def _from_catalogue(ctx: ToolContext, wish: Wish, limit: int, away: _Away) -> Listing:
    held = ctx.listings.all(_source(ctx)) if ctx.listings else []
    if not held:
        error = away.error
        raise ToolError(error.what, f"{error.why}; nothing was listed here before", error.fix) from None
    dated = [(card, one.at) for one in held if (card := card_of(one.body)) is not None]
    good = [(card, at) for card, at in dated if wish.fits(card) and wish.named(card)]
    oldest = min((at for _, at in good or dated), default="")
    cards = ordered((card for card, _ in good), wish.sort)
    note = f"from the catalogue of {len(dated)} models listed here before, the oldest of these {_age(oldest)}: {away.error.why}"
    return Listing(tuple(cards[:limit]), note, len(cards) > limit)


def _age(at: str) -> str:
    """ "3 days ago (2026-11-24)"."""
    try:
        days = (datetime.now(UTC) - datetime.fromisoformat(at)).days
    except (ValueError, TypeError):
        return "at an unknown time"
    ago = "today" if days < 1 else "a day ago" if days == 1 else f"{days} days ago"
    return f"{ago} ({at[:10]})"


# ---- the hub ---------------------------------------------------------------------------------------------------------


async def _reach(ctx: ToolContext, model: str = "") -> None:
    """Find out in well under a second that there is no network, before a process is started. Raises _Away."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise _Away(_failure("offline mode", "", model, 0))
    place = urlsplit(endpoint_of(ctx))
    wait = settings_of(ctx).get("connect_s")
    seconds = float(wait) if isinstance(wait, int | float) and wait > 0 else CONNECT_S

    def knock() -> None:
        address = (place.hostname or "", place.port or (443 if place.scheme == "https" else 80))
        socket.create_connection(address, timeout=seconds).close()

    try:
        await in_thread(knock, seconds=seconds)
    except (OSError, ValueError, UnicodeError):
        raise _Away(_failure("offline", "", model, seconds)) from None


async def _child(ctx: ToolContext, asked: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """The child's rows for each thing asked. Raises ToolError that says what kept it, _Away where the catalogue may help."""
    ctx.progress("asking the model hub")
    seconds, hub = max(1.0, min(HUB_S, ctx.seconds_left() - 1)), endpoint_of(ctx)
    async with pace().turn(hub, net_of(ctx.settings), time.monotonic() + seconds):
        done = await in_child(
            "outrider.tools.hub.hub_process",
            stdin=json.dumps({**asked, "endpoint": hub, "seconds": seconds}).encode(),
            seconds=seconds,
            environment={**os.environ, **QUIET},
            max_output=32 << 20,
        )
    try:
        answer = json.loads(done.output)
    except ValueError:
        answer = {"error": "late" if done.timed_out else "failed", "detail": done.errors.strip()[-200:]}
    if "error" in answer:
        error = _failure(answer["error"], str(answer["detail"]), str(asked.get("model") or ""), seconds)
        raise _Away(error) if answer["error"] in _AWAY else error
    return [[row for row in rows if isinstance(row, dict)] for rows in answer["rows"]]


def _failure(kind: str, detail: str, model: str, seconds: float) -> ToolError:
    name = model or "the model hub"
    known = {
        "missing": (f"there is no model {name!r} on the hub", "no public model has that id", "find one with hub_search"),
        "gated": (f"{name} is gated", "its owner must let you in first", "use another model, or accept its terms on the hub"),
        "no id": (f"{name!r} is not the id of a model", "an id is owner/name", "find one with hub_search"),
        "busy": ("the hub was asked too often", "it answered with status 429", "wait a minute, or set HF_TOKEN"),
        "refused": ("the hub refused", "the token is wrong or may not do this", "check HF_TOKEN, or unset it"),
        "offline": ("the hub cannot be reached", "there is no network or its address is wrong", "go on without it, or try later"),
        "offline mode": ("the hub is not asked", "HF_HUB_OFFLINE is set", "unset it to look models up"),
        "late": ("the hub did not answer in time", f"the limit is {seconds:.0f} s", "try later"),
    }  # fmt: skip
    plain = " ".join(detail.split())[:300]
    made = {"missing": NoSuchModel, "no id": NoModelId}.get(kind, HubFailed)
    return made(*known.get(kind, ("the hub could not answer", f"{kind}: {plain}", "try later")))
