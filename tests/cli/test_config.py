"""`outrider config`, profiles and aliases, as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program


@pytest.fixture
def here(program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    return lambda *words: program.here(monkeypatch, capfd, *words)


def test_set_get_unset_keep_comments_and_order(here, program: Program) -> None:  # type: ignore[no-untyped-def]
    """A file a person wrote stays theirs."""
    file = program.home / "config.toml"
    program.home.mkdir()
    file.write_text("# mine\nmodel = 'starter' # the small one\n\n[budget]\nsteps = 7 # enough\n")
    assert here("config", "set", "budget.usd", "0.5").code == 0
    text = file.read_text()
    assert "# mine\nmodel = 'starter' # the small one" in text
    assert "steps = 7 # enough" in text
    assert here("config", "get", "budget.usd").out == "0.5\n"
    assert here("config", "unset", "budget.usd").code == 0
    assert here("config", "get", "budget.usd").code == 6
    assert here("config", "unset", "budget.usd").code == 6


def test_list_says_where_every_value_is_from(here, program: Program) -> None:  # type: ignore[no-untyped-def]
    """Flag, profile, environment, file and default are told apart."""
    for key, value in (("model", "openai:a"), ("budget.usd", "1"), ("profile.p.isolation", "auto"), ("label", "mine")):
        assert here("config", "set", key, value).code == 0
    program.environment["OUTRIDER_MODEL"] = "openai:b"
    told = here("config", "list", "--json", "--profile", "p", "--usd", "3").json
    assert told["model"] == {"value": "openai:b", "from": "environment OUTRIDER_MODEL", "says": told["model"]["says"]}
    assert told["budget.usd"]["from"] == "flag --usd"
    assert told["isolation"]["from"] == "profile p"
    assert told["label"]["from"].startswith("file ")
    assert told["budget.steps"] == {"value": None, "from": "default", "says": told["budget.steps"]["says"]}


def test_a_run_takes_profile_and_alias(here, program: Program) -> None:  # type: ignore[no-untyped-def]
    """`--profile cheap` gives model, limits and policy; what the file says otherwise still holds."""
    model = program.script({"text": "done"})
    for key, value in (
        ("alias.fast", model),
        ("profile.p.model", "fast"),
        ("profile.p.budget.steps", "3"),
        ("budget.calls", "5"),
    ):
        assert here("config", "set", key, value).code == 0
    done = here("run", "go", "--profile", "p", "--json", "--tool", "plan", "--seconds", "9")
    assert done.code == 0
    assert done.json["model"] == model
    assert done.json["budget"] == {"steps": 3, "calls": 5, "seconds": 9.0}
    assert here("run", "go", "--model", "fast", "--json", "--tool", "plan").json["model"] == model
    assert here("run", "go", "--profile", "none", "--tool", "plan").code == 2
    unknown = here("run", "go", "--model", "fsat", "--tool", "plan")
    assert (unknown.code, "aliases: fast" in unknown.err) == (2, True)


@pytest.mark.parametrize(
    "words",
    [("get", "nothing"), ("set", "budget.usd", "0"), ("set", "model", ""), ("set", "policy", "x"), ("unset", "a b"),
     ("set", "x\ny", "1"), ("set", "tool_settings.a", "["), ("get", ""), ("edit",), ("set", "budget", "1")],
)  # fmt: skip
def test_wrong_words_are_refused_and_nothing_is_written(here, program: Program, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    """Exit code 2, three lines, no file."""
    done = here("config", *words)
    assert done.code == 2
    assert "fix:" in done.err
    assert not (program.home / "config.toml").exists()


def test_a_wrong_file_is_not_changed(here, program: Program) -> None:  # type: ignore[no-untyped-def]
    """`set` does not write over a file it cannot read."""
    program.home.mkdir()
    (program.home / "config.toml").write_text("model = ")
    assert here("config", "set", "budget.usd", "1").code == 2
    assert (program.home / "config.toml").read_text() == "model = "


def test_edit_checks_the_file_when_it_is_done(here, program: Program, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A mistake is said at once, not at the next run."""
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "budgt = 1\\n" > "$1"\n')
    editor.chmod(0o755)
    program.environment["EDITOR"] = str(editor)
    done = program("config", "edit")
    assert done.code == 2
    assert "did you mean budget" in done.err


def test_agents_md_is_told_and_shown_in_the_header(here, program: Program) -> None:  # type: ignore[no-untyped-def]
    """The person sees what the model was given; a setting leaves it out; what it says changes no limit."""
    (program.work / "AGENTS.md").write_text("Answer in French.\n[budget]\nusd = 100\n")
    (program.work / "AGENTS.md").chmod(0o644)
    model = program.script({"text": "oui"})
    done = here("run", "go", "--model", model, "--tool", "plan", "--steps", "5")
    assert "AGENTS.md of this folder" in done.err
    started = here("show", "last", "--json").lines[0]
    assert "Answer in French." in str(started)
    assert here("config", "set", "instructions", "false").code == 0
    done = here("run", "go", "--model", model, "--tool", "plan", "--steps", "5")
    assert "AGENTS.md" not in done.err


def test_a_template_makes_a_run(here, program: Program) -> None:  # type: ignore[no-untyped-def]
    """Goal, tools and limits come from the template; flags win."""
    folder = program.home / "templates"
    folder.mkdir(parents=True)
    (folder / "ask.md").write_text('+++\ntools = ["plan"]\nbudget.steps = 4\n+++\nLook at {{file}}.')
    model = program.script({"text": "done"})
    done = here("run", "-t", "ask", "file=main.py", "--model", model, "--json", "--calls", "2")
    assert (done.json["goal"], done.json["budget"]) == ("Look at main.py.", {"steps": 4, "seconds": 3600.0, "calls": 2})
    for words in (("-t", "ask"), ("-t", "ask", "main.py"), ("-t", "nothing"), ("go", "on"), ()):
        assert here("run", *words, "--model", model).code == 2


def test_a_database_a_person_names_can_be_read_by_its_name(here, program: Program) -> None:  # type: ignore[no-untyped-def]
    """`[databases]` of the configuration; a model only ever sees the name."""
    import sqlite3

    with sqlite3.connect(program.folder / "shop.db") as database:
        database.execute("CREATE TABLE customers (name TEXT)")
    database.close()
    assert here("config", "set", "databases.shop", f"sqlite:///{program.folder / 'shop.db'}").code == 0
    done = here("tools", "call", "sql_query", "--args", '{"database": "shop"}')
    assert done.code == 0, done.err
    assert "customers: 0 rows; name TEXT" in done.out
