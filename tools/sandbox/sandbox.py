"""The sandbox's contract: `open_sandbox`, and what it gives: `Sandbox`, `Session`, `Done`.
May touch: child processes it starts, the workspace folder. No exception for anything the code did; `SandboxUnavailable`
when no isolation can be had, and never a weaker one than asked for. START HERE: `open_sandbox`.
Does not promise: safety against a hole in the kernel (docs/threats.md).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from outrider.memory.errors import OutriderError
from outrider.memory.text import for_storage
from outrider.tools.files.kept import Change
from outrider.tools.sandbox import choose
from outrider.tools.sandbox.channel import Message, Stalled
from outrider.tools.sandbox.inside.wire import Broken
from outrider.tools.sandbox.isolation import Isolation, Limits, Unusable, Wanted
from outrider.tools.sandbox.process import Running
from outrider.tools.sandbox.proxy import Door, Proxy
from outrider.tools.sandbox.text import shown
from outrider.tools.sandbox.workspace import HostFolder

StoppedBy = Literal["time", "memory", "output", "disk", "processes", "killed"]
CallTool = Callable[[str, bytes], bytes]  # (tool's name, its arguments as JSON) -> {"value": …} or {"error": …} as JSON
MayLose = Callable[[tuple[str, ...]], bool]  # paths whose old content is too large to keep -> whether it may be lost
_STOPS: dict[bytes, StoppedBy] = {
    stop.encode(): stop for stop in ("time", "memory", "output", "disk", "processes", "killed")
}
MOST_WORKSPACE_BYTES = 2 << 30


class SandboxUnavailable(OutriderError):
    """No isolation works on this machine (or not the one asked for). `fix` says what to install or allow."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one call. Text is valid Unicode, bounded, without control codes.

    value: the last expression's repr, if the code ended in one. stopped_by: the limit that ended it, or None.
    files: paths in the workspace that changed; figures: those of them that are figures left open by the code.
    left_out: what did not come back to the workspace (or did not go in), each with its reason.
    changes: what files held before (only where the sandbox was opened with `may_lose`).
    """

    stdout: str
    stderr: str
    exit_code: int
    stopped_by: StoppedBy | None
    seconds: float
    value: str | None = None
    files: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


def open_sandbox(
    workspace: Path | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    network: Door | Literal[False] = False,
    read: Sequence[Path] = (),
    isolation: str = "auto",
    hide: Iterable[Path] = (),
    call_tool: CallTool | None = None,
    may_lose: MayLose | None = None,
    warm: bool = False,
) -> Sandbox:
    """A sandbox for code nobody trusts, with `workspace` as the folder it works in (None: an empty one, thrown away).

    network: False, or who opens connections for it (`connect(host, port) -> socket`, raising OSError to refuse).
    read: folders shown read-only at their own paths. hide: files of the workspace that must not go in.
    isolation: "auto" takes the strongest that works; a name takes that one or none. "none" isolates nothing.
    may_lose: keep what files held before the code overwrote or removed them (`Done.changes`), and ask this about those too
    large to keep: without its yes they stay as they were. None: nothing is kept.
    warm: return at once and start in the background; the first call then waits, and raises what starting raised.
    Raises SandboxUnavailable, or UsageError for a workspace or grant that cannot be.
    """
    box = Sandbox(workspace, limits, network, tuple(read), isolation, frozenset(hide), call_tool, may_lose)
    if warm:
        box.start_in_background()
    else:
        box.start()
    return box


class Sandbox:
    """Runs code in isolation; every call is a fresh process. A context manager; `close` ends all it started."""

    def __init__(
        self,
        workspace: Path | None,
        limits: Limits,
        network: Door | Literal[False],
        read: tuple[Path, ...],
        isolation: str,
        hide: frozenset[Path],
        call_tool: CallTool | None,
        may_lose: MayLose | None = None,
    ) -> None:
        self.limits = limits
        self._folder = None
        if workspace is not None:
            most = 4 * (limits.disk_mb << 20)
            self._folder = HostFolder(
                workspace,
                hide=hide,
                most_bytes=MOST_WORKSPACE_BYTES,
                most_result_bytes=most,
                keep=may_lose is not None,
            )
        self._may_lose = may_lose
        self._network, self._read, self._name, self._call_tool = network, read, isolation, call_tool
        self._lock = threading.RLock()
        self._running: Running | None = None
        self._isolation: Isolation | None = None
        self._proxy: Proxy | None = None
        self._active: set[bytes] = set()
        self._closed = False

    @property
    def isolation(self) -> str:
        """The name of the isolation in use."""
        return self._chosen().name

    @property
    def promises(self) -> str:
        """What it keeps and does not keep, in words."""
        return self._chosen().promises

    def _chosen(self) -> Isolation:
        self.start()
        assert self._isolation is not None
        return self._isolation

    def start(self) -> Running:
        """The worker, started if there is none or the last one died. Raises SandboxUnavailable."""
        with self._lock:
            if self._closed:
                raise SandboxUnavailable("the sandbox is closed", "its run has ended", "open another")
            if self._running is not None and self._running.alive():
                return self._running
            self._drop()
            if self._folder is not None:
                self._folder.forget()
            try:
                self._isolation, self._running = choose.first_that_works(self._name, self._wanted(), self._folder)
            except Unusable as error:
                raise SandboxUnavailable("code cannot be run in isolation here", error.why, error.fix) from None
            if self._network:
                self._proxy = Proxy(self._running.listener(), self._network)
            return self._running

    def _wanted(self) -> Wanted:
        size, files = self._folder.size() if self._folder is not None else (0, 0)
        return Wanted(self.limits, self._read, bool(self._network), size, files)

    def start_in_background(self) -> None:
        """Start now, without waiting; what goes wrong is raised by the first call."""

        def begin() -> None:
            with contextlib.suppress(OutriderError):
                self.start()

        threading.Thread(target=begin, name="sandbox-start", daemon=True).start()

    def python(self, code: str, *, timeout_s: float | None = None) -> Done:
        """Run Python code in a fresh interpreter state."""
        return self._call(b"python", code.encode("utf-8", "surrogatepass"), timeout_s)

    def shell(self, command: str, *, timeout_s: float | None = None) -> Done:
        """Run a shell command (bash if there is one, else sh)."""
        return self._call(b"shell", command.encode("utf-8", "surrogateescape"), timeout_s)

    def session(self) -> Session:
        """A Python interpreter that keeps its state between calls of `run`."""
        return Session(self)

    def cancel(self) -> None:
        """From any thread: end every call under way; they return with stopped_by "killed"."""
        running = self._running
        if running is not None:
            for identity in tuple(self._active):
                with contextlib.suppress(Broken):
                    running.send(b"kill", identity, b"killed")

    def close(self) -> None:
        """End the worker and everything it started."""
        with self._lock:
            self._closed = True
            self._drop()

    def _drop(self) -> None:
        if self._proxy is not None:
            self._proxy.close()
        if self._running is not None:
            self._running.close()
        self._running = self._proxy = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, kind: bytes, code: bytes, timeout_s: float | None) -> Done:
        if b"\0" in code and kind == b"shell":
            return Done("", "a command cannot hold a NUL character", 2, None, 0.0)
        running = self.start()
        identity = running.new_identity()
        seconds = self.limits.seconds if timeout_s is None else timeout_s
        with running.listen(identity):
            return self.exchange(running, identity, seconds, b"start", identity, kind, code, _milliseconds(seconds))

    def exchange(self, running: Running, identity: bytes, seconds: float, *order: bytes) -> Done:
        """Send files and an order, wait for its end, and tell what came of it."""
        began = time.monotonic()
        self._active.add(identity)
        try:
            running.send_news()
            running.send(*order)
            return self._done(running.result(identity, seconds, self._answer))
        except Broken as error:
            said = f"the sandbox ended: {running.why(error)}"
            return Done("", said, 137, "killed", time.monotonic() - began, changes=self._settled())
        except Stalled:
            said = "the sandbox did not answer and was ended"
            return Done("", said, 137, "time", time.monotonic() - began, changes=self._settled())
        except BaseException:  # interrupted: nobody waits for the code any more
            with contextlib.suppress(Broken):
                running.send(b"kill", identity, b"killed")
            raise
        finally:
            self._active.discard(identity)

    def _settled(self) -> tuple[Change, ...]:
        """What files held before, once it is known what becomes of those too large to keep."""
        if self._folder is None:
            return ()
        if held := self._folder.held:
            self._folder.settle(self._may_lose is not None and self._may_lose(held))
        return self._folder.changes()

    def _answer(self, name: bytes, arguments: bytes) -> bytes:
        if self._call_tool is None:
            return b'{"error": "no tools can be called from here"}'
        return self._call_tool(name.decode("utf-8", "replace"), arguments)

    def _done(self, message: Message) -> Done:
        status, stopped, _, micros, *printed, value, figures = message[2:]
        out, err = (shown(int(printed[i]), printed[i + 1], printed[i + 2], self.limits.output_chars) for i in (0, 3))
        changes = self._settled()
        files, left = self._folder.collect() if self._folder is not None else ((), ())
        made = set(files)
        return Done(
            stdout=out,
            stderr=err,
            exit_code=int(status),
            stopped_by=_STOPS.get(stopped),
            seconds=int(micros) / 1e6,
            value=for_storage(value[1:].decode("utf-8", "replace")) if value else None,
            files=tuple(for_storage(name) for name in files),
            figures=tuple(name for name in figures.decode("utf-8", "replace").split("\n") if name in made),
            changes=changes,
            left_out=tuple(for_storage(name) for name in left),
        )


class Session:
    """A kept interpreter. When it ends (a limit, `os._exit`, a crash), `alive` is False and its state is gone.

    The next `run` then starts a new one, empty; whoever needs to know looks at `alive` or `Done.stopped_by` first.
    """

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._turn = threading.Lock()
        self._running: Running | None = None
        self._identity = b""
        self._listening = contextlib.ExitStack()

    @property
    def alive(self) -> bool:
        """Whether there is state."""
        return self._running is not None and self._running.alive()

    def run(self, code: str, *, timeout_s: float | None = None) -> Done:
        """Run code in the kept state; one piece at a time."""
        with self._turn:
            running = self._open()
            seconds = self._box.limits.seconds if timeout_s is None else timeout_s
            order = (b"cell", self._identity, code.encode("utf-8", "surrogatepass"), _milliseconds(seconds))
            done = self._box.exchange(running, self._identity, seconds, *order)
            if running.ended(self._identity):
                self._forget()
            return done

    def _open(self) -> Running:
        if self._running is not None and (not self._running.alive() or self._running.ended(self._identity)):
            self._forget()
        if self._running is None:
            running = self._box.start()
            self._identity = running.new_identity()
            self._listening.enter_context(running.listen(self._identity))
            with contextlib.suppress(Broken):
                running.send(b"start", self._identity, b"session", b"", b"0")
            self._running = running
        return self._running

    def _forget(self) -> None:
        self._listening.close()
        self._running = None

    def close(self) -> None:
        """End the interpreter and everything it started."""
        with self._turn:
            if self.alive and self._running is not None:
                with contextlib.suppress(Broken):
                    self._running.send(b"kill", self._identity, b"killed")
                    self._running.result(self._identity, 0, None)
            self._forget()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _milliseconds(seconds: float) -> bytes:
    return str(max(1, int(seconds * 1000))).encode()
