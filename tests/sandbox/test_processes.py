"""Attacks on other processes, and by processes that will not end: signals, daemons, fork bombs, the worker, the agent."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.attacks import Attack, attempt, says
from tests.sandbox.lanes import CONTROLS, DRIVER, LANES, NAMES, Lane, below, running, within

TRY = """
import os, signal, subprocess, sys, time
def attack(function):
    try: function()
    except Exception as e: print(type(e).__name__, e)
"""


def victim_dies(lane: Lane, before: dict[str, object], done: dict[str, object]) -> bool:
    return within(0.2, lambda: lane.world.victim.poll() is not None)


def victim_stops(lane: Lane, before: dict[str, object], done: dict[str, object]) -> bool:
    pid = lane.world.victim.pid
    stopped = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    os.kill(pid, 18)
    return stopped


ATTACKS = (
    Attack("kill another process", TRY + "attack(lambda: os.kill(W['victim'], 9))", victim_dies),
    Attack("kill another process by a program", "kill -9 $victim", victim_dies, shell=True),
    Attack("stop another process", TRY + "attack(lambda: os.kill(W['victim'], signal.SIGSTOP))", victim_stops),
    Attack("kill another process by its group", TRY + "attack(lambda: os.killpg(os.getpgid(W['victim']), 9))", victim_dies, control=False,
           why_no_control="its group is the test's own"),
    Attack("kill another process by a descriptor", TRY + "attack(lambda: signal.pidfd_send_signal(os.pidfd_open(W['victim']), 9))", victim_dies),
    Attack("kill everything", TRY + "attack(lambda: os.kill(-1, 9))", victim_dies, control=False, why_no_control="it would end the user's session"),
    Attack("slow another process down", TRY + "attack(lambda: (os.setpriority(os.PRIO_PROCESS, W['victim'], 19), print('SLOWED')))", says("SLOWED")),
    Attack("bind another process to a processor", TRY + "attack(lambda: (os.sched_setaffinity(W['victim'], {0}), print('BOUND')))", says("BOUND")),
    Attack("change another's limits", TRY + "import resource\nattack(lambda: (resource.prlimit(W['victim'], resource.RLIMIT_NOFILE, (9, 9)), print('LIMITED')))", says("LIMITED")),
)  # fmt: skip
# Landlock keeps signals in (from Linux 6.12), not priorities; it says "other processes cannot be read or traced (nor signalled…)".
NOT_SAID = {"landlock": ("slow another process down", "bind another process to a processor")}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_other_processes_are_out_of_reach(open_lane: Callable[[str], Lane], lane: str, attack: Attack) -> None:
    """No process outside can be signalled, slowed or bound."""
    got = attempt(opened := open_lane(lane), attack)
    assert not got or attack.name in NOT_SAID.get(opened.isolation, ())


@pytest.mark.parametrize("lane", CONTROLS)
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.control], ids=lambda a: a.name)
def test_other_processes_are_in_reach_without_a_sandbox(
    open_lane: Callable[[str], Lane], lane: str, attack: Attack
) -> None:
    """The positive control: each attack gets through where nothing isolates."""
    assert attempt(open_lane(lane), attack)


DAEMONS = {
    "a child in the background": "subprocess.Popen(['sleep', MARK])",
    "a child in a new session": "subprocess.Popen(['sleep', MARK], start_new_session=True)",
    "a shell's nohup": "subprocess.run('nohup sleep ' + MARK + ' >/dev/null 2>&1 &', shell=True)",
    "a double fork": """
if not os.fork():
    os.setsid()
    if not os.fork():
        for fd in range(3): os.close(fd)
        os.execvp('sleep', ['sleep', MARK])
    os._exit(0)
time.sleep(.1)
""",
    "one that ignores signals": "subprocess.Popen(['sh', '-c', \"trap '' HUP INT TERM QUIT; sleep \" + MARK + '; :'])\ntime.sleep(.1)",
    "a tree of them": "subprocess.Popen('for i in 1 2 3; do (setsid sleep ' + MARK + ' &) ; done; sleep ' + MARK, shell=True)\ntime.sleep(.1)",
    "one that stops itself": "p = subprocess.Popen(['sleep', MARK]); os.kill(p.pid, signal.SIGSTOP)",
    "one that forks all the time": """
if not os.fork():
    while True:
        try:
            if os.fork(): os._exit(0)
        except OSError: pass
