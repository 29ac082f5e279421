"""The worker's loop: one descriptor to the agent, a few for each running call, deadlines and the memory watch.
May touch: its own children, the workspace inside. Start reading at `Worker.serve`.
Does not promise fairness between calls: exporting a large file holds the others up.
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH110, PTH123, S606, SIM105

from __future__ import annotations

import os
import select
import time

from outrider.tools.sandbox.inside import call as calls
from outrider.tools.sandbox.inside import confine as confine
from outrider.tools.sandbox.inside import watch as watch
from outrider.tools.sandbox.inside import wire as wire
from outrider.tools.sandbox.inside.files import Workspace
from outrider.tools.sandbox.inside.settings import Settings

TYPE_CHECKING = False  # as typing has it; typing itself is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable

WATCH_S = 0.05  # how often memory is summed while a call runs
IDLE_MS = 50  # after so long with nothing to do, the worker prepares for what may come
OUTPUT_TIMES, OUTPUT_LEAST = 16, 64 << 20  # a call is stopped at this many bytes printed, however little is kept
SOCKET_BYTES = 212_992  # what one may hold in the kernel, outside every process: net.core.wmem_default
LONGEST_ARGUMENT = 100_000  # bytes; the kernel takes 128 kB in one
OWN_PROCESSES = 8  # beside the code: this worker, a keeper for each call
LARGEST_RESULT = 4 << 20  # bytes of one message from the code


class Worker:
    """Serves one agent. `inbox` and `outbox` are the channel's descriptors."""

    def __init__(self, inbox: int, outbox: int, settings: Settings) -> None:
        self._inbox, self._outbox, self._settings = inbox, outbox, settings
        self._calls: dict[bytes, calls.Call] = {}
        self._workspace = Workspace(
            settings.workspace,
            never=frozenset(settings.never),
            most_files=settings.data_files,
            most_bytes=settings.data_bytes,
        )
        self._putting: bytes | None = None
        self._prepared = False
        self._next_watch = 0.0
        self._rules = _rules(settings)
        if (
            settings.seal == "worker"
        ):  # no user's other processes are near: what binds the code may bind the worker as well
            calls.seal(self._rules)

    def serve(self) -> None:
        """Until the agent closes the channel."""
        while True:
            for fd, _ in self._poll():
                if fd == self._inbox:
                    self._obey(wire.receive(self._inbox))
                else:
                    self._attend(fd)
            self._check_clocks()

    def _poll(self) -> list[tuple[int, int]]:
        waiting = select.poll()
        waiting.register(self._inbox, select.POLLIN)
        active = [call for call in self._calls.values() if not call.idle]
        for call in self._calls.values():
            for fd in (call.pid_fd, call.out.fd, call.err.fd):
                if fd >= 0:
                    waiting.register(fd, select.POLLIN)
            if not call.waiting_for_agent and call.results >= 0:
                waiting.register(call.results, select.POLLIN)
            if call.outbox:
                waiting.register(call.answers, select.POLLOUT)
        if not active:
            if not self._prepared:
                if happened := waiting.poll(IDLE_MS):
                    return happened
                self._prepared = True
                _prepare()
            return waiting.poll()
        soonest = min(call.deadline for call in active) - time.monotonic()
        return waiting.poll(max(0, int(min(soonest, WATCH_S) * 1000)))

    # What the agent asks for.

    def _obey(self, message: list[bytes]) -> None:
        order, rest = message[0], message[1:]
        getattr(self, "_on_" + order.decode())(*rest)

    def _on_start(self, identity: bytes, kind: bytes, code: bytes, milliseconds: bytes) -> None:
        program = self._program(kind, code)
        self._workspace.settle()
        try:
            call = calls.start(identity, kind, int(milliseconds) / 1000, self._rules, program)
        except OSError as error:  # no process could be made: the agent hears of it as of any other end
            zero = (b"0", b"", b"")
            text = f"the sandbox could not start a process: {error}".encode()
            wire.send(
                self._outbox, b"done", identity, b"125", b"processes", b"1", b"0", *zero, b"0", b"", text, b"", b""
            )
            raise wire.Broken("a worker that cannot fork is of no use: the agent starts another") from None
        if self._settings.quota:
            call.files_before = self._files()
        if kind == b"session":
            call.idle, call.deadline = True, float("inf")
        self._calls[identity] = call

    def _program(self, kind: bytes, code: bytes) -> Callable[[], int]:
        settings = self._settings

        def run_shell() -> int:
            shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
            for fd in (calls.FROM_AGENT, calls.TO_AGENT):
                os.close(fd)
            if len(code) > LONGEST_ARGUMENT:
                script = f"{os.environ.get('TMPDIR', '/tmp')}/script-{os.getpid()}"  # noqa: S108 - the sandbox's own
                with open(script, "wb") as file:
                    file.write(code)
                os.execv(shell, [shell, script])
            os.execv(shell, [shell, "-c", os.fsdecode(code)])

        def run_python() -> int:
            from outrider.tools.sandbox.inside import runner as inside_runner

            runner = inside_runner.Runner(list(settings.search_path), settings.prefix)
            if kind == b"session":
                return inside_runner.cells(runner)
            return inside_runner.finish(runner.run(code.decode("utf-8", "surrogatepass")))

        return run_shell if kind == b"shell" else run_python

    def _on_cell(self, identity: bytes, code: bytes, milliseconds: bytes) -> None:
        call = self._calls.get(identity)
        if call is None:
            return  # it ended; the agent will read so in its `done`
        self._workspace.settle()
        call.idle, call.started = False, time.monotonic()
        call.deadline = call.started + int(milliseconds) / 1000
        call.outbox += wire.encode(code)

    def _on_reply(self, identity: bytes, payload: bytes) -> None:
        call = self._calls.get(identity)
        if call is not None:
            call.waiting_for_agent = False
            if len(call.outbox) > LARGEST_RESULT:  # it asks and asks, and never reads what it is told
                self._stop(call, b"output")
            call.outbox += wire.encode(payload)
            self._understand(call)

    def _on_kill(self, identity: bytes, why: bytes) -> None:
        call = self._calls.get(identity)
        if call is not None:
            self._stop(call, why)

    def _on_put(self, path: bytes, mode: bytes, modified: bytes, data: bytes, last: bytes) -> None:
        try:
            self._workspace.put(path, int(mode, 8), int(modified), data, first=self._putting != path)
        except OSError as error:
            wire.send(self._outbox, b"left", path, (error.strerror or "not writable").encode())
        self._putting = None if last else path

    def _on_folder(self, path: bytes) -> None:
        self._quietly(self._workspace.put_folder, path)

    def _on_link(self, path: bytes, target: bytes) -> None:
        self._quietly(self._workspace.put_link, path, target)

    def _on_remove(self, path: bytes) -> None:
        self._quietly(self._workspace.remove, path)

    @staticmethod
    def _quietly(do: Callable[..., None], *arguments: bytes) -> None:
        try:
            do(*arguments)
        except OSError:
            pass  # the code put something in the way; what the agent sees next is what there is

    # What happens in the calls.

    def _attend(self, fd: int) -> None:
        for call in list(self._calls.values()):
            if fd == call.pid_fd:
                self._ended(call)
            elif fd in (call.out.fd, call.err.fd):
                self._printed(call, fd)
            elif fd == call.results:
                self._heard(call)
            elif fd == call.answers:
                self._speak(call)
            else:
                continue
            return

    def _printed(self, call: calls.Call, fd: int) -> None:
        stream = call.out if fd == call.out.fd else call.err
        if not stream.read_some():
            os.close(stream.fd)
            stream.fd = -1
        limit = max(OUTPUT_LEAST, OUTPUT_TIMES * self._settings.keep_output)
        if call.out.total + call.err.total > limit:
            self._stop(call, b"output")

    def _heard(self, call: calls.Call) -> None:
        """Bytes from the code: collected until they are a whole message, never waited for."""
        try:
            data = os.read(call.results, wire.PIECE)
        except BlockingIOError:
            return
        if data:
            call.inbox += data
            self._understand(call)
        else:
            os.close(call.results)
            call.results = -1

    def _understand(self, call: calls.Call) -> None:
        """Handle the whole messages there are; after a tool call none until it is answered: one at a time is all it gets."""
        while len(call.inbox) >= 4 and not call.waiting_for_agent:
            size = int.from_bytes(call.inbox[:4], "big")
            if size > LARGEST_RESULT:
                call.inbox.clear()
                self._stop(call, b"output")
                return
            if len(call.inbox) < 4 + size:
                return
            body = bytes(call.inbox[4 : 4 + size])
            del call.inbox[: 4 + size]
            self._handle(call, body)

    def _handle(self, call: calls.Call, body: bytes) -> None:
        try:
            message = wire.decode(body)
        except wire.Broken:
            return
        if message[:1] == [b"call"] and len(message) == 3:
            call.waiting_for_agent = True
            wire.send(self._outbox, b"call", call.id, message[1], message[2])
        elif message[:1] == [b"done"] and len(message) == 5 and not call.idle:
            _, status, hint, value, figures = message
            if call.kind == b"session":
                self._report(call, status if status.isdigit() else b"1", hint, value, figures, over=False)
                call.idle, call.deadline = True, float("inf")
            else:
                call.hint, call.value, call.figures = hint, value, figures

    def _speak(self, call: calls.Call) -> None:
        try:
            del call.outbox[: os.write(call.answers, call.outbox)]
        except BlockingIOError:
            return
        except OSError:
            call.outbox.clear()  # it ended, or closed its end

    def _ended(self, call: calls.Call) -> None:
        """The code's process is gone: end what it left, and tell the agent."""
        ended = calls.reap(one.pid for one in self._calls.values())
        for one in [one for one in self._calls.values() if one.pid in ended]:
            del self._calls[one.id]
            if one.results >= 0:
                self._heard(one)
            self._report(one, str(ended[one.pid]).encode(), one.hint, one.value, one.figures, over=True)
            one.close()

    def _report(
        self, call: calls.Call, status: bytes, hint: bytes, value: bytes, figures: bytes, *, over: bool
    ) -> None:
        seconds = time.monotonic() - call.started
        if not calls.clear(one.pid for one in self._calls.values()):
            raise RuntimeError("processes that would not end")
        for stream in (call.out, call.err):
            if stream.fd >= 0:
                stream.drain(OUTPUT_LEAST)
        stopped = call.stopped_by or (self._limit_met(call, hint) if status != b"0" else b"")
        for change in self._workspace.changes():
            wire.send(self._outbox, change[0], *change[1:])
        micros = str(int(seconds * 1e6)).encode()
        printed = (*call.out.fields(), *call.err.fields())
        over_flag = b"1" if over else b"0"
        wire.send(self._outbox, b"done", call.id, status, stopped, over_flag, micros, *printed, value, figures)
        call.out.forget()
        call.err.forget()

    def _limit_met(self, call: calls.Call, hint: bytes) -> bytes:
        """Which limit made a failed call fail, as far as can be told from outside; else what the code itself says."""
        if self._settings.quota:
            room = os.statvfs(self._settings.workspace)
            if room.f_bfree == 0 or room.f_ffree == 0:
                return b"disk"
        if hint in (b"memory", b"disk", b"processes"):
            return hint
        return b"processes" if call.crowded else b""

    # Clocks.

    def _check_clocks(self) -> None:
        now = time.monotonic()
        active = [call for call in self._calls.values() if not call.idle]
        for call in active:
            if now >= call.deadline:
                self._stop(call, b"time")
        if active and now >= self._next_watch:
            self._watch(active)
            self._next_watch = time.monotonic() + WATCH_S

    def _watch(self, active: list[calls.Call]) -> None:
        processes = calls.table()
        page = os.sysconf("SC_PAGE_SIZE")
        for call in active:
            if self._settings.quota and self._files() > max(self._settings.data_files, call.files_before):
                self._stop(call, b"disk")
            tree = [call.pid, *calls.descendants(call.pid, processes)]
            if (
                len(active) == 1
            ):  # what it orphaned counts too; with several calls at once it cannot be told whose it is
                tree = calls.descendants(os.getpid(), processes)
            found = [processes[pid] for pid in tree if pid in processes]
            threads = sum(threads for _, threads, _ in found)
            call.crowded = call.crowded or threads >= self._settings.processes - 1
            if threads > 2 * self._settings.processes:
                self._stop(call, b"processes")
            memory = self._settings.memory
            if (
                self._settings.quota and watch.sockets() * SOCKET_BYTES > memory
            ):  # a network of its own: they are all the code's
                self._stop(call, b"memory")
            if sum(pages for _, _, pages in found) * page > memory and watch.hold_more_than(tree, memory):
                self._stop(call, b"memory")

    def _files(self) -> int:
        """Files and folders there are where the code can write."""
        room = os.statvfs(self._settings.workspace)
        return room.f_files - room.f_ffree

    @staticmethod
    def _stop(call: calls.Call, why: bytes) -> None:
        """Kill the code's process; `_ended` kills the rest and reports."""
        call.stopped_by = call.stopped_by or why
        call.deadline = float("inf")
        calls.kill((call.pid,))


def _rules(settings: Settings) -> calls.Rules:
    bounds = confine.Bounds(
        memory=settings.memory,
        file_size=settings.data_bytes,
        processes=settings.processes,
        open_files=settings.open_files,
        cpu_seconds=24 * 3600,
    )
    return calls.Rules(
        workspace=settings.workspace,
        bounds=bounds,
        read=settings.read,
        write=settings.write,
        families=settings.families,
        seal=settings.seal,
        tcp=bool(settings.listen),
        keep_output=settings.keep_output,
        count_processes=watch.threads_of_user if settings.seal == "call" else lambda: OWN_PROCESSES,
    )


def _prepare() -> None:
    """While nobody waits: import what calls are likely to need, so that the forked ones have it."""
    import _sitebuiltins
    import atexit
    import gc
    import json
    import linecache
    import threading
    import traceback

    from outrider.tools.sandbox.inside import runner as inside_runner

    gc.collect()
    gc.freeze()  # a collection in a forked process would copy every page of ours
    _ = (_sitebuiltins, atexit, json, linecache, threading, traceback, inside_runner)
