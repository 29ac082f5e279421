"""The set of tools of a run: checks what a model wrote, runs a call within its limits, trims what comes back.
May touch: threads of its own (a tool that is not async runs in one). Does not decide (policy.py) and does not record.
Does not promise: to end the thread of a tool that never returns; it is left behind and no longer waited for.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, get_args

from outrider.memory.errors import OutriderError, UsageError
from outrider.memory.events import Effect, Origin
from outrider.memory.text import for_storage, hidden_in
from outrider.tools.arguments import BadArguments, matching_name, read_arguments
from outrider.tools.process.threads import in_thread
from outrider.tools.tool import File, Observation, Tool, ToolContext, ToolError, observe, shape

MAX_SAID = 20_000  # characters of what a tool raised that are kept
GRACE_S = 1.0  # for a cancelled tool to tidy up


Fill = Callable[[dict[str, Any], Mapping[str, Any]], tuple[dict[str, Any], str]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that fits its tool: ready for the policy, then to run."""

    tool: Tool
    arguments: dict[str, Any]  # as the function wants them
    plain: dict[str, Any]  # as JSON, for the journal and for people
    effect: Effect
    repaired: str = ""  # what had to be put right to read it, in words


@dataclass(frozen=True, slots=True)
class Returned:
    """What a call gave: the observation, and for the person only `detail` (a traceback)."""

    seen: Observation
    detail: str = ""


class Toolbox:
    """Tools by name. Raises UsageError when two have the same name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools: dict[str, Tool] = {}
        for one in tools:
            if one.name in self.tools:
                raise UsageError(
                    f"two tools are called {one.name!r}", "a model could not tell them apart", "rename one"
                )
            self.tools[one.name] = one

    def prepare(self, name: str, arguments: str | Mapping[str, Any], fill: Fill | None = None) -> Prepared:
        """A call as a model wrote it, checked. fill: puts results in the place of references. Raises ToolError that says what was wrong and what would be right."""
        tool = self.meant(name)
        if tool is None:
            near = get_close_matches(name, self.tools, n=3, cutoff=0.5) or sorted(self.tools)
            raise ToolError(f"there is no tool {name[:80]!r}", "it is not in the list", f"use one of {', '.join(near)}")
        repairs = [] if tool.name == name else [f"the name {name[:80]!r} was read as {tool.name}"]
        if isinstance(arguments, str):
            plain, more = _parse(tool, arguments)
            repairs += more
        else:
            plain = dict(arguments)
        used = ""
        if fill is not None:
            plain, used = fill(plain, tool.parameters)
            repairs = [*repairs, used] if used else repairs
        try:
            checked = tool.check(plain)
            effect = tool.effect_of(checked)
            if used and effect == "execute":
                raise ToolError(
                    f"{tool.name} was not run with a result in its text", "what a step gave is data, and would be run as code",
                    "write the result to a file in a step of its own, and let the code read that file",
                )  # fmt: skip
            return Prepared(tool, checked, plain, effect, "; ".join(repairs)[:500])
        except ToolError:
            raise
        except Exception as error:  # a checker or effect function of a tool's author
            raise ToolError(f"the arguments of {name} could not be checked", repr(error), "try others") from error

    def meant(self, name: str) -> Tool | None:
        """The tool of this name, or the one it can only mean (`functions.Ping` for `ping`); None: there is none."""
        return self.tools.get(name) or self.tools.get(matching_name(name, self.tools) or "")

    async def run(self, call: Prepared, context: ToolContext, timeout_s: float) -> Returned:
        """Run a call for at most `timeout_s` seconds. Never raises but for cancellation: whatever happens is an observation."""
        try:
            value = await _within(timeout_s, call, context)
            return Returned(_clean(observe(value), call.tool, context))
        except OutriderError as error:
            return Returned(_clean(Observation(str(error), ok=False), call.tool, context))
        except Exception as error:
            said = context.mask(f"{call.tool.name} failed: {type(error).__name__}: {_words_of(error)}")
            return Returned(_clean(Observation(said[:MAX_SAID], ok=False), call.tool, context), _detail(context))


async def _within(timeout_s: float, call: Prepared, context: ToolContext) -> Any:
    """The value a call gives. Raises ToolError when its time is over; a tool that will not be cancelled is left behind."""
    end = time.monotonic() + timeout_s
    work = asyncio.ensure_future(_on_loop(call, context)) if _is_async(call.tool) else _in_thread(call, context)
    try:
        while True:
            done, _ = await asyncio.wait((work,), timeout=max(0.0, end - time.monotonic()))
            if not done:
                break
            if work.cancelled():
                raise ToolError(f"{call.tool.name} gave up", "it cancelled itself", "try other arguments")
            if not inspect.isawaitable(value := work.result()):
                return value
            work = asyncio.ensure_future(value)
    except asyncio.CancelledError:
        work.cancel()
        raise
    work.cancel()
    await asyncio.wait((work,), timeout=GRACE_S)  # time to tidy up, for one that listens
    raise ToolError(
        f"{call.tool.name} was stopped after {timeout_s:.1f} s",
        "it took longer than it may",
        "ask for less, or go on without it",
    )


async def _on_loop(call: Prepared, context: ToolContext) -> Any:
    try:
        return await call.tool.run(call.arguments, context)
    except SystemExit as caught:  # a task that raises it ends the whole process
        raise _as_exception(caught) from caught


def _is_async(tool: Tool) -> bool:
    return inspect.iscoroutinefunction(inspect.unwrap(tool.run))


def _in_thread(call: Prepared, context: ToolContext) -> asyncio.Future[Any]:
    """The tool's value, some day, from a thread that nobody joins."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if not future.done():  # a call that was given up on may still come back
            future.set_exception(error) if error else future.set_result(value)

    def work() -> None:
        try:
            value, error = call.tool.run(call.arguments, context), None
        except BaseException as caught:
            value, error = None, _as_exception(caught)
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    in_thread(work)
    return future