subprocess.Popen(['sleep', MARK])
""",
}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("how", DAEMONS)
def test_nothing_outlives_the_call(open_lane: Callable[[str], Lane], lane: str, how: str) -> None:
    """When a call has been answered, nothing it started runs any more."""
    opened = open_lane(lane)
    mark = f"1{secrets.randbelow(10**6):06}"
    done = opened.python_(f"{TRY}MARK = {mark!r}\n{DAEMONS[how]}\nprint('started')")
    assert done["stdout"] == "started\n", done
    assert within(0.05 if opened.isolation != "landlock" else 0.5, lambda: not running(f"sleep\0{mark}"))


@pytest.mark.parametrize("lane", CONTROLS)
def test_a_daemon_is_seen_by_this_test_where_nothing_ends_it(lane: str) -> None:
    """The positive control of the one above: a process of that shape is found by its mark."""
    mark = f"1{secrets.randbelow(10**6):06}"
    child = subprocess.Popen(["sleep", mark])
    assert within(1, lambda: bool(running(f"sleep\0{mark}")))
    child.kill()
    child.wait()


@pytest.mark.parametrize("lane", LANES)
def test_a_timeout_ends_everything_at_once(open_lane: Callable[[str], Lane], lane: str) -> None:
    """At the deadline the code and all it started are gone, and the call says why."""
    opened = open_lane(lane)
    mark = f"1{secrets.randbelow(10**6):06}"
    code = f"{TRY}subprocess.Popen(['sleep', '{mark}'], start_new_session=True)\nprint('before', flush=True)\ntime.sleep(60)"
    done = opened.python_(code, timeout_s=0.5)
    assert (done["stopped_by"], done["stdout"]) == ("time", "before\n")
    assert done["seconds"] < 1.5
    assert within(0.5, lambda: not running(f"sleep\0{mark}"))


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize(
    "attack",
    [
        "os.kill(os.getppid(), 9)",
        "os.kill(1, 9)",
        "os.kill(os.getppid(), signal.SIGSTOP)",
        "os.kill(-1, signal.SIGSTOP)",
        "os.kill(0, 9)",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "[os.close(fd) for fd in range(3, 200) if not __import__('contextlib').suppress(OSError).__enter__() and 0]",
        "os.write(4, b'\\xff' * 100)",
        "os.write(4, (8).to_bytes(4, 'big') + (4).to_bytes(4, 'big') + b'done')",
        "os.write(4, (1 << 30).to_bytes(4, 'big'))",
        "__import__('ctypes').string_at(0)",
        "os.abort()",
        "os._exit(7)",
        "sys.setrecursionlimit(10**9); f = lambda: f(); f()",
        "sys.stdout.close(); sys.stderr.close(); os.close(1); os.close(2)",
    ],
)
def test_the_next_call_works_after_an_attack_on_the_worker(
    open_lane: Callable[[str], Lane], lane: str, attack: str
) -> None:
    """Whatever the code does to the process that serves it, the call ends and the next one is served."""
    opened = open_lane(lane)
    opened.python_(f"{TRY}attack(lambda: {attack})", timeout_s=3)
    done = opened.python_("print(6 * 7)")
    assert (done["stdout"], done["exit_code"]) == ("42\n", 0), done


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("wait", [0.0, 0.3])
def test_a_killed_agent_takes_its_sandbox_along(lane: str, wait: float) -> None:
    """kill -9 of the agent, while starting, idle or in a call: within a second nothing of the sandbox runs."""
    opened = Lane(lane)
    try:
        mark = f"1{secrets.randbelow(10**6):06}"
        assert opened.driver.stdin is not None
        request = json.dumps({"op": "shell", "code": f"setsid sleep {mark} & sleep {mark}"}) + "\n"
        opened.driver.stdin.write(request)
        opened.driver.stdin.flush()
        if wait:
            assert within(5, lambda: len(running(f"sleep\0{mark}")) == 2)
        family = opened.processes()
        assert family
        opened.driver.kill()
        assert within(1.0, lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in family))
        assert within(1.0, lambda: not running(f"sleep\0{mark}"))
    finally:
        opened.close()


def test_an_agent_killed_while_starting_leaves_nothing() -> None:
    """At twenty instants from the first to the last moment of a start: within a second nothing runs."""
    for moment in range(20):
        marker = f"outrider-kill-{secrets.token_hex(4)}"
        code = f"import sys; sys.path.insert(0, {str(DRIVER.parents[2])!r}); marker = {marker!r}\n" + AGENT
        agent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd="/")
        assert agent.stdout is not None
        agent.stdout.read(1)
        time.sleep(moment * 0.008)
        family = below(agent.pid)
        agent.kill()
        agent.wait()
        agent.stdout.close()
        assert within(1.0, lambda family=family: not any(Path(f"/proc/{pid}/exe").exists() for pid in family)), moment


AGENT = """
from tests.sandbox.driver import stand_alone
stand_alone()
from outrider.tools.sandbox import open_sandbox
print(flush=True)
with open_sandbox() as box:
    while True: box.python("pass")
"""


def test_an_interrupted_call_is_ended_and_the_sandbox_stays_usable(tmp_path: Path) -> None:
    """Ctrl-C while code runs: the code ends, and the next call is served (by a new worker if need be)."""
    from outrider.tools.sandbox import open_sandbox

    def raise_interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, raise_interrupt)
    try:
        with open_sandbox(tmp_path) as box:
            mark = f"1{secrets.randbelow(10**6):06}"
            signal.setitimer(signal.ITIMER_REAL, 0.4)
            with pytest.raises(KeyboardInterrupt):
                box.shell(f"sleep {mark}")
            assert within(1, lambda: not running(f"sleep\0{mark}"))
            assert box.python("print(1)").stdout == "1\n"
    finally:
        signal.signal(signal.SIGALRM, old)


def test_the_probe_answers_in_a_process_that_was_forked(open_lane: Callable[[str], Lane]) -> None:
    """`outrider doctor` gets a report for each isolation, strongest first, each with a reason or a fix."""
    opened = open_lane(NAMES[0])
    reports = opened.ask("probe")["reports"]
    assert [report["name"] for report in reports] == ["namespaces", "bubblewrap", "container", "landlock"]
    assert reports[0]["works"]
    assert all(report["works"] or (report["why"] and report["fix"]) for report in reports)
