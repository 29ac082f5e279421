"""`outrider fork RUN`: a new run that shares the history of another up to an event."""

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
    at: Annotated[
        int | None, typer.Option("--at", metavar="SEQ", help="Share events up to this one (default: all).", min=1)
    ] = None,
    goal: Annotated[
        str, typer.Option("--goal", metavar="TEXT", help="What to reach instead.", show_default=False)
    ] = "",
) -> None:
    """Go on from an event of a run in a new one, with another goal, model or budget. The old run stays as it is.

    The new run pays only for what is new: its ledger starts at zero.
    """
    from outrider.agent.agent import Agent
    from outrider.agent.cli.conclusion import Conclusion
    from outrider.agent.cli.given import asking, meant
    from outrider.agent.cli.session import work

    progress = flags.progress()
    conclusion = Conclusion(progress, as_json=flags.json)

    async def prepare(agent: Agent) -> Any:
        _, before, _ = agent.as_driven(run)
        changes = flags.settings(before.policy)
        return await agent.prepare_fork(
            run, at=at, goal=goal, model=meant(flags.model), budget=flags.limits(), **changes
        )

    done = work(
        lambda listeners: Agent(None, memory=flags.memory, listeners=asking(flags, listeners)),
        prepare,
        progress,
        conclusion,
    )
    conclusion.leave(done)
