"""`allowed-tools` of a skill can only narrow: while such a skill is in use, calls of tools it does not name are asked about.
Touches nothing. Does not promise: that a name of another agent's tool is understood; what is not names no tool of ours.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Any

from outrider.tools.skills.skill import Skill

ALWAYS = frozenset({"skill", "plan", "note", "recall", "ask_user", "find_tool"})  # they change nothing outside the run
_OURS: dict[str, tuple[str, ...]] = {  # names that other agents give such tools, in small letters
    "bash": ("shell", "python"),
    "shell": ("shell",),
    "python": ("python",),
    "read": ("read_file",),
    "write": ("write_file",),
    "edit": ("edit_file", "write_file"),
    "multiedit": ("edit_file", "write_file"),
    "glob": ("list_files",),
    "ls": ("list_files",),
    "grep": ("search_files",),
    "webfetch": ("read_page",),
    "websearch": ("web_search",),
    "task": ("delegate",),
}
_SEVERAL = re.compile(r"[;&|<>`\n$(){}]")  # what makes more of a shell line than one command


def why_outside(loaded: Iterable[Skill], tool: str, arguments: Mapping[str, Any]) -> str:
    """Why a call is outside what the skills in use name, "" if it is inside, or none of them names its tools."""
    narrow = [one for one in loaded if one.allowed is not None]
    if not narrow or tool in ALWAYS or any(_names(one, tool, arguments) for one in narrow):
        return ""
    names = ", ".join(repr(one.name) for one in narrow)
    return f"the skill {names}, which is in use, does not name {tool} among the tools it needs"


def _names(one: Skill, tool: str, arguments: Mapping[str, Any]) -> bool:
    for theirs, pattern in one.allowed or ():
        ours = _OURS.get(theirs.lower(), (theirs,))
        if tool in ours and (not pattern or _fits(tool, pattern, arguments)):
            return True
    return False


def _fits(tool: str, pattern: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call fits `Bash(git:*)`, `Bash(npx pw *)` or `Read(docs/**)`. Code in Python never fits a command."""
    if tool == "shell":
        command = str(arguments.get("command", "")).strip()
        if _SEVERAL.search(command):
            return False
        begin = pattern.removesuffix("*").rstrip(": ")
        return command == begin or (pattern.endswith("*") and command.startswith(f"{begin} ")) or begin == ""
    path = arguments.get("path", arguments.get("url"))
    if not isinstance(path, str):
        return False
    plain = path if "://" in path else posixpath.normpath(path)  # docs/../secret is not in docs
    return fnmatch.fnmatchcase(plain, pattern.removeprefix("./"))
