"""One running sandbox: the worker's process, its channel, its workspace; starts it, calls it, ends it.
May touch: the process it started, the workspace folder. Synchronous; safe to use from several threads.
Does not promise state: a worker that dies is replaced, and sessions in it are gone.
"""
# Paths as text and descriptors: pathlib has neither descriptors nor the words of a link.
# ruff: noqa: PTH101, PTH114, PTH120

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from outrider.memory.text import for_storage
from outrider.tools.sandbox.channel import Channel, Message, Stalled
from outrider.tools.sandbox.inside.wire import Broken
from outrider.tools.sandbox.isolation import Start, Unusable
from outrider.tools.sandbox.workspace import HostFolder

START_S = 20.0  # a worker that has not said it is ready by then will not
GRACE_S = 5.0  # how long after its deadline a call may take to be reported; then the worker is taken down
_numbers = itertools.count(1)


class Running:
    """A started worker. Raises Unusable from `ready` if it could not build its isolation."""

    def __init__(self, start: Start, folder: HostFolder | None) -> None:
        self._folder = folder
        self._over: set[bytes] = set()
        self._turn = threading.Lock()  # one exchange of files at a time
        self._ready = threading.Event()
        self._failure: tuple[str, str] | None = None
        self._noise = (
            os.memfd_create("sandbox-stderr") if hasattr(os, "memfd_create") else os.open(os.devnull, os.O_WRONLY)
        )
        self._process, ours = _launched(start, self._noise)
        self._listener = start.listener
        me = weakref.WeakMethod(self._other)  # the finalizer below holds the channel: it must not hold us

        def sink(message: Message) -> None:
            if (other := me()) is not None:
                other(message)

        self._channel = Channel(ours, sink)
        self._end = weakref.finalize(self, _take_down, self._process, self._channel, self._noise, start)
        with contextlib.suppress(Broken):
            for message in start.messages:
                self._channel.send(*message)

    def _other(self, message: Message) -> None:
        """Messages that belong to no call."""
        if message[0] == b"ready":
            self._ready.set()
        elif message[0] == b"failed":
            text = b": ".join(message[1:]).decode("utf-8", "replace")
            self._failure = (text, "")
        elif self._folder is not None:
            self._folder.take(message)

    def ready(self) -> None:
        """Wait until the worker serves. Raises Unusable with what it said if it does not come up."""
        try:
            self._channel.wait_until(self._ready.is_set, time.monotonic() + START_S)
        except (Broken, Stalled) as error:
            raise Unusable(self.why(error), "") from None

    def why(self, error: Exception) -> str:
        """Why the worker is gone, from what it said last."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        said = ""
        with contextlib.suppress(OSError):  # closed already: we ended it
            said = os.pread(self._noise, 2000, 0).decode("utf-8", "replace").strip()
        failure = self._failure[0] if self._failure else ""
        return for_storage("; ".join(part for part in (failure, said) if part) or str(error) or type(error).__name__)

    def listener(self) -> socket.socket:
        """The socket that listens in the sandbox's own network. Raises Unusable if the worker did not come up."""
        assert self._listener is not None
        self.ready()
        _, fds, _, _ = socket.recv_fds(self._listener, 100, 1)
        self._listener.close()
        return socket.socket(fileno=fds[0])

    def alive(self) -> bool:
        """Whether calls can still be made."""
        return self._end.alive and not self._channel.broken and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process the agent started."""
        return int(self._process.pid)

    def new_identity(self) -> bytes:
        """A name for a call or a session."""
        return str(next(_numbers)).encode()

    def ended(self, identity: bytes) -> bool:
        """Whether the processes of this call or session are known to be gone."""
        return identity in self._over or not self.alive()

    def listen(self, identity: bytes) -> contextlib.AbstractContextManager[None]:
        """Keep what is said about `identity` while inside."""
        return self._channel.call(identity)

    def send(self, *fields: bytes) -> None:
        """An order to the worker. Raises Broken."""
        self._channel.send(*fields)

    def send_news(self) -> None:
        """Bring the sandbox's workspace up to date."""
        if self._folder is not None:
            with self._turn:
                for message in self._folder.news():
                    self._channel.send(*message)

    def result(self, identity: bytes, seconds: float, answer: Callable[[bytes, bytes], bytes] | None) -> Message:
        """Wait for the end of the call; meanwhile `answer(name, arguments)` what its code asks of the agent.

        Raises Broken when the worker dies, and takes it down and raises Stalled when it does not report in time.
        """
        deadline = time.monotonic() + seconds + GRACE_S
        while True:
            try:
                message = self._channel.wait(identity, deadline)
                if message[0] != b"done" and time.monotonic() > deadline:
                    raise Stalled
            except Stalled:
                self.close()
                raise
            if message[0] == b"done":
                if message[4] == b"1":
                    self._over.add(identity)
                return message
            reply = answer(message[2], message[3]) if answer else b'{"error": "no tools can be called from here"}'
            self._channel.send(b"reply", identity, reply)

    def close(self) -> None:
        """End the worker and all it started; returns when they are gone."""
        self._end()


def _launched(start: Start, noise: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The worker's process and our end of its channel; `noise` takes its stderr. Raises Unusable, and closes what it had."""
    ours, theirs = socket.socketpair()
    no_groups: list[str | int] | None = None if start.user is None else []
    try:
        process = subprocess.Popen(
            start.command,
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=noise,
            env=start.environment,
            cwd="/",
            pass_fds=start.descriptors,
            user=start.user,
            group=start.user,
            extra_groups=no_groups,
            start_new_session=True,  # Ctrl-C in the agent's terminal is the agent's business
        )
    except OSError as error:
        ours.close()
        os.close(noise)
        raise Unusable(
            f"{start.command[0]} could not be started: {error.strerror}", "check that it is installed"
        ) from error
    finally:
        theirs.close()
        for fd in start.descriptors:
            os.close(fd)
    return process, ours


def _take_down(process: subprocess.Popen[bytes], channel: Channel, noise: int, start: Start) -> None:
    channel.close()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
    os.close(noise)
    if start.finish is not None:
        start.finish()
    if start.folder is not None:
        remove_tree(start.folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder that hostile code has had: unreadable folders and any depth included. Touches nothing above it."""

    def make_removable(_function: object, path: str, _error: object) -> None:
        for place in (os.path.dirname(path), path):
            if place.startswith(f"{folder}/") and not os.path.islink(place):
                with contextlib.suppress(OSError):
                    os.chmod(place, 0o700)

    for _ in range(50):
        if not folder.exists():
            return
        if sys.version_info >= (3, 12):
            shutil.rmtree(folder, onexc=make_removable)
        else:
            shutil.rmtree(folder, onerror=make_removable)
        if folder.exists():
            _shorten(folder)


def _shorten(folder: Path) -> None:
    """Bring the deepest folders up to the top, so that the next round can reach them."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    top = os.dup(at)
    try:
        for _ in range(200):
            inner = next((e.name for e in os.scandir(at) if e.is_dir(follow_symlinks=False)), None)
            if inner is None:
                return
            os.chmod(inner, 0o700, dir_fd=at)
            deeper = os.open(inner, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = deeper
        for entry in list(os.scandir(at)):
            with contextlib.suppress(OSError):
                os.rename(entry.name, f"up-{entry.name[:40]}-{time.monotonic_ns()}", src_dir_fd=at, dst_dir_fd=top)
    finally:
        os.close(at)
        os.close(top)
