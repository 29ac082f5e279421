"""`outrider resume RUN`: go on with a run that was left, interrupted or out of budget."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outrider.agent.cli.flags import RunFlags, takes


@takes(RunFlags)
def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help='A run: its id, a part of it, or "last".', show_default=False)
    ],
    flags: RunFlags,
) -> None:
    """Go on with a run. It remembers how it was started; flags change that: --usd +0.50 adds, --usd 2 replaces.

    A run that has ended prints its stored answer and leaves with the exit code it ended with.
    """
    from outrider.agent.agent import Agent
    from outrider.agent.assemble import RunEnded
    from outrider.agent.cli.conclusion import Conclusion
    from outrider.agent.cli.given import asking, meant
    from outrider.agent.cli.listing.databases import open_store
    from outrider.agent.cli.session import work
    from outrider.agent.history.run_view import read_run

    progress = flags.progress()
    conclusion = Conclusion(progress, as_json=flags.json)

    async def prepare(agent: Agent) -> Any:
        _, before, _ = agent.as_driven(run)
        changes = flags.settings(before.policy)
        if changes.get("isolation"):
            changes.setdefault("unsafe", False)  # a sandbox was asked for by name
        return await agent.prepare_resume(run, model=meant(flags.model), budget=flags.limits(), **changes)

    try:
        done = work(
            lambda listeners: Agent(None, memory=flags.memory, listeners=asking(flags, listeners)),
            prepare,
            progress,
            conclusion,
        )
    except RunEnded:
        done = read_run(open_store(flags.memory), run)
    conclusion.leave(done)
