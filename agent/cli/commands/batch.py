"""`outrider batch GOALS`: work on many goals at once. Only translates; agent/fleet works."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import Profile, RunFlags, takes
from outrider.agent.cli.given import choose_model, read_config, settings_of
from outrider.agent.cli.output import check_apart

if TYPE_CHECKING:
    from outrider.agent.fleet.lines import Format

Goals = Annotated[
    str,
    typer.Argument(
        metavar="GOALS", help='One goal a line: JSON lines, CSV or plain text ("-": stdin).', show_default=False
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", metavar="N", help="Goals at work at once.", min=1, max=10_000)]
Name = Annotated[
    str,
    typer.Option("--name", metavar="NAME", help="What the batch is kept under (default: the path of the file).",
                 show_default=False),
]  # fmt: skip
Kind = Annotated[
    str,
    typer.Option("--format", metavar="KIND", help="jsonl, csv or plain (default: by the name).", show_default=False),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write the results there instead of stdout.", show_default=False),
]
Label = Annotated[str, typer.Option("--label", metavar="TEXT", help="A word to find the runs by.", show_default=False)]
EachUsd = Annotated[
    str | None, typer.Option("--each-usd", metavar="N", help="Dollars of each goal.", show_default=False)
]
EachTokens = Annotated[
    str | None, typer.Option("--each-tokens", metavar="N", help="Tokens of each goal.", show_default=False)
]
PerMinute = Annotated[
    list[str] | None,
    typer.Option("--per-minute", metavar="[WHO=]N",
                 help="Requests a minute to each model, or to the model or host WHO (again for more).", show_default=False),
]  # fmt: skip
AtOnce = Annotated[
    list[str] | None,
    typer.Option("--at-once", metavar="[WHO=]N", help="The same for requests at once.", show_default=False),
]
Retry = Annotated[
    bool, typer.Option("--retry-failed", help="Go on with goals that were not answered.", show_default=False)
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ask all goals again; runs there are stay.", show_default=False)]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Check the goals, say what they may cost, and start nothing.", show_default=False),
]

On = Annotated[
    str,
    typer.Option("--on", metavar="ray[://HOST:PORT]", help="Work on a Ray cluster (docs/ray.md).", show_default=False),
]  # fmt: skip
Cpus = Annotated[float, typer.Option("--cpus", metavar="N", help="With --on: CPUs an actor takes of a node.", min=0.01)]
Gpus = Annotated[
    float, typer.Option("--gpus", metavar="N", help="With --on: GPUs the actor of a local model takes.", min=0)
]


@takes(RunFlags)
def command(
    flags: RunFlags,
    goals: Goals,
    jobs: Jobs = 32,
    out: Out = None,
    name: Name = "",
    kind: Kind = "",
    label: Label = "",
    each_usd: EachUsd = None,
    each_tokens: EachTokens = None,
    per_minute: PerMinute = None,
    at_once: AtOnce = None,
    retry_failed: Retry = False,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    on: On = "",
    cpus: Cpus = 1.0,
    gpus: Gpus = 0.0,
    profile: Profile = None,
) -> None:
    """Work on many goals, each once. --usd and --tokens are for all of them together. Stop it whenever you like: the same
    command goes on.

    Results go to stdout as JSON lines, progress to stderr. Ctrl-C begins no other goal; again: stop now. Exit code 0: all
    answered; 3: some not, or a line is no goal; 4: stopped before the end, or nobody read the results to their end.
    """
    from outrider.agent.fleet.start import open_goals
    from outrider.agent.limits.rates import read_rates

    if out is not None:
        check_apart(out, [goals, *(flags.tools_from or ())])
    config, rates = read_config(profile), read_rates(per_minute or (), at_once or ())
    whole, limits = _limits(flags, config, {"usd": each_usd, "tokens": each_tokens})
    with open_goals(goals, _format(kind)) as file:
        more = (rates, jobs, label, out, retry_failed, fresh, flags.quiet, _place(on, cpus, gpus))
        raise typer.Exit(
            _work(_agent(flags, config, profile), flags, (file, name or file.name, whole, limits, *more), dry_run)
        )


def _work(agent: Any, flags: RunFlags, what: tuple[Any, ...], dry_run: bool) -> int:
    from outrider.agent.cli.support.batch_run import Started, work

    started = Started(*what)
    if not dry_run:
        return work(agent, started)
    from outrider.agent.cli.support.batch_forecast import show_forecast

    return asyncio.run(show_forecast(agent, started, flags.memory, as_json=flags.json))


def _place(on: str, cpus: float, gpus: float) -> Any:
    """Where to work, if not in this process. Raises UsageError for an address that is none."""
    if not on:
        return None
    from outrider.agent.cluster.driver import Place
    from outrider.memory.errors import UsageError

    if on != "ray" and not on.startswith("ray://"):
        raise UsageError(
            f"{on[:60]!r} is no cluster", "batches work on Ray", "write --on ray, or --on ray://HOST:10001"
        )
    return Place(on, cpus, gpus)


def _limits(flags: RunFlags, config: dict[str, Any], each: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """(the budget over all, the limits of each goal): --usd and --tokens are the whole's."""
    from outrider.agent.fleet.start import limit_of, limits_of_each

    given = flags.limits()
    whole = limit_of({key: given.pop(key) for key in ("usd", "tokens") if key in given})
    given |= {key: value for key, value in each.items() if value is not None}
    return whole, limits_of_each(_checked(config, given), whole)


def _checked(config: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    from outrider.agent.budget import Budget

    limits = dict(config.get("budget") or {}) | limits
    Budget().raised(**limits)
    return limits


def _format(kind: str) -> Format | None:
    from outrider.memory.errors import UsageError

    if kind not in ("", "jsonl", "csv", "plain"):
        raise UsageError(f"there is no format {kind!r}", "a file of goals is jsonl, csv or plain", "leave --format out")
    return kind or None  # type: ignore[return-value]


def _agent(flags: RunFlags, config: dict[str, Any], profile: str | None) -> Any:
    from outrider.agent.agent import Agent
    from outrider.agent.cli.progress import Progress

    settings = settings_of(flags, config)
    spec, settings = choose_model(flags, config, settings, Progress(quiet=flags.quiet), profile=profile)
    return Agent(spec, memory=flags.memory, **settings)
