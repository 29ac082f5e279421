"""Tools a person added once for every run: where they are kept, and how a new run gets them.
May touch: reads the folder `tools` of the data folder. Does not promise: them to a run that names its tools.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def folder() -> Path:
    """Where added tools are kept."""
    from outrider.agent.settings.config import data_folder

    return data_folder() / "tools"


def with_added(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a new run with the files and secrets of what was added; as they are where tools are named."""
    place = folder()
    if settings.get("tools") or not place.is_dir():
        return settings
    from outrider.tools.openapi.added import added_files, secret_words

    files = added_files(place)
    if not files:
        return settings
    named = {word.partition("@")[0] for word in settings.get("secrets", ())}
    words = (word for word in secret_words(files) if word.partition("@")[0] not in named)
    return settings | {
        "tools_from": (*settings.get("tools_from", ()), *files),
        "secrets": (*settings.get("secrets", ()), *words),
    }
