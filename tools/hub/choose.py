"""Which model to use: `hub_choose` ranks the models of a task by the person's policy, and says why each other one lost.
May touch: the hub or its catalogue (ask_hub.py). No language model judges; the same cards give the same choice.
Does not promise: that the first is the best at the task; it is the first by what the policy ranks by.

The policy is the table [hub] of the configuration: licences, commercial, max_parameters, gated, must_fit, max_age_days,
min_downloads, rank. A call can narrow it and never widen it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from outrider.memory.errors import UsageError
from outrider.tools.hub.ask_hub import Wish, listed, ordered, settings_of
from outrider.tools.hub.card import Card, short_size, table
from outrider.tools.hub.fit import fit_line, fits
from outrider.tools.hub.hub_tools import hub_tag, parameters
from outrider.tools.hub.licences import licence_of, wanted_licence
from outrider.tools.hub.packaged import here_for
from outrider.tools.hub.tasks import TASKS, spelt_task
from outrider.tools.tool import ToolContext, tool

MOST = 50  # models that are chosen
LOOKED_AT = 100  # models of the task that are looked at, to say why they lost
TOLD = 20  # losers that are named
RANKS = ("downloads", "likes", "recency", "small", "fit", "runnable")
SORTS = {"likes": "likes", "recency": "last_modified"}


@dataclass(frozen=True, slots=True)
class HubPolicy:
    """Which models may be chosen, and which first. rank: keys of RANKS, the first decides, the next among equals."""

    licences: tuple[str, ...] = ()
    commercial: bool = False
    max_parameters: int = 0
    gated: bool = True
    must_fit: bool = False
    max_age_days: int = 0
    min_downloads: int = 0
    rank: tuple[str, ...] = ("downloads",)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> HubPolicy:
        """The policy of the table [hub]. Raises UsageError for a value that means nothing."""
        rank = tuple(str(one) for one in settings.get("rank") or cls().rank)
        if unknown := [one for one in rank if one not in RANKS]:
            raise UsageError(f"[hub] ranks by {unknown[0]!r}", "there is no such rank", f"use {', '.join(RANKS)}")
        return cls(
            tuple(wanted_licence(str(one)) for one in settings.get("licences") or ()),
            bool(settings.get("commercial", False)),
            parameters(str(settings.get("max_parameters") or "")),
            bool(settings.get("gated", True)),
            bool(settings.get("must_fit", False)),
            int(settings.get("max_age_days") or 0),
            int(settings.get("min_downloads") or 0),
            rank,
        )

    def narrowed(self, licence: str, most: int) -> HubPolicy:
        """The policy with what a call asks for beside it."""
        wanted = tuple(wanted_licence(one) for one in licence.split(",") if one.strip())
        if wanted and self.licences:
            wanted = tuple(one for one in wanted if one in self.licences) or ("(none that is allowed)",)
        sizes = [size for size in (self.max_parameters, most) if size]
        return replace(self, licences=wanted or self.licences, max_parameters=min(sizes, default=0))

    def line(self) -> str:
        """In words."""
        parts = [
            f"licence {' or '.join(self.licences)}" if self.licences else "any licence",
            "commercial use allowed" if self.commercial else "",
            f"at most {short_size(self.max_parameters)} parameters" if self.max_parameters else "any size",
            "" if self.gated else "not gated",
            "fits this machine" if self.must_fit else "",
            f"changed in the last {self.max_age_days} days" if self.max_age_days else "",
            f"at least {self.min_downloads} downloads" if self.min_downloads else "",
        ]
        return f"{', '.join(part for part in parts if part)}; ranked by {', then '.join(self.rank)}"


def why_not(card: Card, policy: HubPolicy, today: date) -> str:
    """Every reason why a model may not be chosen, "" if it may."""
    reasons = list(filter(None, (why_licence(card, policy),)))
    if policy.max_parameters and card.parameters is None:
        reasons.append("its size is not stated")
    elif policy.max_parameters and card.parameters is not None and card.parameters > policy.max_parameters:
        reasons.append(f"{short_size(card.parameters)} parameters")
    if card.gated and not policy.gated:
        reasons.append("gated")
    if policy.must_fit and fits(card) is not True:
        reasons.append(fit_line(card))
    if policy.max_age_days and card.modified < (today - timedelta(days=policy.max_age_days)).isoformat():
        reasons.append(f"last changed {card.modified or 'at an unknown time'}")
    if policy.min_downloads and (card.downloads or 0) < policy.min_downloads:
        reasons.append(f"{card.downloads or 0} downloads")
    return "; ".join(reasons)


def why_licence(card: Card, policy: HubPolicy) -> str:
    """Why a model's licence rules it out, "" if it does not: all that is asked of a model that a package holds."""
    reasons = []
    if policy.licences and not any(one in policy.licences for one in card.licences):
        reasons.append(f"licence {card.licence}")
    if policy.commercial and not all(licence_of(one).commercial == "yes" for one in card.licences or ("",)):
        reasons.append(f"commercial use is {licence_of((card.licences or ('',))[0]).commercial} under {card.licence}")
    return "; ".join(reasons)


