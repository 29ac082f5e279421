"""`outrider skills`: list, show, add, remove; skills of a workspace only where the person trusts it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import Program


def make(folder: Path, name: str) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / "SKILL.md").write_text(f"---\nname: {name}\ndescription: Works with {name}.\n---\nDo {name}.\n")
    return place


def test_a_skill_is_added_listed_shown_and_removed(program: Program) -> None:
    """What was added is there for every run, and gone after it was removed."""
    make(program.folder, "adding")
    assert "no skills" in program("skills").err
    assert program("skills", "add", str(program.folder / "adding")).out == "added adding: Works with adding.\n"
    assert program("skills", "list").out == "adding  Works with adding.\n"
    assert "Do adding." in program("skills", "show", "adding").out
    assert program("skills", "list", "--json").lines[0]["name"] == "adding"
    replies = program.script({"text": "done"})
    program("run", "go", "--model", replies)
    events = program("export", "last", "--format", "jsonl").lines
    assert "adding: “Works with adding.”" in json.dumps(events[1], ensure_ascii=False)
    assert program("skills", "remove", "adding").code == 0
    assert program("skills", "show", "adding").code == 2


def test_skills_of_the_workspace_are_used_only_where_it_is_trusted(program: Program) -> None:
    """Somebody else's folder cannot bring instructions of its own; the list says what is not used, and how to use it."""
    make(program.work / ".agents" / "skills", "theirs")
    listed = program("skills", "list")
    assert listed.out == ""
    assert "not used" in listed.err
    program("config", "set", "skills.trust", json.dumps([str(program.work)]))
    assert program("skills", "list").out == "theirs  Works with theirs.\n"


def test_a_folder_that_is_no_skill_is_refused_with_what_would_be_right(program: Program) -> None:
    """Exit code 2, and the fix."""
    done = program("skills", "add", str(program.work))
    assert done.code == 2
    assert "SKILL.md" in done.err
