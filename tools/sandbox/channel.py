"""The agent's end of the channel to a worker: many threads may wait for their own answers on one socket.
Touches one socket. Whoever waits reads; the messages of others are put aside for them (no thread of its own).
Does not promise that the worker lives: `Broken` when it is gone, `Stalled` when it says nothing in time.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from outrider.tools.sandbox.inside import wire as wire
from outrider.tools.sandbox.inside.wire import Broken

Message = list[bytes]
SEND_S = 60.0  # a worker that takes nothing for so long is as good as dead


class Stalled(Exception):
    """The worker did not answer in time."""


class Channel:
    """Messages `call` and `done` go to the call they name; everything else goes to `sink`, in order."""

    def __init__(self, end: socket.socket, sink: Callable[[Message], None]) -> None:
        self._end, self._sink = end, sink
        self._state = threading.Condition()
        self._sending = threading.Lock()
        self._boxes: dict[bytes, deque[Message]] = {}
        self._reading = False
        self._broken: BaseException | None = None

    @property
    def broken(self) -> bool:
        """Whether nothing more can come."""
        return self._broken is not None

    @contextlib.contextmanager
    def call(self, identity: bytes) -> Iterator[None]:
        """While inside, messages for `identity` are kept for `wait`."""
        with self._state:
            self._boxes[identity] = deque()
        try:
            yield
        finally:
            with self._state:
                self._boxes.pop(identity, None)

    def send(self, *fields: bytes) -> None:
        """Send one message. Raises Broken."""
        with self._sending:
            try:
                self._end.settimeout(SEND_S)
                self._end.sendall(wire.encode(*fields))
            except OSError as error:
                raise Broken(str(error)) from None

    def wait(self, identity: bytes, deadline: float) -> Message:
        """The next message for `identity`. Raises Broken, or Stalled after `deadline` (time.monotonic())."""
        self.wait_until(lambda: bool(self._boxes[identity]), deadline)
        with self._state:
            return self._boxes[identity].popleft()

    def wait_until(self, happened: Callable[[], bool], deadline: float) -> None:
        """Read, or let another thread read, until `happened()`. Raises as `wait`."""
        while True:
            with self._state:
                while True:
                    if happened():
                        return
                    if self._broken is not None:
                        raise Broken(str(self._broken))
                    if not self._reading:
                        self._reading = True
                        break
                    if not self._state.wait(max(0.0, deadline - time.monotonic())):
                        raise Stalled
            self._read_one(deadline)

    def _read_one(self, deadline: float) -> None:
        """Read one message for whoever it is for. Only one thread is here at a time."""
        message: Message | None = None
        try:
            message = self._receive(deadline)
            if message[0] not in (b"call", b"done"):
                self._sink(message)
        except (OSError, Broken) as error:
            self._broken = error
        except Stalled:
            raise
        except BaseException as error:  # interrupted, perhaps within a message: what follows would be read as nonsense
            self._broken = error
            raise
        finally:
            with self._state:
                self._reading = False
                if message and message[0] in (b"call", b"done") and message[1] in self._boxes:
                    self._boxes[message[1]].append(message)
                self._state.notify_all()

    def _receive(self, deadline: float) -> Message:
        try:
            size = int.from_bytes(self._exactly(4, deadline), "big")
        except TimeoutError:
            raise Stalled from None
        if size > wire.LARGEST:
            raise Broken("a message that is too large")
        try:
            return wire.decode(self._exactly(size, deadline + 30))
        except TimeoutError:
            raise Broken("the worker stopped in the middle of a message") from None

    def _exactly(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._end.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                piece = self._end.recv(min(size - len(data), wire.PIECE))
            except TimeoutError:
                if data:
                    raise Broken("the worker stopped in the middle of a message") from None
                raise
            if not piece:
                raise Broken("the worker has ended")
            data += piece
        return bytes(data)

    def close(self) -> None:
        """Hang up; the worker ends when it notices."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()
