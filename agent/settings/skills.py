"""Where the skills of a run come from: the data folder, the configuration, and the workspace where the person trusts it.
May touch: reads the configuration it is handed and looks for folders. Does not promise: that a skill in them is sound.

A workspace is trusted by name in the configuration (`skills.trust`), never by anything that lies in it. Its skills are in
`.agents/skills` and `.claude/skills`, where no tool of a run can write (tools/files/guarded.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outrider.agent.settings.config import data_folder

IN_WORKSPACE = (".agents/skills", ".claude/skills")


def shelf_folder() -> Path:
    """Where `outrider skills add` keeps skills."""
    return data_folder() / "skills"


def is_trusted(config: Mapping[str, Any], workspace: Path) -> bool:
    """Whether the person said that skills of this workspace are used."""
    named = (config.get("skills") or {}).get("trust") or ()
    return any(Path(one).expanduser().resolve() == workspace.expanduser().resolve() for one in named)


def skill_folders(config: Mapping[str, Any], workspace: str | Path = ".") -> tuple[str, ...]:
    """The folders a run's skills are in, the person's own first."""
    named = [str(Path(one).expanduser().resolve()) for one in (config.get("skills") or {}).get("folders") or ()]
    place = Path(workspace).expanduser().resolve()
    inside = [str(place / one) for one in IN_WORKSPACE] if is_trusted(config, place) else []
    return tuple(one for one in (str(shelf_folder()), *named, *inside) if Path(one).is_dir())


def untrusted_skills(config: Mapping[str, Any], workspace: str | Path = ".") -> list[str]:
    """Folders of skills in a workspace that nobody trusted: they are not used."""
    place = Path(workspace).expanduser().resolve()
    return [] if is_trusted(config, place) else [one for one in IN_WORKSPACE if (place / one).is_dir()]
