"""A folder that travels: packed by content, changed elsewhere, brought back without overwriting anybody."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from outrider.agent.cluster.node import Node, Orders, tools_files
from outrider.agent.cluster.ship import Changes, bring_back, changes, pack, unpack
from outrider.agent.fleet.lines import Item, items_of
from outrider.agent.history.run_view import read_run
from outrider.memory.errors import UsageError
from outrider.memory.events import ToolReturned
from outrider.memory.spending.fleet import Slice, open_fleet
from outrider.memory.store import Store


def test_what_changed_comes_back_and_nothing_else(tmp_path: Path) -> None:
    """New, other and deleted files; links and what is large and of no use stay at home."""
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "sub").mkdir(parents=True)
    there.mkdir()
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        (here / name).write_text(name)
    (here / "link").symlink_to("/etc/passwd")
    (here / ".git").mkdir()
    (here / ".git" / "x").write_text("x")
    packed = pack(here)
    assert set(packed.files) == {"a.txt", "b.txt", "sub/c.txt"}
    assert pack(here).digest == packed.digest
    unpack(packed.data, there)
    (there / "a.txt").write_text("changed")
    (there / "b.txt").unlink()
    (there / "new.txt").write_text("new")
    assert bring_back(changes(there, packed.files), here, packed.files, "run") == []
    assert (here / "a.txt").read_text() == "changed"
    assert not (here / "b.txt").exists()
    assert (here / "new.txt").read_text() == "new"
    assert changes(there, pack(there).files) == Changes()


def test_a_file_that_changed_on_both_sides_is_kept_beside(tmp_path: Path) -> None:
    """The person's own stays as it is; one they changed is not deleted either."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    (here / "a.txt").write_text("a")
    (here / "b.txt").write_text("b")
    packed = pack(here)
    unpack(packed.data, there)
    (there / "a.txt").write_text("theirs")
    (there / "b.txt").unlink()
    (here / "a.txt").write_text("mine")
    (here / "b.txt").write_text("mine")
    assert bring_back(changes(there, packed.files), here, packed.files, "r1") == ["a.txt.r1"]
    assert (here / "a.txt").read_text() == (here / "b.txt").read_text() == "mine"
    assert (here / "a.txt.r1").read_text() == "theirs"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "sub/../../out.txt", "link/out.txt"])
def test_an_archive_cannot_write_outside(tmp_path: Path, name: str) -> None:
    """Neither by its path nor through a link that lies there."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(UsageError, match="leads out"):
        unpack(data.getvalue(), folder)
    with pytest.raises(UsageError, match="leads out"):
        bring_back(Changes(data.getvalue()), folder, {}, "r")
    assert not (tmp_path / "out.txt").exists()


TOOL = '''
from outrider.tools import tool

@tool(effect="read")
def {name}() -> str:
    """Go {name}."""
    return "{name}"
'''


async def test_tools_files_of_one_name_come_to_a_node_both(tmp_path: Path) -> None:
    """`--tools-from a/tools.py --tools-from b/tools.py`: neither takes the other's place."""
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tools.py").write_text(TOOL.format(name=name))
    url = f"sqlite:///{tmp_path}/m.db"
    fleet = open_fleet(Store(url), "two", Slice())
    calls = [{"tool": name, "arguments": {}} for name in ("left", "right")]
    (tmp_path / "s.json").write_text(json.dumps({"replies": [*calls, {"text": "both"}]}))
    files = tools_files([tmp_path / "left" / "tools.py", tmp_path / "right" / "tools.py"])
    node = Node(Orders(url, f"scripted:{tmp_path / 's.json'}", fleet, 1, {}, {"tools": ("plan",)}, files=files))
    await node.ready()
    (tmp_path / "work").mkdir()
    packed = pack(tmp_path / "work")
    (item,) = items_of(["go"])
    assert isinstance(item, Item)
    done = await node.work(item, packed.data, packed.files)
    assert done is not None
    assert done.told["state"] == "answered", done.told
    run = read_run(Store(url), done.told["run"])
    returned = [stored.event for stored in run.events() if isinstance(stored.event, ToolReturned)]
    assert [(event.ok, event.text) for event in returned] == [(True, "left"), (True, "right")]
