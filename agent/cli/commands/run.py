"""`outrider run GOAL`: work on a goal. Only translates; the work is in agent/agent.py and below."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Profile, RunFlags, takes
from outrider.agent.cli.given import budget_of, choose_model, from_config, read_config
from outrider.agent.cli.output import ReaderGone, out, out_json
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.cli.progress import Progress
    from outrider.agent.history.run_view import Run


@takes(RunFlags)
def command(
    goal: Annotated[
        str,
        typer.Argument(
            metavar="GOAL", help='What you want, in your words; "-" reads it from stdin.', show_default=False
        ),
    ],
    flags: RunFlags,
    label: Annotated[
        str, typer.Option("--label", metavar="TEXT", help="A word to find this run by.", show_default=False)
    ] = "",
    profile: Profile = None,
) -> None:
    """Work on GOAL until it is answered or a limit is reached.

    The answer goes to stdout, everything else to stderr. Ctrl-C stops after the step; `outrider resume` goes on.
    """
    from outrider.agent.agent import Agent
    from outrider.agent.cli.progress import Progress
    from outrider.agent.cli.session import work

    goal = sys.stdin.read() if goal == "-" else goal
    if not goal.strip():
        raise UsageError("there is no goal", "it is empty", 'say what you want: outrider run "…"')
    config = read_config(profile)
    given = from_config(config) | flags.settings(config.get("policy") or {}) | ({"label": label} if label else {})
    budget = budget_of(flags, config)
    progress = Progress(quiet=flags.quiet)
    spec, settings = choose_model(flags, config, given, progress, profile=profile)
    run = work(
        lambda listeners: Agent(spec, memory=flags.memory, budget=budget, listeners=listeners, **settings),
        lambda agent: agent.prepare(goal),
        progress,
    )
    finish(run, progress, as_json=flags.json)


def finish(run: Run, progress: Progress, *, as_json: bool) -> None:
    """Print what a run came to and leave with its exit code."""
    from outrider.agent.cli.progress import ending
    from outrider.agent.review.lines import tame

    try:
        if as_json:
            out_json(run.as_json())
        elif answer := tame(str(run.answer)).strip("\n"):
            out(answer)
    except ReaderGone:
        pass  # the run is over and on disk; its exit code still tells
    progress.show(ending(run))
    raise typer.Exit(run.exit_code)
