"""Finds the strongest isolation that works here, by running attacks inside each before trusting it.
Touches a temporary folder and a loopback listener of its own, as bait. What it finds is remembered for the process.
Does not promise that an isolation holds against everything: it catches one that does not hold at all.
"""
# Paths as text and descriptors: pathlib has neither descriptors nor the words of a link.
# ruff: noqa: PTH111, PTH118, PTH208

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from outrider.tools.sandbox.bubblewrap import BUBBLEWRAP
from outrider.tools.sandbox.channel import Stalled
from outrider.tools.sandbox.container import CONTAINER
from outrider.tools.sandbox.inside.wire import Broken
from outrider.tools.sandbox.isolation import Isolation, Limits, Unusable, Wanted
from outrider.tools.sandbox.landlock import LANDLOCK
from outrider.tools.sandbox.namespaces import NAMESPACES
from outrider.tools.sandbox.none import NONE
from outrider.tools.sandbox.process import Running
from outrider.tools.sandbox.workspace import HostFolder

IN_ORDER: tuple[Isolation, ...] = (NAMESPACES, BUBBLEWRAP, CONTAINER, LANDLOCK)  # strongest first
NOT_CHOSEN: tuple[Isolation, ...] = (NONE,)  # only by name

# Every line is an attack that must fail; what worked is printed. Words are filled in with repr().
_ATTACKS = """
import os, socket
broken = []
def attempt(name, attack):
    try:
        if attack():
            broken.append(name)
    except OSError:
        pass
def opens(path):
    try:
        return os.open(path, os.O_RDONLY) >= 0
    except OSError:
        return False
def connects(family, address):
    s = socket.socket(family)
    s.settimeout(1)
    s.connect(address)
    return True
attempt("a file outside can be read", lambda: {token!r} in open({secret!r}).read())
attempt("a file outside can be changed", lambda: open({secret!r}, "a").write("x"))
attempt("a file outside can be made", lambda: open({made!r}, "w").write("x"))
attempt("the home folder can be read", lambda: any(map(opens, {home!r})))
attempt("the agent's memory can be read", lambda: open("/proc/{pid}/environ", "rb").read())
attempt("the network can be reached", lambda: connects(socket.AF_INET, ("127.0.0.1", {port})))
attempt("a socket outside can be reached", lambda: connects(socket.AF_UNIX, "\\0" + {token!r}))
attempt("the agent can be killed", lambda: os.kill({pid}, 0) is None and os.path.exists("/proc/{pid}/cwd/" + {token!r}))
print("attacked:", "; ".join(broken) or "nothing broke")
"""
_HELD = "attacked: nothing broke"


@dataclass(frozen=True, slots=True)
class IsolationReport:
    """What `outrider doctor` says of one isolation."""

    name: str
    works: bool
    why: str
    fix: str
    promises: str


_known: dict[tuple[str, int, bool], Unusable | None] = {}
_one_at_a_time = threading.Lock()


def first_that_works(name: str, wanted: Wanted, folder: HostFolder | None) -> tuple[Isolation, Running]:
    """The isolation of that name, or with "auto" the strongest that holds, with a worker started in it.

    Raises Unusable with the reasons of all that were tried.
    """
    reasons, fixes = [], []
    for isolation in _candidates(name):
        try:
            return isolation, _started(isolation, wanted, folder)
        except Unusable as error:
            reasons.append(f"{isolation.name}: {error.why}")
            fixes.append(error.fix)
    fix = "; or ".join(dict.fromkeys(filter(None, fixes))) or "run on Linux with user namespaces allowed"
    raise Unusable("; ".join(reasons), fix)


def _candidates(name: str) -> tuple[Isolation, ...]:
    if name == "auto":
        return IN_ORDER
    named = tuple(i for i in (*IN_ORDER, *NOT_CHOSEN) if i.name == name)
    if not named:
        names = ", ".join(i.name for i in (*IN_ORDER, *NOT_CHOSEN))
        raise Unusable(f"there is no isolation {name!r}", f"choose one of auto, {names}")
    return named


