"""The `python` and `shell` tools: code the model writes, run in the sandbox, every ending reported.
May touch: the sandbox of the run (opened once, kept in the context's scratch) and, through it, the workspace.
Does not promise: that variables survive a limit or a crash; the observation says when they are gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.memory.errors import OutriderError
from outrider.tools.files.paths import shown
from outrider.tools.tool import File, Observation, ToolContext, ToolError, tool

if TYPE_CHECKING:
    from outrider.tools.sandbox import Done, Limits, Sandbox, Session

SECONDS = 60.0  # for one call, if the run's own time does not end before; settings: sandbox.seconds
_MARGIN_S = 2.0  # left of the call's time to tell what happened
_MOST_PICTURES, _LARGEST_PICTURE = 8, 5_000_000
_PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
YES = ("y", "yes", "ok", "always")
_opening = threading.Lock()


@tool(effect="execute", timeout_s=300, serial=True)
async def python(code: str, context: ToolContext) -> Observation:
    """Run Python code and see what it prints and the value of its last line. Variables, imports and files are kept for the next call. The working folder is the workspace; there is no network.

    code: the program; end it with an expression or print what you want to see
    """
    room = await _room(context)
    done, lost = await _in_time(context, lambda seconds: room.run_python(code, seconds), room)
    return _tell(done, context, room, [lost])


@tool(effect="execute", timeout_s=300, serial=True)
async def shell(command: str, context: ToolContext) -> Observation:
    """Run a shell command in the workspace and see what it prints. Files are kept; there is no network.

    command: for example `wc -l data/*.csv`
    """
    room = await _room(context)
    done, _ = await _in_time(context, lambda seconds: (room.box.shell(command, timeout_s=seconds), ""), room)
    status = "exit code 1" if done.exit_code == 1 and not done.stopped_by else ""
    return _tell(done, context, room, [status])


def start_early(context: ToolContext) -> None:
    """Start the run's sandbox in the background, so that it is there when the first call comes. Raises nothing."""
    with contextlib.suppress(OutriderError, OSError):
        _open(context)


async def restore(context: ToolContext, cells: Sequence[str]) -> str:
    """For a resumed run: run the `python` calls of its past again, as far as that repeats nothing but thinking.

    cells: the code of the run's python calls that ended well, in order. Stops at the first that may not be run again,
    or fails now. Returns one sentence for the model and the person: what is there again and what was lost ("" if there
    was nothing). Raises ToolError where there is no sandbox.
    """
    from outrider.tools.code.replay_safety import why_not_again

    if not cells:
        return ""
    room = await _room(context)
    for place, code in enumerate(cells):
        why = why_not_again(code)
        if not why:
            done, _ = await _in_time(context, partial(room.run_python, code), room)
            why = "it failed this time" if done.exit_code or done.stopped_by else ""
        if why:
            kept = f"variables of its first {place} calls are there again; " if place else ""
            return f"python was started again: {kept}those of the last {len(cells) - place} are gone (call {place + 1}: {why})"
    return f"python was started again, and all {len(cells)} calls run again: its variables are there"


class Room:
    """The sandbox of one run and the kept interpreter in it. `close` ends both; the run calls it when it ends."""

    def __init__(self, box: Sandbox, caller: _Caller) -> None:
        self.box, self.caller = box, caller
        self.asked = False
        self._session: Session | None = None
        self._had_state = False

    def run_python(self, code: str, seconds: float) -> tuple[Done, str]:
        """(what came of it, what was lost): runs in the kept interpreter, started again if the last one ended."""
        if self._session is None:
            self._session = self.box.session()
        lost = (
            "" if self._session.alive or not self._had_state else "variables of earlier calls were gone before this one"
        )
        done = self._session.run(code, timeout_s=seconds)
        self._had_state = True
        if not self._session.alive:
            self._had_state = False
            lost = "variables of earlier calls are gone; files are kept"
        return done, lost

    def close(self) -> None:
        """End the interpreter and the sandbox."""
        self.box.close()


