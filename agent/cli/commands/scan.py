"""`outrider scan RUN`: whether a stored run holds a secret, and where."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.listing.databases import open_store
from outrider.agent.cli.output import out, out_json, say

HOLDS_SECRETS = 4


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help='A run: its id, a part of it, or "last".', show_default=False)
    ],
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="NAME", help="Look for this secret too.", show_default=False),
    ] = None,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Look for secrets in a stored run: values of the environment's keys, tokens and passwords, and what is shaped like a key.

    Exit code 4 if there is one. Its value is not printed, only where it stands.
    """
    from outrider.agent.cli.flags import named_secrets
    from outrider.agent.history.scan import scan
    from outrider.agent.settings.secret_store import read_kept, values_of
    from outrider.memory.redaction import Masker, from_environment

    masker = Masker(from_environment(os.environ) | read_kept().values | values_of(named_secrets(secret)))
    found = list(scan(open_store(memory), run, masker))
    if json:
        out_json([{"seq": f.seq, "kind": f.kind, "place": f.place, "secret": f.secret, "at": f.at} for f in found])
    for one in () if json else found:
        out(f"event {one.seq} ({one.kind}), {one.place}, character {one.at}: {one.secret}")
    if found:
        say("change that key: whoever has the database has it too")
        raise typer.Exit(HOLDS_SECRETS)
    if not json:
        say(f"no secret was found ({len(masker.names)} values and all known shapes were looked for)")
