"""`outrider skills`: which Agent Skills runs have, what one says, and adding and removing them. Only translates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.agent.cli.given import read_config
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import out, out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.tools.skills.shelf import Shelf
    from outrider.tools.skills.skill import Skill

app = typer.Typer(
    name="skills", cls=Group, help="Which Agent Skills (SKILL.md) runs have; add one.", rich_markup_mode=None
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A skill.", show_default=False)]


@app.command("list", cls=Command)
def list_skills(json: Json = False) -> None:
    """List the skills a run in this folder has, and where each lies."""
    from outrider.agent.review.lines import Line, one_line
    from outrider.agent.settings.skills import untrusted_skills
    from outrider.memory.text import for_terminal

    shelf = _shelf()
    if not shelf.skills and not json:
        say("no skills; add one with `outrider skills add FOLDER`")
    wide = max((len(name) for name in shelf.skills), default=0)
    for one in shelf.skills.values():
        if json:
            out_json(_told(one))
            continue
        head = ((f"{one.name:{wide}}  ", "tool"),)
        out_lines([Line(((one_line(one.description, 300), "plain"),), head)])  # type: ignore[arg-type]
    for wrong in shelf.wrong:
        say(for_terminal(f"left out: {wrong}"))
    for folder in untrusted_skills(read_config()):
        fix = f"to use it: outrider config set skills.trust '[\"{Path.cwd()}\"]'"
        say(for_terminal(f"not used: {folder} of this folder, for you did not say that you trust it; {fix}"))


@app.command(cls=Command)
def show(name: Name, json: Json = False) -> None:
    """Show a skill: what it says of itself, its files, the tools it names, and its instructions."""
    from outrider.memory.text import for_terminal

    one = _one(name)
    if json:
        out_json(_told(one) | {"body": one.body})
        return
    out(for_terminal(f"{one.name}: {one.description}\n"))
    rows = [("folder", str(one.folder)), ("licence", one.license), ("needs", one.compatibility)]
    rows += [("tools", " ".join(_tools(one)))] if one.allowed is not None else []
    rows += [("files", ", ".join(one.files())), ("note", "; ".join(one.notes))]
    for label, text in rows:
        if text:
            out(for_terminal(f"  {label:8} {text}"))
    out(for_terminal(f"\n{one.body}"))


@app.command(cls=Command)
def add(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A folder with a SKILL.md.", show_default=False)],
) -> None:
    """Copy a skill into your data folder, for every run. One of the same name is replaced."""
    from outrider.agent.settings.skills import shelf_folder
    from outrider.memory.text import for_terminal
    from outrider.tools.skills.shelf import add as added

    one = added(shelf_folder(), Path(path))
    out(for_terminal(f"added {one.name}: {one.description}"))
    for note in one.notes:
        say(for_terminal(f"note: {note}"))


@app.command(cls=Command)
def remove(name: Name) -> None:
    """Delete a skill that was added."""
    import shutil

    from outrider.agent.settings.skills import shelf_folder

    folder = _one(name).folder
    if folder.parent != shelf_folder().resolve():
        raise UsageError(f"the skill {name!r} was not added", f"it lies in {folder}", "take that folder away")
    shutil.rmtree(folder)
    out(f"removed {name}")


def _shelf() -> Shelf:
    from outrider.agent.settings.skills import skill_folders
    from outrider.tools.skills.shelf import read_shelf

    return read_shelf(skill_folders(read_config()))


def _one(name: str) -> Skill:
    skills = _shelf().skills
    if name not in skills:
        there = ", ".join(sorted(skills)) or "none"
        raise UsageError(f"there is no skill {name!r}", f"there is {there}", "add one: outrider skills add FOLDER")
    return skills[name]


def _tools(one: Skill) -> list[str]:
    return [tool + (f"({pattern})" if pattern else "") for tool, pattern in one.allowed or ()]


def _told(one: Skill) -> dict[str, object]:
    plain = {"name": one.name, "description": one.description, "folder": str(one.folder), "files": one.files()}
    said = {"license": one.license, "compatibility": one.compatibility, "notes": list(one.notes)}
    return plain | said | {"allowed_tools": _tools(one) if one.allowed is not None else None}
