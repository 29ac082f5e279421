"""A real viewer on loopback, in a thread, for the tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2
import uvicorn

from outrider.agent.review.web.app import make_app
from outrider.agent.review.web.guard import Guard
from outrider.agent.review.web.server import _listen
from outrider.memory.store import Store

TOKEN = "the-token-of-this-start"


@dataclass
class Viewer:
    """`started` collects the commands that actions would have started."""

    address: str
    started: list[list[str]] = field(default_factory=list)

    @contextmanager
    def client(self, *, known: bool = True) -> Iterator[httpx2.Client]:
        """A browser that was (or was not) given the token."""
        with httpx2.Client(base_url=self.address, follow_redirects=True, timeout=20) as client:
            if known:
                client.get(f"/?token={TOKEN}")
            yield client

    @property
    def port(self) -> int:
        """Its port."""
        return urlsplit(self.address).port or 0


@contextmanager
def viewing(store: Store) -> Iterator[Viewer]:
    """Serve a store."""
    listening = _listen(0)
    viewer = Viewer(f"http://127.0.0.1:{listening.getsockname()[1]}")
    app = Guard(make_app(store, viewer.started.append), token=TOKEN, port=viewer.port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield viewer
    finally:
        server.should_exit = True
        thread.join(10)
