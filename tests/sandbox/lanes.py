"""The lanes attacks run in: every isolation that can be had here, as root and as an unprivileged user.

A lane is a driver process (driver.py) of that user with a sandbox open in it. What it looks at from outside (files,
listeners, processes) is in `World`, made anew for each lane and owned by the lane's user.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534
DRIVER = Path(__file__).with_name("driver.py")
SECRET_VARIABLE = "OUTRIDER_TEST_TOKEN"  # in the agent's environment; must be nowhere inside


@functools.cache
def interpreter(user: str, isolation: str) -> str | None:
    """A Python 3.11+ that the user who will run the code can read, or None."""
    if (user == "root" and isolation in ("namespaces", "none")) or user == "me":
        return sys.executable
    for candidate in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        check = (
            "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == '/usr' and sys.executable[:5] != '/usr/')"
        )
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            if (
                subprocess.run([candidate, "-c", check], env={}, cwd="/", capture_output=True, **as_nobody).returncode
                == 0
            ):
                return candidate
        except OSError:
            continue
    return None


def users() -> tuple[str, ...]:
    """root and nobody if we are root; otherwise only ourselves."""
    return ("root", "nobody") if os.geteuid() == 0 else ("me",)


ISOLATIONS = ("namespaces", "bubblewrap", "landlock")
NAMES = tuple(f"{isolation}-{user}" for isolation in ISOLATIONS for user in users())


def lanes(*at_every_run: str) -> list[Any]:
    """Parameters for every lane; those not named (by a prefix) are slow, and one that needs a program says so."""
    made = []
    for name in NAMES:
        marks = [] if name.startswith(at_every_run) else [pytest.mark.slow]
        made.append(pytest.param(name, marks=[*marks, *([pytest.mark.bubblewrap] if "bubblewrap" in name else [])]))
    return made


EVERY_LANE = lanes("namespaces", "landlock")
LANES = lanes("namespaces")
# Positive controls run hostile code on this very machine: never as root, and only against what the lane made itself.
CONTROLS = ("none-nobody",) if os.geteuid() == 0 else ("none-me",)


class Lane:
    """A user, an isolation, a driver with a sandbox, and the world around it."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self.isolation, self.user = name.split("-")
        python = interpreter(self.user, self.isolation)
        if python is None:
            pytest.skip("no Python 3.11 that an unprivileged user can read")
        self.python = python
        self.uid = {"root": 0, "nobody": NOBODY, "me": os.geteuid()}[self.user]
        self.world = World(self.uid)
        as_user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self.user == "nobody" else {}
        self.driver = subprocess.Popen(
            [python, str(DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(self.world.home), SECRET_VARIABLE: self.world.token},
            cwd="/",
            text=True,
            **as_user,
        )
        limits = {
            "seconds": 10,
            "memory_mb": 512,
            "processes": 32,
            "disk_mb": 64,
            "files": 2000,
            "output_chars": 20_000,
        }
        opened = {"limits": limits, "workspace": str(self.world.workspace), "isolation": self.isolation, **options}
        answer = self.ask("open", **opened)
        if "error" in answer:
            self.close()
            pytest.skip(f"{name}: {answer['why']}")
        self.promises: str = answer["promises"]
        self.agent: int = answer["pid"]

    def ask(self, op: str, **request: Any) -> dict[str, Any]:
        """One request to the driver."""
        assert self.driver.stdin
        assert self.driver.stdout
        assert self.driver.stderr
        self.driver.stdin.write(json.dumps({"op": op, **request}) + "\n")
        self.driver.stdin.flush()
        line = self.driver.stdout.readline()
        if not line:
            raise AssertionError(f"the driver died: {self.driver.stderr.read()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def python_(self, code: str, timeout_s: float | None = None) -> dict[str, Any]:
        return self.ask("python", code=code, timeout_s=timeout_s)

    def shell(self, code: str, timeout_s: float | None = None) -> dict[str, Any]:
        return self.ask("shell", code=code, timeout_s=timeout_s)

    def cell(self, code: str, timeout_s: float | None = None) -> dict[str, Any]:
        return self.ask("cell", code=code, timeout_s=timeout_s)

    def restore(self, files: dict[str, tuple[Any, ...]]) -> None:
        """Put back what lies outside, and empty the workspace."""
        now = self.world.snapshot()
        for name in sorted(now.keys() - files.keys(), reverse=True):
            path = Path(name)
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        for name, before in files.items():
            path = Path(name)
            if now.get(name) != before:
                if path.is_symlink() or not path.exists():
                    path.unlink(missing_ok=True)
                if not path.is_dir() and not stat.S_ISSOCK(before[0]):
                    path.write_bytes(before[3])
                os.chown(path, before[1], -1)
                path.chmod(stat.S_IMODE(before[0]))
        for path in self.world.workspace.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if self.world.victim.poll() is not None:
            self.world.start_victim()

    def processes(self) -> list[int]:
        """Ids of everything below the driver, as seen from outside."""
        return below(self.driver.pid)

    def close(self) -> None:
        if self.driver.poll() is None:
            self.driver.kill()
        self.driver.wait()
        for stream in (self.driver.stdin, self.driver.stdout, self.driver.stderr):
            if stream:
                stream.close()
        self.world.close()


class World:
    """What lies outside the sandbox, as bait: files, a home, listeners, a process. All belong to the lane's user."""

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self.token = "token-" + secrets.token_hex(12)
        self.root = Path(tempfile.mkdtemp(prefix="outrider-world-"))
        self.root.chmod(0o755)
        self.workspace, self.outside, self.home = (self.root / n for n in ("workspace", "outside", "home"))
        for folder in (self.workspace, self.outside, self.home, self.home / ".ssh"):
            folder.mkdir()
        self.canary = self.outside / "canary.txt"
        self.canary.write_text(self.token)
        (self.home / ".ssh" / "id_ed25519").write_text(self.token)
        self.database = self.outside / "memory.db"
        self.database.write_bytes(b"SQLite format 3\0" + self.token.encode())
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.tcp6 = socket.create_server(("::1", 0), family=socket.AF_INET6) if socket.has_ipv6 else None
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.unix, self.abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self.unix.bind(str(self.outside / "socket"))
        self.abstract.bind("\0" + self.token)
        self.heard: list[str] = []
        for name, listener in (
            ("tcp", self.tcp),
            ("tcp6", self.tcp6),
            ("unix", self.unix),
            ("abstract", self.abstract),
        ):
            if listener is not None:
                listener.listen(50)
                threading.Thread(target=self._accept, args=(name, listener), daemon=True).start()
        threading.Thread(target=self._receive, daemon=True).start()
        if os.geteuid() == 0 and uid:
            for path in (self.root, *self.root.rglob("*")):
                os.chown(path, uid, uid, follow_symlinks=False)
        self.start_victim()

    def start_victim(self) -> None:
        """A process of the same user, with the secret in its environment."""
        uid = self.uid
        as_user: dict[str, Any] = {"user": uid, "group": uid, "extra_groups": []} if os.geteuid() == 0 and uid else {}
        self.victim = subprocess.Popen(["sleep", "1000"], env={SECRET_VARIABLE: self.token}, cwd="/", **as_user)

    def _accept(self, name: str, listener: socket.socket) -> None:
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return
            self.heard.append(name)

    def _receive(self) -> None:
        while True:
            try:
                if self.udp.recv(100) == b"":
                    return
            except OSError:
                return
            self.heard.append("udp")

    def words(self) -> dict[str, Any]:
        """What attack code is told: everything it would have to guess, so that ignorance is no defence."""
        return {
            "canary": str(self.canary),
            "outside": str(self.outside),
            "home": str(self.home),
            "workspace": str(self.workspace),
            "database": str(self.database),
            "tcp": self.tcp.getsockname()[1],
            "tcp6": self.tcp6.getsockname()[1] if self.tcp6 else 9,
            "udp": self.udp.getsockname()[1],
            "unix": str(self.outside / "socket"),
            "abstract": "\0" + self.token,
            "victim": self.victim.pid,
            "variable": SECRET_VARIABLE,
        }

    def snapshot(self) -> dict[str, tuple[Any, ...]]:
        """Everything about the files outside the workspace that an attack could change."""
        found = {}
        for path in sorted((self.root, *self.outside.rglob("*"), *self.home.rglob("*"))):
            s = path.lstat()
            data = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (s.st_mode, s.st_uid, s.st_size if path.is_file() else 0, data)
        return found

    def close(self) -> None:
        self.victim.kill()
        self.victim.wait()
        for listener in (self.tcp, self.tcp6, self.udp, self.unix, self.abstract):
            if listener is not None:
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)
                listener.close()
        shutil.rmtree(self.root, ignore_errors=True)


def below(root: int) -> list[int]:
    """Ids of all processes below `root`."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
        if entry.isdigit():
            try:
                words = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if words[0] != "Z":
                children.setdefault(int(words[1]), []).append(int(entry))
    found, waiting = [], [root]
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            found.append(pid)
            waiting.append(pid)
    return found


def running(marker: str) -> list[int]:
    """Processes anywhere on the machine with `marker` on their command line."""
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
        if entry.isdigit():
            try:
                if marker.encode() in Path(f"/proc/{entry}/cmdline").read_bytes():
                    found.append(int(entry))
            except OSError:
                continue
    return found


def within(seconds: float, happened: Any) -> bool:
    """Whether `happened()` becomes true in that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.02)
    return bool(happened())
