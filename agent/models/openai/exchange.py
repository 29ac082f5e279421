"""One HTTP exchange with a model server: what is sent, what comes back, how it fails. Touches nothing.
Does not promise: retries; every attempt may be billed, so the caller sees each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Stage = Literal["connect", "tls", "timeout", "cut", "garbled", "size"]
Sink = Callable[[bytes], None]
Headers = list[tuple[str, str]]


class TransportError(Exception):
    """No usable answer. `sent`: the request (or part of it) had left, so the server may have worked, and charged."""

    def __init__(self, stage: Stage, why: str, *, sent: bool) -> None:
        super().__init__(stage, why)
        self.stage, self.why, self.sent = stage, why, sent


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP answer. `headers` have lower-case names. `body` is empty if a sink took it."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Leaving:
    """Whether a request has begun to leave: from then on the server may have seen it."""

    begun: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """What to send. `sink` gets the pieces of a 200 answer that is an event stream; any other answer comes whole.
    `timeout_s` covers everything, connecting included; `max_bytes` bounds the decoded body of the answer."""

    path: str
    headers: Headers
    body: bytes
    sink: Sink | None
    timeout_s: float
    max_bytes: int


class Transport(Protocol):
    """How a request reaches the server: ours, or the client of the SDK that a user brings."""

    async def post(self, post: Post) -> HttpResponse:
        """Send once. Raises TransportError; what the sink raises passes through."""
        ...

    async def aclose(self) -> None:
        """Close every connection. May be called twice."""
        ...
