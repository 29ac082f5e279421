"""Starts the server: a socket, a token, uvicorn on it, until it is told to stop.
Touches one socket, and the file of the token. Does not promise: TLS.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from outrider.agent.agent import Agent
from outrider.agent.serving.access import TOKEN, Access
from outrider.agent.serving.api import Api, make_app
from outrider.agent.serving.following import Hub
from outrider.agent.serving.worker import Worker
from outrider.memory.errors import UsageError

PORT = 8765


@dataclass(frozen=True, slots=True)
class Place:
    """Where it listens. public: other machines may reach it. names: hosts it goes by, besides this machine's loopback."""

    host: str = "127.0.0.1"
    port: int = PORT
    public: bool = False
    names: Sequence[str] = ()


def token_file() -> Path:
    """Where the token of this person's server is kept."""
    from outrider.agent.settings.config import data_folder

    return data_folder() / "serve.token"


def refuse_open_places(place: Place, *, token_given: bool) -> None:
    """Raises UsageError for a place that other machines reach, unless that was asked for by name and with a token."""
    if _is_loopback(place.host):
        return
    if not place.public:
        raise UsageError(f"{place.host} can be reached from other machines", "whoever has the token may run tools on this one",
                         "listen on 127.0.0.1 behind a proxy with TLS, or add --public")  # fmt: skip
    if not token_given:
        raise UsageError("a server that others reach needs a token you gave it", "none was given",
                         f"set {TOKEN}, or name a file with --token-file")  # fmt: skip


def serve(agent: Agent, place: Place, token: str, jobs: int, workspace: Path, ready: Callable[[str], None]) -> None:
    """Serve until interrupted. Raises UsageError if the port is taken."""
    import uvicorn

    listening = _listen(place)
    port = listening.getsockname()[1]
    hub = Hub()
    worker = Worker(agent, jobs, hub)
    names = [*place.names, *([] if place.host in ("0.0.0.0", "::") else [place.host])]  # noqa: S104  (compared, not bound)
    app = Access(
        make_app(Api(worker, hub, workspace), worker), token=token, port=port, names=names, public=place.public
    )
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=1, server_header=False,
        backlog=2048,
    )  # fmt: skip
    ready(f"http://{f'[{place.host}]' if ':' in place.host else place.host}:{port}")
    uvicorn.Server(config).run(sockets=[listening])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(place: Place) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in place.host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((place.host, place.port))
    except (OSError, OverflowError) as error:
        listening.close()
        said = getattr(error, "strerror", "") or str(error)
        raise UsageError(
            f"the server cannot use {place.host}:{place.port}", said, "give --port another, or 0"
        ) from error
    return listening