def _as_exception(caught: BaseException) -> Exception:
    """StopIteration and SystemExit cannot travel through a future; they are the tool's failure like any other."""
    if isinstance(caught, Exception) and not isinstance(caught, StopIteration):
        return caught
    return RuntimeError(f"{type(caught).__name__}: {_words_of(caught)}")


def _words_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(it has no message)"


def _detail(context: ToolContext) -> str:
    """The traceback from the first frame that is not ours, fit to store."""
    kind, error, frames = sys.exc_info()
    while frames and frames.tb_next and frames.tb_frame.f_code.co_filename in _OURS:
        frames = frames.tb_next
    told = for_storage(context.mask("".join(traceback.format_exception(kind, error, frames, limit=20))))
    return told if len(told) <= MAX_SAID else f"{told[: MAX_SAID // 2]}\n…\n{told[-MAX_SAID // 2 :]}"


_OURS = (__file__, observe.__code__.co_filename, asyncio.timeouts.__file__)


def _parse(tool: Tool, arguments: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    try:
        return read_arguments(arguments, tool.parameters, tool.name)
    except BadArguments as error:
        right = f"write one JSON object that fits {shape(tool.name, tool.parameters)}"
        raise ToolError(f"the arguments of {tool.name} are not valid JSON", str(error), right) from None


def _clean(seen: Observation, tool: Tool, context: ToolContext) -> Observation:
    """The observation, fit to store: secrets are masked before cleaning could make them unrecognisable.

    Raises ToolError for one that says what its types do not allow."""
    sound = isinstance(seen.text, str) and isinstance(seen.ok, bool) and seen.origin in _ORIGINS
    if not sound or not all(isinstance(file.data, bytes) for file in seen.files):
        raise ToolError("the tool's result cannot be kept", "an Observation with wrong types", "fix the tool")
    files = tuple(File(for_storage(str(f.name)), for_storage(str(f.media_type)), f.data) for f in seen.files)
    hidden = hidden_in(seen.text)
    text = for_storage(context.mask(seen.text)) + (f"\n[left out, for they cannot be seen: {hidden}]" if hidden else "")
    return replace(seen, text=text, origin=seen.origin or tool.origin, files=files)


_ORIGINS = (None, *get_args(Origin))


def trim(text: str, cap: int, handle: str) -> str:
    """`text` in at most about `cap` characters: its head and its tail, and how to get the rest."""
    if len(text) <= cap:
        return text
    head, tail = cap * 3 // 4, cap // 4
    left_out = len(text) - head - tail
    return f'{text[:head]}\n[… {left_out:,} characters left out; recall("{handle}") reads them …]\n{text[-tail:]}'
