"""First process of the `namespaces` isolation: builds the namespaces and a private root, then executes the worker there.
May touch: mounts of its own mount namespace; the id maps of its own user namespace. Starts with an empty environment.
Does not promise anything once the worker runs: it then only waits, to take the sandbox down when the agent is gone.

Reads one message from descriptor 0: python, worker, user id, owners, tmpfs bytes, inodes, workspace,
then the view: lists of read-only binds, files, links and environment entries (see `view.py`). A failure is one message
`failed` on descriptor 1.
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import os
import sys


def _stand_alone() -> None:
    """Make `outrider.tools.sandbox.inside` importable as nothing but this folder: the package's own __init__ must not run here."""
    import types

    for name in ("outrider", "outrider.tools", "outrider.tools.sandbox", "outrider.tools.sandbox.inside"):
        module = types.ModuleType(name)
        module.__path__ = [os.path.dirname(os.path.abspath(__file__))]
        sys.modules[name] = module


def main() -> None:
    """Build, hand over, wait."""
    from outrider.tools.sandbox.inside import root as inside_root
    from outrider.tools.sandbox.inside import wire

    stage = "reading what to build"
    try:
        plan = inside_root.Plan.from_fields(wire.receive(0))
        agent = os.pidfd_open(os.getppid())
        stage = "making namespaces"
        inside_root.enter_namespaces(plan)
        first = os.fork()
        if first == 0:
            stage = "building the private root"
            inside_root.build(plan)
            stage = "starting the worker"
            inside_root.start_worker(plan)
        inside_root.wait_for_either(agent, first)
    except BaseException as error:  # whatever it was, the agent must hear it before this process ends
        wire.send(1, b"failed", stage.encode(), f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(125)


if __name__ == "__main__":
    _stand_alone()
    main()
