"""The `container` isolation: our worker in a container of Docker or Podman, with gVisor's runtime if it is there.
Touches the engine through its command line only. Packages of your interpreter are not there: the image's own are.
Does not promise granted hosts, nor that the engine itself is safe: it usually runs as root.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from outrider.tools.clock import zone_for_code
from outrider.tools.sandbox.inside.root import NOBODY
from outrider.tools.sandbox.inside.syscalls import AF_UNIX
from outrider.tools.sandbox.isolation import Isolation, Limits, Start, Unusable, Wanted, settings

ENGINES = ("podman", "docker")
ASK_S = 10.0  # an engine that does not answer by then is as good as none
_KEPT_VARIABLES = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "XDG_RUNTIME_DIR")
_WORKSPACE = "/workspace"


def image() -> str:
    """The image code runs in: OUTRIDER_SANDBOX_IMAGE, or the official one of this interpreter's version."""
    return os.environ.get("OUTRIDER_SANDBOX_IMAGE", f"python:{sys.version_info[0]}.{sys.version_info[1]}-slim")


def _start(wanted: Wanted) -> Start:
    engine = _engine()
    if wanted.network:
        raise Unusable("hosts cannot be granted to a container", "use namespaces or bubblewrap for that")
    if _ask(engine, "image", "inspect", image()) is None:
        raise Unusable(f"{Path(engine).name} has no image {image()}", f"{Path(engine).name} pull {image()}")
    runtimes = _ask(engine, "info", "--format", "{{json .Runtimes}}") or ""
    name = f"outrider-{secrets.token_hex(6)}"
    command = compose(engine, name, wanted, gvisor='"runsc"' in runtimes)
    inside = settings(
        wanted,
        workspace=_WORKSPACE,
        families=(AF_UNIX,),
        prefix="",
        write=(_WORKSPACE, "/tmp", "/dev/shm", "/dev/null"),  # noqa: S108 - the sandbox's own
    )

    def finish() -> None:
        _ask(engine, "kill", name)

    return Start(tuple(command), (inside.fields(),), _environment(), finish=finish)


def compose(engine: str, name: str, wanted: Wanted, *, gvisor: bool) -> list[str]:
    """The engine's arguments."""
    limits: Limits = wanted.limits
    size = f"size={wanted.data_bytes},nr_inodes={wanted.data_files},mode=1777"
    memory = f"{limits.memory_mb}m"
    arguments = [
        *(engine, "run", "--rm", "--interactive", "--pull=never", f"--name={name}", "--hostname=sandbox"),
        *("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--ipc=private"),
        *(f"--user={NOBODY}:{NOBODY}", f"--pids-limit={limits.processes + 8}", f"--memory={memory}"),
        *(f"--memory-swap={memory}", f"--ulimit=nofile={limits.open_files}:{limits.open_files}", "--ulimit=core=0"),
        *(f"--tmpfs={_WORKSPACE}:rw,nosuid,nodev,{size}", f"--tmpfs=/tmp:rw,nosuid,nodev,{size}", "--shm-size=64m"),
        f"--env=TZ={zone_for_code(zone_files=False)}",  # an image may hold no files of zones
        *("--env=HOME=/tmp", "--env=LANG=C.UTF-8", "--env=MPLBACKEND=Agg", "--env=OPENBLAS_NUM_THREADS=2"),
        f"--volume={(Path(__file__).parent / 'inside').resolve()}:/.outrider:ro",
    ]
    for path in wanted.read:
        arguments.append(f"--volume={path.absolute()}:{path.absolute()}:ro")
    if gvisor:
        arguments.append("--runtime=runsc")
    return [*arguments, image(), "python3", "-I", "-S", "-X", "utf8", "/.outrider/worker.py"]


def _engine() -> str:
    found = [path for name in ENGINES if (path := shutil.which(name))]
    if not found:
        raise Unusable("neither Docker nor Podman is installed", "install Docker or Podman")
    for path in found:
        if _ask(path, "info") is not None:
            return path
    names = " and ".join(Path(path).name for path in found)
    raise Unusable(
        f"{names} is installed but its engine does not answer", "start the engine, or let this user reach it"
    )


def _ask(engine: str, *arguments: str) -> str | None:
    """What the engine says, or None if it fails or does not answer in time."""
    try:
        done = subprocess.run(
            [engine, *arguments], env=_environment(), capture_output=True, stdin=subprocess.DEVNULL, timeout=ASK_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}


CONTAINER = Isolation(
    name="container",
    keeps=(
        "files outside the workspace cannot be read or changed",
        "no network",
        "other processes cannot be seen or touched",
        "nothing outlives a call",
        "disk, memory, processes and time are bounded",
    ),
    does_not_keep=("your interpreter's packages: the image's are there", "a hole in the kernel or in the engine"),
    start=_start,
    fix="install Docker or Podman and start it",
)
