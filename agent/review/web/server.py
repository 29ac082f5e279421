"""Starts the viewer: a socket on loopback, a fresh token, uvicorn on it.
Touches: one loopback socket; starts `outrider` for the actions of the page. Does not promise: TLS; nothing leaves the machine.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Callable

from outrider.agent.review.web.guard import Guard
from outrider.memory.errors import UsageError
from outrider.memory.store import Store


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
    """Starts an outrider command of its own, which outlives the viewer and asks nobody."""

    def go(arguments: list[str]) -> None:
        program = "import sys; from outrider.agent.cli import main; sys.exit(main())"
        subprocess.Popen(
            [sys.executable, "-c", program, *arguments, "--memory", memory, "--quiet"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    return go
