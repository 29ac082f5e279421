"""`outrider eval GOALS.jsonl`: how well models reach goals that can be checked. Only translates; agent/evaluation works."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import Profile, RunFlags, takes
from outrider.agent.cli.given import budget_of, choose_model, meant, read_config, settings_of
from outrider.agent.cli.output import out_json, out_lines, say, say_lines
from outrider.memory.errors import ModelUnavailable, UsageError

if TYPE_CHECKING:
    from outrider.agent.cli.progress import Progress
    from outrider.agent.evaluation.attempts import Plan, Results

BELOW = 4  # exit code when --fail-under is not reached
Goals = Annotated[
    Path, typer.Argument(metavar="GOALS.jsonl", help="One goal a line (docs/eval.md).", show_default=False)
]
Models = Annotated[
    str,
    typer.Option(
        "--models",
        metavar="A,B",
        help="Models or aliases to compare (default: the one a run takes).",
        show_default=False,
    ),
]
Repeat = Annotated[int, typer.Option("--repeat", metavar="N", help="Attempts at each goal.", min=1, max=1000)]
Parallel = Annotated[int, typer.Option("--parallel", metavar="N", help="Attempts at once.", min=1, max=64)]
Checks = Annotated[
    Path | None,
    typer.Option(
        "--checks",
        metavar="FILE",
        help="The Python file whose functions goals name; it is run here.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="Where results are kept (default: in the data folder).", show_default=False
    ),
]
Picture = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Write the plot as a picture.", show_default=False)
]
Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML for CI.", show_default=False)
]
FailUnder = Annotated[
    float | None,
    typer.Option("--fail-under", metavar="SHARE", help="Exit code 4 if a model reaches less than this share (0 to 1).",
                 min=0, max=1, show_default=False),
]  # fmt: skip
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Forget results that are there and start over.", show_default=False)
]


@takes(RunFlags)
def command(
    flags: RunFlags,
    goals: Goals,
    models: Models = "",
    repeat: Repeat = 1,
    parallel: Parallel = 1,
    checks: Checks = None,
    out: Out = None,
    svg: Picture = None,
    junit: Junit = None,
    fail_under: FailUnder = None,
    fresh: Fresh = False,
    profile: Profile = None,
) -> None:
    """Score models on goals that can be checked. Stop it whenever you like: the same command goes on from there.

    The table goes to stdout (--json: everything, as one object), progress to stderr.
    """
    from outrider.agent.cli.progress import Progress
    from outrider.agent.evaluation import report
    from outrider.agent.evaluation.attempts import Results
    from outrider.agent.evaluation.scores import scores

    plan = _plan(flags, goals, models, repeat, checks, out, profile, Progress(quiet=flags.quiet))
    if fresh:
        _forget(plan.folder)
    with closing(Results(plan.folder)) as results:
        unreached = _work(plan, results, parallel, quiet=flags.quiet)
    keys = [(goal.name, model, n) for goal, model, n in plan.attempts()]
    scored = scores(found := [results.done[key] for key in keys if key in results.done])
    _write(svg, report.svg(scored, goals.name))
    _write(junit, report.junit(found, goals.name))
    _print(scored, found, results.cut_off_usd, as_json=flags.json)
    if unreached:
        say("\n".join(f"not reached, and not scored: {one}" for one in unreached))
        raise typer.Exit(ModelUnavailable.exit_code)
    if fail_under is not None and any(score.success.mean < fail_under for score in scored):
        raise typer.Exit(BELOW)


def _print(scored: Any, found: Any, cut_off_usd: Any, *, as_json: bool) -> None:
    from outrider.agent.evaluation import report

    if as_json:
        out_json(report.as_json(scored, found, cut_off_usd))
    else:
        out_lines([*report.failures(found), *(report.table(scored) if scored else ())])


def _plan(
    flags: RunFlags, file: Path, models: str, repeat: int, checks: Path | None, out: Path | None, profile: str | None,
    progress: Progress,
) -> Plan:  # fmt: skip
    from outrider.agent.evaluation.attempts import Plan
    from outrider.agent.evaluation.checks import load_functions
    from outrider.agent.evaluation.goals import read_goals

    goals = read_goals(file)
    config = read_config(profile)
    settings = settings_of(flags, config)
    budget = budget_of(flags, config)
    named = _models(models, flags, config, settings, profile, progress)
    functions = load_functions(checks, goals)
    folder = out or _folder(file, checks, budget, settings)
    return Plan(goals, named, repeat, budget, functions, file.resolve().parent, folder)


def _models(
    models: str,
    flags: RunFlags,
    config: dict[str, Any],
    settings: dict[str, Any],
    profile: str | None,
    progress: Progress,
) -> dict[str, tuple[str, dict[str, Any]]]:
    from outrider.agent.models import split_spec

    names = list(dict.fromkeys(name.strip() for name in models.split(",") if name.strip()))
    if not names:
        spec, how = choose_model(flags, config, settings, progress, profile=profile)
        return {spec: (spec, how)}
    if flags.model:
        raise UsageError("--model and --models were both given", "each names what is scored", "give one of them")
    specs = {name: str(meant(name)) for name in names}
    for spec in specs.values():
        split_spec(spec)
    return {name: (spec, settings) for name, spec in specs.items()}


def _folder(file: Path, checks: Path | None, budget: Any, settings: dict[str, Any]) -> Path:
    """Named by what decides a result, so that changed goals or limits begin again and more models or repeats go on."""
    import json
    from hashlib import blake2b

    from outrider.agent.settings.config import data_folder

    kept = json.dumps([budget, settings], sort_keys=True, default=str)
    digest = blake2b(kept.encode(), digest_size=6)
    for one in (file, checks):
        digest.update(one.read_bytes() if one else b"")
    plain = "".join(letter if letter.isalnum() else "-" for letter in file.stem)[:40]
    return data_folder() / "eval" / f"{plain}-{digest.hexdigest()}"


def _work(plan: Plan, results: Results, parallel: int, *, quiet: bool) -> list[str]:
    from outrider.agent.evaluation import report
    from outrider.agent.evaluation.attempts import work

    wanted = list(plan.attempts())
    before = sum((goal.name, model, n) in results.done for goal, model, n in wanted)
    if before and not quiet:
        say(f"going on: {before} of {len(wanted)} attempts are done (--fresh starts over)")
    done = before

    def tell(result: Any) -> None:
        nonlocal done
        done += 1
        if not quiet:
            say_lines([report.progress(result, done, len(wanted))])

    if not quiet:
        say(f"results are kept in {plan.folder}")
    with redirect_stdout(sys.stderr):  # what a tool or a check prints is not the table
        unreached = asyncio.run(work(plan, results, tell=tell, say=say, parallel=parallel))
    if results.cut_off_usd:
        say(f"attempts that were cut off and done over had cost ${results.cut_off_usd:.4f} before")
    return unreached


def _forget(folder: Path) -> None:
    import shutil

    if (folder / "results.jsonl").exists() or (folder / "attempts").exists():  # never a folder that is not ours
        shutil.rmtree(folder / "attempts", ignore_errors=True)
        (folder / "results.jsonl").unlink(missing_ok=True)


def _write(file: Path | None, text: str) -> None:
    if file is None:
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{str(file)!r} cannot be written", error.strerror or str(error), "name another file"
        ) from error
