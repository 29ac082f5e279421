"""Files that other programs run or obey on sight, and files that hold keys: never written by the agent, wherever they lie.
Touches nothing. Does not promise: to know every program's habits; names that begin with a dot are taken as settings of one.
What a run itself obeys (its tools files, its configuration) is named by `protect`: those very files, for all runs of the process.

The kind, not a list of names: what a shell, an editor, git, a package manager, a desktop or another agent reads without
being asked. A coding task writes Makefiles and package.json; those are run by somebody who says so, and are not of the kind.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

# Carried neither way between workspace and sandbox: keys, settings of other programs, heaps of others' code.
NEVER = frozenset({
    ".git", ".hg", ".svn", ".jj", ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".npmrc",
    ".pypirc", ".env", ".envrc", ".direnv", ".vscode", ".idea", ".mcp.json", ".outrider", "outrider.toml",
    ".pre-commit-config.yaml", ".venv", "node_modules", "__pycache__", ".bashrc", ".bash_profile", ".profile",
    ".zshrc", ".zshenv", ".login",
})  # fmt: skip
SECRET = frozenset({
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".npmrc", ".pypirc", ".env", ".envrc", ".outrider",
})  # fmt: skip
EXAMPLES = (".example", ".sample", ".template", ".dist")
# Dot names that nobody runs and that change nothing but what is listed, looked at or published.
HARMLESS = frozenset({
    ".gitignore", ".gitkeep", ".keep", ".dockerignore", ".npmignore", ".nojekyll", ".hidden", ".prettierignore",
    ".eslintignore", ".python-version", ".nvmrc", ".ruby-version", ".coveragerc",
})  # fmt: skip
OBEYED = frozenset({  # without a dot: read by agents, editors, desktops and package managers on sight
    "outrider.toml", "policy.toml", "node_modules", "__pycache__", "site-packages", "agents.md", "agents.override.md", "claude.md",
    "claude.local.md", "gemini.md", "copilot-instructions.md", "mcp.json", "sitecustomize.py", "usercustomize.py", "autorun.inf",
    "desktop.ini", "_netrc", "_vimrc", "_viminfo",
})  # fmt: skip
ENDINGS = (
    ".desktop",
    ".code-workspace",
    ".pth",
    ".lnk",
    ".scf",
    ".url",
    ".webloc",
    ".terminal",
    ".command",
    ".scpt",
    ".reg",
    ".service",
    ".plist",
)
EXACT = frozenset(
    {"HEAD"}
)  # a folder with HEAD, config and objects is a git repository, whose config names programs to run

_OURS: dict[str, bool] = {}  # real path of what the next run obeys → whether it holds keys


def protect(workspace: Path, files: Iterable[Path], *, keys: bool = False) -> tuple[str, ...]:
    """Guard these files, or folders with all in them, where they lie in the workspace (a folder that holds it is left out).

    keys: they are not read either. Returns their paths in the workspace.
    """
    found = []
    for file in files:
        inside = os.path.relpath(os.path.realpath(file), os.path.realpath(workspace))
        if inside != "." and not inside.startswith(".."):
            real = os.path.realpath(file)
            _OURS[real] = keys or _OURS.get(real, False)
            found.append(inside)
    return tuple(found)


def with_keys(workspace: Path) -> list[str]:
    """Real paths in a workspace of what was protected because it holds keys: for a child process to protect again."""
    root = os.path.realpath(workspace)
    return [path for path, keys in _OURS.items() if keys and path.startswith(f"{root}/")]


def _is_ours(path: str, root: str, *, keys: bool = False) -> bool:
    """Whether the path is one that was protected, or lies in such a folder."""
    if not _OURS or not root:
        return False
    parts = path.split("/")
    held = (_OURS.get(f"{root}/{'/'.join(parts[: depth + 1])}") for depth in range(len(parts)))
    return any(one if keys else one is not None for one in held)


def is_secret(path: str, root: str = "") -> bool:
    """Whether a path (resolved, relative to `root`, a real path) is in a place for keys: such files are not read and not searched."""
    if _is_ours(path, root, keys=True):
        return True
    parts = [_plain(part) for part in path.split("/")]
    last = parts[-1]
    return any(part in SECRET for part in parts) or (last.startswith(".env.") and not last.endswith(EXAMPLES))


def is_guarded(path: str, root: str = "") -> bool:
    """Whether a path (resolved, relative to `root`) is one other programs run or obey on sight: such files are not written."""
    return _is_ours(path, root) or is_secret(path, root) or any(_obeyed(part) for part in path.split("/"))


def _obeyed(part: str) -> bool:
    name = _plain(part)
    if part in EXACT or name in NEVER or name in OBEYED or name.endswith(ENDINGS):
        return True
    dotted = name.startswith(".") and name.strip(".") != ""
    return dotted and name not in HARMLESS and not name.startswith(".env.") and not name.startswith(".outrider-")


def _plain(part: str) -> str:
    """A name as a forgiving file system takes it: case, width, marks nobody sees, dots and blanks at the end, ~1 names."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", part) if unicodedata.category(c) not in ("Cf", "Cc"))
    name = seen.casefold().split(":")[0].rstrip(". ")
    return ".git" if name in ("git~1", "git~2") else name
