"""Files that other programs run or obey are not written: not by a tool, not out of the sandbox, not by another spelling."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outrider.memory.store import Store
from outrider.tools.files.guarded import is_guarded
from tests.agent.helpers import Actor, call, calls, run, says

OBEYED = (
    ".zprofile", ".bash_aliases", ".vimrc", ".gitconfig", ".husky/pre-commit", ".cursor/mcp.json", ".claude/settings.json", ".git/hooks/pre-commit",
    "sub/.git/config", ".github/workflows/x.yml", ".gitattributes", ".gitmodules", ".inputrc", ".tmux.conf", ".xprofile", ".config/fish/config.fish",
    ".eslintrc.js", ".prettierrc.cjs", ".babelrc", ".npmrc", ".yarnrc.yml", ".cargo/config.toml", ".lldbinit", ".gdbinit", ".ipython/profile_default/startup/x.py",
    ".vscode/settings.json", "x.code-workspace", ".cursorrules", ".windsurfrules", "CLAUDE.md", "AGENTS.md", "GEMINI.md", "x.desktop", "x.pth", "sitecustomize.py",
    "HEAD", "sub/HEAD", ".GIT/config", ".git./config", ".g\u200cit/config", "git~1/config", "．git/config", ".git::$INDEX_ALLOCATION/config", ".envrc",
    ".mise.toml", ".tool-versions", ".editorconfig", ".nvimrc", ".exrc", ".profile", ".pypirc", ".netrc", "_netrc", "autorun.inf", "evil.command", "x.service",
)  # fmt: skip
HARMLESS = (
    "notes.txt", ".gitignore", ".gitkeep", ".dockerignore", ".env.example", "src/main.py", "package.json", "Makefile", "head.txt", "ahead", "a.b.c", "..x/../y",
    "docs/agents.txt", "url.txt",
)  # fmt: skip


@pytest.mark.parametrize("path", OBEYED)
def test_a_file_that_is_obeyed_is_guarded(path: str) -> None:
    """The kind, anywhere in the tree, however a file system would read the name."""
    assert is_guarded(path)
    assert is_guarded(f"deep/er/{path}")


@pytest.mark.parametrize("path", [one for one in HARMLESS if ".." not in one])
def test_a_file_that_is_only_looked_at_is_not(path: str) -> None:
    """Control: work goes on."""
    assert not is_guarded(path)


def test_neither_a_tool_nor_code_writes_one(store: Store, tmp_path: Path) -> None:
    """write_file, move_file, the shell, and a folder made first."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "a.txt").write_text("x")
    model = Actor(
        calls(call("write_file", json.dumps({"path": ".zprofile", "content": "x"}))),
        calls(call("move_file", json.dumps({"path": "a.txt", "to": ".vimrc"}))),
        calls(call("copy_file", json.dumps({"path": "a.txt", "to": "CLAUDE.md"}))),
        calls(call("shell", json.dumps({"command": "mkdir -p .husky .claude; echo x > .husky/pre-commit; echo {} > .claude/settings.json; echo x > .bash_aliases; echo y > fine.txt"}))),
        says("done"),
    )  # fmt: skip
    run(store, model, ["write_file", "move_file", "copy_file", "shell"], workspace=work)
    assert sorted(path.name for path in work.iterdir()) == ["a.txt", "fine.txt"]
    assert "never leaves the sandbox" in " ".join(model.told())
