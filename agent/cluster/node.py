"""What runs on a node: an actor that works on goals, some at once, and one that holds a local model for many of them.
May touch: the journal's database, a temporary folder a goal, models and tools by way of the runs.
Does not promise: to outlive its node; a run that dies with it is taken up by another by its lease.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from outrider.agent.agent import Agent
from outrider.agent.cluster.ship import Changes, Digests, changes, unpack
from outrider.agent.fleet.batch import Batch
from outrider.agent.fleet.lines import Item
from outrider.agent.fleet.outcome import Outcome
from outrider.agent.limits.rates import Gates, Rate
from outrider.agent.models import open_model
from outrider.agent.models.model import Limits, Model, ModelFailure, Price, Reply, Request, Seen
from outrider.memory.spending.fleet import Fleet

KEPT = 200  # goals that are done, of which a node still knows what came of them


@dataclass(frozen=True, slots=True)
class Orders:
    """Everything a node needs to know of a batch. model: a spec, or the actor that holds it. files: see tools_files.

    at_once: goals on all actors together.
    """

    memory: str
    model: str
    fleet: Fleet
    at_once: int
    limits: Mapping[str, Any]
    settings: Mapping[str, Any]
    label: str = ""
    rates: Mapping[str, Rate] = field(default_factory=dict)
    retry_failed: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def tools_files(paths: Sequence[str | Path]) -> dict[str, bytes]:
    """What tools files hold, by a path for a node's folder: each keeps its name, and two of one name do not meet."""
    files = [Path(path).expanduser() for path in paths]
    return {f"{number}/{file.name}": file.read_bytes() for number, file in enumerate(files)}


@dataclass(frozen=True, slots=True)
class Done:
    """What a node tells of a goal: the line of the results, and what changed in its folder."""

    told: Mapping[str, Any]
    before: bool
    changed: Changes


class Node:
    """The actor. One event loop; goals of it run beside each other."""

    def __init__(self, orders: Orders, shared: Any = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="outrider-node-"))
        for name, data in orders.files.items():
            (self._folder / name).parent.mkdir(exist_ok=True)
            (self._folder / name).write_bytes(data)
        settings = dict(orders.settings)
        if orders.files:
            settings["tools_from"] = tuple(str(self._folder / name) for name in orders.files)
        model: Any = RemoteModel(shared) if shared is not None else orders.model
        self._orders, self._model, self._settings = orders, model, settings
        self._batch: Batch | None = None
        self._tasks: dict[
            str, asyncio.Task[Done | None]
        ] = {}  # the newest goals, for a driver that lost the connection

    async def ready(self) -> str:
        """Open the database; returns the name of this node's machine."""
        import socket

        if isinstance(self._model, RemoteModel):
            await self._model.learn()
        agent = Agent(self._model, memory=self._orders.memory, **self._settings)
        orders = self._orders
        self._batch = Batch(
            agent, orders.fleet, orders.at_once, orders.limits, orders.label, Gates(orders.rates), orders.retry_failed,
            orders.aliases,
        )  # fmt: skip
        _ = agent.store
        return socket.gethostname()

    async def work(self, item: Item, packed: bytes, shipped: Digests) -> Done | None:
        """One goal in a copy of its folder; None: another process is at it. Asked again for one, it tells what came of it.

        Raises StoreError.
        """
        task = self._tasks.get(item.digest)
        if task is None:
            task = self._tasks[item.digest] = asyncio.ensure_future(self._work(item, packed, shipped))
            for old in [one for one, of in self._tasks.items() if of.done()][:-KEPT]:
                del self._tasks[old]
        try:
            done = await asyncio.shield(task)
        except Exception:
            self._tasks.pop(item.digest, None)
            raise
        if done is None:
            self._tasks.pop(item.digest, None)
        return done

    async def _work(self, item: Item, packed: bytes, shipped: Digests) -> Done | None:
        if self._batch is None:
            raise RuntimeError("ready() comes first")
        place = Path(tempfile.mkdtemp(prefix="goal-", dir=self._folder))
        try:
            await asyncio.to_thread(unpack, packed, place)
            mine = Item(item.number, item.line.model_copy(update={"workspace": str(place)}), item.digest)
            outcome = await self._batch.one(mine)
            if outcome is None:
                return None
            changed = Changes() if outcome.before else await asyncio.to_thread(changes, place, shipped)
            return Done(_told(outcome), outcome.before, changed)
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


def _told(outcome: Outcome) -> dict[str, Any]:
    import json

    told: dict[str, Any] = json.loads(json.dumps(outcome.as_json(), default=str))
    return told | ({"error": outcome.error} if outcome.error else {})


class HeldModel:
    """The actor that holds a model for the goals of all nodes: loaded once, asked by many."""

    def __init__(self, spec: str, settings: Mapping[str, Any]) -> None:
        self._spec, self._settings = spec, dict(settings)
        self._model: Model | None = None

    async def about(self) -> dict[str, Any]:
        """What the model is, opened when it is first asked."""
        model = await self._opened()
        exact = bool(getattr(model, "counts_exactly", False))
        small = bool(getattr(model, "small", False))
        return {
            "name": model.name,
            "limits": model.limits,
            "price": model.price,
            "counts_exactly": exact,
            "small": small,
        }

    async def reply(self, request: Request) -> Reply:
        """One reply. Raises ModelFailure."""
        return await (await self._opened()).reply(request)

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """As the model counts."""
        return await (await self._opened()).count_bound(request, seen)

    async def _opened(self) -> Model:
        if self._model is None:
            self._model = await open_model(self._spec, **self._settings)
        return self._model


class RemoteModel:
    """A model that an actor holds, as a run asks it."""

    def __init__(self, held: Any) -> None:
        self._held = held
        self.name, self.limits = "", Limits()
        self.price: Price | None = None
        self.counts_exactly = self.small = False

    async def learn(self) -> None:
        """Ask what it is."""
        for name, value in (await self._held.about.remote()).items():
            setattr(self, name, value)

    async def reply(self, request: Request) -> Reply:
        """Ask the actor. Raises ModelFailure, also where its node died."""
        return await self._ask("reply", replace(request, on_text=None))  # type: ignore[no-any-return]

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """Ask the actor."""
        return await self._ask("count_bound", replace(request, on_text=None), seen)  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        """The actor lives as long as the batch."""

    async def _ask(self, name: str, *given: Any) -> Any:
        from ray.exceptions import RayError, RayTaskError

        try:
            return await getattr(self._held, name).remote(*given)
        except RayTaskError as error:
            if isinstance(error.cause, ModelFailure):
                raise error.cause from None
            raise
        except RayError as error:
            raise ModelFailure(f"{self.name} cannot be reached", f"the actor that holds it: {type(error).__name__}",
                               "wait for it to come up again", retryable=True) from error  # fmt: skip
