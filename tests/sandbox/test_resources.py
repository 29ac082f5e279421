"""Attacks that use up the machine: memory, disk, files, processes, time; what the sandbox takes is bounded, from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.lanes import CONTROLS, Lane, below, lanes

MB = 1 << 20
# One lane at every run, the weakest user in the default isolation; all with the slow tests.
LANES = lanes("namespaces-nobody", "namespaces-me")
START = "import os, sys, time, subprocess\n"


def watched(lane: Lane, run: Callable[[], dict[str, object]]) -> tuple[dict[str, object], int, int]:
    """(what the call gave, the most memory its processes held in bytes, the most processes) while `run` ran."""
    most_memory = most_processes = 0
    over = threading.Event()

    def watch() -> None:
        nonlocal most_memory, most_processes
        while not over.is_set():
            memory = processes = 0
            for pid in below(lane.driver.pid):
                try:
                    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                    memory += int(text.split("Pss:")[1].split()[0]) * 1024
                    processes += len(list(Path(f"/proc/{pid}/task").iterdir()))
                except (OSError, IndexError):
                    continue
            most_memory, most_processes = max(most_memory, memory), max(most_processes, processes)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        return run(), most_memory, most_processes
    finally:
        over.set()
        watcher.join()


MEMORY = {
    "one large allocation": "x = bytearray(4 << 30)",
    "growing for ever": "x = []\nwhile True: x.append(bytearray(10 << 20))",
    "mapped memory": "import mmap\nx = []\nwhile True:\n    m = mmap.mmap(-1, 50 << 20); m.write(b'x' * (50 << 20)); x.append(m)",
    "many processes that each take a share": """
for _ in range(12):
    if not os.fork():
        x = bytearray(b'x') * (150 << 20); time.sleep(30); os._exit(0)
time.sleep(30)
""",
    "buffers of sockets": """
import socket
for _ in range(20):
    if not os.fork(): break
keep = []
try:
    while True:
        for s in (pair := socket.socketpair()):
            s.setblocking(False)
            try:
                while True: s.send(bytes(65536))
            except OSError: pass
        keep.append(pair)
except OSError: pass
time.sleep(30)
""",
    "shared memory": """
import mmap
for _ in range(6):
    if not os.fork():
        n = mmap.mmap(-1, 200 << 20); n.write(b'x' * (200 << 20)); time.sleep(30); os._exit(0)
