"""`outrider chat`: goals one after the other, in one run."""

from __future__ import annotations

import typer

from outrider.agent.cli.commands.run import Continue, Label, Of
from outrider.agent.cli.flags import Profile, RunFlags, takes
from outrider.agent.cli.given import asking, budget_of, choose_model, from_workspace, meant, read_config, settings_of


@takes(RunFlags)
def command(
    flags: RunFlags,
    continued: Continue = False,
    run: Of = None,
    label: Label = "",
    profile: Profile = None,
) -> None:
    """Give goals one after the other, each with what was said before: one run, kept like any other.

    Enter sends, Alt-Enter breaks the line, Tab completes commands and files, @FILE attaches a file, Ctrl-C stops the step and
    not the program, Ctrl-D leaves. /help lists the commands. The budget is for the whole chat; /budget raises it.
    """
    from outrider.agent.agent import Agent
    from outrider.agent.cli.chat.talk import Chat, run_chat
    from outrider.agent.cli.conclusion import Conclusion
    from outrider.agent.cli.progress import Progress

    progress = Progress(quiet=flags.quiet)
    conclusion = Conclusion(progress, as_json=flags.json)
    if continued or run:
        chat = Chat(
            lambda listeners: Agent(None, memory=flags.memory, listeners=asking(flags, listeners)),
            {}, progress, conclusion, flags.memory, meant(flags.model), {**flags.limits()},
        )  # fmt: skip
        raise typer.Exit(run_chat(chat, run or "last"))
    config = read_config(profile)
    settings = settings_of(flags, config) | ({"label": label} if label else {})
    budget = budget_of(flags, config)
    spec, settings = choose_model(flags, config, settings, progress, profile=profile)
    chat = Chat(
        lambda listeners: Agent(spec, memory=flags.memory, budget=budget, listeners=asking(flags, listeners, config), **settings),
        settings, progress, conclusion, flags.memory, spec,
        opening=lambda agent: from_workspace(config, settings.get("workspace", "."), agent.store),
    )  # fmt: skip
    raise typer.Exit(run_chat(chat))
