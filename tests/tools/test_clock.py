"""The person's time zone reaches code and model; events stay UTC."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from outrider.agent.review.lines import local
from outrider.tools import clock
from outrider.tools.code.code_tools import python as python_tool
from outrider.tools.code.code_tools import shell as shell_tool
from outrider.tools.tool import ToolContext


@pytest.fixture
def in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A person five and a half hours ahead of UTC."""
    if not (clock.ZONES / "Asia/Kolkata").is_file():
        pytest.skip("no files of time zones here")
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_kolkata")
def test_today_is_the_persons_and_names_the_zone() -> None:
    """After midnight there it is already tomorrow in UTC's eyes; the line says which zone is meant."""
    there = datetime.now(ZoneInfo("Asia/Kolkata"))
    assert clock.today() == f"Today is {there.strftime('%A %Y-%m-%d')} (Asia/Kolkata, UTC+05:30)."
    assert local("2026-11-27T20:00:00.000000+00:00") == "2026-11-28 01:30 IST"
    assert clock.zone_for_code() == "Asia/Kolkata"
    assert clock.zone_for_code(zone_files=False) == "<+0530>-05:30"


@pytest.mark.parametrize("zone", ["", ":Europe/Rome", "/usr/share/zoneinfo/Asia/Tokyo", "CET-1CEST,M3.5.0,M10.5.0/3", "No/Such", "../../etc/passwd", "<+0545>-5:45"])  # fmt: skip
def test_zone_for_code_is_one_line_that_means_the_same_there(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the person's zone is written, code elsewhere reads the same clock, and no path is handed on."""
    monkeypatch.setenv("TZ", zone)
    program = "import time; from outrider.tools.clock import zone_for_code as z; print(z(), z(zone_files=False), time.strftime('%z'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    named, fixed, here = done.stdout.split()
    for one in (named, fixed):
        assert not one.startswith("/")
        assert ".." not in one
        there = subprocess.run(
            ["date", "+%z"], env={"TZ": one, "PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True
        )
        assert there.stdout.strip() == here


@pytest.mark.usefixtures("in_kolkata")
async def test_code_in_the_sandbox_reads_the_persons_clock(tmp_path: Path) -> None:
    """`date` and Python's datetime inside say what the person's own would."""
    context = ToolContext(tmp_path)
    code = "import datetime; datetime.datetime.now().astimezone().strftime('%z')"
    shell = await shell_tool.run({"command": "date +%z"}, context)
    python = await python_tool.run({"code": code}, context)
    for value in context.scratch.values():
        if callable(close := getattr(value, "close", None)):
            close()
    assert "+0530" in str(shell)
    assert "+0530" in str(python)


def test_what_is_no_time_is_shown_as_it_is() -> None:
    """A damaged event still shows."""
    assert local("yesterday") == "yesterday"
    assert re.search(r"\d\d:\d\d \S+$", local(datetime.now(UTC).isoformat()))
