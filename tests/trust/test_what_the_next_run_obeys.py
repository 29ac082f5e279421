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
    tools = ["write_file", "edit_file", "delete_file", "move_file", "copy_file", "read_file", "shell", "python"]
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
