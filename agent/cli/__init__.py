"""The command line: parse → assemble → run → print → exit code. `main` is the program; the commands are in app.py.
Touches nothing when it is imported. Does not promise: any work of its own; every command translates for a room below.
"""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command in sys.argv; returns the exit code (docs/cli.md)."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # answered before anything else is imported
        from outrider.agent.version import VERSION

        sys.stdout.write(f"outrider {VERSION}\n")
        return 0
    if sys.argv[1:2] == ["__complete"] and len(sys.argv) == 3:  # a key press waits for it
        from outrider.agent.cli.support.completion import values

        sys.stdout.write("".join(f"{word}\n" for word in values(sys.argv[2])))
        return 0
    from outrider.agent.cli.light import plainly
    from outrider.agent.cli.support.colour import without_colour

    if work := plainly(without_colour(sys.argv[1:])):
        from outrider.agent.cli.running import run_with

        return run_with(work)
    gc.set_threshold(
        50_000
    )  # what a command imports stays: looking through it again and again takes an eighth of the start
    from outrider.agent.cli.app import run_command_line

    return run_command_line(sys.argv[1:])
