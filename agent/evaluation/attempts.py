"""Runs each goal with each model as often as wanted, each attempt on its own: a workspace and a memory of its own.
May touch: one results folder; whatever a run may. Does not promise: that an attempt which was cut off costs nothing; it
is started over, and what it had spent is told apart.

A result is a line on disk before the next attempt begins, so that an evaluation killed at any instant goes on from there.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from outrider.agent.agent import Agent
from outrider.agent.evaluation.checks import Functions, wrong_with
from outrider.agent.evaluation.goals import Goal
from outrider.agent.history.run_view import Run
from outrider.agent.models.model import Model
from outrider.memory.errors import UsageError, words_of
from outrider.memory.store import Store

GIVE_UP = (
    3  # attempts in a row that a model could not be reached for; then the others of that model wait for another day
)


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt. wrong: what the first failing check said, "" for success. usd: dollars. place: its folder."""

    goal: str
    number: int
    model: str
    repeat: int
    wrong: str
    state: str
    answer: str
    steps: int
    calls: int
    tokens: int
    usd: float
    seconds: float
    run: str
    place: str

    @property
    def key(self) -> tuple[str, str, int]:
        """Which attempt this is."""
        return self.goal, self.model, self.repeat


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. models: name → (spec, settings with how it is reached). folder: where results are kept."""

    goals: list[Goal]
    models: dict[str, tuple[str, dict[str, Any]]]
    repeat: int
    budget: dict[str, Any] | None  # limits that go over the defaults
    functions: Functions
    base: Path  # what `workspace` of a goal is relative to
    folder: Path

    def attempts(self) -> Iterator[tuple[Goal, str, int]]:
        """Each attempt, goal by goal, so that every model has something early."""
        for repeat in range(1, self.repeat + 1):
            for goal in self.goals:
                for model in self.models:
                    yield goal, model, repeat


class Results:
    """The results of an evaluation on disk. Raises UsageError if another process works on them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._file = folder, folder / "results.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (folder / "lock").open("w")
        except OSError as error:
            raise UsageError(
                f"{str(folder)!r} cannot be written", words_of(error), "name another with --out"
            ) from error
        _lock(self._lock, folder)
        self.done = {result.key: result for result in self._read()}
        self.cut_off_usd = 0.0

    def add(self, result: Result) -> None:
        """Keep a result: on disk when this returns."""
        line = json.dumps(asdict(result)).encode() + b"\n"
        with self._file.open("ab") as file:
            if file.tell() and not self._whole():
                file.write(b"\n")  # a line that a kill cut in two ends here; it is read as none
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self.done[result.key] = result

    def _whole(self) -> bool:
        with self._file.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def _read(self) -> Iterator[Result]:
        if not self._file.exists():
            return
        for line in self._file.read_bytes().split(b"\n"):
            try:
                yield Result(**json.loads(line))
            except (ValueError, TypeError):
                continue

    def close(self) -> None:
        """Let others work on them."""
        self._lock.close()


def _lock(file: Any, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not this platform: two at once are the person's own business
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise UsageError(
            f"another process works on {str(folder)!r}", "two would mix their results", "wait for it, or name --out"
        ) from None


async def work(
    plan: Plan, results: Results, *, tell: Callable[[Result], None], say: Callable[[str], None], parallel: int = 1
) -> list[str]:
    """Do what is not done yet. Returns the models that could not be reached, each with why."""
    gate = asyncio.Semaphore(parallel)
    unreached: dict[str, list[str]] = {}
    opened: dict[str, Agent] = {name: Agent(spec, **settings) for name, (spec, settings) in plan.models.items()}

    async def one(goal: Goal, name: str, repeat: int) -> None:
        async with gate:
            if len(unreached.get(name, ())) >= GIVE_UP:
                return
            run, workspace = await _attempt(plan, goal, name, repeat, await opened[name].open_model(), results, say)
            if run.stop_reason == "model":
                unreached.setdefault(name, []).append(run.detail)
                return
            unreached.pop(name, None)
            result = _result(plan, goal, name, repeat, run, workspace)
            results.add(result)
            tell(result)

    try:
        wanted = [(goal, name, n) for goal, name, n in plan.attempts() if (goal.name, name, n) not in results.done]
        if parallel == 1:
            for goal, name, n in wanted:
                await one(goal, name, n)
        else:
            async with asyncio.TaskGroup() as group:
                for goal, name, n in wanted:
                    group.create_task(one(goal, name, n))
    finally:
        for agent in opened.values():
            await agent.aclose()
    return [f"{name}: {whys[-1]}" for name, whys in unreached.items()]


async def _attempt(
    plan: Plan, goal: Goal, name: str, repeat: int, model: Model, results: Results, say: Callable[[str], None]
) -> tuple[Run, Path]:
    place = plan.folder / _place(goal, name, repeat)
    workspace = place / "workspace"
    if place.exists():  # it was cut off: from the start, so that the table is the one of an evaluation nobody killed
        results.cut_off_usd += await asyncio.to_thread(_spent_in, place)
        await asyncio.to_thread(shutil.rmtree, place)
    await asyncio.to_thread(_set_up, plan, goal, workspace)
    settings = {key: value for key, value in plan.models[name][1].items() if key in PASSED_ON}
    if goal.line.schema_ is not None:
        settings["schema"] = goal.line.schema_
    store = Store(f"sqlite:///{place / 'memory.db'}")
    try:
        agent = Agent(model, memory=store, budget=plan.budget, workspace=str(workspace), **settings)
        return await agent.arun(goal.line.goal), workspace
    finally:
        store.close()


PASSED_ON = ("tools", "tools_from", "policy", "isolation", "unsafe", "allowed_hosts", "secrets", "tool_settings")


def _place(goal: Goal, name: str, repeat: int) -> str:
    """A folder name for an attempt: readable where it can be, unique always."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in f"{goal.name}-{name}")[:60]
    digest = blake2b(f"{goal.name}\n{name}\n{repeat}".encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"attempts/{plain}-{repeat}-{digest}"


def _spent_in(place: Path) -> float:
    from outrider.agent.history.run_view import list_runs
    from outrider.memory.errors import OutriderError

    try:
        store = Store(f"sqlite:///{place / 'memory.db'}")
    except OutriderError:
        return 0.0
    try:
        return sum(float(run.spent.usd) for run in list_runs(store))
    finally:
        store.close()


def _set_up(plan: Plan, goal: Goal, workspace: Path) -> None:
    line = goal.line
    try:
        if line.workspace is not None:
            shutil.copytree(plan.base / line.workspace, workspace, symlinks=True)
        workspace.mkdir(parents=True, exist_ok=True)
        for path, text in line.files.items():
            file = workspace / path
            if not file.parent.resolve().is_relative_to(workspace.resolve()):
                raise OSError(f"{path!r} leads out of the workspace")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the workspace of {goal.name} cannot be made", words_of(error), "correct that line of the goals"
        ) from error


def _result(plan: Plan, goal: Goal, name: str, repeat: int, run: Run, workspace: Path) -> Result:
    spent = run.spent
    return Result(
        goal=goal.name,
        number=goal.number,
        model=name,
        repeat=repeat,
        wrong=wrong_with(run, goal.line, workspace, plan.functions),
        state=run.state,
        answer=str(run.answer)[:10_000],
        steps=spent.steps,
        calls=spent.calls,
        tokens=spent.tokens,
        usd=float(spent.usd),
        seconds=round(spent.seconds, 3),
        run=run.id,
        place=_place(goal, name, repeat),
    )
