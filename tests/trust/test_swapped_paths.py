"""Paths that change while they are used: a thread swaps a folder of the workspace for a link that leads out, as fast as it can,
while every tool that takes a path works there. Nothing outside is read, changed, made or removed.

`ROUNDS=10000 pytest -m slow tests/trust/test_swapped_paths.py` tries ten thousand times each; the slow test two thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.memory.errors import OutriderError
from outrider.tools.data.table import table
from outrider.tools.files.file_tools import edit_file, list_files, read_file, search_files, write_file
from outrider.tools.files.kept import Kept
from outrider.tools.files.move_tools import copy_file, delete_file, move_file
from outrider.tools.files.writing import clear_way, no_file, put_back, put_file, take_file
from outrider.tools.hub.tasks import task_of
from outrider.tools.inference.inputs import given
from outrider.tools.tool import ToolContext

OUTSIDE = "outside-canary-7719"
Work = Callable[[ToolContext, int], Any]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """(the workspace, the folder outside): the same names in both, and in the workspace's folder other words."""
    work, outside = tmp_path / "work", tmp_path / "outside"
    for folder, words in ((work / "d", "inside words\n"), (outside, f"{OUTSIDE}\n")):
        folder.mkdir(parents=True)
        for name in ("f.txt", "g.csv", "keep.txt"):
            (folder / name).write_text(f"a,b\n1,{words}")
    stop = threading.Event()

    def swap() -> None:
        at, aside = work / "d", work / "aside"
        while not stop.is_set():
            with contextlib.suppress(OSError):
                if aside.exists():  # a tool made the folder while it was away: the swapping must go on
                    shutil.rmtree(at, ignore_errors=True)
                    aside.rename(at)
                at.rename(aside)
                at.symlink_to(outside)
                at.unlink()
                aside.rename(at)
        with contextlib.suppress(OSError):
            aside.rename(at)

    swapping = threading.Thread(target=swap, daemon=True)
    swapping.start()
    yield work, outside
    stop.set()
    swapping.join(5)


def tool_call(tool: Any, **arguments: Any) -> Work:
    def work(context: ToolContext, number: int) -> Any:
        made = {
            name: value.replace("N", str(number)) if isinstance(value, str) else value
            for name, value in arguments.items()
        }
        result = tool.run(made, context)
        return asyncio.run(result) if asyncio.iscoroutine(result) else result

    return work


def keeps(context: ToolContext, number: int) -> Any:
    kept = Kept()
    folder = os.open(context.workspace, os.O_RDONLY)
    try:
        kept.before("d", folder, "d")
        return kept._before
    finally:
        os.close(folder)


QUICK: dict[str, Work] = {
    "read": tool_call(read_file, path="d/f.txt"),
    "write": tool_call(write_file, path="d/f.txt", content="new words"),
    "write new": tool_call(write_file, path="d/new-N/x.txt", content="new words"),
    "edit": tool_call(edit_file, path="d/f.txt", old="a,b", new="a,b"),
    "list": tool_call(list_files, path="d"),
    "search": tool_call(search_files, pattern="canary", path="d"),
    "copy in": tool_call(copy_file, path="d/f.txt", to="copies/N.txt"),
    "copy to": tool_call(copy_file, path="own.txt", to="d/copy-N.txt"),
    "move in": tool_call(move_file, path="d/f.txt", to="moved/N.txt"),
    "move to": tool_call(move_file, path="own-N.txt", to="d/moved-N.txt"),
    "delete": tool_call(delete_file, path="d/keep.txt"),
    "delete the folder": tool_call(delete_file, path="d"),
    "undo reads": lambda context, number: take_file(context.workspace, "d/f.txt"),
    "undo writes": lambda context, number: put_file(context.workspace, "d/f.txt", b"old words"),
    "undo removes": lambda context, number: put_file(context.workspace, "d/keep.txt", None),
    "undo links": lambda context, number: put_back(context.workspace, "d/link", b"f.txt", "link"),
    "undo folders": lambda context, number: put_back(context.workspace, f"d/folder-{number}", b"", "folder"),
    "undo runs": lambda context, number: put_back(context.workspace, "d/f.txt", b"old words", "x"),
    "undo looks": lambda context, number: no_file(context.workspace, "d/f.txt"),
    "undo clears": lambda context, number: clear_way(context.workspace, "d/keep.txt"),
    "snapshot": keeps,
    "hub_run": lambda context, number: given(context, task_of("translation"), "d/f.txt", "", [], {}),
}  # fmt: skip
CHILDREN: dict[str, Work] = {  # a child process a call: fewer rounds
    "table": tool_call(table, path="d/g.csv", sql="SELECT * FROM t"),
    "search by pattern": tool_call(search_files, pattern="cana.y", regex=True, path="d"),
}  # fmt: skip


