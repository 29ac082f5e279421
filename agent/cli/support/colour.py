"""`--no-color`, wherever it stands on the line. Touches the environment: NO_COLOR. Does not promise: anything else."""

from __future__ import annotations

import os


def without_colour(arguments: list[str]) -> list[str]:
    """The arguments without `--no-color`, which may stand anywhere before `--`; it is kept in the environment."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if "--no-color" not in arguments[:end]:
        return arguments
    os.environ["NO_COLOR"] = "1"
    return [*(word for word in arguments[:end] if word != "--no-color"), *arguments[end:]]
