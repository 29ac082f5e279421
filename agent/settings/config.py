"""Settings from flags > environment > configuration file > defaults. This module reads the last three.
May touch: reads the environment and one TOML file. Does not promise: to read a file from the workspace: an agent can
write there, and must not be able to change what the next run may do (docs/decisions/0004-no-config-in-workspace.md).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.memory.errors import UsageError, words_of
from outrider.memory.given.file import read_given_text

if TYPE_CHECKING:
    from outrider.memory.redaction.sealed import Sealer


def data_folder() -> Path:
    """Where runs and pulled models are kept: OUTRIDER_HOME, or the platform's place for a program's data."""
    if home := os.environ.get("OUTRIDER_HOME"):
        return Path(home).expanduser()
    from platformdirs import user_data_path

    return user_data_path("outrider", appauthor=False)


def undo_key() -> Sealer:
    """What seals the copies `undo` needs of files that hold secrets; its key lies in the data folder, not the database."""
    from outrider.memory.redaction.sealed import Sealer

    return Sealer(data_folder() / "undo.key")


def config_file() -> Path:
    """The configuration file, whether it is there or not: OUTRIDER_CONFIG, or config.toml in the data folder."""
    named = os.environ.get("OUTRIDER_CONFIG")
    return Path(named).expanduser() if named else data_folder() / "config.toml"


def default_memory() -> str:
    """The URL of the database runs are kept in when none is named: OUTRIDER_MEMORY, the file, the data folder."""
    url = os.environ.get("OUTRIDER_MEMORY") or str(read_config().get("memory") or "")
    return url or f"sqlite:///{data_folder() / 'memory.db'}"


def read_config() -> dict[str, Any]:
    """The configuration file as it stands, checked; {} if there is none.

    Raises UsageError for a file that cannot be read, a key that means nothing or a value of the wrong kind.
    """
    file = config_file()
    if not os.environ.get("OUTRIDER_CONFIG") and not file.exists():
        return {}
    import tomllib

    from outrider.agent.settings.keys import check

    try:
        read = tomllib.loads(read_given_text(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the configuration {str(file)!r} cannot be read", words_of(error), "check OUTRIDER_CONFIG"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"the configuration {str(file)!r} is not TOML", str(error), "correct that line: `outrider config edit`"
        ) from error
    check(read, f"the configuration {str(file)!r}")
    return read


def with_profile(config: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """The configuration with the settings of one profile over it; None or "": as it is, without any profile.

    Raises UsageError if there is no such profile.
    """
    from outrider.agent.settings.keys import PROFILE

    profiles = config.get(PROFILE) or {}
    plain = {key: value for key, value in config.items() if key != PROFILE}
    if not name:
        return plain
    if name not in profiles:
        there = ", ".join(sorted(profiles)) or "none"
        raise UsageError(
            f"there is no profile {name!r}",
            f"the configuration has {there}",
            f'write one: outrider config set profile.{name}.model "…"',
        )
    return laid_over(plain, profiles[name])


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, table by table."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = laid_over(under, value) if both else value  # type: ignore[arg-type]
    return merged


def meant_model(spec: str, config: Mapping[str, Any]) -> str:
    """What a person means by a model: the spec an alias of the configuration stands for, else the words themselves."""
    meant: str = (config.get("alias") or {}).get(spec.strip(), spec)
    return meant
