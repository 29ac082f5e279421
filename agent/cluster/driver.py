"""Works on a batch with the nodes of a Ray cluster. START HERE for `--on ray`.
May touch: the cluster, the database's table of fleets, the folders goals work in. Does not promise: a cluster; `ray start` makes one.

Each node has actors that work on goals; the driver hands each as many as it takes, so that what waits is the file and not the
cluster. A goal whose actor died is handed to another: its run goes on where the journal says it was.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outrider.agent.cluster.node import Done, HeldModel, Node, Orders
from outrider.agent.cluster.ship import Packed, bring_back, pack
from outrider.agent.fleet.lines import Item, Wrong
from outrider.agent.fleet.outcome import WRONG, Outcome
from outrider.memory.errors import ModelUnavailable, UsageError
from outrider.memory.spending.fleet import Fleet

LOOK_S = 0.1
AGAIN_S = 1.0  # before a goal that another process is at is handed out again
KNOCK_S = 10.0
NO_NODE_S = 120.0  # without a node that works, before the batch is left
LOCAL = ("llama", "builtin", "starter")  # models that one actor holds for all
_log = logging.getLogger("outrider.batch")


@dataclass(frozen=True, slots=True)
class Place:
    """Where to work. address: "ray" (this machine's cluster, or one that is started), or ray://HOST:PORT.

    cpus: what an actor takes of a node, for the sandboxes of its goals; gpus: what the actor of a local model takes.
    """

    address: str = "ray"
    cpus: float = 1.0
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one goal, as a node tells it. The same to those who show it as an `Outcome`."""

    told: Mapping[str, Any]
    before: bool = False

    @property
    def number(self) -> int:
        """Its line."""
        return int(self.told["line"])

    @property
    def state(self) -> str:
        """The state of its run, or not_started."""
        return str(self.told["state"])

    @property
    def error(self) -> str:
        """Why there is no run, or no end."""
        return str(self.told.get("error", ""))

    @property
    def same_as(self) -> int:
        """The line that was the same goal before it."""
        return int(self.told.get("same_as_line", 0))

    @property
    def spent(self) -> tuple[float, int]:
        """Dollars and tokens."""
        spent = self.told.get("spent") or {}
        return float(spent.get("usd", 0)), int(spent.get("tokens", 0))

    def as_json(self) -> dict[str, Any]:
        """The line of the results."""
        return dict(self.told)


@dataclass(slots=True)
class Cluster:
    """A batch on a cluster. base: the folder that paths of a line are relative to; workspace: that of goals which name none."""

    place: Place
    orders: Orders
    base: Path
    workspace: Path
    stopping: bool = False
    live: dict[str, Any] = field(default_factory=dict)  # empty: the runs are elsewhere
    beside: list[str] = field(default_factory=list)  # files that were kept beside others
    _actors: dict[Any, int] = field(default_factory=dict)  # actor → goals at work on it
    _packed: dict[Path, tuple[Any, Packed]] = field(default_factory=dict)
    _shared: Any = None
    _seen: dict[str, int] = field(default_factory=dict)
    _works: dict[asyncio.Future[Done | None], tuple[Any, Item]] = field(default_factory=dict)
    _again: deque[Item] = field(default_factory=deque)  # goals that were lost, or that another process was at
    _later_ones: int = 0
    _lost: set[str] = field(default_factory=set)  # goals whose node died
    files_lost: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _failed: BaseException | None = None  # why no node can work

    def stop(self) -> None:
        """Hand out no other goal."""
        self.stopping = True

    @property
    def fleet(self) -> Fleet:
        """Whose budget it is."""
        return self.orders.fleet

    @property
    def at_work(self) -> int:
        """Goals at work."""
        return sum(self._actors.values())

    async def outcomes(self, goals: Iterable[Item | Wrong]) -> AsyncGenerator[Outcome | Told]:
        """What becomes of each goal. Raises StoreError, UsageError, ModelUnavailable (there is no node)."""
        await asyncio.to_thread(connect, self.place.address)
        try:
            await self._begin()
            async for outcome in self._hand_out(iter(goals)):
                yield outcome
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.to_thread(self._leave)

    async def _begin(self) -> None:
        import ray

        await asyncio.to_thread(refuse_local_memory, self.orders.memory)
        if self.orders.model.partition(":")[0] in LOCAL:
            kept = ("adapter", "max_context", "options")
            how = {name: self.orders.settings[name] for name in kept if name in self.orders.settings}
            options = {"num_cpus": 0, "num_gpus": self.place.gpus, "max_restarts": -1, "max_concurrency": 100}
            self._shared = ray.remote(HeldModel).options(**options).remote(self.orders.model, how)
        for _ in range(self._many()):
            self._task(self._add_actor())

    def _many(self) -> int:
        """How many actors: as many as the cluster has room for, and no more than there are goals at once."""
        import ray

        room = int(ray.cluster_resources().get("CPU", 1) / max(self.place.cpus, 0.001))
        return max(1, min(room, self.orders.at_once))

    async def _add_actor(self) -> None:
        """Another actor, once the cluster has room for it."""
        import ray
        from ray.exceptions import RayError

        while not self.stopping:
            actor = ray.remote(Node).options(num_cpus=self.place.cpus, max_restarts=0, max_concurrency=1000).remote(
                self.orders, self._shared
            )  # fmt: skip
            try:
                _log.info("a node is ready: %s", await actor.ready.remote())
            except RayError as error:
                if (cause := getattr(error, "cause", None)) is not None:
                    self._failed = cause
                    return
                await asyncio.sleep(AGAIN_S)
                continue
            self._actors[actor] = 0
            return

    def _task(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_out(self, goals: Iterator[Item | Wrong]) -> AsyncGenerator[Outcome | Told]:
        """Keep every actor busy; what comes back is told, what was lost is handed out again."""
        same: list[tuple[Item, int]] = []
        told: dict[str, Mapping[str, Any]] = {}
        whole, since = False, time.monotonic()
        while self._works or self._again or self._later_ones or not whole:
            if self.stopping:
                self._again.clear()
                whole = True
            while not self.stopping and (actor := self._free()) is not None:
                item = self._again.popleft() if self._again else next(goals, None)
                if item is None:
                    whole = True
                    break
                if isinstance(item, Wrong):
                    yield Outcome(item.number, None, error=item.why, without_run=WRONG)
                elif first := self._first(item):
                    same.append((item, first))
                else:
                    self._works[self._send(actor, item)] = (actor, item)
            since = time.monotonic() if self._actors else since
            self._check(since)
            for item, done in await self._come_back():
                told[item.digest] = self._with_note(item, done)
                yield Told(told[item.digest], done.before and item.digest not in self._lost)
        for item, first in same:
            if found := told.get(item.digest):
                yield Told({**found, "line": item.number, "same_as_line": first}, before=True)

    def _with_note(self, item: Item, done: Done) -> Mapping[str, Any]:
        """What a node tells, with a word where the files that a run wrote went with the node it ended on."""
        if not (done.before and item.digest in self._lost and done.told.get("spent", {}).get("calls")):
            return done.told
        self.files_lost += 1
        return {**done.told, "note": "the node it ended on died: files it wrote there were not brought back"}

    def _check(self, since: float) -> None:
        """Raises what a node could not do, or ModelUnavailable where no node came up for long."""
        if self._failed is not None:
            raise self._failed
        if time.monotonic() - since > NO_NODE_S:
            raise ModelUnavailable("no node of the cluster works", f"none came up in {NO_NODE_S:.0f} s",
                                   "look at `ray status`; the same command goes on")  # fmt: skip

    async def _come_back(self) -> list[tuple[Item, Done]]:
        """Wait for a moment; the goals that are done meanwhile."""
        if not self._works:
            await asyncio.sleep(LOOK_S)
            return []
        ended, _ = await asyncio.wait(self._works, return_when=asyncio.FIRST_COMPLETED, timeout=AGAIN_S)
        found = []
        for work in ended:
            actor, item = self._works.pop(work)
            if (done := self._received(work, actor, item)) is not None:
                await asyncio.to_thread(self._bring_back, item, done)
                found.append((item, done))
        return found

    def _first(self, item: Item) -> int:
        """The number of an earlier line that is the same goal; 0: this is the first (or comes again, for it was lost)."""
        first = self._seen.setdefault(item.digest, item.number)
        return 0 if first == item.number else first

    def _free(self) -> Any:
        """The actor with the least to do, if it takes more."""
        actor = min(self._actors, key=self._actors.__getitem__, default=None)
        return actor if actor is not None and self._actors[actor] < self._per_actor() else None

    def _per_actor(self) -> int:
        return max(1, math.ceil(self.orders.at_once / max(1, len(self._actors))))

    def _send(self, actor: Any, item: Item, after_s: float = 0.0) -> asyncio.Future[Done | None]:
        self._actors[actor] += 1
        reference, packed = self._shipped(self._folder(item))

        async def answer() -> Done | None:
            await asyncio.sleep(after_s)
            return await actor.work.remote(item, reference, packed.files)  # type: ignore[no-any-return]

        return asyncio.ensure_future(answer())

    def _received(self, work: asyncio.Future[Done | None], actor: Any, item: Item) -> Done | None:
        """What an actor tells; None: the goal is handed out again. Raises what the node could not do (StoreError)."""
        from ray.exceptions import ActorUnavailableError, RayError, RayTaskError

        if actor in self._actors:
            self._actors[actor] -= 1
        try:
            done = work.result()
        except RayTaskError as error:
            raise (error.cause or error) from error
        except ActorUnavailableError:  # it may still be at work, and is asked again
            if actor in self._actors:
                self._works[self._send(actor, item, after_s=AGAIN_S)] = (actor, item)
            else:
                self._again.append(item)
            return None
        except RayError as error:
            _log.warning("a node died, its goals go to others: %s", type(error).__name__)
            if self._actors.pop(actor, None) is not None:
                self._task(self._add_actor())
            self._lost.add(item.digest)
            self._again.append(item)
            return None
        if done is None:
            self._later_ones += 1
            self._task(self._later(item))
        return done

    async def _later(self, item: Item) -> None:
        """Hand a goal out again that another process is at, in a moment."""
        await asyncio.sleep(AGAIN_S)
        self._later_ones -= 1
        self._again.append(item)

    def _folder(self, item: Item) -> Path:
        return (self.base / item.line.workspace if item.line.workspace else self.workspace).resolve()

    def _shipped(self, folder: Path) -> tuple[Any, Packed]:
        """A folder in the cluster's store, put there once: all goals begin with it as it was then."""
        import ray

        if folder not in self._packed:
            packed = pack(folder)
            self._packed[folder] = (ray.put(packed.data), packed)
        return self._packed[folder]

    def _bring_back(self, item: Item, done: Done) -> None:
        folder = self._folder(item)
        run_id = str(done.told.get("run", item.digest))
        self.beside += bring_back(done.changed, folder, self._packed[folder][1].files, run_id)

    def _leave(self) -> None:
        import ray

        for actor in [*self._actors, *([self._shared] if self._shared is not None else [])]:
            with suppress(Exception):
                ray.kill(actor)
        ray.shutdown()


def connect(address: str) -> None:
    """To a cluster. Raises UsageError where Ray is not installed, or nothing answers at the address."""
    if address.startswith("ray://"):
        _use_token()  # before Ray is imported: it looks once
    try:
        import ray
    except ImportError as error:
        raise UsageError("Ray is not installed", str(error), "pip install 'outrider[ray]'") from error
    _refuse_silent(address)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "ignore_reinit_error": True}
    try:
        if address != "ray":
            ray.init(address=address, **({"log_to_driver": False} if address.startswith("ray://") else quiet))
            return
        try:
            ray.init(address="auto", **quiet)
        except ConnectionError:  # there is none here: one of this machine's own, for as long as the batch
            ray.init(include_dashboard=False, **quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, AssertionError) as error:
        raise UsageError(f"there is no cluster at {address!r}", str(error).split("\n")[0][:300],
                         "start one with `ray start --head`, or name its address: ray://HOST:10001") from error  # fmt: skip


def _use_token() -> None:
    """Let Ray's client send the token of the cluster, where this machine has one.

    Since Ray 2.60 a cluster asks for it by default, but its client sends it only when told to, and waits in vain for a minute else.
    """
    files = (os.environ.get("RAY_AUTH_TOKEN_PATH"), Path.home() / ".ray" / "auth_token")
    if os.environ.get("RAY_AUTH_TOKEN") or any(file and Path(file).is_file() for file in files):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _refuse_silent(address: str) -> None:
    """Raises UsageError where nothing listens at an address: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"there is no cluster at {address!r}", getattr(error, "strerror", None) or str(error),
                         "start one with `ray start --head`, or name its address: ray://HOST:10001") from error  # fmt: skip


def refuse_local_memory(memory: str) -> None:
    """Raises UsageError for a database in a file where more than one machine works: they cannot share it."""
    import ray

    if memory.startswith("postgres"):
        return
    hosts = {node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
    if hosts - {socket.gethostname()}:
        raise UsageError(
            f"the nodes cannot share the database {memory!r}",
            f"it is a file of this machine, and {len(hosts)} machines work on the batch",
            "keep it in PostgreSQL: --memory postgresql://USER@HOST/NAME",
        )
