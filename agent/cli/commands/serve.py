"""`outrider serve`: goals over HTTP. Only translates; agent/serving works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from outrider.agent.cli.flags import Profile, RunFlags, takes
from outrider.agent.cli.given import budget_of, choose_model, read_config, settings_of
from outrider.agent.cli.output import say

WAIT_S = 86_400.0  # how long a call that needs a yes waits for one
Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Where it listens.")]
Port = Annotated[int, typer.Option("--port", metavar="N", help="The port (0: any that is free).", min=0, max=65_535)]
Jobs = Annotated[int, typer.Option("--jobs", "-j", metavar="N", help="Runs driven at once.", min=1, max=10_000)]
Public = Annotated[
    bool,
    typer.Option("--public", help="Let other machines reach it (there is no TLS; the token must be yours).",
                 show_default=False),
]  # fmt: skip
Names = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="HOST", help="A name it goes by, such as a proxy's (again for more).", show_default=False),
]  # fmt: skip
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", help="The file with its token (default: one in the data folder).",
                 show_default=False),
]  # fmt: skip


@takes(RunFlags)
def command(
    flags: RunFlags,
    host: Host = "127.0.0.1",
    port: Port = 8765,
    jobs: Jobs = 32,
    public: Public = False,
    name: Names = None,
    token_file: TokenFile = None,
    profile: Profile = None,
) -> None:
    """Take goals over HTTP and work on them; runs go on after a restart. Every request needs the token.

    Flags are those of `run`, for each run that does not say otherwise. What a run asks waits for a yes through the API.
    """
    import os

    from outrider.agent.serving import server
    from outrider.agent.serving.access import TOKEN, token_of

    place = server.Place(host, port, public, tuple(name or ()))
    server.refuse_open_places(place, token_given=bool(os.environ.get(TOKEN) or token_file))
    file = token_file or server.token_file()
    token = token_of(file)
    agent = _agent(flags, profile)

    def ready(address: str) -> None:
        where = f"the variable {TOKEN}" if os.environ.get(TOKEN) else str(file)
        say(f"serving at {address}; the token is in {where}; Ctrl-C stops it, and runs go on at the next start")

    server.serve(agent, place, token, jobs, Path(flags.workspace or "."), ready)


def _agent(flags: RunFlags, profile: str | None) -> Any:
    from outrider.agent.agent import Agent
    from outrider.agent.assemble import Listeners

    config = read_config(profile)
    settings = settings_of(flags, config)
    spec, settings = choose_model(flags, config, settings, flags.progress(), profile=profile)
    waits = Listeners(approve_within_s=WAIT_S)
    return Agent(spec, memory=flags.memory, budget=budget_of(flags, config), listeners=waits, **settings)
