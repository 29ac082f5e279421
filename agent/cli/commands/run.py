"""`outrider run GOAL`: work on a goal. Only translates; the work is in agent/agent.py and below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from outrider.agent.cli.flags import Profile, RunFlags, takes
from outrider.agent.cli.given import asking, budget_of, choose_model, from_workspace, read_config, settings_of

if TYPE_CHECKING:
    from outrider.agent.agent import Agent
    from outrider.agent.cli.progress import Progress
    from outrider.agent.live_run import LiveRun


Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[GOAL] [FILE]…",
        help='What you want, in your words ("-": read it from stdin), and files it is about. With -t also NAME=VALUE.',
        show_default=False,
    ),
]
GoalFile = Annotated[
    str | None,
    typer.Option("--file", "-f", metavar="@FILE", help="Read the goal from a file.", show_default=False),
]
Continue = Annotated[
    bool,
    typer.Option("--continue", "-c", help="Go on from the last run (or --run), with all it knows.", show_default=False),
]
Of = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="With --continue: the run to go on from.", show_default=False),
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
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image", metavar="FILE", help="A picture the goal is about (several: once each).", show_default=False
    ),
]
EstimateOnly = Annotated[
    bool, typer.Option("--estimate", help="Say what it is likely to cost, and start nothing.", show_default=False)
]


@takes(RunFlags)
def command(
    flags: RunFlags,
    words: Words = None,
    goal_file: GoalFile = None,
    continued: Continue = False,
    run: Of = None,
    label: Label = "",
    template: Template = None,
    profile: Profile = None,
    schema: Schema = None,
    image: Images = None,
    estimate: EstimateOnly = False,
) -> None:
    """Work on GOAL until it is answered or a limit is reached. Without a goal, your editor opens or you are asked.

    The answer goes to stdout, everything else to stderr. Ctrl-C stops after the step; `outrider resume` goes on. What is piped
    in and the files named are part of the goal: a small text is shown to the model, of the rest it learns the path.
    """
    from outrider.agent.cli.input.asking import wanted
    from outrider.agent.structured.schema import schema_of

    goal, files, config = wanted(list(words or ()), goal_file, template, read_config(profile))
    piped = not goal_file and not template and (not words or words[0] == "-")
    progress, shape = flags.progress(), schema or config.get("schema")
    if continued or run:
        _follow_up(flags, run or "last", goal, (files, piped), image or [], progress)
    else:
        own = ({"label": label} if label else {}) | ({"schema": schema_of(shape)} if shape else {})
        _start(flags, goal, (files, piped), image or [], own, profile, config, progress, estimate=estimate)


def _start(
    flags: RunFlags,
    goal: str,
    given: tuple[list[str], bool], images: list[str],
    own: dict[str, Any], profile: str | None, config: dict[str, Any],
    progress: Progress,
    *,
    estimate: bool,
) -> NoReturn:  # fmt: skip
    from outrider.agent.agent import Agent
    from outrider.agent.cli.conclusion import Conclusion
    from outrider.agent.cli.input.asking import attached
    from outrider.agent.cli.input.attach import small_for, tidy
    from outrider.agent.cli.session import work
    from outrider.agent.cli.support.estimates import leave_with_estimate

    settings = settings_of(flags, config) | own
    budget = budget_of(flags, config)
    conclusion = Conclusion(progress, as_json=flags.json)
    spec, settings = choose_model(flags, config, settings, progress, profile=profile)
    if estimate:
        leave_with_estimate(goal, spec, settings, flags.memory, budget, as_json=flags.json)
    workspace = settings.get("workspace", ".")
    attachments = attached(*given, workspace, small_for(spec))

    async def prepare(agent: Agent) -> LiveRun:
        more = from_workspace(config, workspace, agent.store)
        return await agent.prepare(goal, attachments=attachments, images=images, **more)

    done = work(
        lambda listeners: Agent(
            spec, memory=flags.memory, budget=budget, listeners=asking(flags, listeners, config), **settings
        ),
        prepare, progress, conclusion,
    )  # fmt: skip
    if done.state == "answered":
        tidy(attachments, workspace)
    conclusion.leave(done)


def _follow_up(
    flags: RunFlags, run: str, goal: str, given: tuple[list[str], bool], images: list[str], progress: Progress
) -> NoReturn:
    """Another goal for a run there is, with flags as `resume` takes them."""
    import asyncio

    from outrider.agent.agent import Agent
    from outrider.agent.cli.conclusion import Conclusion
    from outrider.agent.cli.given import meant
    from outrider.agent.cli.input.asking import attached
    from outrider.agent.cli.input.attach import small_for
    from outrider.agent.cli.session import work

    conclusion = Conclusion(progress, as_json=flags.json)

    async def prepare(agent: Agent) -> LiveRun:
        _, before, _ = agent.as_driven(run)
        changes = flags.settings(before.policy)
        attachments = await asyncio.to_thread(
            attached, *given, changes.get("workspace", before.workspace), small_for(flags.model or before.model)
        )
        return await agent.prepare_follow_up(
            run,
            goal,
            attachments=attachments,
            images=images,
            model=meant(flags.model),
            budget=flags.limits(),
            **changes,
        )

    done = work(
        lambda listeners: Agent(None, memory=flags.memory, listeners=asking(flags, listeners)),
        prepare,
        progress,
        conclusion,
    )
    conclusion.leave(done)
