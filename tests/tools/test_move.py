"""move_file, copy_file, delete_file: inside the workspace, over nothing that is there, and undone when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from outrider.tools.files import move_tools
from outrider.tools.files.move_tools import copy_file, delete_file, move_file
from outrider.tools.files.writing import put_file
from outrider.tools.tool import Observation, Tool, ToolContext, ToolError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("A")
    (tmp_path / "b.txt").write_text("B")
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "x.txt").write_text("X")
    (tmp_path / "d" / "e" / "y.txt").write_text("Y")
    return tmp_path


def do(tool: Tool, folder: Path, **arguments: str) -> Observation:
    seen = tool.run(tool.check(arguments), ToolContext(workspace=folder))
    assert isinstance(seen, Observation)
    return seen


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    ("tool", "arguments", "said", "left"),
    [
        (move_file, {"path": "a.txt", "to": "c.txt"}, "moved a.txt to c.txt", {"b.txt", "c.txt", "d/e/y.txt", "d/x.txt"}),
        (move_file, {"path": "a.txt", "to": "d"}, "moved a.txt to d/a.txt", {"b.txt", "d/a.txt", "d/e/y.txt", "d/x.txt"}),
        (move_file, {"path": "a.txt", "to": "new/"}, "moved a.txt to new/a.txt", {"b.txt", "new/a.txt", "d/e/y.txt", "d/x.txt"}),
        (move_file, {"path": "d", "to": "q/r"}, "moved d to q/r", {"a.txt", "b.txt", "q/r/e/y.txt", "q/r/x.txt"}),
        (copy_file, {"path": "a.txt", "to": "c.txt"}, "copied a.txt to c.txt", {"a.txt", "b.txt", "c.txt", "d/e/y.txt", "d/x.txt"}),
        (
            copy_file, {"path": "d", "to": "k"}, "copied d to k (2 files)",
            {"a.txt", "b.txt", "d/e/y.txt", "d/x.txt", "k/e/y.txt", "k/x.txt"},
        ),
        (delete_file, {"path": "a.txt"}, "deleted a.txt", {"b.txt", "d/e/y.txt", "d/x.txt"}),
        (delete_file, {"path": "d"}, "deleted d (2 files)", {"a.txt", "b.txt"}),
    ],
)  # fmt: skip
def test_files_are_moved_copied_and_deleted_and_every_change_can_be_put_back(
    folder: Path, tool: Tool, arguments: dict[str, str], said: str, left: set[str]
) -> None:
    """The changes hold both sides of every file."""
    before = content(folder)
    seen = do(tool, folder, **arguments)
    assert seen.text == said
    assert set(content(folder)) == left
    for change in reversed(seen.changes):
        put_file(folder, change.path, change.before)
    assert content(folder) == before


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        (move_file, {"path": "a.txt", "to": "b.txt"}, "there already"),
        (copy_file, {"path": "a.txt", "to": "b.txt"}, "there already"),
        (copy_file, {"path": "a.txt", "to": "a.txt"}, "there already"),
        (move_file, {"path": "d", "to": "d/e/z"}, "cannot hold itself"),
        (copy_file, {"path": "d", "to": "d/e/z"}, "cannot hold itself"),
        (move_file, {"path": "a.txt", "to": "../out.txt"}, "outside the workspace"),
        (move_file, {"path": "../x", "to": "y"}, "outside the workspace"),
        (move_file, {"path": "a.txt", "to": ".git/hooks/pre-commit"}, "not written"),
        (delete_file, {"path": "."}, "workspace itself"),
        (delete_file, {"path": "a.tx"}, r"did you mean a\.txt"),
        (delete_file, {"path": ".env"}, "not written"),
        (delete_file, {"path": "repo"}, "not written"),
        (delete_file, {"path": "link.txt"}, r"it is a link to a\.txt"),
        (delete_file, {"path": "through/x.txt"}, "goes through one"),
        (delete_file, {"path": "linked"}, "is a link"),
        (delete_file, {"path": "run.db"}, "database"),
    ],
)
def test_files_are_left_alone_with_a_reason(folder: Path, tool: Tool, arguments: dict[str, str], why: str) -> None:
    """Nothing is overwritten, nothing outside or trusted by other programs is touched, no link is followed."""
    (folder / ".env").write_text("KEY=1")
    (folder / "repo" / ".git").mkdir(parents=True)
    (folder / "repo" / "file").write_text("R")
    (folder / "run.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    (folder / "link.txt").symlink_to("a.txt")
    (folder / "through").symlink_to("d")
    (folder / "linked").mkdir()
    (folder / "linked" / "l").symlink_to("../a.txt")
    before = sorted((str(p), p.is_symlink()) for p in folder.rglob("*"))
    with pytest.raises(ToolError, match=why):
        do(tool, folder, **arguments)
    after = sorted((str(p), p.is_symlink()) for p in folder.rglob("*"))
    assert [one for one in after if "/d/e/z" not in one[0]] == before


def test_what_is_too_large_to_keep_is_moved_with_a_word_and_never_deleted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undo that cannot be kept is not promised."""
    monkeypatch.setattr(move_tools, "MAX_WRITE", 0)
    assert "undo cannot put back a.txt" in do(move_file, folder, path="a.txt", to="c.txt").text
    with pytest.raises(ToolError, match="too large to be kept for undo"):
        do(delete_file, folder, path="b.txt")
    assert (folder / "b.txt").exists()


def test_a_name_with_control_characters_is_moved_by_the_name_it_is_shown_with(folder: Path) -> None:
    """What list_files shows can be given back; it is no link."""
    (folder / "evil\x1b.txt").write_text("E")
    assert do(move_file, folder, path="evil\\x1b.txt", to="good.txt").text == "moved evil\\x1b.txt to good.txt"
