"""`outrider tune`: an adapter of the small language model for your own tools."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import check_apart, out, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.memory.store import Store


def command(
    tools_from: Annotated[
        list[str],
        typer.Option("--tools-from", metavar="FILE", help="The @tool functions of a Python file (again for more)."),
    ],
    runs: Annotated[
        str | None,
        typer.Option(
            "--runs", metavar="LABEL", help="Learn from the answered runs of this label too.", show_default=False
        ),
    ] = None,
    base: Annotated[
        str, typer.Option("--base", metavar="MODEL", help="smollm2, or a GGUF of the llama architecture.")
    ] = "smollm2",
    minutes: Annotated[float, typer.Option("--minutes", metavar="N", help="Time to train.")] = 30.0,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The adapter.")] = "mine.gguf",
    memory: Memory = None,
) -> None:
    """Tune the small language model for your own tools, on this machine.

    Goals are made up from the tools' names, descriptions and types. Run it again to go on. Use the result with
    --model llama:smollm2 --adapter mine.gguf. Needs the extra `train`.
    """  # fmt: skip
    from outrider.agent.models.brain.lines import Card
    from outrider.agent.tune.tune import Wanted, tune
    from outrider.tools.builtin import collect

    if not 0 < minutes < math.inf:
        raise UsageError("there is no time to train", f"--minutes is {minutes:g}", "give a number over 0, such as 30")
    path = None if base == "smollm2" else Path(base).expanduser()
    if path is not None and not path.is_file():
        raise UsageError(f"there is no base {base}", "no such file", "name a GGUF file, or smollm2")
    check_apart(Path(output).expanduser(), [*([path] if path else []), *tools_from])
    cards = [Card(one.name, one.description, one.parameters) for one in collect([], tools_from)]
    lines = _lines(open_store(memory), runs) if runs else []
    done = tune(Wanted(cards, lines, path, minutes, Path(output).expanduser()), say)
    out(f"{done.path}: {done.before} → {done.after} of {done.of} held-out goals right; loss: {done.plot}")
    named = [part for file in tools_from for part in ("--tools-from", file)]
    use = shlex.join(["outrider", "run", "--model", f"llama:{base}", "--adapter", str(done.path), *named])
    out(f'use it: {use} "…"')


def _lines(store: Store, label: str) -> list[str]:
    """The runs of a label as lines of the fine-tuning export. Raises UsageError if there are none."""
    from sqlalchemy import select

    from outrider.agent.review.export.sft import Chosen
    from outrider.memory import schema
    from outrider.memory.journal import Journal

    with store.read() as db:
        query = select(schema.runs.c.run_id).where(schema.runs.c.label == label).order_by(schema.runs.c.number)
        ids = list(db.scalars(query))
    chosen = Chosen(supported_only=False)
    found = [chosen.line(Journal.open_for_reading(store, run_id)) for run_id in ids]
    lines = [line for line in found if line]
    if not lines:
        raise UsageError(
            f"no run of the label {label!r} can be learnt from", "none ended answered", "see `outrider runs`"
        )
    return lines
