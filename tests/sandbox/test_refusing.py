"""Where it cannot isolate it refuses, with the reason and the fix; it never takes something weaker unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.tools.sandbox import Limits, SandboxUnavailable, choose, container, open_sandbox
from outrider.tools.sandbox.isolation import Isolation, Start, Unusable, Wanted
from outrider.tools.sandbox.none import NONE
from tests.sandbox.lanes import DRIVER, interpreter

# Makes a user namespace with all ids in it, forbids more of them there, becomes nobody, and executes its arguments.
WITHOUT_NAMESPACES = """
import ctypes, os, sys
ready, say = os.pipe()
me = os.getpid()
if not os.fork():
    os.read(ready, 1)
    for name in ("uid_map", "gid_map"):
        open(f"/proc/{me}/{name}", "w").write("0 0 65535")
    os._exit(0)
assert ctypes.CDLL(None).unshare(0x10000000) == 0
os.write(say, b"x")
os.wait()
open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
os.execv(sys.argv[1], sys.argv[1:])
"""


def ask_driver(prefix: list[str], python: str, *requests: dict[str, object], path: str) -> list[dict[str, object]]:
    """A driver under `prefix`, and its answers."""
    text = "".join(json.dumps(request) + "\n" for request in requests)
    environment = {"PATH": path, "HOME": "/nonexistent"}
    done = subprocess.run(
        [*prefix, python, str(DRIVER)], input=text, env=environment, capture_output=True, text=True, cwd="/"
    )
    return [json.loads(line) for line in done.stdout.splitlines()] or [{"crashed": done.stderr}]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to forbid user namespaces in a namespace of its own")
def test_without_user_namespaces_the_default_says_why_and_takes_the_next(tmp_path: Path) -> None:
    """user.max_user_namespaces=0 in a child namespace: no silent fallback by name, and `auto` names what it took."""
    python = interpreter("nobody", "landlock")
    if python is None:
        pytest.skip("no Python 3.11 that an unprivileged user can read")
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        if str(parent) != "/tmp":
            parent.chmod(parent.stat().st_mode | 0o011)
    prefix = ["/usr/bin/python3", "-c", WITHOUT_NAMESPACES]
    by_name, auto, probe = ask_driver(
        prefix, python,
        {"op": "open", "workspace": str(tmp_path), "isolation": "namespaces"},
        {"op": "open", "workspace": str(tmp_path)},
        {"op": "probe"},
        path=os.environ["PATH"],
    )  # fmt: skip
    assert by_name["error"] == "SandboxUnavailable", by_name
    assert "making namespaces" in str(by_name["why"])
    assert "user namespaces" in str(by_name["fix"])
    reports = {report["name"]: report for report in probe["reports"]}  # type: ignore[attr-defined]
    assert not reports["namespaces"]["works"]
    assert not reports["bubblewrap"]["works"]
    if reports["landlock"]["works"]:
        assert auto["isolation"] == "landlock"
        assert "reduced isolation" in str(auto["promises"])


def test_an_isolation_that_lets_an_attack_through_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The probe attacks what it is about to trust: something that isolates nothing is found out."""
    hollow = Isolation("hollow", keeps=("nothing",), does_not_keep=(), start=NONE.start)
    monkeypatch.setattr(choose, "IN_ORDER", (hollow,))
    monkeypatch.setattr(choose, "_known", {})
    with pytest.raises(SandboxUnavailable) as refused:
        open_sandbox(tmp_path, Limits())
    for broken in ("a file outside can be read", "the network can be reached", "a file outside can be made"):
        assert broken in refused.value.why


def test_an_isolation_that_does_not_start_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the failing program said is the reason."""
    failing = Isolation(
        "failing", (), (), lambda wanted: Start(("sh", "-c", "echo the disk is on fire >&2"), ()), "put it out"
    )
    monkeypatch.setattr(choose, "IN_ORDER", (failing,))
    monkeypatch.setattr(choose, "_known", {})
    with pytest.raises(SandboxUnavailable, match="the disk is on fire") as refused:
        open_sandbox(tmp_path)
    assert refused.value.fix == "put it out"


def test_an_unknown_isolation_is_refused_with_the_names(tmp_path: Path) -> None:
    """A typo is not a reason to take another."""
    with pytest.raises(SandboxUnavailable, match="namespaces, bubblewrap, container, landlock, none"):
        open_sandbox(tmp_path, isolation="namespace")


def test_none_is_never_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With every isolation gone, `auto` refuses; only the name `none` gets none."""
    monkeypatch.setattr(choose, "IN_ORDER", ())
    with pytest.raises(SandboxUnavailable):
        open_sandbox(tmp_path)
    with open_sandbox(tmp_path, isolation="none") as box:
        assert "anything: the code can do what you can do" in box.promises


FAKE_ENGINE = """#!{python}
import os, sys
with open({log!r}, "a") as log:
    log.write(repr(sys.argv[1:]) + "\\n")
if sys.argv[1] == "run":
    at = sys.argv.index("python3")
    mounts = [a for a in sys.argv if a.startswith("--volume=") and a.endswith(":/.outrider:ro")]
    source = mounts[0][len("--volume="):-len(":/.outrider:ro")]
    worker = source + "/inside/worker.py"
    os.execv({python!r}, [{python!r}, *sys.argv[at + 1:-1], worker])
print("{{\\"runsc\\": {{}}}}" if sys.argv[1] == "info" else "[]")
"""


def fake_engine(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "podman") -> Path:
    """An engine that writes down what it is asked and runs the worker without any container."""
    log = folder / "log"
    program = folder / name
    program.write_text(FAKE_ENGINE.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return log


def test_the_container_is_asked_for_every_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The composed command is the product: no network, no capabilities, read-only, limits, an unprivileged user."""
    log = fake_engine(tmp_path, monkeypatch)
    limits = Limits(memory_mb=300, processes=20, disk_mb=64, files=500, open_files=99)
    start = container._start(Wanted(limits))
    command = start.command
    for wanted in [
        "--rm",
        "--interactive",
        "--pull=never",
        "--hostname=sandbox",
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--user=65534:65534",
        "--pids-limit=28",
        "--memory=300m",
        "--memory-swap=300m",
        "--ulimit=nofile=99:99",
        "--ulimit=core=0",
        "--runtime=runsc",
        "--ipc=private",
    ]:
        assert wanted in command, wanted
    assert f"--tmpfs=/workspace:rw,nosuid,nodev,size={64 << 20},nr_inodes=500,mode=1777" in command
    assert not any("docker.sock" in part or "--privileged" in part for part in command)
    writable = [part for part in command if part.startswith("--volume=") and not part.endswith(":ro")]
    assert writable == []
    assert "image" in log.read_text()
    assert not any(name.startswith("OUTRIDER") or "TOKEN" in name for name in start.environment)
    assert start.finish is not None
    start.finish()
    name = next(part for part in command if part.startswith("--name=")).removeprefix("--name=")
    assert f"['kill', '{name}']" in log.read_text()


def test_a_container_that_isolates_nothing_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe attacks a container like any other: an engine that ignores its flags is not trusted."""
    monkeypatch.setattr(choose, "_known", {})
    fake_engine(tmp_path, monkeypatch)
    with pytest.raises(SandboxUnavailable):
        open_sandbox(isolation="container")


def test_an_engine_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without its engine is common; the reason says so."""
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unusable, match="docker is installed but its engine does not answer"):
        container._start(Wanted(Limits()))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(Unusable, match="neither Docker nor Podman"):
        container._start(Wanted(Limits()))
