"""The tool `skill`: the instructions of a skill, and its files, when the model asks for them.
May touch: reads inside the folders of the run's skills. Its scripts are run by `shell` and `python`, in the sandbox, which
shows these folders read-only. Does not promise: that the instructions suit this agent; they were written for many.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from outrider.memory.errors import UsageError
from outrider.memory.text import for_model
from outrider.tools.skills.skill import Skill
from outrider.tools.tool import Arguments, Observation, Tool, ToolContext, ToolError, shape

NAME = "skill"
LISTED = 60  # files named


def skill_tool(skills: Mapping[str, Skill]) -> Tool:
    """The tool that loads these skills."""
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "enum": sorted(skills)},
            "file": {"type": "string", "description": "a file of the skill to read; none: its instructions"},
        },
        "required": ["name"],
        "additionalProperties": False,
    }

    def run(arguments: dict[str, Any], context: ToolContext) -> Observation:
        one = skills[arguments["name"]]
        text = _file(one, arguments["file"]) if arguments.get("file") else _instructions(one)
        return Observation(text, private=())

    says = "Load a skill: its instructions, or one of the files they name."
    return Tool(NAME, says, schema, run, _checker(skills, schema), effect="read", fresh_s=0, source="skill")


def _checker(skills: Mapping[str, Skill], schema: dict[str, Any]) -> Callable[[Arguments], dict[str, Any]]:
    def check(arguments: Arguments) -> dict[str, Any]:
        name, file = arguments.get("name"), arguments.get("file") or ""
        extra = set(arguments) - {"name", "file"}
        if name not in skills or not isinstance(file, str) or extra:
            why = (
                f"there are {', '.join(sorted(skills))}"
                if name not in skills
                else "file is a text, and nothing else is taken"
            )
            raise ToolError("the arguments of skill do not fit", why, f"call it as {shape(NAME, schema)}")
        return {"name": name, "file": file}

    return check


def _instructions(one: Skill) -> str:
    files = one.files()
    more = f" and {len(files) - LISTED} more" if len(files) > LISTED else ""
    parts = [one.body or "(SKILL.md holds no instructions)"]
    if files:
        where = shlex.quote(str(one.folder))
        parts.append(
            f"[files of this skill: {', '.join(files[:LISTED])}{more}. Read one with skill(name, file). Scripts run in the "
            f"sandbox with `shell` or `python`; there the folder is {where}, read-only, e.g. `python3 {where}/{_script(files)}`]"
        )
    if one.compatibility:
        parts.append(f"[it says it needs: {one.compatibility}]")
    if one.allowed is not None:
        names = ", ".join(tool + (f"({pattern})" if pattern else "") for tool, pattern in one.allowed) or "none"
        parts.append(f"[it names the tools it needs: {names}; calls of others are asked about from now on]")
    return "\n\n".join(parts)


def _script(files: list[str]) -> str:
    return next((shlex.quote(file) for file in files if file.endswith(".py")), "scripts/NAME.py")


def _file(one: Skill, file: str) -> str:
    try:
        data = one.read(file)
    except UsageError as error:
        raise ToolError(error.what, error.why, error.fix) from None
    if b"\0" in data:
        raise ToolError(f"{file!r} is not text", f"{len(data):,} bytes of something else", "use it with code")
    return for_model(data.decode("utf-8", "replace"))
