"""No isolation: what `--unsafe-no-sandbox` asks for, and nothing else ever chooses.
The code runs as you, with your files and your network, in a folder of its own; it gets an empty environment.
Promises nothing.
"""

from __future__ import annotations

from pathlib import Path

from outrider.tools.sandbox.inside.syscalls import AF_INET, AF_INET6, AF_UNIX
from outrider.tools.sandbox.isolation import Isolation, Start, Wanted, private_folder, settings
from outrider.tools.sandbox.view import make_view


def _start(wanted: Wanted) -> Start:
    view = make_view(wanted.read)
    folder = private_folder(None)
    environment = dict(entry.split("=", 1) for entry in view.environment)
    environment |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    inside = settings(
        wanted,
        workspace=str(folder / "work"),
        quota=0,
        seal="never",
        families=(AF_UNIX, AF_INET, AF_INET6),
        prefix=view.prefix,
        remove=str(folder),
        search_path=view.search_path,
    )
    worker = str((Path(__file__).parent / "inside" / "worker.py").resolve())
    return Start((view.python, "-I", "-S", "-X", "utf8", worker), (inside.fields(),), environment, folder=folder)


NONE = Isolation(
    name="none",
    keeps=("limits of time and output",),
    does_not_keep=("anything: the code can do what you can do on this machine",),
    start=_start,
)
