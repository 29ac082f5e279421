"""How a worker comes up and goes: takes the channel, binds itself, serves, and clears away.
May touch: itself, its children, and at the end the folder the agent gave it. Run by inside/worker.py.
Does not promise to tell more than the last words of what went wrong.
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH101, PTH114, PTH118

from __future__ import annotations

import os

from outrider.tools.sandbox.inside import call as calls
from outrider.tools.sandbox.inside import confine as confine
from outrider.tools.sandbox.inside import kernel as kernel
from outrider.tools.sandbox.inside import wire as wire
from outrider.tools.sandbox.inside.serve import Worker
from outrider.tools.sandbox.inside.settings import PROXY_PORT, Settings


def _hand_over_listener(channel: int) -> None:
    """Listen on loopback in this network, where nobody else is, and give the socket to the agent, who is elsewhere."""
    import socket

    with socket.create_server(("127.0.0.1", PROXY_PORT)) as listener, socket.socket(fileno=channel) as agent:
        socket.send_fds(agent, [b"listener"], [listener.fileno()])


def _remove(folder: str) -> None:
    """The agent may have died: what it would have removed goes here. Nothing runs any more that could interfere."""
    import shutil

    for place, folders, _ in os.walk(folder):  # from the top, never into links: what is opened here is walked next
        for name in folders:
            inner = os.path.join(place, name)
            if not os.path.islink(inner):  # chmod follows them, and they may lead to what is yours
                try:
                    os.chmod(inner, 0o700)
                except OSError:
                    continue
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Take the channel away from descriptors 0 and 1, and serve."""
    inbox, outbox = (os.dup2(fd, place, inheritable=False) for fd, place in ((0, 10), (1, 11)))
    null = os.open("/dev/null", os.O_RDWR)
    for place in (0, 1, 2, 3, 4):
        os.dup2(null, place)
    stage, settings = "reading the limits", None
    try:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        settings = Settings.from_fields(wire.receive(inbox))
        stage = "becoming an unprivileged user"
        if settings.seal != "never":
            kernel.empty_bounding_set()
        if settings.become:
            confine.become_nobody(settings.become)
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        if settings.listen:
            stage = "opening the proxy's socket"
            _hand_over_listener(settings.listen)
        worker = Worker(inbox, outbox, settings)
        wire.send(outbox, b"ready", str(confine.landlock_abi()).encode())
        worker.serve()
    except wire.Broken:
        calls.clear(())
        if settings and settings.remove:
            _remove(settings.remove)
    except BaseException as error:
        import traceback

        text = "".join(traceback.format_exception(error)[-3:])
        wire.send(outbox, b"failed", stage.encode(), text.encode())
    finally:
        os._exit(0)
