"""Threads for tools: used again when free, never waited for, and none inherited by a fork."""

from __future__ import annotations

import decimal
import os
import threading
from pathlib import Path

import pytest

from outrider.tools.process.threads import in_thread


def ident() -> int:
    """The thread that ran one piece of work."""
    done, said = threading.Event(), list[int]()
    in_thread(lambda: (said.append(threading.get_ident()), done.set())[0])
    assert done.wait(30)
    return said[0]


def test_a_thread_that_is_free_takes_the_next_work() -> None:
    """Work that comes one after the other needs a thread or two, not one each."""
    assert len({ident() for _ in range(50)}) < 25


def test_work_that_hangs_keeps_nobody_waiting() -> None:
    """While one piece never ends, others run."""
    hung = threading.Event()
    in_thread(lambda: hung.wait(60) and None)
    assert ident()
    hung.set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_starts_threads_of_its_own(tmp_path: Path) -> None:
    """Work given to a thread that a fork left behind would never be done."""
    ident()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            (tmp_path / "ran").write_text(str(ident()))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "ran").exists()


def test_what_one_piece_of_work_sets_is_not_the_next_ones() -> None:
    """The precision of decimals belongs to whoever set it, though the thread is the same."""
    done, said = threading.Event(), list[str]()
    in_thread(lambda: (setattr(decimal.getcontext(), "prec", 3), done.set())[1])
    assert done.wait(30)
    done.clear()
    in_thread(lambda: (said.append(str(decimal.Decimal(1) / 3)), done.set())[0])
    assert done.wait(30)
    assert len(said[0]) > 20
