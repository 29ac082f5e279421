"""`outrider run GOAL`: work on a goal. Only translates; the work is in agent/agent.py and below."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Profile, RunFlags, takes
from outrider.agent.cli.given import budget_of, choose_model, from_template, from_workspace, read_config, settings_of
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.live_run import LiveRun


Goal = Annotated[
    str | None,
    typer.Argument(metavar="GOAL", help='What you want, in your words; "-" reads it from stdin.', show_default=False),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME=VALUE]…", help="With -t: what the template's places stand for.", show_default=False),
]
Label = Annotated[str, typer.Option("--label", metavar="TEXT", help="A word to find this run by.", show_default=False)]
Template = Annotated[
    str | None,
    typer.Option(
        "--template", "-t", metavar="NAME", help="A goal you keep under a name (docs/config.md).", show_default=False
    ),
]

Schema = Annotated[
    str | None,
    typer.Option(
        "--schema", metavar="FILE|FIELDS", show_default=False,
        help='The answer is JSON of this shape: a JSON Schema file, or "name, age int, tags str[]".',
    ),
]  # fmt: skip


@takes(RunFlags)
def command(
    flags: RunFlags,
    goal: Goal = None,
    words: Words = None,
    label: Label = "",
    template: Template = None,
    profile: Profile = None,
    schema: Schema = None,
) -> None:
    """Work on GOAL until it is answered or a limit is reached.

    The answer goes to stdout, everything else to stderr. Ctrl-C stops after the step; `outrider resume` goes on.
    """
    from outrider.agent.agent import Agent
    from outrider.agent.cli.conclusion import Conclusion
    from outrider.agent.cli.progress import Progress
    from outrider.agent.cli.session import work
    from outrider.agent.structured.schema import schema_of

    config = read_config(profile)
    given = [] if goal is None else [goal, *(words or ())]
    if template is not None:
        goal, config = from_template(template, given, config)
    elif words:
        raise UsageError(f"one word too many: {words[0][:100]!r}", "a goal is one argument", 'write it in quotes: "…"')
    else:
        goal = _goal(goal)
    settings = settings_of(flags, config) | ({"label": label} if label else {})
    budget = budget_of(flags, config)
    progress = Progress(quiet=flags.quiet)
    conclusion = Conclusion(progress, as_json=flags.json)
    if shape := schema or config.get("schema"):
        settings["schema"] = schema_of(shape)
    spec, settings = choose_model(flags, config, settings, progress, profile=profile)

    async def prepare(agent: Agent) -> LiveRun:
        return await agent.prepare(goal, **from_workspace(config, settings.get("workspace", "."), agent.store))

    run = work(
        lambda listeners: Agent(spec, memory=flags.memory, budget=budget, listeners=listeners, **settings),
        prepare,
        progress,
        conclusion,
    )
    conclusion.leave(run)


def _goal(written: str | None) -> str:
    """The goal as it was given. Raises UsageError if there is none."""
    goal = sys.stdin.read() if written == "-" else written or ""
    if not goal.strip():
        raise UsageError("there is no goal", "it is empty", 'say what you want: outrider run "…"')
    return goal