def _started(isolation: Isolation, wanted: Wanted, folder: HostFolder | None) -> Running:
    """A worker that has passed the attacks (once a process for each isolation)."""
    key = (isolation.name, os.geteuid(), wanted.network)
    known = _known.get(key, False)
    if isinstance(known, Unusable):
        raise known
    running = None
    try:
        running = Running(isolation.start(wanted), folder)
        if known is None or isolation.name == "none":
            return running
        running.ready()
        _attack(running)
    except Unusable as error:
        if running is not None:
            running.close()
        failed = Unusable(error.why, error.fix or isolation.fix)
        with _one_at_a_time:
            _known[key] = failed
        raise failed from None
    with _one_at_a_time:
        _known[key] = None
    return running


def _attack(running: Running) -> None:
    """Raises Unusable if any attack gets through, or if the attacks could not be made at all."""
    with _bait() as (code, works):
        if not works:
            raise Unusable("the probe's own bait does not work", "report this")
        identity = running.new_identity()
        with running.listen(identity):
            try:
                running.send(b"start", identity, b"python", code.encode(), b"10000")
                message = running.result(identity, 10, None)
            except (Broken, Stalled) as error:
                raise Unusable(f"it ended while being tested ({error})", "") from None
        said = b"".join(message[7:9]).decode("utf-8", "replace").strip()
        if said != _HELD:
            trouble = b"".join(message[10:12]).decode("utf-8", "replace").strip().splitlines()
            raise Unusable(said.removeprefix("attacked: ") or (trouble[-1] if trouble else "no answer"), "")


@contextlib.contextmanager
def _bait() -> Iterator[tuple[str, bool]]:
    """Code that attacks a file, a listener and a socket made for it; and whether those attacks work from here."""
    token = "outrider-bait-" + secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="outrider-probe-") as name:
        folder = Path(name)
        folder.chmod(0o777)  # so that only the isolation, not the file's mode, stands in the way
        secret = folder / "secret"
        secret.write_text(token)
        secret.chmod(0o666)
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_UNIX) as named:
            named.bind("\0" + token)
            named.listen()
            port = listener.getsockname()[1]
            words = {"token": token, "secret": str(secret), "made": str(folder / "made"), "port": port}
            code = _ATTACKS.format(home=_home(), pid=os.getpid(), **words)
            yield code, _reaches(secret, token, port)


def _reaches(secret: Path, token: str, port: int) -> bool:
    """The positive control: the same attacks work without a sandbox."""
    with socket.create_connection(("127.0.0.1", port), 1), socket.socket(socket.AF_UNIX) as other:
        other.connect("\0" + token)
        return token in secret.read_text()


def _home() -> list[str]:
    """What is in the home folder, but for what leads to the interpreter and its packages."""
    shown = [os.path.realpath(path) for path in (sys.executable, sys.prefix, sys.base_prefix, *sys.path)]
    home = os.path.expanduser("~")
    try:
        paths = [os.path.join(home, name) for name in os.listdir(home)][:200]
    except OSError:
        return []
    return [path for path in paths if not any(way.startswith(os.path.realpath(path)) for way in shown)]


def probe() -> list[IsolationReport]:
    """What works on this machine and why the rest does not, strongest first; for `outrider doctor`. Takes a second."""
    return [_report(isolation) for isolation in IN_ORDER]


def _report(isolation: Isolation) -> IsolationReport:
    began = time.monotonic()
    try:
        running = _started(isolation, Wanted(Limits()), None)
        running.ready()
        running.close()
    except Unusable as error:
        return IsolationReport(isolation.name, False, error.why, error.fix, isolation.promises)
    return IsolationReport(isolation.name, True, f"tested in {time.monotonic() - began:.2f} s", "", isolation.promises)


def forget() -> None:
    """Test everything again (the machine's settings may have changed)."""
    with _one_at_a_time:
        _known.clear()
