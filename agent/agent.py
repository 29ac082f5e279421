"""`Agent`: the class for Python programs. Holds settings; assemble.py does the work. One async core, a thin sync door.
Touches nothing until a run starts. Does not promise: that two agents share anything but the database they name.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.agent import assemble as runs
from outrider.agent.assemble import Listeners
from outrider.agent.budget import Budget
from outrider.agent.children import delegate, prompted
from outrider.agent.driving import drive
from outrider.agent.history.run_view import Run, read_run, view_of
from outrider.agent.live_run import LiveRun
from outrider.agent.models import as_model, open_model
from outrider.agent.models.detect import Found, choose
from outrider.agent.models.model import Model
from outrider.agent.models.options import NAMED, checked
from outrider.agent.settings.config import default_memory
from outrider.agent.settings.run_settings import Settings, sees_pictures
from outrider.agent.settings.secret_store import value_of
from outrider.memory.appending.group import until_free
from outrider.memory.errors import UsageError
from outrider.memory.events import Attachment, Event
from outrider.memory.journal import Stored
from outrider.memory.store import Mode, Store
from outrider.tools.builtin import as_tools
from outrider.tools.tool import Tool

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from outrider.agent.fleet.outcome import Outcome
    from outrider.agent.limits.rates import Rate


class Agent:
    """An agent: a model, tools, a memory and a budget.

    model: "provider:name" (see docs/models.md), a `Model`, a LangChain chat model, or None for the best that is found. api_key, base_url: for
    openai: models. tools: functions, `Tool`s, LangChain tools, toolkits, retrievers and runnables, lists of these, and names of built-in tools; None: all built-in ones. memory: a database
    URL, or a `Store` to share. budget: hard limits; None: 500 steps, an hour, and a dollar where the price is known; a dict goes over these.
    approve: asked before calls the policy says to ask about; without it the answer is no. Everything else is a field of
    `outrider.agent.settings.run_settings.Settings`. Raises UsageError for what cannot be meant.
    """

    def __init__(
        self,
        model: str | Model | None = None,
        *,
        tools: Sequence[Any] | None = None,
        memory: str | Store | None = None,
        budget: Budget | dict[str, Any] | None = None,
        api_key: str | None = None,
        listeners: Listeners | None = None,
        **settings: Any,
    ) -> None:
        settings = _with_options(settings, {})
        unknown = set(settings) - set(Settings.__dataclass_fields__)
        if unknown:
            known = ", ".join(sorted(Settings.__dataclass_fields__))
            raise UsageError(
                f"Agent does not know {', '.join(sorted(unknown))}", "no such setting", f"it knows {known}"
            )
        if model is not None and not isinstance(model, str):
            model = as_model(model)
            _refuse_late({"api_key": api_key} | settings)
        names, self._extra = _sort_out(tools)
        self._model, self._api_key = model, api_key
        self._settings = Settings(model="", tools=names, **settings)
        self._budget = budget
        self._listeners = listeners or Listeners()
        self._listeners.delegate, self._listeners.prompt = delegate, prompted
        self._memory = memory
        self._store: Store | None = memory if isinstance(memory, Store) else None
        self._open: dict[tuple[int, str], Model] = {}
        self._found: Found | None = None  # the best model there was when one was first needed

    def run(self, goal: str, **changes: Any) -> Run:
        """Work on `goal` until it is answered or a budget is reached. `changes`: model, budget or settings for this run.

        answer: what the answer must be: a pydantic model, a dataclass, any other type, or a JSON Schema; `Run.value` is it.
        images: pictures that go with the goal, files or bytes: shown to a model that sees, else tools get their path.
        """
        return _sync(self._once(self.arun(goal, **changes)))

    def resume(self, run_id: str, **changes: Any) -> Run:
        """Go on with a run that was left, interrupted or out of budget; one that has ended is returned as it is."""
        return _sync(self._once(self.aresume(run_id, **changes)))

    def fork(self, run_id: str, *, at: int | None = None, goal: str = "", **changes: Any) -> Run:
        """A new run that shares the history of another up to event `at` (None: all of it), with a budget of its own."""
        return _sync(self._once(self.afork(run_id, at=at, goal=goal, **changes)))

    def as_langchain_tool(self, name: str = "outrider", description: str = "") -> BaseTool:
        """This agent as a LangChain tool: goal in, answer out, the run as its artifact. Each call has this agent's budget."""
        from outrider.agent.serving.langchain_tool import as_tool

        return as_tool(self, name, description)

    async def arun(self, goal: str, **changes: Any) -> Run:
        """`run` for async code; many may run at once on one loop."""
        return await self._drive(await self.prepare(goal, **changes))

    async def aresume(self, run_id: str, **changes: Any) -> Run:
        """`resume` for async code."""
        try:
            live = await self.prepare_resume(run_id, **changes)
        except runs.RunEnded:
            return read_run(self.store, run_id)
        return await self._drive(live)

    async def afork(self, run_id: str, *, at: int | None = None, goal: str = "", **changes: Any) -> Run:
        """`fork` for async code."""
        return await self._drive(await self.prepare_fork(run_id, at=at, goal=goal, **changes))

    def follow_up(self, run_id: str, goal: str, **changes: Any) -> Run:
        """Another goal for a run, with everything said so far as its context; its budget goes on."""
        return _sync(self._once(self.afollow_up(run_id, goal, **changes)))

    async def afollow_up(self, run_id: str, goal: str, **changes: Any) -> Run:
        """`follow_up` for async code."""
        return await self._drive(await self.prepare_follow_up(run_id, goal, **changes))

    async def stream(self, goal: str, **changes: Any) -> AsyncIterator[Event]:
        """The events of a new run as they are committed; ends when the run does."""
        queue: asyncio.Queue[Stored | None] = asyncio.Queue()
        live = await self.prepare(goal, **changes)
        first = next(live.journal.read())
        yield first.event
        live.on_event = queue.put_nowait
        task = asyncio.create_task(drive(live))
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (stored := await queue.get()) is not None:
                yield stored.event
            await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def batch(
        self,
        goals: Path | Iterable[str | Mapping[str, Any]],
        *,
        jobs: int = 32,
        name: str = "",
        budget: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        rates: Mapping[str, Rate] | None = None,
        retry_failed: bool = False,
    ) -> AsyncIterator[Outcome]:
        """Work on many goals, `jobs` at once: what became of each, as it is known. Each has a run of its own.

        goals: a file (docs/batch.md), or texts and dicts with the fields of a line. name: what the batch is found by when it is
        started again: then what is done is not done again; a file needs none. budget: dollars and tokens over all of them.
        limits: of each. rates: by model or host. Leaving the loop early leaves the runs, resumable.
        """
        from outrider.agent.fleet.start import begin

        given: dict[str, Any] = {"budget": budget or {}, "limits": limits or {}, "fallback": self._budget}
        async with (
            begin(self, goals, jobs=jobs, name=name, rates=rates, retry_failed=retry_failed, **given) as outcomes,
            aclosing(outcomes),
        ):
            async for outcome in outcomes:
                yield outcome

    async def prepare(
        self,
        goal: str,
        *,
        attachments: Sequence[Attachment] = (),
        images: Sequence[str | Path | bytes] = (),
        model: str | Model | None = None,
        budget: Budget | dict[str, Any] | None = None,
        answer: Any = None,
        run_id: str = "",
        trust: dict[str, Any] | None = None,
        **changes: Any,
    ) -> LiveRun:
        """A new run, ready to be driven (`outrider.agent.driving.drive`). `answer`: as in `run`. run_id: the id it is to have;
        RunExists is raised if there is such a run. trust: what whoever hands the goal on had read (`RunStarted.trust`)."""
        if answer is not None:
            from outrider.agent.structured.schema import schema_of_type

            changes["schema"] = schema_of_type(answer)
        changes = _with_options(changes, self._settings.options)
        settings = replace(self._settings, **changes)
        wanted = model or self._model
        if wanted is None:
            if self._found is None:
                self._found = await asyncio.to_thread(choose, settings.base_url or None, self._api_key)
            found = self._found
            wanted, settings = found.spec, replace(settings, **{**found.reached(), **changes})
        opened = await self._open_model(wanted, settings)
        settings = replace(settings, model=opened.name)
        attachments = await _pictured(attachments, images, settings)
        await until_free(self.store)
        live = runs.start(
            self.store, goal, settings, opened, budget or self._budget, attachments=attachments, extra=self._extra,
            listeners=self._listeners, run_id=run_id, trust=trust,
        )  # fmt: skip
        if answer is not None and not isinstance(answer, dict):
            live.expect(answer)
        return live

    async def prepare_resume(
        self,
        run_id: str,
        *,
        model: str | Model | None = None,
        budget: dict[str, Any] | Budget | None = None,
        **changes: Any,
    ) -> LiveRun:
        """A run to go on with. `budget`: a Budget that replaces the old one, or limits to change, such as {"usd": "+0.50"}."""
        run_id, settings, opened, new = await self._as_before(run_id, model, budget, changes)
        return runs.resume(self.store, run_id, settings, opened, new, extra=self._extra, listeners=self._listeners)

    async def prepare_follow_up(
        self,
        run_id: str,
        goal: str,
        *,
        attachments: Sequence[Attachment] = (),
        images: Sequence[str | Path | bytes] = (),
        model: str | Model | None = None,
        budget: dict[str, Any] | Budget | None = None,
        **changes: Any,
    ) -> LiveRun:
        """A run with another goal, ready to be driven; with no goal it is only held. `budget` as for `prepare_resume`."""
        run_id, settings, opened, new = await self._as_before(run_id, model, budget, changes)
        attachments = await _pictured(attachments, images, settings)
        return runs.follow_up(
            self.store, run_id, settings, opened, new, goal=goal, attachments=attachments,
            extra=self._extra, listeners=self._listeners,
        )  # fmt: skip

    async def prepare_fork(
        self,
        run_id: str,
        *,
        at: int | None = None,
        goal: str = "",
        model: str | Model | None = None,
        budget: dict[str, Any] | Budget | None = None,
        **changes: Any,
    ) -> LiveRun:
        """A fork, ready to be driven. Its budget is that of the run it is from, unless changed, and starts at zero."""
        run_id, settings, opened, new = await self._as_before(run_id, model, budget, changes)
        return runs.fork(
            self.store, run_id, at, settings, opened, new, goal=goal, extra=self._extra, listeners=self._listeners
        )

    async def _as_before(
        self, run_id: str, model: str | Model | None, budget: dict[str, Any] | Budget | None, changes: dict[str, Any]
    ) -> tuple[str, Settings, Model, Budget]:
        run_id, settings, old = self.as_driven(run_id)
        await until_free(self.store)
        settings = replace(settings, **_with_options(changes, settings.options))
        opened = await self._open_model(model or self._model or settings.model, settings)
        new = budget if isinstance(budget, Budget) else old.raised(**(budget or {}))
        return run_id, replace(settings, model=opened.name), opened, new

    def as_driven(self, run_id: str) -> tuple[str, Settings, Budget]:
        """(run id, settings, budget) a run was last driven with. Raises UsageError for none; makes no database."""
        return runs.stored_settings(self._opened("use"), run_id)

    @property
    def settings(self) -> Settings:
        """What its runs begin with; `model` is "" until one is found."""
        return self._settings

    @property
    def store(self) -> Store:
        """The database, opened when it is first needed."""
        return self._opened("make")

    def _opened(self, mode: Mode) -> Store:
        if self._store is None:
            self._store = Store(str(self._memory) if self._memory else default_memory(), mode=mode)
        return self._store

    async def aclose(self) -> None:
        """Give back models and the database. The agent opens them again if it is used again."""
        models, self._open = list(self._open.values()), {}
        for model in models:
            await model.aclose()
        if self._store is not None and not isinstance(self._memory, Store):
            self._store.close()
            self._store = None

    async def __aenter__(self) -> Agent:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _drive(self, live: LiveRun) -> Run:
        await drive(live)
        if live.state.stopped is None:  # it was left
            return replace(read_run(self.store, live.journal.run_id), kind=live.answer_kind)
        run = view_of(live.journal, live.state, live.ledger, live.masker.text(live.model.name))
        return replace(run, kind=live.answer_kind)

    async def _once(self, work: Any) -> Run:
        """Run with models opened on this loop and closed with it; the database stays open for `Run.events`."""
        try:
            run: Run = await work
            return run
        finally:
            models, self._open = list(self._open.values()), {}
            for model in models:
                await model.aclose()

    def told(self) -> tuple[str, dict[str, Any]]:
        """(the spec of its model, the settings that are not as usual), for an agent like it in another process."""
        usual = Settings(model="")
        names = [name for name in Settings.__dataclass_fields__ if name != "model"]
        own = {
            name: getattr(self._settings, name)
            for name in names
            if getattr(self._settings, name) != getattr(usual, name)
        }
        return str(self._model or ""), own

    async def open_model(self) -> Model:
        """The model of this agent, opened now; it is this agent's to close (`aclose`). Raises UsageError, ModelUnavailable."""
        return await self._open_model(self._model, self._settings)

    async def _open_model(self, model: str | Model | None, settings: Settings) -> Model:
        if model is not None and not isinstance(model, str):
            return _told(as_model(model), settings)
        how = (
            settings.base_url,
            settings.price_in,
            settings.price_out,
            settings.max_context,
            settings.adapter,
            sorted(settings.options.items(), key=str),
        )
        key = (id(asyncio.get_running_loop()), f"{model}|{how}")
        if key not in self._open:
            self._open[key] = await open_model(
                model,
                base_url=settings.base_url or None,
                api_key=_key_of(settings) if self._api_key is None else self._api_key,
                price_in=settings.price_in,
                price_out=settings.price_out,
                max_context=settings.max_context,
                adapter=settings.adapter or None,
                options=settings.options,
            )
        return self._open[key]


