"""One skill: a folder with a SKILL.md (YAML front matter, then instructions) and perhaps scripts and further texts.
May touch: reads files inside that folder, never through a link that leads out of it.
Does not promise: that a skill is harmless. It grants nothing: what it tells the model to do is decided call by call.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outrider.memory.errors import UsageError, words_of
from outrider.memory.text import for_model

FILE = "SKILL.md"
MOST_BYTES = 1_000_000  # of one file that is read
MOST_FILES = 500
KNOWN = frozenset({"name", "description", "license", "allowed-tools", "metadata", "compatibility"})
MOST = {"name": 64, "description": 1024, "compatibility": 500}  # characters, as the standard says
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_TOOL = re.compile(r"([A-Za-z_][\w.:/-]*)(?:\(([^()]*)\))?")


@dataclass(frozen=True, slots=True)
class Skill:
    """What SKILL.md says. allowed: (tool, pattern) pairs of `allowed-tools`; None: the skill does not name its tools.

    notes: where it departs from the standard, in words.
    """

    name: str
    description: str
    body: str
    folder: Path
    allowed: tuple[tuple[str, str], ...] | None = None
    license: str = ""
    compatibility: str = ""
    notes: tuple[str, ...] = ()

    def files(self) -> list[str]:
        """Paths of its other files, relative to the folder, at most `MOST_FILES`."""
        return sorted(_files(self.folder))[:MOST_FILES]

    def read(self, file: str) -> bytes:
        """A file of the skill. Raises UsageError for one that is not there, leads out of the folder or is too large."""
        there = ", ".join(self.files()[:20]) or "none but SKILL.md"
        place = self.folder / file
        real = Path(os.path.realpath(place)) if "\0" not in file else self.folder
        if not file or Path(file).is_absolute() or not real.is_relative_to(self.folder) or not real.is_file():
            raise UsageError(
                f"the skill {self.name!r} has no file {file[:200]!r}", f"its files are {there}", "name one"
            )
        if real.stat().st_size > MOST_BYTES:
            raise UsageError(f"{file[:200]!r} is too large", f"over {MOST_BYTES:,} bytes", "read it with code")
        return real.read_bytes()


def read_skill(folder: Path) -> Skill:
    """The skill of a folder. Raises UsageError: what is wrong with it and what would be right."""
    folder = Path(os.path.realpath(folder.expanduser()))
    file = folder / FILE
    try:
        if not Path(os.path.realpath(file)).is_relative_to(folder):
            raise OSError("it leads out of its folder")
        if file.stat().st_size > MOST_BYTES:
            raise OSError(f"it is over {MOST_BYTES:,} bytes")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{str(folder)!r} is no skill", f"its SKILL.md cannot be read: {words_of(error)}", _FIX
        ) from error
    found = _FRONT.match(text)
    if found is None:
        raise UsageError(f"{str(file)!r} is no skill", "it does not begin with front matter between --- lines", _FIX)
    return _of(folder, _front(file, found[1]), text[found.end() :].strip())


_FIX = "a skill is a folder with a SKILL.md that begins with `name:` and `description:` between lines of ---"


def _front(file: Path, text: str) -> dict[str, Any]:
    import yaml

    try:
        read = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"the front matter of {str(file)!r} is not YAML", str(error)[:300], _FIX) from error
    if not isinstance(read, dict):
        raise UsageError(f"the front matter of {str(file)!r} is no table", "it names nothing", _FIX)
    return read


def _of(folder: Path, front: dict[str, Any], body: str) -> Skill:
    said = {key: front.get(key) for key in ("name", "description", "compatibility", "license")}
    for key in ("name", "description"):
        if not isinstance(said[key], str) or not str(said[key]).strip():
            raise UsageError(f"the skill in {str(folder)!r} has no {key}", "it must be text", _FIX)
    name = unicodedata.normalize("NFKC", str(said["name"]).strip())
    if not all(c.isalnum() or c == "-" for c in name) or len(name) > MOST["name"]:
        raise UsageError(
            f"{name[:80]!r} cannot be the name of a skill", "names are letters, digits and -, 64 at most", "rename it"
        )
    notes = [f"{key} is not of the standard" for key in sorted(map(str, front.keys() - KNOWN))]
    notes += [f"its {key} is longer than {MOST[key]}" for key in MOST if len(str(said.get(key) or "")) > MOST[key]]
    if name != name.lower() or name.startswith("-") or name.endswith("-") or "--" in name:
        notes.append("its name is not lower case with single hyphens")
    if unicodedata.normalize("NFKC", folder.name) != name:
        notes.append(f"its folder is called {folder.name}")
    return Skill(
        name,
        _flat(str(said["description"]), MOST["description"]),
        for_model(body),
        folder,
        _allowed(front["allowed-tools"]) if front.get("allowed-tools") is not None else None,
        _flat(str(said["license"] or ""), 200),
        _flat(str(said["compatibility"] or ""), MOST["compatibility"]),
        tuple(notes),
    )


def _allowed(given: Any) -> tuple[tuple[str, str], ...]:
    """The tools of `allowed-tools`, written as words ("Read Bash(git:*)"), with commas, or as a list."""
    text = " ".join(map(str, given)) if isinstance(given, list) else str(given)
    return tuple((found[1], (found[2] or "").strip()) for found in _TOOL.finditer(text))


def _flat(text: str, most: int) -> str:
    return " ".join(for_model(text).split())[:most]


def _files(folder: Path) -> Iterator[str]:
    count = 0
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in (".git", "__pycache__", "node_modules"))
        for name in names:
            count += 1
            if count > 20 * MOST_FILES:
                return
            relative = os.path.relpath(os.path.join(base, name), folder)  # noqa: PTH118
            if relative != FILE:
                yield relative
