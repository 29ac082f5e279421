"""What an attack is, and how one is judged: from outside, and with the same attack shown to work without a sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.sandbox.lanes import Lane, within

Judge = Callable[[Lane, dict[str, Any], dict[str, Any]], bool]  # (lane, before, what the call gave) -> it got through


@dataclass(frozen=True)
class Attack:
    """`code` finds what it attacks in `W`. `not_promised`: isolations that say they do not keep this.

    control: False for an attack that cannot work without a sandbox either on this machine (it would need root, or
    would harm the machine); then `why_no_control` says so.
    """

    name: str
    code: str
    got_through: Judge
    not_promised: tuple[str, ...] = ()
    control: bool = True
    why_no_control: str = ""
    shell: bool = False
    timeout_s: float = 5.0
    wait_s: float = 0.0


def attempt(lane: Lane, attack: Attack) -> bool:
    """Run the attack in the lane; whether it got through. What it changed outside is put back."""
    lane.shell("rm -rf -- * .[!.]*")  # what an attack before this one left in the workspace
    if lane.isolation in ("namespaces", "bubblewrap", "container"):  # NEVER elsewhere: there /tmp is the machine's own
        lane.shell("rm -rf /tmp/[!h]* 2>/dev/null")
    before = {"files": lane.world.snapshot(), "heard": len(lane.world.heard)}
    if attack.shell:
        words = "".join(
            f"{key}={shell_word(value)}\n" for key, value in lane.world.words().items() if key != "abstract"
        )
        done = lane.shell(f"{words}{attack.code}", timeout_s=attack.timeout_s)
    else:
        done = lane.python_(
            f"W = {lane.world.words()!r}\nAGENT = {lane.agent}\n{attack.code}", timeout_s=attack.timeout_s
        )
    assert "error" not in done, done
    assert "the sandbox could not" not in done["stderr"], done["stderr"]
    try:
        if attack.wait_s:
            return within(attack.wait_s, lambda: attack.got_through(lane, before, done))
        return attack.got_through(lane, before, done)
    finally:
        lane.restore(before["files"])


def shell_word(value: Any) -> str:
    return "'" + str(value).replace("'", "'\\''") + "'"


def leaks(lane: Lane, before: dict[str, Any], done: dict[str, Any]) -> bool:
    """The secret came back: in what was printed, in the value, or in a file of the workspace."""
    said = f"{done['stdout']}{done['stderr']}{done['value']}{done['left_out']}"
    files = [p for p in lane.world.workspace.rglob("*") if p.is_file() and not p.is_symlink()]
    return lane.world.token in said or any(lane.world.token.encode() in p.read_bytes() for p in files)


def changes(lane: Lane, before: dict[str, Any], done: dict[str, Any]) -> bool:
    """Something outside the workspace is not as it was."""
    return bool(lane.world.snapshot() != before["files"])


def reaches(lane: Lane, before: dict[str, Any], done: dict[str, Any]) -> bool:
    """A listener outside heard something."""
    return len(lane.world.heard) > before["heard"]


def says(word: str) -> Judge:
    """The code reports success in a way it could not without it."""
    return lambda lane, before, done: word in done["stdout"]