async def _pictured(
    attachments: Sequence[Attachment], images: Sequence[str | Path | bytes], settings: Settings
) -> Sequence[Attachment]:
    from outrider.agent.context.pictures import A_PICTURE, with_pictures

    if not images and not any(one.note.startswith(A_PICTURE) for one in attachments):
        return attachments
    return await with_pictures(attachments, images, settings.workspace, sees=sees_pictures(settings, settings.model))


def _with_options(given: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The settings with the options of the model in one place, those of `before` under them. Raises UsageError."""
    named = {name: given[name] for name in NAMED if name in given}
    if not named and "options" not in given:
        return given
    rest = {key: value for key, value in given.items() if key not in NAMED}
    return rest | {"options": checked(before | (given.get("options") or {}) | named)}


def _refuse_late(settings: dict[str, Any]) -> None:
    """Settings that only count while a model is made. Raises UsageError: they would be ignored beside one that is."""
    for name in ("api_key", "base_url", "api_key_env", "options"):
        if settings.get(name):
            raise UsageError(
                f"{name} was given beside a model that is already made",
                "it counts when the model is made",
                f"give it to the model itself, as in OpenAIModel(NAME, {name.removesuffix('_env')}=…)",
            )


def _told(model: Model, settings: Settings) -> Model:
    """An instance with what the settings say of it: its price, and its window. Raises UsageError."""
    if settings.price_in is not None or settings.price_out is not None:
        from outrider.agent.models.prices import find_price

        model.price = find_price(model.name, settings.price_in, settings.price_out)
    if settings.max_context is not None:
        model.limits = replace(model.limits, context=settings.max_context)
    return model


def _key_of(settings: Settings) -> str | None:
    """The key in the environment variable the settings name; None: the provider looks in its usual one."""
    name = settings.api_key_env
    if not name or name == "-":
        return "" if name else None
    if key := value_of(name):
        return key
    raise UsageError(
        f"there is no key in {name!r}",
        "no environment variable of that name is set, and none is kept",
        "set it, keep it (outrider secrets set), or name another",
    )


def _sort_out(tools: Sequence[Any] | None) -> tuple[tuple[str, ...] | None, list[Tool]]:
    """(names of built-in tools, the rest as Tools)."""
    if tools is None:
        return None, []
    names = tuple(one for one in tools if isinstance(one, str))
    return names, [made for one in tools if not isinstance(one, str) for made in as_tools(one)]


def _sync(work: Any) -> Run:
    if _in_a_loop():
        work.close()
        raise UsageError("run() was called from async code", "a loop is already running", "await arun() instead")
    run: Run = asyncio.run(work)
    return run


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
