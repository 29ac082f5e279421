"""Nothing is left behind over time: processes, mounts, namespaces, descriptors, threads, temporary files, memory."""

from __future__ import annotations

import gc
import os
import resource
import tempfile
import threading
import time
from pathlib import Path

import pytest

from outrider.tools.sandbox import Limits, open_sandbox
from tests.sandbox.lanes import EVERY_LANE, Lane, below, within

LIMITS = Limits(seconds=10, memory_mb=512, disk_mb=64)


@pytest.fixture
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files of this test alone: others on the machine may run sandboxes too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))


def left() -> dict[str, object]:
    """What this process and the machine hold that a sandbox could have left."""
    gc.collect()
    mounts = len(Path("/proc/self/mountinfo").read_text().splitlines())
    temporary = set(os.listdir(tempfile.gettempdir()))  # noqa: PTH208
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    return {"mounts": mounts, "temporary": temporary, "descriptors": descriptors, "threads": threading.active_count()}


@pytest.mark.usefixtures("own_temporary_folder")
@pytest.mark.parametrize("isolation", ["namespaces", "none"])
def test_a_closed_sandbox_leaves_nothing(isolation: str, tmp_path: Path) -> None:
    """Opened, used, closed, twenty times over: everything is as before, and its processes are gone."""
    with open_sandbox(tmp_path, LIMITS, isolation=isolation) as box:
        box.python("pass")
    mine = set(below(os.getpid()))
    before = left()
    for _ in range(20):
        with open_sandbox(tmp_path, LIMITS, isolation=isolation) as box:
            box.python("print(1)")
            with box.session() as session:
                session.run("x = 1")
    assert within(1, lambda: set(below(os.getpid())) <= mine)
    assert left() == before


@pytest.mark.parametrize("lane", EVERY_LANE)
def test_a_killed_agent_leaves_no_files(lane: str) -> None:
    """kill -9 of the agent: a sandbox with a folder on the disk takes it along, whatever the code made in it."""
    opened = Lane(lane)
    try:
        found = opened.python_(
            "import os, tempfile\nos.makedirs('a/b'); open('a/b/c', 'w').write('x')\nos.symlink('"
            + repr(str(opened.world.outside))[1:-1]
            + "', 'out'); os.chmod('a', 0)\nprint(os.getcwd())"
        )
        before = opened.world.snapshot()
        folder = Path(found["stdout"].strip()).parent
        opened.driver.kill()
        assert folder == Path("/") or within(2, lambda: not folder.exists())
        assert opened.world.snapshot() == before
    finally:
        opened.close()


@pytest.mark.usefixtures("own_temporary_folder")
def test_a_forgotten_sandbox_is_ended(tmp_path: Path) -> None:
    """One that nobody closed ends when nobody can reach it any more."""
    mine = set(below(os.getpid()))
    box = open_sandbox(tmp_path, LIMITS)
    box.python("pass")
    assert set(below(os.getpid())) > mine
    del box
    gc.collect()
    assert within(2, lambda: set(below(os.getpid())) <= mine)


def many_calls(calls: int, tmp_path: Path) -> None:
    with open_sandbox(tmp_path, LIMITS) as box, box.session() as session:
        session.run("x = 0")
        for _ in range(20):
            box.python("open('a', 'w').write('x')")
        worker = below(box.start().pid)
        before, processes = left(), len(below(os.getpid()))
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        inside = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in worker]
        for n in range(calls):
            assert box.python(f"print({n})").stdout == f"{n}\n"
            session.run("x += 1")
            if n % 50 == 0:
                assert box.python("import os; open('a', 'w').write(str(os.getpid()))\nos.abort()").exit_code == 134
                assert box.python("import time; time.sleep(9)", timeout_s=0.05).stopped_by == "time"
        assert session.run("x").value == str(calls)
        assert left() == before
        assert len(below(os.getpid())) == processes
        assert [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in worker] == inside
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 10_000, "kilobytes"


@pytest.mark.usefixtures("own_temporary_folder")
def test_three_hundred_calls_leave_nothing(tmp_path: Path) -> None:
    """No descriptor, thread, mount, process or file more than before; a crash and a timeout now and then."""
    many_calls(300, tmp_path)


@pytest.mark.usefixtures("own_temporary_folder")
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_calls_leave_nothing(tmp_path: Path) -> None:
    """The same, for a long life."""
    many_calls(10_000, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_fifty_sandboxes_at_once_make_progress(tmp_path: Path) -> None:
    """Each answers, within its own time; together they hold less than 25 MB each."""
    boxes = [open_sandbox(None, LIMITS) for _ in range(50)]
    try:
        answers: list[str] = []
        threads = [
            threading.Thread(target=lambda b=b: answers.append(b.python("print(sum(range(10**6)))").stdout))
            for b in boxes
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [f"{sum(range(10**6))}\n"] * 50
        assert time.monotonic() - began < 30
        shares = 0
        for pid in below(os.getpid()):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            shares += int(text.split("Pss:")[1].split()[0])
        assert shares / 50 < 25_000, "kilobytes"
    finally:
        for box in boxes:
            box.close()
