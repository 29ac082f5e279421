"""Puts a run together: starts a new one, or takes up one that was left, and drives it to its end.
May touch: the journal, the model, the tools, by way of the LiveRun it builds. Does not promise: to outlive the process;
what is on disk does, and `resume` goes on from there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from outrider.agent.asking.find_tool import specs_of
from outrider.agent.budget import Budget, Ledger
from outrider.agent.context.conversation import Context
from outrider.agent.driving import give_goal, stage_resumed
from outrider.agent.limits.periods import period_limits
from outrider.agent.limits.purse import Purse
from outrider.agent.live_run import Listeners as Listeners  # for whoever assembles a run
from outrider.agent.live_run import LiveRun
from outrider.agent.models.model import Model, Price
from outrider.agent.plan.steps import run_steps
from outrider.agent.run_secrets import Hidden, masker_of
from outrider.agent.settings.run_settings import Settings, as_stored, changed_settings, from_stored, sees_pictures
from outrider.agent.state import State
from outrider.agent.structured.reading import check_of
from outrider.agent.tool_memory import RunMemory, tool_context
from outrider.agent.version import VERSION
from outrider.memory.errors import UsageError
from outrider.memory.events import Attachment, Resumed, RunStarted, Stopped, decode
from outrider.memory.inbox import Inbox
from outrider.memory.journal import Journal
from outrider.memory.redaction import Masker
from outrider.memory.store import Store
from outrider.memory.text import for_storage
from outrider.tools.builtin import collect, replaced
from outrider.tools.clock import today
from outrider.tools.foreign_words import held_to
from outrider.tools.policy import Policy
from outrider.tools.tool import Tool
from outrider.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from outrider.tools.skills.skill import Skill

UNLIMITED = Budget(steps=500, seconds=3600)  # what "no budget given" means; plus a dollar where a price is known


class RunEnded(UsageError):
    """A run to go on with that has nothing left to do; its stored end stands."""


def start(
    store: Store,
    goal: str,
    settings: Settings,
    model: Model,
    budget: Budget | dict[str, Any] | None,
    *,
    extra: Sequence[Tool] = (),
    listeners: Listeners | None = None,
    parent: str | None = None,
    attachments: Sequence[Attachment] = (),
    trust: dict[str, Any] | None = None,
    run_id: str = "",
) -> LiveRun:
    """A new run with its first event on disk; `parent` is the run that delegated it. budget: a dict goes over the defaults.
    trust: what that run had read (`RunStarted.trust`).

    run_id: the id it gets; RunExists is raised if there is one. Raises UsageError before anything is recorded or asked.
    """
    goal = for_storage(goal)
    if not goal.strip():
        raise UsageError("there is no goal", "the goal is empty", 'say what you want: outrider run "…"')
    if not isinstance(budget, Budget):
        budget = default_budget(model.price).raised(**(budget or {}))
    ledger = Ledger(budget, model.price)
    toolbox = _toolbox(settings, model, extra)
    listeners = listeners or Listeners()
    for name in replaced(toolbox.tools.values()):
        listeners.progress(f"note: a tool of yours takes the place of the built-in {name}")
    first = _first_event(goal, settings, model, budget, toolbox, parent).model_copy(
        update={"attachments": tuple(attachments), "trust": {"marker": token_hex(4), **(trust or {})}}
    )
    blobs = {one.picture: one.data for one in attachments if one.data}
    masker = masker_of(settings, model)
    first = masker.model(first)
    journal = Journal.create(store, first, label=masker.text(settings.label), parent=parent, run_id=run_id, blobs=blobs)
    live = _assemble(journal, settings, model, ledger, toolbox, _workspace(settings.workspace), listeners, masker)
    live.apply(journal.head_seq, decode(first.kind, first.body()))  # as whoever resumes it will read it
    return live


def _first_event(
    goal: str, settings: Settings, model: Model, budget: Budget, toolbox: Toolbox, parent: str | None
) -> RunStarted:
    return RunStarted(
        goal=goal,
        today=today(),
        model=model.name,
        budget=budget.as_json(),
        policy=Policy.of(settings.policy).as_json(),
        tools=tuple(_told(tool) for tool in toolbox.tools.values()),
        system=_system(settings, model),
        workspace=str(_workspace(settings.workspace)),
        settings=as_stored(settings),
        price=model.price.as_json() if model.price else None,
        limits=asdict(model.limits),
        versions={"outrider": VERSION, "python": sys.version.split()[0]},
        parent=parent,
        label=settings.label,
    )


def _skills(settings: Settings, model: Model) -> dict[str, Skill]:
    """The skills of a run by name; none for a model that points at words and follows no instructions."""
    if not settings.skills or getattr(model, "small", False):
        return {}
    from outrider.tools.skills.shelf import read_shelf

    return read_shelf(settings.skills).skills


def _toolbox(settings: Settings, model: Model, extra: Sequence[Tool], first: RunStarted | None = None) -> Toolbox:
    """The tools of a run; for one that is taken up, held to what they said of themselves in its `first` event."""
    if skills := _skills(settings, model):
        from outrider.tools.skills.loading import skill_tool

        extra = [skill_tool(skills), *extra]
    tools = collect(settings.tools, settings.tools_from, extra)
    return Toolbox(held_to(tools, first.tools) if first else tools)


def _system(settings: Settings, model: Model) -> str:
    """The system text, with the list of skills and the shape of the answer if there is one. Raises UsageError if the model
    cannot keep to one."""
    if skills := _skills(settings, model):
        from outrider.tools.skills.shelf import listed

        settings = replace(settings, system=f"{settings.system}\n\n{listed(skills.values())}")
    if settings.schema is None:
        return settings.system
    if getattr(model, "small", False):
        raise UsageError(
            f"{model.name} cannot answer in the shape of a schema",
            "it points at words of the goal and of results; it writes no JSON of its own",
            "name another model, or leave --schema out",
        )
    from outrider.agent.structured.reading import how

    return f"{settings.system}\n\n{how(settings.schema)}"


def stored_settings(store: Store, run_id: str) -> tuple[str, Settings, Budget]:
    """(run id, settings, budget) a run was last driven with. Raises UsageError if it never began."""
    journal = Journal.open_for_reading(store, run_id)
    settings, budget = None, Budget()
    for stored in journal.read():
        event = stored.event
        if isinstance(event, RunStarted):
            settings, budget = from_stored(event.settings | {"model": event.model}), Budget.of(event.budget)
        elif isinstance(event, Resumed) and settings:
            settings = from_stored(as_stored(settings) | {"model": settings.model} | changed_settings(event.changes))
            if isinstance(changed := event.changes.get("budget"), dict):
                budget = Budget.of(changed)
    if settings is None:
        raise UsageError(f"run {run_id} never began", "its first event is missing", "start it again")
    return journal.run_id, settings, budget


def resume(
    store: Store,
    run_id: str,
    settings: Settings,
    model: Model,
    budget: Budget,
    *,
    extra: Sequence[Tool] = (),
    listeners: Listeners | None = None,
) -> LiveRun:
    """Take up a run that was left. Raises LeaseLost while another process drives it, RunEnded if nothing is left to do."""
    changes = _changes(store, run_id, settings, budget, model)
    journal = Journal.open_for_writing(store, run_id)
    try:
        live = _take_up(journal, settings, model, budget, extra, listeners)
        if live.state.stopped and _is_over(live.state.stopped, changes):
            raise RunEnded(
                f"run {journal.run_id} has ended",
                f"it came to its end ({live.state.stopped.reason}), and nothing is to be different",
                "see `outrider show`, or go on from it with `outrider run --continue RUN`",
            )
        _refuse_less_than_spent(live, changes)
        stage_resumed(live, changes)
        live.commit_now()
    except BaseException:
        journal.release()
        raise
    return live


def follow_up(
    store: Store,
    run_id: str,
    settings: Settings,
    model: Model,
    budget: Budget,
    *,
    goal: str = "",
    attachments: Sequence[Attachment] = (),
    extra: Sequence[Tool] = (),
    listeners: Listeners | None = None,
) -> LiveRun:
    """Take up a run, however it ended, with another goal; everything said so far is its context, its budget goes on.

    Without a goal it is only held; `give_goal` or `go_on` then records what differs. Raises LeaseLost while another process drives it.
    """
    changes = _changes(store, run_id, settings, budget, model)
    journal = Journal.open_for_writing(store, run_id)
    try:
        live = _take_up(journal, settings, model, budget, extra, listeners)
        _refuse_less_than_spent(live, changes)
        live.changes = changes
        if goal:
            give_goal(live, goal, attachments)
    except BaseException:
        journal.release()
        raise
    return live


def _is_over(stopped: Stopped, changes: dict[str, Any]) -> bool:
    """Whether a run that stopped so has nothing left to do: an answer stands, and an end that would come again, unless
    something is different now. A limit over time may have room again."""
    reason = stopped.reason
    if reason == "budget" and stopped.limit.startswith("limits."):
        return False
    return reason == "answered" or (reason in ("partial", "not_found", "refused", "unable", "budget") and not changes)


def _refuse_less_than_spent(live: LiveRun, changes: dict[str, Any]) -> None:
    budget, spent = live.ledger.budget, live.ledger.spent
    for unit in ("usd", "tokens", "steps", "calls"):
        limit = getattr(budget, unit)
        if "budget" in changes and limit is not None and limit < getattr(spent, unit):
            raise UsageError(
                f"run {live.journal.run_id} has already used {getattr(spent, unit)} {unit}",
                f"a limit of {limit} cannot be kept any more",
                f"give more, for example --{unit} +{limit}",
            )


def fork(
    store: Store,
    run_id: str,
    at: int | None,
    settings: Settings,
    model: Model,
    budget: Budget,
    *,
    goal: str = "",
    extra: Sequence[Tool] = (),
    listeners: Listeners | None = None,
) -> LiveRun:
    """A new run that shares the events of another up to `at` (None: all), with a ledger of its own that starts at zero.

    With a goal of its own and no `at` it begins clean: the shared events are kept, and the model is shown none of them.
    Raises UsageError if the run has no such event.
    """
    parent = Journal.open_for_reading(store, run_id)
    clean = at is None and bool(goal)
    at = parent.head_seq if at is None else parent.at(at).seq
    changes = _changes(store, run_id, settings, budget, model) | {"fork": True, "budget": budget.as_json()}
    changes |= {"goal": for_storage(goal)} if goal else {}
    changes |= {"clean": True} if clean else {}
    masker, resumed = masker_of(settings, model), Resumed(changes=changes, unknown=_open_calls(parent, at))
    journal = Journal.create(
        store, masker.model(resumed), label=masker.text(settings.label), parent=parent.run_id, fork_seq=at
    )
    try:
        return _take_up(journal, settings, model, budget, extra, listeners)
    except BaseException:
        journal.release()
        raise


def _changes(store: Store, run_id: str, settings: Settings, budget: Budget, model: Model) -> dict[str, Any]:
    """What differs from how the run was last driven, as `Resumed.changes` holds it."""
    _, before, budget_before = stored_settings(store, run_id)
    old, new = as_stored(before), as_stored(settings)
    changes = {key: new.get(key) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    if settings.model != before.model:
        changes |= {
            "model": settings.model,
            "limits": asdict(model.limits),
            "price": model.price.as_json() if model.price else None,
        }
    if budget != budget_before:
        changes["budget"] = budget.as_json()
    return changes


def _take_up(
    journal: Journal,
    settings: Settings,
    model: Model,
    budget: Budget,
    extra: Sequence[Tool],
    listeners: Listeners | None,
) -> LiveRun:
    first = _first(journal)
    price = model.price or Price.of(first.price)
    toolbox = _toolbox(settings, model, extra, first)
    ledger = Ledger(budget, price)
    live = _assemble(
        journal, settings, model, ledger, toolbox, _workspace(settings.workspace), listeners or Listeners(),
        masker_of(settings, model),
    )  # fmt: skip
    _replay(live)
    return live


def _open_calls(journal: Journal, at: int) -> tuple[str, ...]:
    """Calls with effects that had begun and not returned at event `at`."""
    state = State()
    for stored in journal.read(upto=at):
        state.add(stored.seq, stored.event)
    return tuple(called.call_id for called in state.open.values() if called.effect != "read")


def default_budget(price: Price | None) -> Budget:
    """What a run may spend when nobody said: 500 steps, an hour, and a dollar where the price is known and not zero."""
    costs = price is not None and (price.input > 0 or price.output > 0)
    return replace(UNLIMITED, usd=1) if costs else UNLIMITED


def _replay(live: LiveRun) -> None:
    for stored in live.journal.read():
        live.apply(stored.seq, stored.event)


def _assemble(
    journal: Journal, settings: Settings, model: Model, ledger: Ledger, toolbox: Toolbox, workspace: Path,
    listeners: Listeners, masker: Masker,
) -> LiveRun:  # fmt: skip
    context = tool_context(
        journal, settings, ledger, workspace, ask=listeners.ask, progress=listeners.progress, masker=masker
    )
    live = LiveRun(
        journal=journal,
        model=model,
        toolbox=toolbox,
        policy=Policy.of(settings.policy),
        ledger=ledger,
        tool_context=context,
        specs=specs_of(toolbox),
        context=Context(journal.store.get_blob) if sees_pictures(settings, model.name) else Context(),
        approve=listeners.approve,
        approve_within_s=listeners.approve_within_s,
        inbox=Inbox(journal.store, journal.run_id),
        on_event=listeners.on_event,
        on_text=Hidden(listeners.on_text, masker) if listeners.on_text else None,
        masker=masker,
    )
    context.memory = RunMemory(live)
    return _set_up(live, settings, listeners)


def _set_up(live: LiveRun, settings: Settings, listeners: Listeners) -> LiveRun:
    """What needs the run itself: its purse, the shape of its answer, skills, child runs."""
    model = live.model
    live.purse = _purse(live, settings)
    if settings.schema is not None:
        live.answer_schema, live.check_answer = settings.schema, check_of(settings.schema)
    if model.limits.context:
        live.learn_window(model.limits.context)
    live.run_steps = run_steps
    live.skills = _skills(settings, model)
    if listeners.delegate is not None:
        live.delegate = partial(listeners.delegate, settings)
    if listeners.prompt is not None:
        live.prompt = partial(listeners.prompt, settings)
    return live


def _purse(live: LiveRun, settings: Settings) -> Purse | None:
    """What books the run's money against limits over time; None where its model costs nothing. Raises UsageError."""
    price, limits = live.ledger.price, period_limits()
    if not limits and (price is None or not (price.input or price.output)):
        return None
    if price is not None and not (price.input or price.output):
        return None
    journal, name = live.journal, live.model.name
    return Purse(journal.store, journal.run_id, settings.label, name, limits, priced=price is not None)


def _first(journal: Journal) -> RunStarted:
    event = journal.at(1).event
    if not isinstance(event, RunStarted):
        raise UsageError(
            f"run {journal.run_id} cannot be read",
            "its first event is damaged",
            f"see `outrider verify {journal.run_id}`",
        )
    return event


def _workspace(path: str) -> Path:
    folder = Path(path).expanduser().resolve()
    if not folder.is_dir():
        raise UsageError(
            f"the workspace {str(path)!r} is not a folder", "a run works inside one", "make it, or name another"
        )
    if folder == folder.parent:
        raise UsageError(
            "the workspace is the whole machine",
            f"{folder} holds every file there is, and tools may write in a workspace",
            "name the folder the goal is about with --workspace, or change to it",
        )
    return folder


def _told(tool: Tool) -> dict[str, Any]:
    effect = "by arguments" if callable(tool.effect) else tool.effect
    told = {"name": tool.name, "description": tool.description, "parameters": tool.parameters, "effect": effect}
    return told | ({"digest": tool.digest} if tool.digest else {})
