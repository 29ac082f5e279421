"""Goals with places: what is filled in stays plain text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.agent.settings.templates import Template, read_template, sort_words, template_names
from outrider.memory.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OUTRIDER_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "templates").mkdir()
    return tmp_path / "templates"


@given(st.text(), st.text())
def test_what_is_filled_in_is_never_looked_at_again(first: str, second: str) -> None:
    """A value that looks like a place, a format or a group reference is plain text."""
    template = Template("t", "{{a}}|{{ b }}|{{secret:KEY}}")
    assert template.fill({"a": first, "b": second}) == f"{first}|{second}|{{{{secret:KEY}}}}"
    assert template.fill({"a": "{{b}} {b} \\1 $b %s", "b": "x"}).startswith("{{b}} {b} \\1 $b %s|x")


def test_head_body_and_defaults_are_read(folder: Path) -> None:
    """The head is settings, the body the goal."""
    (folder / "review.md").write_text(
        '+++\nabout = "look"\nbudget.usd = 0.2\ntools = ["plan"]\ndefaults = { depth = "well" }\n+++\nLook at {{file}} {{depth}}.\n'
    )
    template = read_template("review")
    assert (template.about, template.tools, dict(template.settings)) == ("look", ("plan",), {"budget": {"usd": 0.2}})
    assert template.fill({"file": "a=b"}) == "Look at a=b well."
    assert template_names() == ["review"]
    with pytest.raises(UsageError, match="needs file"):
        template.fill({})
    with pytest.raises(UsageError, match="has no place 'fil'"):
        template.fill({"fil": "x", "file": "y"})


@pytest.mark.parametrize(
    "text",
    ["", "+++\n", "+++\nmodel = \n+++\nx", "+++\nmodle = 'a'\n+++\nx", "+++\nmemory = 'a'\n+++\nx",
     "+++\ndefaults = 3\n+++\nx", "+++\ntools = 'a'\n+++\nx", "+++\n+++\n \n"],
)  # fmt: skip
def test_a_wrong_template_is_named(folder: Path, text: str) -> None:
    """Each is refused in words that name the template."""
    (folder / "t.md").write_text(text)
    with pytest.raises(UsageError, match="'t'"):
        read_template("t")


@pytest.mark.parametrize("name", ["../config", "/etc/passwd", "", "a/b", "none", "a\nb"])
def test_a_name_cannot_leave_the_folder(folder: Path, name: str) -> None:
    """A name is a name, not a path."""
    (folder.parent / "config.md").write_text("x")
    with pytest.raises(UsageError, match="there is no template"):
        read_template(name)


def test_words_are_variables_or_the_rest() -> None:
    """A word is a variable only where a name stands before the first equals sign."""
    assert sort_words(["file=a=b", "a.csv", "=x", "1=2", "q="]) == ({"file": "a=b", "q": ""}, ["a.csv", "=x", "1=2"])
