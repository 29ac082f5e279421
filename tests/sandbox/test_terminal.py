"""Hostile output: without end, without line ends, not text, or written to drive a terminal; and the terminal itself."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.memory.text import for_storage
from outrider.tools.sandbox.text import shown
from tests.sandbox.lanes import EVERY_LANE, LANES, Lane

FLOODS = {
    "10 GB in lines": "import os\nwhile True: os.write(1, b'line\\n' * 20000)",
    "one line of 10 GB": "import os\nwhile True: os.write(1, b'x' * 100000)",
    "on stderr": "import os\nwhile True: os.write(2, b'x' * 100000)",
    "from many processes": "import os\nfor _ in range(8): os.fork()  if False else None\nwhile True: os.write(1, b'y' * 100000)",
    "a value whose repr is huge": "'x' * (100 << 20)",
    "an exception whose text is huge": "raise ValueError('x' * (100 << 20))",
    "a repr that never ends": "class A:\n    def __repr__(self): return repr(self) + 'x'\nA()",
    "results that were never asked for": "import os\nwhile True: os.write(4, b'\\0\\0\\1\\0' + b'x' * 100000)",
    "tool calls without end": "import os\nm = b''.join(len(f).to_bytes(4, 'big') + f for f in (b'call', b'a', b'{}'))\nwhile True: os.write(4, len(m).to_bytes(4, 'big') + m)",
}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("how", FLOODS)
def test_a_flood_costs_the_agent_little(open_lane: Callable[[str], Lane], lane: str, how: str) -> None:
    """Memory and time of the agent stay bounded, and what is told is bounded; 20,000 characters of each stream here."""
    opened = open_lane(lane)
    status = Path(f"/proc/{opened.driver.pid}/status")
    before = int(status.read_text().split("VmRSS:")[1].split()[0])
    began = time.monotonic()
    done = opened.python_(FLOODS[how], timeout_s=4)
    assert time.monotonic() - began < 8
    assert len(done["stdout"]) < 20_200
    assert len(done["stderr"]) < 20_200
    assert len(done["value"] or "") < 21_000
    after = int(status.read_text().split("VmRSS:")[1].split()[0])
    assert after - before < 30_000, "kilobytes"
    assert opened.python_("print(1)")["stdout"] == "1\n"


@pytest.mark.parametrize("lane", EVERY_LANE)
def test_endless_output_is_stopped_and_counted(open_lane: Callable[[str], Lane], lane: str) -> None:
    """The head and the tail are kept, with a count of what was left out between."""
    code = "import os\nos.write(1, b'first\\n')\nwhile True: os.write(1, b'x' * 100000)"
    done = open_lane(lane).python_(code, timeout_s=8)
    assert done["stopped_by"] == "output", done["stopped_by"]
    assert done["stdout"].startswith("first\n")
    assert "bytes left out" in done["stdout"]


@pytest.mark.parametrize("lane", EVERY_LANE)
def test_large_output_is_cut_and_not_an_error(open_lane: Callable[[str], Lane], lane: str) -> None:
    """The positive control: a few megabytes end well, with head and tail."""
    done = open_lane(lane).python_("print('start'); print('x' * (5 << 20)); print('end')")
    assert (done["exit_code"], done["stopped_by"]) == (0, None)
    assert done["stdout"].startswith("start\n")
    assert done["stdout"].endswith("end\n")


@pytest.mark.parametrize("lane", EVERY_LANE)
def test_output_is_safe_to_show(open_lane: Callable[[str], Lane], lane: str) -> None:
    """Invalid UTF-8, NUL, escape sequences and marks that turn text come back as plain text."""
    code = r"import os; os.write(1, b'a\x00b\xff\xfec \x1b[31mred\x1b[0m \x1b]0;title\x07t \x9b5n \xe2\x80\xaeback \x1b]8;;http://x\x1b\\link\r\nnext\rline')"
    said = open_lane(lane).python_(code)["stdout"]
    assert said == "ab��c red t �5n back link\nnext\nline"
    said.encode("utf-8")


@pytest.mark.parametrize("lane", LANES)
def test_there_is_no_terminal(open_lane: Callable[[str], Lane], lane: str) -> None:
    """No controlling terminal, no input, no way to type into one."""
    code = """
import os, sys, fcntl
print(sys.stdin.read() == '', os.isatty(0), os.isatty(1), os.isatty(2))
try: os.open('/dev/tty', os.O_RDWR); print('TTY')
except OSError: print('none')
for fd in range(5):
    for request in (0x5412, 0x541C):
        try: fcntl.ioctl(fd, request, b'x'); print('TYPED')
        except OSError: pass
print(os.getsid(0) == os.getpid())
"""
    assert open_lane(lane).python_(code)["stdout"] == "True False False False\nnone\nTrue\n"


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[2J\x1b[Hx", "x"),
        ("\x1b]52;c;aGk=\x07x", "x"),
        ("\x1bP+q544e\x1b\\x", "x"),
        ("\x1b[?1049hx\x1b[?1049l", "x"),
        ("a\x08\x08b\x7f", "ab"),
        ("\u202eevil\u202c", "evil"),
        ("\x9b31mx", "x"),
        ("\x1b(0x\x1b(B", "x"),
        ("\ud800x", "\ufffdx"),
        ("half\x1b[", "half"),
    ],
)
def test_clean_takes_out_what_drives_a_terminal(raw: str, safe: str) -> None:
    """Every kind of escape sequence and control code, whole or cut short."""
    assert for_storage(raw) == safe


def test_cleaning_is_fast_on_hostile_text() -> None:
    """No text makes it slow: a megabyte of half sequences takes well under a second."""
    began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for text in ("\x1b]" * 500_000, "\x1b[" + "0" * 1_000_000, "\x1bP" * 300_000 + "\x1b", "\x1b" * 1_000_000):
        for_storage(text)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - began < 6


def test_shown_says_how_much_is_missing() -> None:
    """Head and tail, and the number of bytes between."""
    assert shown(10, b"abc", b"xyz", 100) == "abc\n… 4 bytes left out …\nxyz"
    assert shown(6, b"abc", b"xyz", 100) == "abcxyz"
    assert shown(6, b"abc", b"xyz", 4) == "ab\n… 2 characters left out …\nyz"
