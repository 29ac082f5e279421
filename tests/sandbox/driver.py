"""Runs in a process of its own, as root or as nobody, and drives one sandbox for the tests: JSON lines in and out.

It loads the sandbox without the rest of the package, so that any Python 3.11 that the user can read will do.
Requests: {"op": "open" | "python" | "shell" | "session" | "close" | …, …}; the answer is the Done as JSON, or {"error"}.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def stand_alone() -> None:
    """Make outrider.tools.sandbox importable without pydantic and the others."""
    places = {"outrider": ROOT, "outrider.tools": ROOT / "tools", "outrider.memory": ROOT / "memory"}
    for name, place in places.items():
        module = types.ModuleType(name)
        module.__path__ = [str(place)]
        sys.modules[name] = module


def main() -> None:
    stand_alone()
    from outrider.memory.errors import OutriderError
    from outrider.tools.sandbox import Limits, open_sandbox, probe

    box: Any = None
    session: Any = None
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any]
        try:
            op = request.pop("op")
            if op == "open":
                limits = Limits(**request.pop("limits", {}))
                read = [Path(path) for path in request.pop("read", ())]
                box = open_sandbox(Path(request.pop("workspace")), limits, read=read, **request)
                answer = {"isolation": box.isolation, "promises": box.promises, "pid": os.getpid()}
            elif op == "probe":
                answer = {"reports": [dataclasses.asdict(report) for report in probe()]}
            elif op == "cell":
                session = session or box.session()
                answer = dataclasses.asdict(session.run(request["code"], timeout_s=request.get("timeout_s")))
            elif op == "close":
                box.close()
                answer = {}
            else:
                answer = dataclasses.asdict(getattr(box, op)(request["code"], timeout_s=request.get("timeout_s")))
        except OutriderError as error:
            answer = {"error": type(error).__name__, "what": error.what, "why": error.why, "fix": error.fix}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
