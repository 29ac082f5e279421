"""The worker: waits inside the isolation and forks a fresh, confined process for each call the agent asks for.
May touch: its own children, the workspace inside. Holds no secret; never compiles or runs a line of the code itself.
Does not promise to survive: when it ends, all it started ends with it, and the agent starts another.

Descriptors 0 and 1 are the channel to the agent (inside/wire.py). First message: `limits` (see `Settings`).
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import os
import sys


def _stand_alone() -> None:
    """As in launcher: this folder is the package, without its __init__."""
    import types

    for name in ("outrider", "outrider.tools", "outrider.tools.sandbox", "outrider.tools.sandbox.inside"):
        module = types.ModuleType(name)
        module.__path__ = [os.path.dirname(os.path.abspath(__file__))]
        sys.modules[name] = module


if __name__ == "__main__":
    _stand_alone()
    from outrider.tools.sandbox.inside import start as inside_start

    inside_start.main()