def ranked(cards: Sequence[Card], policy: HubPolicy) -> list[Card]:
    """Best first by the policy's rank; equals by their id, so that the order is always the same."""
    found = sorted(cards, key=lambda card: card.id)
    for rank in reversed(policy.rank):
        found = sorted(found, key=lambda card, rank=rank: _place(card, rank))  # type: ignore[misc]
    return found


def _place(card: Card, rank: str) -> float:
    """A number that is smaller for what comes first."""
    if rank == "likes":
        return -(card.likes or 0)
    if rank == "recency":
        return -int(card.modified.replace("-", "") or 0) if card.modified.replace("-", "").isdigit() else 0
    if rank == "small":
        return card.parameters if card.parameters is not None else float("inf")
    if rank == "fit":
        return {True: 0, None: 1, False: 2}[fits(card)]
    if rank == "runnable":
        return 0 if card.places else 1
    return -(card.downloads or 0)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, best first, and who lost and why. note: "" from the hub itself, else how old it is."""

    chosen: tuple[Card, ...]
    lost: tuple[tuple[Card, str], ...]
    policy: HubPolicy
    note: str = ""


async def choose(ctx: ToolContext, task: str, policy: HubPolicy, words: str = "", limit: int = MOST) -> Choice:
    """The models of a task that the policy lets through, best first. Raises ToolError when nobody can say."""
    sort, known = SORTS.get(policy.rank[0], "downloads"), TASKS.get(spelt_task(task))
    words = words or (known.words if known else "")
    wish = Wish(hub_tag(task), words, policy.licences, policy.max_parameters, sort)
    passing, others = await listed(ctx, [wish, Wish(wish.task, words, sort=sort)], LOOKED_AT)
    today = datetime.now(UTC).date()
    cards = {card.id: card for card in (*passing.cards, *others.cards)}
    judged = [(card, why_not(card, policy, today)) for card in cards.values()]
    chosen = ranked([card for card, why in judged if not why], policy)[:limit]
    lost = {card.id: why for card, why in judged if why}
    losers = ordered((cards[name] for name in lost), sort)
    return Choice(tuple(chosen), tuple((card, lost[card.id]) for card in losers), policy, passing.note)


@tool(effect="read", origin="untrusted", timeout_s=60)
async def hub_choose(
    task: str, ctx: ToolContext, query: str = "", licence: str = "", max_parameters: str = "", limit: int = 5
) -> str:
    """Choose a model for a task by the person's policy (licence, size, fit, recency, downloads); says why each other one lost.

    task: such as "image-to-text", "translation" or "ocr"
    query: words in the model's name
    licence: only this one, or several with commas
    max_parameters: the largest size, such as "500M"
    limit: how many to show, 1 to 50
    """
    policy = HubPolicy.of(settings_of(ctx)).narrowed(licence, parameters(max_parameters))
    choice = await choose(ctx, task, policy, " ".join(query.split()), max(1, min(limit, MOST)))
    return "\n".join(choice_lines(choice, task))


def _here(task: str, policy: HubPolicy) -> list[str]:
    """The models of this machine that do the task: they need no hub, so `hub_run` takes them first."""
    known = TASKS.get(spelt_task(task))
    found = [one for one in here_for(known) if not policy.licences or one.licence in policy.licences] if known else []
    return [f"already on this machine, taken first: {one.name} ({one.licence}; {one.what})" for one in found]


def choice_lines(choice: Choice, task: str) -> list[str]:
    """A choice in words."""
    lines = [f"policy: {choice.policy.line()}", *_here(task, choice.policy)]
    if choice.chosen:
        first = choice.chosen[0]
        lines += [f"chosen for {task}: {first.id}", table(choice.chosen)]
    else:
        lines.append(f"no model for {task} passes the policy")
    if choice.lost:
        more = f", the first {TOLD}" if len(choice.lost) > TOLD else ""
        lines.append(f"left out ({len(choice.lost)}{more}):")
        lines += [f"- {card.id}: {why}" for card, why in choice.lost[:TOLD]]
    return [*lines, *((f"({choice.note})",) if choice.note else ())]