time.sleep(30)
""",
}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("how", MEMORY)
def test_memory_is_bounded(open_lane: Callable[[str], Lane], lane: str, how: str) -> None:
    """512 MB are allowed: the call is stopped for memory, and its processes never held much more in all."""
    opened = open_lane(lane)
    if opened.isolation == "landlock" and how == "buffers of sockets":
        assert "buffers of sockets" in opened.promises
        return
    done, most, _ = watched(opened, lambda: opened.python_(START + MEMORY[how], timeout_s=8))
    assert done["stopped_by"] == "memory", done
    assert most < 1400 * MB  # what two processors can touch between two looks of the watch, on a busy machine


@pytest.mark.parametrize("lane", LANES)
def test_memory_under_the_limit_is_there(open_lane: Callable[[str], Lane], lane: str) -> None:
    """The positive control: 300 MB work."""
    done = open_lane(lane).python_("x = bytearray(300 << 20); print(len(x) >> 20)")
    assert done["stdout"] == "300\n", done


BOMBS = {
    "forks": "while True:\n    try: os.fork()\n    except OSError: pass",
    "threads": "import threading\nfor _ in range(10**6):\n    threading.Thread(target=time.sleep, args=(30,)).start()",
    # the shell that cannot fork its `sleep` any more ends at once: what it left behind must still be stopped
    "a shell's": "try: subprocess.run(['sh', '-c', 'f() { f | f & }; f; sleep 5'])\nexcept OSError: pass\ntime.sleep(30)",
    "forks that change session": "while True:\n    try:\n        if not os.fork(): os.setsid()\n    except OSError: pass",
}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("how", BOMBS)
def test_processes_are_bounded(open_lane: Callable[[str], Lane], lane: str, how: str) -> None:
    """32 are allowed: a bomb stays near that, ends by the deadline, and leaves nothing."""
    opened = open_lane(lane)
    done, _, most = watched(opened, lambda: opened.python_(START + BOMBS[how], timeout_s=1.5))
    assert most < (60 if opened.isolation != "landlock" else 120), done
    assert done["stopped_by"] in ("time", "processes")
    assert opened.python_("print(1)")["stdout"] == "1\n"
    idle = len(opened.processes())
    assert idle <= 4


@pytest.mark.parametrize("lane", LANES)
def test_many_processes_under_the_limit_work(open_lane: Callable[[str], Lane], lane: str) -> None:
    """The positive control: twenty at once are no bomb."""
    code = START + "p = [subprocess.Popen(['sleep', '0.1']) for _ in range(20)]; print(sum(x.wait() for x in p))"
    assert open_lane(lane).python_(code)["stdout"] == "0\n"


DISK = {
    "one large file": "with open('big', 'wb') as f:\n    while True: f.write(bytes(1 << 20))",
    "in /tmp": "import tempfile\nwith open(os.path.join(tempfile.gettempdir(), 'big'), 'wb') as f:\n    while True: f.write(bytes(1 << 20))",
    "many files": "for n in range(10**6): open(f'f{n}', 'wb').write(bytes(1 << 20))",
    "in shared memory": "with open('/dev/shm/big', 'wb') as f:\n    while True: f.write(bytes(1 << 20))",
}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("how", DISK)
def test_disk_is_bounded(open_lane: Callable[[str], Lane], lane: str, how: str) -> None:
    """64 MB are allowed: the call is stopped for disk, and no more than that arrives outside."""
    opened = open_lane(lane)
    if opened.isolation == "landlock" and how != "one large file":
        assert "disk quota" in opened.promises
        return
    done = opened.python_(START + DISK[how], timeout_s=8)
    assert done["stopped_by"] == "disk", done
    total = sum(p.lstat().st_size for p in opened.world.workspace.rglob("*") if p.is_file())
    assert total <= 70 * MB
    opened.shell("rm -rf -- ./* /dev/shm/big $TMPDIR/big")
    assert not list(opened.world.workspace.iterdir())


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("how", ["files", "folders", "links"])
def test_the_number_of_files_is_bounded(open_lane: Callable[[str], Lane], lane: str, how: str) -> None:
    """2,000 are allowed: a million empty ones are stopped, and none too many arrive outside."""
    opened = open_lane(lane)
    if opened.isolation == "landlock":
        assert "disk quota" in opened.promises
        return
    make = {"files": "open(f'f{n}', 'w').close()", "folders": "os.mkdir(f'f{n}')", "links": "os.symlink('x', f'f{n}')"}
    done = opened.python_(START + f"for n in range(10**6): {make[how]}", timeout_s=8)
    assert done["stopped_by"] == "disk", done
    assert len(list(opened.world.workspace.iterdir())) <= 4000
    opened.shell("find . -mindepth 1 -delete")
    opened.python_("pass")
    assert not list(opened.world.workspace.iterdir())


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize(
    "make",
    ["for n in range(500): open(f'f{n}', 'wb').truncate(30 << 20)", "open('f', 'wb').write(bytes(30 << 20))\nfor n in range(500): os.link('f', f'f{n}')"],
    ids=["files with holes", "one file with many names"],
)  # fmt: skip
def test_what_seems_large_costs_the_agent_little(open_lane: Callable[[str], Lane], lane: str, make: str) -> None:
    """15 GB that take no room inside take neither time nor room outside."""
    opened = open_lane(lane)
    opened.shell("rm -rf -- ./*")
    began = time.monotonic()
    done = opened.python_(START + make)
    assert time.monotonic() - began < 8
    assert any("more than fits" in reason for reason in done["left_out"]), done
    assert sum(p.lstat().st_size for p in opened.world.workspace.iterdir()) <= 70 * MB
    opened.shell("rm -rf -- ./*")
    assert not list(opened.world.workspace.iterdir())


@pytest.mark.parametrize("lane", LANES)
def test_a_folder_3000_deep_harms_nobody(open_lane: Callable[[str], Lane], lane: str) -> None:
    """It stays in the sandbox, with a word about it, and the next call works; closing the sandbox removes it."""
    opened = open_lane(lane)
    code = START + "for _ in range(1500):\n    os.mkdir('d'); os.chdir('d')\nprint('made')"
    done = opened.python_(code)
    assert done["stdout"] == "made\n", done
    assert any("too many folders" in reason for reason in done["left_out"])
    assert opened.python_("print(1)")["stdout"] == "1\n"
    opened.shell("rm -rf d")


@pytest.mark.parametrize("lane", LANES)
def test_folders_nobody_may_enter_harm_nobody(open_lane: Callable[[str], Lane], lane: str) -> None:
    """Mode 0 stays the sandbox's own trouble."""
    opened = open_lane(lane)
    code = (
        START
        + "os.makedirs('a/b/c'); open('a/b/c/f', 'w').write('x'); os.chmod('a/b/c', 0); os.chmod('a/b', 0); os.chmod('a', 0)"
    )
    assert opened.python_(code)["exit_code"] == 0
    assert opened.python_("print(1)")["stdout"] == "1\n"
    opened.python_("import os\nfor p in ('a', 'a/b', 'a/b/c'): os.chmod(p, 0o700)")
    opened.shell("rm -rf a")


CALLS_THAT_BLOCK = {
    "asleep": "time.sleep(100)",
    "busy": "while True: pass",
    "busy in C": "10 ** 10 ** 10",
    "ignoring signals": "import signal\nfor s in range(1, 64):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ntime.sleep(100)",
    "stopped": "os.kill(os.getpid(), 19)",
    "in a regular expression": "import re; re.match(r'(a+)+b', 'a' * 40)",
    "waiting for a thread": "import threading; threading.Thread(target=time.sleep, args=(100,)).start()",
    "waiting at exit": "import atexit; atexit.register(time.sleep, 100)",
    "reading its input": "sys.stdin.read(); time.sleep(100)",
}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("how", CALLS_THAT_BLOCK)
def test_time_is_bounded(open_lane: Callable[[str], Lane], lane: str, how: str) -> None:
    """The call ends at its deadline, whatever it waits for."""
    began = time.monotonic()
    done = open_lane(lane).python_(START + CALLS_THAT_BLOCK[how], timeout_s=0.4)
    assert done["stopped_by"] == "time", done
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("lane", CONTROLS)
def test_a_call_within_its_time_is_not_stopped(open_lane: Callable[[str], Lane], lane: str) -> None:
    """The positive control: time is what stops the others."""
    done = open_lane(lane).python_("import time; time.sleep(0.2); print('done')", timeout_s=5)
    assert (done["stopped_by"], done["stdout"]) == (None, "done\n")
