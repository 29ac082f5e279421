"""Every key of the configuration is documented, checked, and refused in words when it is wrong."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.settings.config import meant_model, with_profile
from outrider.agent.settings.keys import KEYS, check, place_of, read_value, settings_in, spelt
from outrider.memory.errors import UsageError

DOCS = Path(__file__).parents[3] / "docs" / "config.md"
BEGIN, END = "<!-- written by tests/agent/settings/test_keys.py from agent/settings/keys.py -->\n", "<!-- end -->"


def table() -> str:
    rows = ["| key | what it is | kind | for example | without it |", "|---|---|---|---|---|"]
    for key in KEYS:
        also = f" (`{key.variable}`)" if key.variable else ""
        everywhere = "" if key.inside else "; for all runs, not in a profile"
        rows.append(
            f"| `{key.name}`{also} | {key.says}{everywhere} | {key.kind.says} | `{key.example}` | {key.default} |"
        )
    return "\n".join(rows) + "\n"


def test_docs_tell_every_key() -> None:
    """Nobody has to read the code to know what may be set. OUTRIDER_WRITE_DOCS=1 writes the table."""
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("OUTRIDER_WRITE_DOCS"):
        DOCS.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
        written = table()
    assert written == table()


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_example_is_what_it_says(key: Any) -> None:
    """The example of a key is TOML, of the right kind, and passes the check, in a profile too where it may stand."""
    name = key.name.replace("*", "mine")
    check(tomllib.loads(f"{name} = {key.example}"), "the example")
    inside = tomllib.loads(f"profile.cheap.{name} = {key.example}")
    if key.inside:
        check(inside, "the example")
    else:
        with pytest.raises(UsageError, match="cannot differ by profile"):
            check(inside, "the example")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("modell = 'x'", "did you mean model"),
        ("budget.usd = 'ten'", "a number above zero"),
        ("budget.usd = nan", "a number above zero"),
        ("budget.steps = 1.5", "a whole number"),
        ("budget = 3", "no such setting"),
        ("budget.steps = true", "a whole number"),
        ("policy.network = 'perhaps'", "allow, ask or deny"),
        ("policy.fly = 'ask'", "no such setting"),
        ("model = {a = 1}", "text"),
        ("model = ''", "text"),
        ("profile.cheap.memory = 'x'", "cannot differ"),
        ("profile.cheap.profile.b.model = 'x'", "no such setting"),
        ("profile = 1", "no such setting"),
        ("'' = 1", "no such setting"),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(text: str, named: str) -> None:
    """A typing error does not change silently what a run may do."""
    with pytest.raises(UsageError, match=named):
        check(tomllib.loads(text), "the file")


def test_tool_settings_and_empty_tables_pass() -> None:
    """What a tool is told is the tool's business."""
    check(tomllib.loads("[tool_settings.sandbox]\nhide = ['a']\n[budget]\n[profile.x]\n[policy.tools]\n"), "the file")


@pytest.mark.parametrize("name", ["a b", "x = 1\ny", "", ".", "a..b", '"', "[x]", "a # b"])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    """What is written after `config set` cannot write a second setting."""
    with pytest.raises(UsageError):
        read_value(place_of(name), "1")


def test_names_with_dots_are_spelt_as_toml_spells_them() -> None:
    """An alias such as gpt-5.1 can be set and read back."""
    place = place_of('alias."gpt-5.1"')
    assert place == ("alias", "gpt-5.1")
    assert spelt(place) == 'alias."gpt-5.1"'
    assert list(settings_in(tomllib.loads(f"{spelt(place)} = 'starter'"))) == [(place, "starter")]


def test_a_profile_lies_over_the_file_table_by_table() -> None:
    """A profile that sets one limit leaves the others as they were."""
    config = tomllib.loads(
        "model='a'\nbudget.usd=1\nbudget.steps=9\nalias.b='starter'\nprofile.p={model='b',budget={usd=2}}"
    )
    merged = with_profile(config, "p")
    assert merged == {"model": "b", "budget": {"usd": 2, "steps": 9}, "alias": {"b": "starter"}}
    assert meant_model("b", merged) == "starter"
    assert with_profile(config, "")["model"] == "a"
    with pytest.raises(UsageError, match="there is no profile 'q'"):
        with_profile(config, "q")
