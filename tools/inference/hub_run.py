"""`hub_run`: give a task and an input, get the result of the right model; falls back along the ranking and says why.
May touch: what the way it takes does: a package of this machine, weights fetched before, a provider or an endpoint.
Does not promise: that a model is right. What it gives is a stranger's words, and is marked so.

Nothing is sent unless the call's effect is `network`, which is asked about: without `where`, a model that is here is
taken, and only where there is none is a provider asked. Start reading at `hub_run`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from outrider.memory.events import Effect
from outrider.tools.hub.ask_hub import known_card, looked_up, model_id, settings_of
from outrider.tools.hub.card import ID, Card
from outrider.tools.hub.choose import HubPolicy, choose, why_licence, why_not
from outrider.tools.hub.packaged import Packaged, by_name, here_for, missing_for
from outrider.tools.hub.tasks import TASKS, Task, spelt_task, task_of
from outrider.tools.inference import here, remote
from outrider.tools.inference.inputs import Given, given
from outrider.tools.inference.outputs import told
from outrider.tools.inference.result import Result, Unusable
from outrider.tools.tool import Arguments, Change, File, Observation, ToolContext, ToolError, tool

MOST_TRIED = 6  # models of the ranking that are asked
NAMED = 4  # models left out that are named


def effect_of(arguments: Arguments) -> Effect:
    """`network` for what may leave the machine; else `write` where a file comes out, `read` where words do."""
    task = TASKS.get(spelt_task(str(arguments.get("task") or "")))
    if task is None or not _stays_here(task, str(arguments.get("model") or ""), str(arguments.get("where") or "")):
        return "network"
    return "write" if task.makes_file or task.gives == "vectors" else "read"


def _stays_here(task: Task, model: str, where: str) -> bool:
    """Whether the call can only run on this machine."""
    if where not in ("", "here"):
        return False
    if model and by_name(model) is None:
        name = model.strip().strip("/")
        return ID.fullmatch(name) is not None and here.cached(name) is not None
    return where == "here" or bool(model) or any(here_for(task))


@tool(effect=effect_of, timeout_s=300)
async def hub_run(
    task: str,
    inputs: str,
    ctx: ToolContext,
    model: str = "",
    where: str = "",
    context: str = "",
    labels: list[str] | None = None,
    options: dict[str, Any] | None = None,
) -> Observation:
    """Run a task on a text, a picture or a sound with the right model: captions, OCR, detection, speech, translation, pictures ….

    task: such as "image-to-text", "ocr", "object-detection", "automatic-speech-recognition", "translation" or "text-to-image"
    inputs: the text, or the path of a picture, sound or text in the workspace
    model: its id, if it must be this one; else the best by the person's policy
    where: "here" runs on this machine alone, "provider" sends to an inference provider, an address to that endpoint
    context: for question-answering, the text (or its file) that holds the answer
    labels: for zero-shot-classification, the labels to choose from
    options: more parameters of the model, such as {"tgt_lang": "fr"}
    """
    kind, place = task_of(task), where.strip()
    if _stays_here(kind, model, place):
        place = "here"  # what the effect says, so that nothing is sent that nobody was asked about
    what = given(ctx, kind, inputs, context, labels or [], options or {})
    plan = await _plan(ctx, kind, model.strip(), place, what)
    passed_over = list(plan.passed_over)
    for way in plan.ways[:MOST_TRIED]:
        if ctx.seconds_left() < 3:
            passed_over.append("the time is over")
            break
        ctx.progress(f"{kind.name}: {way.model} ({way.how})")
        try:
            words, files, changes = await told(ctx, kind, what, await way.run())
        except Unusable as error:
            passed_over.append(f"{way.model} ({way.how}): {error}")
            continue
        notes = [f"by {way.model}, {way.how}", *plan.notes]
        notes += [f"not used: {'; '.join(passed_over)}"] if passed_over else []
        return _observed(what, words, notes, files, changes)
    raise _nobody(kind, place, model, passed_over)


def _observed(
    given: Given, words: str, notes: list[str], files: tuple[File, ...], changes: tuple[Change, ...]
) -> Observation:
    """What a model gave: a stranger's words, and private where a file went in."""
    text = "\n".join([words, *(f"[{note}]" for note in notes)])
    private = tuple(f"file:{path}" for path in given.paths)
    return Observation(text, origin="untrusted", files=files, changes=changes, private=private)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to the result: which model, how it is run."""

    model: str
    how: str
    run: Callable[[], Awaitable[Result]]


@dataclass(slots=True)
class _Plan:
    """Ways in the order they are tried; why others are not; what the person should know."""

    ways: list[_Way] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def _plan(ctx: ToolContext, task: Task, model: str, where: str, what: Given) -> _Plan:
    """Every way to do the task, best first. Raises ToolError for what cannot be meant."""
    if where.startswith(("http://", "https://")):
        return _Plan(
            [
                _Way(
                    model or "the model there",
                    f"endpoint {where}",
                    partial(remote.ask_endpoint, ctx, task, where, what),
                )
            ]
        )
    if where not in ("", "here", "provider"):
        raise ToolError(
            f"{where[:80]!r} is no place to run", "it is no address", 'use "here", "provider" or an address'
        )
    if (packaged := by_name(model)) is not None:
        return _packaged_plan(ctx, task, [packaged], what)
    if where != "provider" and not model and any(here_for(task)):
        return _packaged_plan(ctx, task, here_for(task), what)
    plan = _Plan()
    for card in await _cards(ctx, task, model, where, plan):
        _add_card(ctx, plan, task, card, where, what, named=bool(model))
    return plan


def _packaged_plan(ctx: ToolContext, task: Task, models: Iterable[Packaged], what: Given) -> _Plan:
    policy = HubPolicy.of(settings_of(ctx))
    plan = _Plan()
    for one in models:
        if why := why_licence(one.card(), policy):
            plan.passed_over.append(f"{one.name}: refused by the policy: {why}")
        else:
            plan.ways.append(_packaged_way(ctx, task, one, what))
    return plan


def _packaged_way(ctx: ToolContext, task: Task, model: Packaged, what: Given) -> _Way:
    if task.name not in model.tasks:
        raise ToolError(f"{model.name} does not do {task.name}", f"it does {', '.join(model.tasks)}", "leave out model")
    if missing := model.missing():
        raise ToolError(f"{model.name} is not installed", f"{', '.join(missing)} is missing", model.install)
    return _Way(model.name, "on this machine", partial(here.run_packaged, ctx, task, model, what))


async def _cards(ctx: ToolContext, task: Task, model: str, where: str, plan: _Plan) -> list[Card]:
    """The models to try, best first; those the policy refuses are passed over with the reason."""
    policy = HubPolicy.of(settings_of(ctx))
    if model:
        card, note = await _named(ctx, model, where)
        plan.notes += [note] if note else []
        if why := why_not(card, policy, datetime.now(UTC).date()):
            plan.passed_over.append(f"{card.id}: refused by the policy: {why}")
            return []
        return [card]
    if where == "here" and not any(here_for(task)) and not ctx.listings:
        return []
    choice = await choose(ctx, task.name, policy)
    plan.notes += [choice.note] if choice.note else []
    best = choice.chosen[0].downloads or 0 if choice.chosen else 0
    above = [(card, why) for card, why in choice.lost if (card.downloads or 0) >= best][:NAMED]
    plan.passed_over += [f"{card.id}: refused by the policy: {why}" for card, why in above]
    return list(choice.chosen)


async def _named(ctx: ToolContext, model: str, where: str) -> tuple[Card, str]:
    name = model_id(model)
    if where != "provider" and here.cached(name) is not None:  # its weights are here: the hub need not be asked
        return known_card(ctx, name) or Card(name), ""
    return await looked_up(ctx, name)


def _add_card(ctx: ToolContext, plan: _Plan, task: Task, card: Card, where: str, what: Given, named: bool) -> None:
    """The ways to run one model of the hub, or why there is none."""
    found = [*_sent(ctx, task, card, what)] if where != "here" else []
    why = ""
    if where != "provider":
        folder = here.cached(card.id)
        if folder is not None and task.gives == "text" and task.takes == "text" and (file := here.gguf_file(folder)):
            found.append(_Way(card.id, "llama.cpp on this machine", partial(here.run_gguf, ctx, task, file, what)))
        elif folder is not None and not (why := here.why_no_pipeline(card, task, folder)):
            found.append(
                _Way(card.id, "transformers on this machine", partial(here.run_pipeline, ctx, task, folder, what))
            )
        elif folder is None:
            why = "its weights are not here"
    if found:
        plan.ways += found
    elif named or len(plan.passed_over) < NAMED:
        reasons = filter(None, ("no provider serves it now" if where != "here" else "", why))
        plan.passed_over.append(f"{card.id}: {', '.join(reasons)}")


def _sent(ctx: ToolContext, task: Task, card: Card, what: Given) -> Iterator[_Way]:
    for provider in remote.providers_of(ctx, card):
        if provider.task in (task.tag, "conversational", "") or remote.own_server(ctx):
            yield _Way(
                card.id, f"provider {provider.name}", partial(remote.ask_provider, ctx, task, card, provider, what)
            )


def _nobody(task: Task, where: str, model: str, passed_over: list[str]) -> ToolError:
    """The error when nothing did it, with the next thing to try."""
    fixes = []
    if (install := missing_for(task)) and not model:
        fixes.append(f"a person can install one that needs no hub: {install}")
    if where == "here":
        fixes.append('where="provider" would send the input out')
    elif not where.startswith("http"):
        fixes.append("hub_choose shows what there is; name another model")
    why = "; ".join(passed_over) or "no model is known for it"
    return ToolError(f"no model did {task.name}", why, "; ".join(fixes) or "check the address, or leave out where")
