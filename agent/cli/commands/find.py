"""`outrider find TEXT`: runs by what was asked, seen, answered and noted in them."""

from __future__ import annotations

from typing import Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.find import find_words


def command(
    text: Annotated[
        list[str], typer.Argument(metavar="TEXT", help='Words, or "words in this order".', show_default=False)
    ],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many places.")] = 20,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Find goals, results, answers and notes that hold every word, newest first. Exit code 6: none does."""
    if code := find_words(text, limit, memory, json):
        raise typer.Exit(code)
