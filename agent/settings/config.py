"""Settings from flags > environment > configuration file > defaults. This module reads the last three.
May touch: reads the environment and one TOML file. Does not promise: to read a file from the workspace: an agent can
write there, and must not be able to change what the next run may do (docs/decisions/0004-no-config-in-workspace.md).
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from outrider.memory.errors import UsageError
from outrider.memory.redaction.sealed import Sealer

KEYS = ("model", "base_url", "memory", "isolation", "budget", "policy", "price_in", "price_out", "tool_settings")


def data_folder() -> Path:
    """Where runs and pulled models are kept: OUTRIDER_HOME, or the platform's place for a program's data."""
    if home := os.environ.get("OUTRIDER_HOME"):
        return Path(home).expanduser()
    from platformdirs import user_data_path

    return user_data_path("outrider", appauthor=False)


def undo_key() -> Sealer:
    """What seals the copies `undo` needs of files that hold secrets; its key lies in the data folder, not the database."""
    return Sealer(data_folder() / "undo.key")


def default_memory() -> str:
    """The URL of the database runs are kept in when none is named: OUTRIDER_MEMORY, the file, the data folder."""
    url = os.environ.get("OUTRIDER_MEMORY") or str(read_config().get("memory") or "")
    return url or f"sqlite:///{data_folder() / 'memory.db'}"


def read_config() -> dict[str, Any]:
    """The configuration file: OUTRIDER_CONFIG, or config.toml in the data folder; {} if there is none.

    Raises UsageError for a file that cannot be read or holds a key that means nothing.
    """
    named = os.environ.get("OUTRIDER_CONFIG")
    file = Path(named).expanduser() if named else data_folder() / "config.toml"
    if not named and not file.exists():
        return {}
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the configuration {str(file)!r} cannot be read", str(error), "check OUTRIDER_CONFIG"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the configuration {str(file)!r} is not TOML", str(error), "mend that line") from error
    if unknown := set(read) - set(KEYS):
        raise UsageError(
            f"the configuration {str(file)!r} holds {', '.join(sorted(unknown))}",
            "no such setting",
            f"it may hold {', '.join(KEYS)}",
        )
    return read
