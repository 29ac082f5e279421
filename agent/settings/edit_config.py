"""Changes one setting of the configuration file and leaves the rest as a person wrote it, comments included.
May touch: that one file. Does not promise: to keep a change another program makes in the same instant.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.agent.settings.config import config_file, read_config
from outrider.agent.settings.keys import check, place_of, read_value, spelt
from outrider.memory.errors import UsageError, words_of

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

FIRST = "# The configuration of Outrider. Every key: docs/config.md, or `outrider config`.\n"


def set_key(name: str, text: str) -> tuple[Path, str]:
    """Set a key to what a person wrote; returns the file and the line as it stands there. Raises UsageError."""
    import tomlkit

    place = place_of(name)
    value = read_value(place, text)
    document = _document()
    table: Any = document
    for depth, part in enumerate(place[:-1]):
        if part not in table:
            table[part] = tomlkit.table(is_super_table=depth < len(place) - 2)
        table = table[part]
    table[place[-1]] = value
    _write(document)
    return config_file(), f"{spelt(place)} = {tomlkit.item(value).as_string()}"


def unset_key(name: str) -> bool:
    """Take a key (or a whole table, such as a profile) out; False if it was not there."""
    place = place_of(name)
    document = _document()
    table: Any = document
    for part in place[:-1]:
        if not isinstance(table, dict) or part not in table:
            return False
        table = table[part]
    if not isinstance(table, dict) or place[-1] not in table:
        return False
    del table[place[-1]]
    _write(document)
    return True


def write_first() -> Path:
    """The configuration file, made with a first line if there is none."""
    file = config_file()
    if not file.exists():
        _replace(file, FIRST)
    return file


def _document() -> TOMLDocument:
    """The file as it stands. Raises UsageError if it is wrong already: a change would hide it."""
    import tomlkit

    if not config_file().exists():
        return tomlkit.parse(FIRST)
    read_config()
    return tomlkit.parse(config_file().read_text(encoding="utf-8"))


def _write(document: TOMLDocument) -> None:
    import tomllib

    text = document.as_string()
    check(tomllib.loads(text), "what would be written")
    _replace(config_file(), text)


def _replace(file: Path, text: str) -> None:
    """Whole or not at all: a killed process leaves the old file. A link keeps pointing where it points."""
    file = file.resolve()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".config-")
        with os.fdopen(handle, "w", encoding="utf-8") as new:
            new.write(text)
        Path(name).replace(file)
    except OSError as error:
        raise UsageError(
            f"{str(file)!r} cannot be written", words_of(error), "make it writable, or set OUTRIDER_CONFIG"
        ) from error
