"""What a call printed: read without end, kept with a bound, head and tail, and a count of what fell between.
Touches one descriptor. Does not promise text: bytes in, bytes out; the agent makes them safe to show.
"""

from __future__ import annotations

import os

_CHUNK = 1 << 18


class Stream:
    """One stream of one call. `keep` bytes are kept at most (half head, half tail); `total` counts all."""

    def __init__(self, fd: int, keep: int) -> None:
        self.fd, self.keep = fd, keep
        os.set_blocking(fd, False)
        self.forget()

    def forget(self) -> None:
        """Start again: what was kept has been delivered."""
        self.total, self.head, self.tail = 0, bytearray(), bytearray()

    def read_some(self) -> bool:
        """Read what is there, up to one chunk. False at the end of the stream."""
        try:
            data = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        self._add(data)
        return True

    def drain(self, most: int) -> None:
        """Read all that is there now, but no more than `most` bytes in all."""
        while self.total < most:
            before = self.total
            if not self.read_some() or self.total == before:
                return

    def _add(self, data: bytes) -> None:
        self.total += len(data)
        room = self.keep // 2 - len(self.head)
        if room > 0:
            self.head += data[:room]
            data = data[room:]
        self.tail += data
        if len(self.tail) > self.keep + _CHUNK:
            del self.tail[: len(self.tail) - self.keep // 2]

    def fields(self) -> tuple[bytes, bytes, bytes]:
        """(count of all bytes, head, tail), as they travel."""
        if len(self.tail) > self.keep // 2 and self.total > self.keep:
            del self.tail[: len(self.tail) - self.keep // 2]
        return str(self.total).encode(), bytes(self.head), bytes(self.tail)
