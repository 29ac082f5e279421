"""What code in the sandbox overwrites or removes in the workspace comes back with `undo`, to the byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.assemble import Listeners
from outrider.agent.history.file_changes import undo
from outrider.agent.history.replay import replay
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify
from tests.agent.helpers import Actor, call, calls, run, says

LARGE = 40 << 20  # bytes: over what is kept of one file
WAYS = {
    "rm -rf": ("shell", "rm -rf keep1.txt keep2"),
    "mv": ("shell", "mv keep1.txt gone.txt; mv keep2 elsewhere"),
    "truncate": ("shell", "truncate -s 0 keep1.txt; truncate -s 0 keep2/inner.bin"),
    "overwritten": ("shell", "echo x > keep1.txt; cp keep1.txt keep2/inner.bin"),
    "python removes": ("python", "import os, shutil\nos.remove('keep1.txt')\nshutil.rmtree('keep2')"),
    "python writes": ("python", "open('keep1.txt', 'w').write('gone')\nopen('keep2/inner.bin', 'wb').write(b'')"),
    "a folder in its place": ("shell", "rm keep1.txt; mkdir keep1.txt; rm -r keep2; echo now a file > keep2"),
    "twice in one call": (
        "shell",
        "echo a > keep1.txt; sleep 0.05; echo b > keep1.txt; rm -r keep2; mkdir keep2; echo c > keep2/inner.bin",
    ),
    "over a link": ("shell", "ln -sf keep2/inner.bin keep1.txt; rm keep2/inner.bin"),
}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "keep2").mkdir(parents=True)
    (folder / "keep1.txt").write_text("precious\n")
    (folder / "keep2" / "inner.bin").write_bytes(bytes(range(256)) * 40)
    return folder


def go(store: Store, work: Path, tool: str, code: str, **more: Any) -> Any:
    argument = {"shell": "command", "python": "code"}[tool]
    return run(
        store, Actor(calls(call(tool, json.dumps({argument: code}))), says("ok")), [tool], workspace=work, **more
    )


@pytest.mark.parametrize("way", WAYS)
def test_what_code_changes_comes_back(way: str, store: Store, work: Path) -> None:
    """Whatever a page talked the model into: the files are there again, exactly."""
    done = go(store, work, *WAYS[way])
    undo(store, done.id)
    assert (work / "keep1.txt").read_text() == "precious\n"
    assert (work / "keep2" / "inner.bin").read_bytes() == bytes(range(256)) * 40
    assert verify(Journal.open_for_reading(store, done.id)).ok


@pytest.mark.parametrize(
    ("tool", "code"),
    [
        ("shell", "rm -r run.sh link.txt far keep2 empty"),
        ("shell", "rm run.sh link.txt far; rmdir empty; echo x > link.txt; echo y > run.sh; ln -s run.sh far"),
        (
            "python",
            "import os, shutil\nos.remove('run.sh')\nos.remove('link.txt')\nos.remove('far')\nos.rmdir('empty')",
        ),
    ],
)
def test_links_executables_and_empty_folders_come_back(tool: str, code: str, store: Store, work: Path) -> None:
    """As what they were, not as plain files."""
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    (work / "link.txt").symlink_to("keep1.txt")
    (work / "far").symlink_to("keep2/inner.bin")
    (work / "empty").mkdir()
    done = go(store, work, tool, code)
    undone = undo(store, done.id)
    assert undone.left == ()
    assert (work / "run.sh").read_text() == "#!/bin/sh\n"
    assert (work / "run.sh").stat().st_mode & 0o777 == 0o755
    assert ((work / "link.txt").readlink(), (work / "far").readlink()) == (Path("keep1.txt"), Path("keep2/inner.bin"))
    assert (work / "empty").is_dir()
    assert (work / "keep2" / "inner.bin").read_bytes() == bytes(range(256)) * 40
    assert undo(store, done.id).left == ()


def test_a_deleted_executable_comes_back_as_one(store: Store, work: Path) -> None:
    """The file tools keep it, too."""
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    done = run(
        store, Actor(calls(call("delete_file", '{"path": "run.sh"}')), says("ok")), ["delete_file"], workspace=work
    )
    undo(store, done.id)
    assert (work / "run.sh").stat().st_mode & 0o777 == 0o755


def test_what_code_made_is_removed_again(store: Store, work: Path) -> None:
    """A new file goes, large ones too, although their content is only named."""
    done = go(store, work, "python", "open('new.txt', 'w').write('x')\nopen('large.bin', 'wb').write(b'x' * 5_000_000)")
    assert (work / "large.bin").stat().st_size == 5_000_000
    assert set(undo(store, done.id).removed) == {"new.txt", "large.bin"}
    assert not (work / "large.bin").exists()
    assert verify(Journal.open_for_reading(store, done.id)).ok


async def test_such_a_run_replays_identically(store: Store, work: Path) -> None:
    """The copies are part of the record, and the record drives again."""
    import asyncio

    done = await asyncio.to_thread(go, store, work, "shell", "rm keep1.txt; head -c 3000000 /dev/zero > z")
    assert (await replay(store, done.id)).divergence is None


def test_what_is_too_large_to_keep_stays_when_nobody_says_yes(store: Store, work: Path) -> None:
    """Undo could not bring it back, so it is not done; the model is told."""
    with (work / "large.bin").open("wb") as file:
        file.truncate(LARGE)
    model = Actor(calls(call("shell", json.dumps({"command": "rm large.bin keep1.txt"}))), says("ok"))
    run(store, model, ["shell"], workspace=work)
    assert (work / "large.bin").stat().st_size == LARGE
    assert not (work / "keep1.txt").exists()
    assert "too large to keep a copy" in " ".join(model.told())


@pytest.mark.parametrize(("answer", "size"), [("yes", 2), ("no", LARGE)])
def test_a_person_decides_about_what_is_too_large(answer: str, size: int, store: Store, work: Path) -> None:
    """They are told its name, and that undo cannot bring it back."""
    with (work / "large.bin").open("wb") as file:
        file.truncate(LARGE)
    asked: list[str] = []

    async def ask(question: str) -> str | None:
        asked.append(question)
        return answer

    go(store, work, "shell", "echo x > large.bin", listeners=Listeners(ask=ask))
    assert "large.bin" in asked[0]
    assert (work / "large.bin").stat().st_size == size
    assert not [path for path in work.iterdir() if path.name.startswith(".outrider")]


def test_a_file_changed_since_is_left_alone(store: Store, work: Path) -> None:
    """Undo does not overwrite what the person did afterwards."""
    done = go(store, work, "shell", "echo x > keep1.txt")
    (work / "keep1.txt").write_text("mine now")
    assert undo(store, done.id).left == ("keep1.txt",)
    assert (work / "keep1.txt").read_text() == "mine now"
