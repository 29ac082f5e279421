"""What code in the sandbox can see of this machine: the interpreter and its packages, /usr, a handful of /etc.
Reads the file system's shape; changes nothing. Home, tokens, the database and everything unnamed are simply not there.
Does not promise that /usr holds no secret of yours: it is shown, read-only.
"""
# Paths as text and descriptors: pathlib has neither descriptors nor the words of a link.
# ruff: noqa: PTH114, PTH115, PTH117, PTH118, PTH120

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outrider.memory.errors import UsageError
from outrider.tools.clock import zone_for_code

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32", "/nix/store", "/gnu/store")
_ETC = (
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/timezone", "/etc/mime.types", "/etc/fonts", "/etc/os-release", "/etc/debian_version", "/etc/terminfo"),
    *("/etc/ssl/certs", "/etc/ca-certificates", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted"),
)
_OF_A_PREFIX = ("bin", "lib", "lib64", "libexec", "include", "share", "ssl", "pyvenv.cfg")
FILES = (
    ("/etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\nsandbox:x:1000:1000:sandbox:/tmp/home:/bin/sh\n"),
    ("/etc/group", "root:x:0:\nsandbox:x:1000:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
)
_INSIDE_WORKER = "/.outrider"
_WORKSPACES = ("/workspace", "/work", "/box", "/outrider-workspace")


@dataclass(frozen=True)
class View:
    """Binds (source, destination), links (place, target), files (place, text) and what the worker needs to know."""

    python: str
    prefix: str
    worker: str
    workspace: str
    binds: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    search_path: tuple[str, ...]
    environment: tuple[str, ...]

    @property
    def visible(self) -> tuple[str, ...]:
        """The trees outside that can be read, by their real paths."""
        return tuple(source for source, _ in self.binds)

    @property
    def owners(self) -> tuple[int, ...]:
        """User ids of all folders on the way to what is bound (root needs them mapped to be able to get there)."""
        ways = {parent for source, _ in self.binds for parent in (Path(source), *Path(source).parents)}
        return tuple(sorted({way.stat().st_uid for way in ways}))


def make_view(read: Sequence[Path] = ()) -> View:
    """The view for this interpreter, with the folders of `read` added at their own paths, read-only.

    Raises UsageError for a folder that is not there or is the whole machine.
    """
    python = sys.executable or "/usr/bin/python3"
    wanted = [*_SYSTEM, *_ETC, *_python_folders(), *_user_packages(), *_granted(read)]
    chain, real = _follow(python)
    links, sources = dict(chain), []
    for path in wanted:
        if os.path.lexists(path):
            on_the_way, real = _follow(path)
            links.update(on_the_way)
            sources.append(real)
    real_python = str(Path(python).resolve())
    sources = [s for s in _outermost(sources) if os.access(s, os.R_OK)]
    if not any(_within(real_python, s) for s in sources):
        sources.append(real_python)
    links = {place: target for place, target in links.items() if not any(_within(place, s) for s in sources)}
    workspace = next(w for w in _WORKSPACES if not any(_within(s, w) or _within(w, s) for s in sources))
    binds = (*((s, s) for s in sources), (str((Path(__file__).parent / "inside").resolve()), _INSIDE_WORKER))
    search = tuple(_search_path(sources))
    environment = _environment(python)
    worker = f"{_INSIDE_WORKER}/worker.py"
    return View(python, sys.prefix, worker, workspace, binds, tuple(links.items()), search, environment)


def _python_folders() -> list[str]:
    prefixes = dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix))
    folders = [f"{prefix}/{name}" for prefix in prefixes for name in _OF_A_PREFIX]
    paths = sysconfig.get_paths()
    return [*folders, *(paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib"))]


def _user_packages() -> list[str]:
    user = site.getusersitepackages() if site.ENABLE_USER_SITE else ""
    return [user] if user and user in sys.path else []


def _granted(read: Sequence[Path]) -> list[str]:
    for path in read:
        if not path.exists():
            raise UsageError(
                f"{path} cannot be shown to the sandbox", "there is no such file or folder", "check `read`"
            )
        if path.resolve() == Path("/"):
            raise UsageError(
                "the whole machine cannot be shown to the sandbox", "it holds your secrets", "name folders"
            )
    return [str(path.absolute()) for path in read]


def _search_path(sources: Sequence[str]) -> list[str]:
    """This interpreter's own import path, as far as it is visible inside."""
    paths = sysconfig.get_paths()
    listed = [*sys.path, paths["stdlib"], paths["platstdlib"], paths["purelib"], paths["platlib"]]
    found = dict.fromkeys(p for p in listed if os.path.isabs(p))
    return [p for p in found if any(_within(os.path.realpath(p), s) for s in sources)]


def _environment(python: str) -> tuple[str, ...]:
    """All the environment there is inside: nothing of the agent's but the time zone. Two threads for number libraries: memory, and fairness."""
    return (
        f"PATH={Path(python).parent}:/usr/local/bin:/usr/bin:/bin",
        *("HOME=/tmp/home", "TMPDIR=/tmp", "USER=sandbox", "LANG=C.UTF-8", "TERM=dumb"),
        f"TZ={zone_for_code()}",
        *("MPLBACKEND=Agg", "MPLCONFIGDIR=/tmp/home/.matplotlib", "MALLOC_ARENA_MAX=2"),
        *("OPENBLAS_NUM_THREADS=2", "OMP_NUM_THREADS=2", "PYTHONDONTWRITEBYTECODE=1", "PYTHONNOUSERSITE=1"),
    )


def _outermost(paths: Sequence[str]) -> list[str]:
    """Without those that lie inside another."""
    kept: list[str] = []
    for path in sorted(set(paths), key=lambda p: (p.count("/"), p)):
        if not any(_within(path, outer) for outer in kept):
            kept.append(path)
    return kept


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _follow(path: str) -> tuple[list[tuple[str, str]], str]:
    """The links met on the way along `path`, each with its target, and where the way ends."""
    links: list[tuple[str, str]] = []
    at, rest = "/", [part for part in path.split("/") if part]
    for _ in range(1000):
        if not rest:
            break
        part = rest.pop(0)
        if part in (".", ".."):
            at = os.path.dirname(at) if part == ".." else at
            continue
        here = os.path.join(at, part)
        if os.path.islink(here):
            target = os.readlink(here)
            links.append((here, target))
            at = "/" if target.startswith("/") else at
            rest = [p for p in target.split("/") if p] + rest
        else:
            at = here
    return links, at
