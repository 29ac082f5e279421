"""Starts the viewer: a socket on loopback, a fresh token, uvicorn on it.
Touches: one loopback socket; starts `outrider` for the actions of the page. Does not promise: TLS; nothing leaves the machine.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO

from outrider.agent.review.web.guard import Guard
from outrider.memory.errors import UsageError
from outrider.memory.store import Store

WAITS = "1h"  # a run started from the page, for an answer on the page
LOOKED_AT_S = 4.0


def serve(store: Store, memory: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until interrupted; `ready` is told the address with the token. Raises UsageError if the port is taken."""
    import uvicorn

    from outrider.agent.review.web.app import make_app

    listening = _listen(port)
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)
    app = Guard(make_app(store, _starter(memory)), token=token, port=port)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1, server_header=False
    )
    ready(f"http://127.0.0.1:{port}/?token={token}")
    uvicorn.Server(config).run(sockets=[listening])


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise UsageError(
            f"the viewer cannot use port {port}",
            getattr(error, "strerror", "") or str(error),
            "give --port another, or 0",
        ) from error
    return listening


def _starter(memory: str) -> Callable[[list[str]], None]:
    """Starts an outrider command of its own, which outlives the viewer; a call of it that needs a yes waits for the page."""

    def go(arguments: list[str]) -> None:
        program = "import sys; from outrider.agent.cli import main; sys.exit(main())"
        more = ("--memory", memory, "--quiet", "--approve-within", WAITS)
        with tempfile.TemporaryFile() as said:
            started = subprocess.Popen(
                [sys.executable, "-c", program, *arguments, *more], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=said, start_new_session=True,
            )  # fmt: skip
            _refused(started, said)

    return go


def _refused(started: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    """Look a moment whether it refuses what it was asked, so that the page can say so. Raises UsageError."""
    until = time.monotonic() + LOOKED_AT_S
    while (code := started.poll()) is None and time.monotonic() < until:
        time.sleep(0.05)
    if code in (1, 2):
        said.seek(0)
        what, _, rest = said.read(20_000).decode("utf-8", "replace").strip().partition("\n")
        raise UsageError(what or "it could not be started", " ".join(rest.split()) or f"exit code {code}", "go back")
