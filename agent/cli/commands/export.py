"""`outrider export RUN`: a run as a page, Markdown, JSON lines, OpenTelemetry spans, fine-tuning data.
May touch: the file it is told to write, whole or not at all, readable by its owner alone; with --to one address on the network.
"""

from __future__ import annotations

import json as json_text
import os
import tempfile
from collections.abc import Iterable
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.flags import Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.memory.store import Store


class Format(StrEnum):
    """What can be written (review/export says what each is)."""

    HTML = "html"
    MD = "md"
    JSONL = "jsonl"
    OTEL = "otel"
    SFT = "sft"
    ATIF = "atif"


MOST_RUNS = 1_000_000

Label = Annotated[
    str | None, typer.Option("--label", metavar="TEXT", help="For sft: every run of a label.", show_default=False)
]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="PATTERN", help="For sft: only what these models wrote.", show_default=False),
]


def command(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help='A run: its id, a part of it, or "last".', show_default=False)
    ] = None,
    format: Annotated[Format, typer.Option("--format", "-t", help="What to write.")] = Format.HTML,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to; default: stdout.", show_default=False),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="URL", help="For otel: send the spans to a collector (OTLP/HTTP).", show_default=False
        ),
    ] = None,
    label: Label = None,
    model: Models = None,
    every: Annotated[
        bool, typer.Option("--all", help="For sft: every run of the database.", show_default=False)
    ] = False,
    memory: Memory = None,
) -> None:
    """Write a run in a format of others. The page (html) opens offline; jsonl is what `import` reads back.

    With sft, runs of a label or all become fine-tuning data: those that were answered with support, without repeats, and
    beside the file a datasheet of what went in.
    """
    if run is not None and (label is not None or every or model):
        raise UsageError(
            "a run and a choice of runs were named", "--label, --model and --all choose runs", "leave one of them out"
        )
    store = open_store(memory)
    if run is not None:
        _one(store, run, format, output, to)
    elif format != Format.SFT or (label is None) == (not every):
        raise UsageError(
            "export needs one run", "it got none", "outrider export last -o run.html (or --format sft --label NAME)"
        )
    else:
        _dataset(store, label, tuple(model or ()), output)


def _one(store: Store, run: str, format: Format, output: Path | None, to: str | None) -> None:
    from outrider.agent.review.export import FORMATS
    from outrider.memory.journal import Journal

    if to is not None:
        if format != Format.OTEL or output is not None:
            raise UsageError(
                "--to sends spans", "it goes with --format otel, and without --output", "leave the other out"
            )
        from outrider.agent.review.export.send import send

        count = send(Journal.open_for_reading(store, run), to)
        say(f"sent {count:,} spans to {to}")
        return
    module, _, function = FORMATS[format.value][0].partition(":")
    write = getattr(import_module(f"outrider.agent.review.export.{module}"), function)
    _put(write(Journal.open_for_reading(store, run)), output)


def _dataset(store: Store, label: str | None, models: tuple[str, ...], output: Path | None) -> None:
    from sqlalchemy import select

    from outrider.agent.review.export.sft import Chosen
    from outrider.memory import schema
    from outrider.memory.journal import Journal

    if output is None:
        raise UsageError(
            "fine-tuning data needs a file", "a datasheet is written beside it", "give --output data.jsonl"
        )
    chosen = Chosen(models=models)
    with store.read() as db:
        query = select(schema.runs.c.run_id).order_by(schema.runs.c.number).limit(MOST_RUNS)
        ids = db.scalars(query if label is None else query.where(schema.runs.c.label == label)).all()
    lines = (chosen.line(Journal.open_for_reading(store, run_id)) for run_id in ids)
    _put((f"{line}\n" for line in lines if line is not None), output)
    _put([json_text.dumps(chosen.datasheet(), indent=2) + "\n"], output.with_suffix(".datasheet.json"))
    left = sum(chosen.left_out.values())
    say(
        f"{len(chosen.runs):,} of {len(ids):,} runs; left out {left:,}" + (f": {_why(chosen.left_out)}" if left else "")
    )


def _why(left_out: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {why}" for why, number in sorted(left_out.items(), key=lambda one: -one[1]))


def _put(pieces: Iterable[str], output: Path | None) -> None:
    """To a file at once (written beside it and moved in its place), or to stdout."""
    if output is None:
        out("".join(pieces))
        return
    try:
        folder = output.expanduser().absolute().parent
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{output.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
                size = sum(file.write(piece) for piece in pieces)
            Path(name).replace(output.expanduser())
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {str(output)!r}", error.strerror or str(error), "name another file") from error
    say(f"wrote {output} ({size:,} characters)")
