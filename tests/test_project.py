"""The frame of the project: what the README says is so, the package lists are whole, the public names are pinned."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAM = [sys.executable, "-c", "import sys; from outrider.agent.cli import main; sys.exit(main())"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """Every `outrider …` line of the README, as words."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("outrider ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def run(words: list[str], home: Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    keep = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE")
    environment = {key: os.environ[key] for key in keep if key in os.environ} | {"OUTRIDER_HOME": str(home)}
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, cwd=cwd, env=environment, timeout=120)


PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "cli.md")]


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_only_commands_and_flags_that_exist(page: str) -> None:
    """A command or flag that was renamed must not stay in the README or the docs, in a block or within a line."""
    import typer

    from outrider.agent.cli.app import app

    text = (ROOT / page).read_text(encoding="utf-8")
    blocks_of = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks_of for line in block.splitlines()] + re.findall(r"`(outrider [^`\n]+)`", text)
    for line in (line for line in lines if line.startswith("outrider ")):
        words = shlex.split(line.replace("…", "x").replace(" | ", " # "), comments=True)[1:]
        command: Any = typer.main.get_command(app)
        while words and not words[0].startswith("-") and hasattr(command, "commands"):
            assert words[0] in command.commands, f"{page}: {line}: no command {words[0]}"
            command = command.commands[words.pop(0)]
        known = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)} | {"--help"}
        for word in words:
            flag = word.split("=")[0]
            assert not flag.startswith("--") or flag in known, f"{page}: {line}: no flag {flag}"


@pytest.mark.llama
def test_readme_commands_do_what_they_say_with_nothing_but_the_starter(tmp_path: Path) -> None:
    """The run with an own tool is answered, and every way of reading it back works on it."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (extra `local`)")
    asked = next(words for words in commands() if "--tools-from" in words)
    done = run(asked, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "41.5" in done.stdout
    back = [w for w in commands() if w[0] in ("runs", "show", "verify", "replay", "undo", "models", "tools")]
    assert {w[0] for w in back} == {"runs", "show", "verify", "replay", "undo", "models", "tools"}
    for words in back:
        done = run(words, tmp_path)
        assert done.returncode == 0, f"outrider {shlex.join(words)}: {done.stdout}{done.stderr}"


@pytest.mark.llama
def test_readme_python_runs_as_it_stands(tmp_path: Path) -> None:
    """The two Python blocks, one after the other, are a program."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (extra `local`)")
    program = "\n".join(blocks("python"))
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "answered" in done.stdout
    assert "41.5" in done.stdout


def test_readme_tree_names_only_what_is_there() -> None:
    """The annotated tree is read first; every name in it exists."""
    tree = next(block for block in blocks("text") if "START HERE" in block)
    room = ""
    for line in tree.splitlines():
        names = re.match(r"^(\s*)((?:[\w./]+ )*[\w./]+)(?:  |$|\s\()", line)
        assert names is not None, line
        indent, words = names[1], names[2].split()
        if not indent:
            room = words[0]
        for word in words:
            if "/" in word or "." in word:
                path = ROOT / (word if not indent else f"{room}{word}")
                assert path.exists() or not word.endswith(("/", ".py")), f"{line.strip()}: no {path.name}"


def test_readme_tree_names_every_package_and_every_top_level_module() -> None:
    """What is missing from the tree is not found by whoever reads it first: add the new folder or module there."""
    tree = next(block for block in blocks("text") if "START HERE" in block)
    for room in ("agent", "tools", "memory"):
        part = re.search(rf"^{room}/.*?(?=^\w|\Z)", tree, re.MULTILINE | re.DOTALL)
        assert part is not None, room
        named = set(re.findall(r"[\w.]+/|\w+\.py", part[0]))
        packages = {f"{file.parent.name}/" for file in (ROOT / room).rglob("__init__.py")}
        top = {file.name for file in (ROOT / room).glob("*.py")} - {"__init__.py"}
        assert not (packages | top) - named, f"README's tree of {room}/ lacks {sorted((packages | top) - named)}"


def test_packages_are_listed_whole() -> None:
    """A folder with code that is missing from pyproject.toml would be missing from the wheel."""
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    rooms = [ROOT / room for room in ("agent", "tools", "memory")]
    found = {p.parent for room in rooms for p in room.rglob("*.py") if "__pycache__" not in p.parts}
    assert listed == {"outrider." + ".".join(p.relative_to(ROOT).parts) for p in found}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_wheel_holds_what_is_shipped_and_nothing_else(tmp_path: Path) -> None:
    """The three rooms with their data files; no training program of the starter, no tests, no benchmarks."""
    copy = tmp_path / "copy"  # what is built leaves a folder `build/` behind
    for name in subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout.split():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), "."],
        cwd=copy, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr[-2000:]
    (wheel,) = tmp_path.glob("outrider-*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == {"outrider"}
    assert {name.split("/")[1] for name in names} == {"agent", "tools", "memory"}
    assert not [name for name in names if "train_starter" in name or "/tests/" in name or "benchmarks" in name]
    for needed in ("outrider/agent/models/builtin/starter.gguf", "outrider/agent/py.typed"):
        assert needed in names


def test_public_names_are_pinned() -> None:
    """What people import does not change by accident."""
    import outrider.agent as agent
    import outrider.tools as tools

    assert sorted(agent.__all__) == ["Agent", "Answer", "Budget", "Run"]
    assert sorted(tools.__all__) == ["File", "Observation", "Tool", "ToolContext", "ToolError", "tool"]
    assert all(getattr(agent, name) for name in agent.__all__)


def test_importing_the_agent_imports_no_provider() -> None:
    """`import outrider.agent` stays light: no provider, no database, no checker of schemas."""
    code = "import sys, outrider.agent; print([m for m in ('openai','langchain','sqlalchemy','pydantic','rich','typer','httpx2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_names_a_package_host_or_a_machine() -> None:
    """Nothing that is committed depends on where it was made."""
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False).stdout.split()
    hosts = re.compile(r"files\.pythonhosted|--index-url|--extra-index-url")
    for name in listed:
        file = ROOT / name
        if file.suffix in (".toml", ".txt", ".cfg", ".lock", "") and file.is_file():
            assert not hosts.search(file.read_text(errors="replace")), name


def imported(file: Path) -> set[str]:
    """Every module that a file imports, early or late."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports are not used here"
            found.add(node.module or "")
    return found


def test_what_runs_inside_the_sandbox_imports_the_standard_library_and_itself() -> None:
    """It is bound into a place where nothing else is; one import more and no sandbox starts there."""
    own = "outrider.tools.sandbox.inside"
    files = list((ROOT / "tools" / "sandbox" / "inside").glob("*.py"))
    assert len(files) > 10
    for file in files:
        foreign = {
            m for m in imported(file) if m.split(".")[0] not in sys.stdlib_module_names and not m.startswith(own)
        }
        assert not foreign, f"{file.name} imports {foreign}"


def test_training_uses_the_package_and_never_the_reverse() -> None:
    """The program that trains the starter shares the questions with multiple-choice mode; no user's wheel needs it."""
    training = set().union(*map(imported, (ROOT / "examples" / "train_starter").rglob("*.py")))
    assert any(name.startswith("outrider.agent.models.choice") for name in training)
    for room in ("agent", "tools", "memory"):
        for file in (ROOT / room).rglob("*.py"):
            barred = {"examples", "benchmarks", "tests"} | (
                {"torch"} if not {"tune", "inference"} & set(file.parts) else set()
            )
            outside = {m for m in imported(file) if m.split(".")[0] in barred}
            assert not outside, f"{file.relative_to(ROOT)} imports {outside}"
