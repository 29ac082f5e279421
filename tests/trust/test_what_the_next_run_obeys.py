"""What the next run obeys is not written by this one, wherever it lies: tools files, configuration, policy, secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outrider.memory.store import Store
from tests.agent.helpers import Actor, call, calls, observations, run, says

TOOLS = '''
from outrider.tools import tool

@tool(effect="read")
def price(symbol: str) -> str:
    """Price."""
    return "41.5"
'''


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that holds the data folder, under a name nobody would guess, and a tools file."""
    folder = tmp_path / "work"
    (folder / "state").mkdir(parents=True)
    monkeypatch.setenv("OUTRIDER_HOME", str(folder / "state"))
    (folder / "state" / "config.toml").write_text("# mine\n")
    (folder / "state" / "secrets.toml").write_text('A_TOKEN = "kept-value-0123456789"\n')
    (folder / "state" / "secrets.toml").chmod(0o600)
    (folder / "my_tools.py").write_text(TOOLS)
    return folder


def go(store: Store, work: Path, *wanted: tuple[str, dict[str, Any]]) -> list[str]:
    lines = [calls(call(name, json.dumps(arguments))) for name, arguments in wanted]
    tools = [
        "write_file",
        "edit_file",
        "delete_file",
        "move_file",
        "copy_file",
        "read_file",
        "search_files",
        "shell",
        "python",
    ]
    return observations(
        run(store, Actor(*lines, says("ok")), tools, workspace=work, tools_from=(str(work / "my_tools.py"),))
    )


def test_no_tool_and_no_code_changes_what_the_next_run_obeys(store: Store, work: Path) -> None:
    """A page that has my_tools.py rewritten would run on the host at the next start."""
    evil = "import os"
    go(
        store, work,
        ("write_file", {"path": "my_tools.py", "content": evil}), ("edit_file", {"path": "my_tools.py", "old": "41.5", "new": evil}),
        ("delete_file", {"path": "my_tools.py"}), ("move_file", {"path": "my_tools.py", "to": "x.py"}),
        ("write_file", {"path": "state/config.toml", "content": "[policy]\\nnetwork = 'allow'"}), ("write_file", {"path": "state/policy.toml", "content": ""}),
        ("delete_file", {"path": "state"}), ("move_file", {"path": "state", "to": "x"}), ("write_file", {"path": "state/new/x", "content": evil}),
        ("shell", {"command": "ln -s my_tools.py l.py; ln -s state s"}), ("write_file", {"path": "l.py", "content": evil}),
        ("write_file", {"path": "s/config.toml", "content": evil}),
        ("shell", {"command": "echo import os > my_tools.py; rm -rf state; mkdir state; echo x > state/config.toml"}),
        ("python", {"code": "import shutil, pathlib\npathlib.Path('my_tools.py').unlink()\npathlib.Path('state').mkdir(exist_ok=True)"}),
    )  # fmt: skip
    assert (work / "my_tools.py").read_text() == TOOLS
    assert (work / "state" / "config.toml").read_text() == "# mine\n"
    assert not (work / "state" / "policy.toml").exists()


def test_kept_secrets_are_not_read_by_tools_or_code(store: Store, work: Path) -> None:
    """Not even masked: the folder is not there for them."""
    read, listed = go(
        store, work, ("read_file", {"path": "state/secrets.toml"}), ("shell", {"command": "cat state/*; ls state"})
    )
    assert "hold keys" in read
    assert "A_TOKEN" not in listed
    assert "secrets.toml" not in listed


@pytest.mark.parametrize("regex", [False, True])
@pytest.mark.parametrize("path", [".", "state/secrets.toml"])
def test_kept_secrets_are_not_found_by_a_search(store: Store, work: Path, regex: bool, path: str) -> None:
    """A regular expression is looked for in a child process: it knows what is kept from tools, too."""
    wanted = ("search_files", {"pattern": "A_TOKEN" if not regex else "A_T.KEN", "regex": regex, "path": path})
    (found,) = go(store, work, wanted)
    assert "kept-value" not in found
    assert "secrets.toml:1" not in found


def test_what_is_guarded_in_one_workspace_is_not_in_another(store: Store, work: Path, tmp_path: Path) -> None:
    """The very files are guarded, not their names."""
    go(store, work, ("read_file", {"path": "my_tools.py"}))
    other = tmp_path / "other"
    (other / "state").mkdir(parents=True)
    (other / "state" / "app.py").write_text("fine")
    (other / "my_tools.py").write_text(TOOLS)
    lines = [calls(call("read_file", json.dumps({"path": "state/app.py"})))]
    lines += [calls(call("write_file", json.dumps({"path": "my_tools.py", "content": "mine"})))]
    read, wrote = observations(run(store, Actor(*lines, says("ok")), ["read_file", "write_file"], workspace=other))
    assert "fine" in read
    assert "wrote" in wrote
