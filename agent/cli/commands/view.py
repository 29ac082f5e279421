"""`outrider view`: runs in a browser, on this machine only."""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.flags import Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, say


def command(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, metavar="N", help="0: any that is free.")] = 0,
    open_it: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = True,
    memory: Memory = None,
) -> None:
    """Look at runs in a browser: list, search, timeline, every step, live. Bound to loopback; the address holds a token."""
    import sys
    import webbrowser

    from outrider.agent.review.web.server import serve
    from outrider.agent.settings.config import default_memory

    def ready(address: str) -> None:
        out(address)
        say("Ctrl-C ends the viewer; the address works until then")
        if open_it and sys.stdout.isatty():
            webbrowser.open(address)

    serve(open_store(memory), memory or default_memory(), port, ready)