class _Caller:
    """Lets code in the sandbox call tools of the run: each call goes through the loop that runs the agent."""

    def __init__(self) -> None:
        self.context: ToolContext | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, name: str, arguments: bytes) -> bytes:
        try:
            return json.dumps({"value": self._value(name, arguments)}).encode()
        except OutriderError as error:
            return json.dumps({"error": str(error)}).encode()
        except Exception as error:  # code in the sandbox must get an answer, whatever happened here
            return json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()

    def may_lose(self, paths: tuple[str, ...]) -> bool:
        """Ask the person whether files too large to keep a copy of may be overwritten or removed; nobody there: no."""
        if self.context is None or self.context.ask is None or self.loop is None:
            return False
        names = ", ".join(shown(path) for path in paths[:20]) + (
            f" and {len(paths) - 20} more" if len(paths) > 20 else ""
        )
        question = f"The code overwrote or removed {names}: too large to keep a copy, undo could not bring it back. Do it? (yes or no)"
        answer = asyncio.run_coroutine_threadsafe(_asked(self.context.ask, question), self.loop).result()
        return (answer or "").strip().lower() in YES

    def _value(self, name: str, arguments: bytes) -> Any:
        if self.context is None or self.context.call_tool is None or self.loop is None:
            raise ToolError("no tool was called", "tools cannot be called from here", "call it as a tool of its own")
        parsed = json.loads(arguments)
        if not isinstance(parsed, dict):
            raise ToolError("no tool was called", "the arguments are not named", f"write tools.{name}(name=value)")
        call = asyncio.run_coroutine_threadsafe(_called(self.context, name, parsed), self.loop)
        seen = call.result(max(1.0, self.context.seconds_left()))
        if not seen.ok:
            raise ToolError(f"{name} failed", seen.text, "read what it says")
        with contextlib.suppress(ValueError):
            return json.loads(seen.text)
        return seen.text


async def _asked(ask: Callable[[str], Awaitable[str | None]], question: str) -> str | None:
    return await ask(question)


async def _called(context: ToolContext, name: str, arguments: dict[str, Any]) -> Observation:
    assert context.call_tool is not None
    return await context.call_tool(name, arguments)


async def _room(context: ToolContext) -> Room:
    """The run's sandbox, started. Raises ToolError where there is none, or where nobody allowed a weaker one."""
    room = _open(context)
    room.caller.context, room.caller.loop = context, asyncio.get_running_loop()
    try:
        await asyncio.to_thread(room.box.start)
    except OutriderError as error:
        fix = f"{error.fix}; or --unsafe-no-sandbox runs code on this machine with no protection at all"
        raise ToolError(error.what, error.why, fix) from None
    if room.box.isolation == "landlock" and context.isolation == "auto" and not room.asked:
        await _allow_reduced(room, context)
    return room


async def _allow_reduced(room: Room, context: ToolContext) -> None:
    """Asked once a run: the weaker isolation is the person's choice."""
    question = f"Only reduced isolation works here. {room.box.promises} Run code in it? (yes or no)"
    answer = await context.ask(question) if context.ask else None
    if answer is None or answer.strip().lower() not in YES:
        raise ToolError(
            "code was not run",
            "only reduced isolation works on this machine, and nobody allowed it",
            "allow user namespaces, install bubblewrap, or choose it with --isolation landlock",
        )
    room.asked = True


def _open(context: ToolContext) -> Room:
    from outrider.tools.sandbox import open_sandbox

    with _opening:
        room = context.scratch.get("sandbox")
        if not isinstance(room, Room):
            caller, wanted = _Caller(), _settings(context)
            box = open_sandbox(
                context.workspace,
                _limits(wanted),
                network=_Hosts(tuple(wanted["hosts"]), context.allowed_hosts) if wanted.get("hosts") else False,
                read=tuple(Path(path).expanduser() for path in wanted.get("read", ())),
                hide=tuple(context.workspace / path for path in wanted.get("hide", ())),
                isolation="none" if context.unsafe else context.isolation,
                call_tool=caller,
                may_lose=caller.may_lose,
                warm=True,
            )
            room = context.scratch["sandbox"] = Room(box, caller)
        return room


def _settings(context: ToolContext) -> dict[str, Any]:
    found = context.settings.get("sandbox")
    return found if isinstance(found, dict) else {}