def tried(field: tuple[Path, Path], work: Work, rounds: int) -> tuple[list[str], int]:
    """(what reached outside, how many calls did their work)."""
    inside, outside = field
    before = {path.name: (path.read_bytes(), path.stat().st_mode) for path in outside.iterdir()}
    context, found, done = ToolContext(workspace=inside), set[str](), 0
    for number in range(rounds):
        (inside / "own.txt").write_text("own")
        if number % 4 == 0:
            (inside / f"own-{number}.txt").write_text("own")
            with contextlib.suppress(OSError):
                (inside / "aside" / "f.txt").exists() or (inside / "d" / ".").stat()
        try:
            said = repr(work(context, number))
            done += 1
        except OutriderError as error:
            said = str(error)
        except OSError:  # the folder was gone that very moment
            said = ""
        if OUTSIDE in said:
            found.add(f"read: {said[:200]}")
    for copies in ("copies", "moved"):
        found |= {f"carried in: {path.name}" for path in (inside / copies).glob("*") if OUTSIDE in path.read_text()}
    after = {path.name: (path.read_bytes(), path.stat().st_mode) for path in outside.iterdir() if path.is_file()}
    found |= {f"outside: {name}" for name in {*before, *after} if before.get(name) != after.get(name)}
    found |= {f"made outside: {path.name}" for path in outside.iterdir() if path.name not in before}
    return sorted(found), done


@pytest.mark.parametrize("name", QUICK)
def test_no_swap_leads_a_tool_outside(name: str, field: tuple[Path, Path]) -> None:
    """A hundred rounds each."""
    assert tried(field, QUICK[name], 100)[0] == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", [*QUICK, *CHILDREN])
def test_thousands_of_swaps_lead_no_tool_outside(name: str, field: tuple[Path, Path]) -> None:
    """ROUNDS each (2,000 if not said); where a child process is started, a fiftieth of that."""
    rounds = int(os.environ.get("ROUNDS", "2000"))
    assert tried(field, (QUICK | CHILDREN)[name], rounds if name in QUICK else rounds // 50)[0] == []


STRANGE: dict[str, Callable[[Path, Path], Any]] = {
    "a pipe": lambda at, out: os.mkfifo(at),
    "a socket": lambda at, out: socket.socket(socket.AF_UNIX).bind(str(at)),
    "a link out": lambda at, out: at.symlink_to(out / "f.txt"),
    "a link to a link out": lambda at, out: (at.with_name("l").symlink_to(out), at.symlink_to("l/f.txt")),
    "a descriptor of the process": lambda at, out: at.symlink_to(f"/proc/self/fd/{os.open(out / 'f.txt', os.O_RDONLY)}"),
    "the process's folder": lambda at, out: at.symlink_to("/proc/self/cwd"),
    "a device": lambda at, out: at.symlink_to("/dev/zero"),
    "standard input": lambda at, out: at.symlink_to("/dev/stdin"),
    "a link to itself": lambda at, out: at.symlink_to(at.name),
    "a link up": lambda at, out: at.symlink_to("../../outside/f.txt"),
    "the root": lambda at, out: at.symlink_to("/"),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", STRANGE)
def test_what_is_no_file_of_the_workspace_is_refused_and_holds_nobody(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No tool waits for a pipe, reads a device, or follows a link out, a descriptor of the process among them."""
    work, outside = tmp_path / "work", tmp_path / "outside"
    for folder in (work, outside):
        folder.mkdir()
    (outside / "f.txt").write_text(OUTSIDE)
    monkeypatch.chdir(work)
    STRANGE[name](Path("x"), outside)
    context, said = ToolContext(workspace=work), []
    calls = [tool_call(read_file, path="x"), tool_call(edit_file, path="x", old="o", new="p"), tool_call(copy_file, path="x", to="y"), tool_call(write_file, path="x/f.txt", content="p"),
             tool_call(table, path="x", sql="SELECT 1"), tool_call(search_files, pattern="canary", path="."), lambda c, n: take_file(c.workspace, "x"),
             lambda c, n: given(c, task_of("translation"), "x", "", [], {})]  # fmt: skip
    for work_ in calls:
        with contextlib.suppress(OutriderError, OSError):
            said.append(repr(work_(context, 0)))
    assert OUTSIDE not in "".join(said)
    assert (outside / "f.txt").read_text() == OUTSIDE
