"""`outrider chain`: prompts one after the other over many documents. Only translates; agent/chains works."""

from __future__ import annotations

import json as json_text
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.flags import Profile, RunFlags, takes
from outrider.agent.cli.given import budget_of, choose_model, read_config, settings_of
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import ReaderGone, check_apart, out, out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.chains.batch import Row
    from outrider.tools.prompts.prompt import Chain

app = typer.Typer(
    name="chain", cls=Group, help="Run prompts over many documents, one after the other.", rich_markup_mode=None,
    no_args_is_help=True,
)  # fmt: skip
SOME_WRONG = 3
File = Annotated[Path, typer.Argument(metavar="FILE", help="Prompts and chains, as TOML or YAML.", show_default=False)]
Documents = Annotated[
    list[str],
    typer.Argument(metavar="DOCS…", help="Text files, folders, or JSON lines with `text`.", show_default=False),
]
Name = Annotated[
    str, typer.Option("--chain", metavar="NAME", help="The chain, or one prompt; needed if there are several.")
]
Shots = Annotated[
    int | None,
    typer.Option("--shots", metavar="N", help="Show at most N examples of each prompt.", min=0, show_default=False),
]
Parallel = Annotated[int, typer.Option("--parallel", metavar="N", help="Documents at once.", min=1, max=64)]
Kept = Annotated[
    Path | None,
    typer.Option("--answers", metavar="FILE", help="Where answers are kept (default: in the data folder).",
                 show_default=False),
]  # fmt: skip


@app.command(cls=Command)
@takes(RunFlags)
def run(
    flags: RunFlags,
    file: File,
    documents: Documents,
    chain: Name = "",
    shots: Shots = None,
    parallel: Parallel = 1,
    answers: Kept = None,
    profile: Profile = None,
) -> None:
    """Answer every document. Stop it whenever you like: the same command goes on, and asks nothing twice.

    Limits (--usd, --tokens …) are for all documents together. Exit code 3: some have no answer.
    """
    import asyncio

    from outrider.agent.chains.documents import read_documents
    from outrider.agent.cli.progress import Progress

    if answers is not None:
        check_apart(answers, [file, *documents])
    chosen, texts = _chain(file, chain, shots), read_documents(documents)
    config, progress = read_config(profile), Progress(quiet=flags.quiet)
    spec, settings = choose_model(flags, config, settings_of(flags, config), progress, profile=profile)
    done = 0

    def tell(row: Row) -> None:
        nonlocal done
        done += 1
        if not flags.quiet:
            say(f"{done}/{len(texts)}  {_line(row)}")

    rows = asyncio.run(_work(flags, config, spec, settings, chosen, texts, answers, parallel, tell))
    with suppress(ReaderGone):  # its exit code still tells
        _print(rows, as_json=flags.json)
    raise typer.Exit(SOME_WRONG if any(row.wrong for row in rows) else 0)


@app.command("list", cls=Command)
def list_chains(file: File) -> None:
    """List the prompts and chains of a file, with what each gives."""
    from outrider.memory.text import for_terminal
    from outrider.tools.prompts.reading import read_prompts

    prompts, chains = read_prompts(file)
    for one in prompts.values():
        kind = (
            "text" if one.output is None else json_text.dumps(one.schema.get("enum") or one.schema, ensure_ascii=False)
        )
        out(for_terminal(f"{one.name}  → {kind}, {len(one.examples)} examples: {one.about or one.ask.strip()}"))
    for chain in chains.values():
        out(for_terminal(f"{chain.name}  {' → '.join(step.name for step in chain.steps)}"))


def _chain(file: Path, name: str, shots: int | None) -> Chain:
    from outrider.tools.prompts.prompt import Chain
    from outrider.tools.prompts.reading import read_prompts

    prompts, chains = read_prompts(file, shots)
    there = chains | {one.name: Chain(one.name, (one,)) for one in prompts.values()}
    if not name and len(chains or prompts) == 1:
        name = next(iter(chains or prompts))
    if name not in there:
        why = "there are several" if not name else f"there is no {name!r}"
        raise UsageError("no chain was chosen", why, f"--chain with one of {', '.join(there)}")
    return there[name]


async def _work(
    flags: RunFlags, config: dict[str, Any], spec: str, settings: dict[str, Any], chain: Chain, texts: Any,
    answers: Path | None, parallel: int, tell: Any,
) -> list[Row]:  # fmt: skip
    from outrider.agent.agent import Agent
    from outrider.agent.assemble import default_budget
    from outrider.agent.chains.batch import Batch, Kept
    from outrider.agent.settings.config import data_folder

    settings = {key: value for key, value in settings.items() if key not in ("tools", "tools_from", "skills")}
    agent = Agent(spec, memory=flags.memory, **settings)
    try:
        price = (await agent.open_model()).price
        budget = default_budget(price).raised(steps="none", seconds="none").raised(**(budget_of(flags, config) or {}))
        kept = Kept(answers or data_folder() / "chains" / "answers.jsonl")
        return await Batch(agent, spec, chain, kept, budget, parallel).run(texts, tell)
    finally:
        await agent.aclose()


def _line(row: Row) -> str:
    from outrider.agent.review.lines import one_line

    said = row.wrong or json_text.dumps(row.last, ensure_ascii=False)
    mark = (
        "" if row.label is None else "  right" if row.last == row.label and not row.wrong else f"  wrong: {row.label}"
    )
    return one_line(f"{row.document}  {said}{mark}", 200)


def _print(rows: list[Row], *, as_json: bool) -> None:
    from dataclasses import asdict

    from outrider.agent.chains.batch import interval, score
    from outrider.agent.review.lines import Line, one_line

    wide = min(40, max(len(row.document) for row in rows))
    for row in rows:
        if as_json:
            out_json(asdict(row))
            continue
        said = f"no answer: {row.wrong}" if row.wrong else json_text.dumps(row.last, ensure_ascii=False)
        name = one_line(row.document, 40)
        out_lines([Line(((one_line(said, 2000), "plain"),), ((f"{name:{wide}}  ", "strong"),))])
    tokens, usd = sum(row.tokens for row in rows), sum(row.usd for row in rows)
    kept, wrong = sum(row.kept for row in rows), sum(bool(row.wrong) for row in rows)
    say(
        f"{len(rows)} documents, {wrong} without an answer, {kept} answers kept from before, {tokens:,} tokens, ${usd:.4f}"
    )
    right, total = score(rows)
    if total:
        low, high = interval(right, total)
        say(f"right: {right} of {total} ({right / total:.0%}; 95 % interval {low:.0%} to {high:.0%})")