def _limits(wanted: dict[str, Any]) -> Limits:
    from outrider.tools.sandbox import Limits

    known = {field.name for field in fields(Limits)}
    return Limits(**{"seconds": SECONDS, **{key: value for key, value in wanted.items() if key in known}})


class _Hosts:
    """The gateway for granted hosts: those by name, at addresses net.py's rule allows."""

    def __init__(self, hosts: tuple[str, ...], private: tuple[str, ...]) -> None:
        self._hosts, self._private = hosts, private

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to a granted host. Raises OSError with the reason for any other."""
        from outrider.tools.net.addresses import is_allowed, judge

        if not is_allowed(host, port, self._hosts):
            raise PermissionError(f"{host}:{port} is not granted; granted: {', '.join(self._hosts)}")
        addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        try:
            good = judge(host, port, addresses, self._private)
        except ToolError as error:
            raise PermissionError(error.why) from None
        return socket.create_connection((good[0], port), 10)


async def _in_time(context: ToolContext, call: Callable[[float], tuple[Done, str]], room: Room) -> tuple[Done, str]:
    """Run the call in a thread, with the time the run has; a cancelled call takes its code down with it."""
    seconds = max(0.1, min(room.box.limits.seconds, context.seconds_left() - _MARGIN_S))
    try:
        return await asyncio.to_thread(call, seconds)
    except asyncio.CancelledError:
        room.box.cancel()
        raise


def _tell(done: Done, context: ToolContext, room: Room, first: list[str]) -> Observation:
    """What the model reads, the notes of `first` before the others, and the pictures for the transcript."""
    parts = [done.stdout.rstrip("\n")]
    if done.value is not None:
        parts.append(done.value)
    if done.stderr.strip():
        ended_well = done.exit_code == 0 and not done.stopped_by
        parts.append(f"stderr:\n{done.stderr.strip()}" if ended_well or done.stdout else done.stderr.strip())
    notes = [_stopped(done, room), *first, _named("files changed", done.files), _named("not carried", done.left_out)]
    if not done.stopped_by and done.exit_code > 1:
        notes.insert(0, f"exit code {done.exit_code}")
    if room.box.isolation == "none":
        notes.append("this ran without a sandbox (--unsafe-no-sandbox)")
    elif room.box.isolation == "landlock":
        notes.append("this ran in reduced isolation (landlock)")
    parts += [f"[{note}]" for note in notes if note]
    text = "\n".join(part for part in parts if part) or "done (no output)"
    ok = done.exit_code == 0 and done.stopped_by is None
    return Observation(text, ok=ok, files=_pictures(context.workspace, done), changes=done.changes)


def _stopped(done: Done, room: Room) -> str:
    limits = room.box.limits
    said = {
        "time": f"stopped: it ran longer than it may ({done.seconds:.1f} s). Do less at once, or save results as you go",
        "memory": f"stopped: it used more than {limits.memory_mb:,} MB of memory. Read in pieces, keep less",
        "output": "stopped: it printed without end. Print only what you need",
        "disk": f"stopped: its files are over {limits.disk_mb:,} MB or {limits.files:,} in number. Write less",
        "processes": f"stopped: it started more than {limits.processes} processes and threads. Start fewer",
        "killed": "stopped: it was ended from outside, or ended the sandbox",
    }
    return said[done.stopped_by] if done.stopped_by else ""


def _named(what: str, names: tuple[str, ...], most: int = 10) -> str:
    if not names:
        return ""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{what}: {', '.join(names[:most])}{more}"


def _pictures(workspace: Path, done: Done) -> tuple[File, ...]:
    """Pictures the call made, read back from the workspace without following a link."""
    found: list[File] = []
    wanted = dict.fromkeys((*done.figures, *done.files))
    for name in wanted:
        media_type = _PICTURES.get(Path(name).suffix.lower())
        if media_type and len(found) < _MOST_PICTURES:
            data = _read(workspace / name)
            if data:
                found.append(File(name, media_type, data))
    return tuple(found)


def _read(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(file.fileno())
        return file.read() if stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST_PICTURE else b""
