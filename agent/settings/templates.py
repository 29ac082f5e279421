"""Goals kept under a name, with places to fill in: `outrider run -t review file=main.py`.
May touch: reads the folder `templates` beside the configuration file. Does not promise: a language; a place is replaced
once, by plain text, and what is filled in is never looked at again.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outrider.agent.settings.config import config_file
from outrider.agent.settings.keys import check
from outrider.memory.errors import UsageError, words_of
from outrider.memory.given.file import read_given_text

PLACE = re.compile(r"\{\{\s*([A-Za-z_]\w{0,99})\s*\}\}")
NAME = re.compile(r"[\w-]{1,100}")
FENCE = "+++"
OWN = ("about", "tools", "schema", "defaults")  # what a template may say besides settings of the configuration
MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Template:
    """A goal with places. settings: what it says of the run, as the configuration would. tools: only these, if named. schema: as `--schema`."""

    name: str
    text: str
    about: str = ""
    tools: tuple[str, ...] = ()
    schema: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def variables(self) -> list[str]:
        """The names of its places, in order."""
        return list(dict.fromkeys(PLACE.findall(self.text)))

    def fill(self, given: Mapping[str, str]) -> str:
        """The goal. Raises UsageError for a place nothing is given for, and for a name that has no place."""
        values = {**self.defaults, **given}
        missing = [name for name in self.variables if name not in values]
        if missing:
            needed = " ".join(f"{name}=…" for name in missing)
            raise UsageError(
                f"the template {self.name!r} needs {', '.join(missing)}",
                "nothing was given for it",
                f"outrider run -t {self.name} {needed}",
            )
        if strange := [name for name in given if name not in self.variables]:
            places = ", ".join(self.variables) or "no places"
            raise UsageError(
                f"the template {self.name!r} has no place {', '.join(map(repr, strange))}",
                f"it has {places}",
                f"see {folder() / (self.name + '.md')}",
            )
        return PLACE.sub(lambda found: values[found[1]], self.text)


def folder() -> Path:
    """Where templates are kept: beside the configuration file, where no tool can write."""
    return config_file().parent / "templates"


def template_names() -> list[str]:
    """The names of the templates there are."""
    try:
        return sorted(file.stem for file in folder().glob("*.md") if NAME.fullmatch(file.stem))
    except OSError:
        return []


def read_template(name: str) -> Template:
    """A template by its name. Raises UsageError if there is none, or it is wrong."""
    file = folder() / f"{name}.md"
    if not NAME.fullmatch(name) or not file.is_file():
        there = ", ".join(template_names()) or "none"
        raise UsageError(f"there is no template {name[:100]!r}", f"there are {there}", f"write one: {folder()}/NAME.md")
    try:
        return _parse(name, read_given_text(file, MOST_BYTES))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the template {str(file)!r} cannot be read", words_of(error), "make it a text file"
        ) from error


def _parse(name: str, text: str) -> Template:
    head, body = _split(name, text)
    own = {key: head.pop(key) for key in OWN if key in head}
    check(head, f"the template {name!r}")
    check({"profile": {"x": head}} if head else {}, f"the template {name!r}")  # only what may differ from run to run
    if not body.strip():
        raise UsageError(f"the template {name!r} is empty", "a template is a goal", "write what you want")
    defaults, tools = own.get("defaults", {}), own.get("tools", [])
    if not isinstance(defaults, dict) or not isinstance(tools, list) or not isinstance(own.get("about", ""), str):
        raise UsageError(
            f"the template {name!r} is not in order",
            "about is text, tools a list of names, defaults a table",
            'for example: defaults = { file = "main.py" }',
        )
    return Template(
        name, body.strip(), own.get("about", ""), tuple(map(str, tools)), str(own.get("schema", "")),
        {k: str(v) for k, v in defaults.items()}, head,
    )  # fmt: skip


def _split(name: str, text: str) -> tuple[dict[str, Any], str]:
    """(what stands between two lines of +++ at the start, as TOML; the rest)."""
    lines = text.lstrip("\ufeff").split("\n")
    if lines[0].strip() != FENCE:
        return {}, text
    ends = [place for place, line in enumerate(lines) if line.strip() == FENCE]
    if len(ends) < 2:
        raise UsageError(f"the template {name!r} has a head without an end", "it begins with +++", "end it with +++")
    try:
        return tomllib.loads("\n".join(lines[1 : ends[1]])), "\n".join(lines[ends[1] + 1 :])
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the head of the template {name!r} is not TOML", str(error), "correct that line") from error


def sort_words(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """(variables written name=value, the rest) of what stands after a template's name."""
    given, rest = dict[str, str](), []
    for word in words:
        name, equals, value = word.partition("=")
        if equals and re.fullmatch(r"[A-Za-z_]\w{0,99}", name):
            given[name] = value
        else:
            rest.append(word)
    return given, rest
