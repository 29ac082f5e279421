"""`outrider help [TOPIC]`: a page about a topic, or the help of a command."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from outrider.agent.cli.output import out
from outrider.memory.errors import UsageError


def command(
    context: typer.Context,
    topic: Annotated[
        str | None, typer.Argument(metavar="TOPIC", help="A topic or a command; none: the list.", show_default=False)
    ] = None,
) -> None:
    """Say how something is done: a topic (models, budget, exit-codes, …) or a command."""
    from outrider.agent.cli.support.topics import TOPICS

    root = context.find_root()
    if topic is None:
        out("\n".join(f"outrider help {name:12}{about}" for name, (about, _) in TOPICS.items()))
        out("outrider help COMMAND     the same as outrider COMMAND --help")
    elif topic in TOPICS:
        out(TOPICS[topic][1])
    elif (found := root.command.get_command(root, topic)) is not None:  # type: ignore[attr-defined]
        inner = found.make_context(topic, [], parent=root, resilient_parsing=True)
        out(found.get_help(inner).strip())
    else:
        known = [*TOPICS, *root.command.list_commands(root)]  # type: ignore[attr-defined]
        near = difflib.get_close_matches(topic, known, n=1)
        raise UsageError(
            f"there is no help on {topic[:60]!r}",
            "it is neither a topic nor a command",
            f"did you mean {near[0]}?" if near else f"topics are {', '.join(TOPICS)}",
        )
