"""`outrider run GOAL`: work on a goal. Only translates; the work is in agent/agent.py and below."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import RunFlags, known_isolation, takes
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.budget import Budget
    from outrider.agent.cli.progress import Progress


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
) -> None:
    """Work on GOAL until it is answered or a limit is reached.

    The answer goes to stdout, everything else to stderr. Ctrl-C stops after the step; `outrider resume` goes on.
    """
    from outrider.agent.agent import Agent
    from outrider.agent.cli.conclusion import Conclusion
    from outrider.agent.cli.progress import Progress
    from outrider.agent.cli.session import work

    goal = sys.stdin.read() if goal == "-" else goal
    if not goal.strip():
        raise UsageError("there is no goal", "it is empty", 'say what you want: outrider run "…"')
    config = read_config()
    given = from_config(config) | flags.settings(config.get("policy") or {}) | ({"label": label} if label else {})
    budget = budget_of(flags, config)
    progress = Progress(quiet=flags.quiet)
    conclusion = Conclusion(progress, as_json=flags.json)
    spec, settings = choose_model(flags, config, given, progress)
    run = work(
        lambda listeners: Agent(spec, memory=flags.memory, budget=budget, listeners=listeners, **settings),
        lambda agent: agent.prepare(goal),
        progress,
        conclusion,
    )
    conclusion.leave(run)


def read_config() -> dict[str, Any]:
    """The configuration file; {} if there is none."""
    from outrider.agent.settings.config import read_config as read

    return read()


def from_config(config: dict[str, Any]) -> dict[str, Any]:
    """What the configuration says of every run, whatever its model is."""
    known_isolation(str(config.get("isolation") or ""))
    return {key: config[key] for key in ("isolation", "policy", "tool_settings") if config.get(key)}


def budget_of(flags: RunFlags, config: dict[str, Any]) -> Budget | None:
    """The limits of the flags; without any, those of the configuration; without any, None."""
    from outrider.agent.budget import Budget

    limits: dict[str, Any] = flags.limits() or config.get("budget") or {}
    try:
        return Budget(**limits) if limits else None
    except TypeError as error:
        raise UsageError(
            "the budget of the configuration is not one", str(error), "it has usd, tokens, steps, seconds, calls"
        ) from error


def choose_model(
    flags: RunFlags, config: dict[str, Any], given: dict[str, Any], progress: Progress
) -> tuple[str, dict[str, Any]]:
    """(the model's spec, settings with how it is reached): the flag, the environment, the file, or the best one found."""
    from outrider.agent.models import split_spec

    named = os.environ.get("OUTRIDER_MODEL", "").strip()
    if flags.model:
        split_spec(flags.model)  # what cannot be meant is said before anything is opened
        return flags.model, given
    if named and (not flags.base_url or named.startswith("openai:")):
        split_spec(named)
        return named, given
    if config.get("model") and not flags.base_url:
        return str(config["model"]), _prices(config) | given
    return _found(flags, given, progress)


def _prices(config: dict[str, Any]) -> dict[str, Any]:
    return {key: config[key] for key in ("base_url", "price_in", "price_out") if config.get(key) is not None}


def _found(flags: RunFlags, given: dict[str, Any], progress: Progress) -> tuple[str, dict[str, Any]]:
    from outrider.agent.models.detect import choose

    key = "" if flags.api_key_env == "-" else os.environ.get(flags.api_key_env) if flags.api_key_env else None
    found = choose(flags.base_url, key)
    progress.show([_choice(found)])
    return found.spec, found.reached() | given


def _choice(found: Any) -> Any:
    from outrider.agent.cli.commands.models import about
    from outrider.agent.review.lines import Line, one_line

    return Line(
        (("using ", "plain"), (one_line(found.spec, 100), "strong"), (f": {one_line(about(found), 300)}", "plain"))
    )
