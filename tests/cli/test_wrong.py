"""Two hundred things that cannot be meant: each is told in words, with the right exit code, and none is a bug of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

import pytest

from outrider.memory.store import Store
from tests.cli.program import Program

NUMBERS = ("abc", "-5", "1e999", "", "nan", "9" * 1300)
NAMES = (
    "nosuch",
    "",
    "../..",
    "last~99",
    "last~x",
    "\x1b[31m",
    "a" * 5000,
    "%",
    "'; DROP TABLE runs;--",
    "☃",
    "--help=x",
    "0",
)
URLS = (
    "mysql://x/y",
    "://",
    "http://example.org/db",
    "/",
    "/dev/null",
    "/dev/zero",
    "postgresql://h:port/x",
    "sqlite://",
    "\0.db",
)
MODELS = (
    "gpt", "nosuch:x", ":", "openai:", "llama:", "llama:/nosuch.gguf", "scripted:", "scripted:/dev/null", "scripted:nosuch.json",
    "langchain:", "☃:☃", " ", "scripted:{broken}", "scripted:{empty}", "scripted:{list}",
)  # fmt: skip
ARGUMENTS = ("{bad", "[]", "1", "null", '"x"', "", '{"path": 1}', '{"nosuch": 1}', '{"path": "\\ud800"}', "[" * 100_000)


def wrong() -> Iterator[tuple[str, ...]]:
    """The command lines."""
    run = ("run", "x", "--model", "scripted:{script}", "--tool", "plan")
    for flag in ("--usd", "--tokens", "--steps", "--seconds", "--wall-seconds", "--calls"):
        yield from ((*run, flag, value) for value in NUMBERS)
    for flag in ("--price-in", "--price-out", "--max-context"):
        yield from ((*run, flag, value) for value in ("abc", "", "-5", "x" * 2000))
    for command in ("show", "verify", "replay", "undo", "resume", "fork", "rm", "label", "export"):
        yield from ((command, name) for name in NAMES)
    for command in (("runs",), ("find", "x"), ("usage",), ("show", "last")):
        yield from ((*command, "--memory", url) for url in URLS)
    yield from (("run", "x", "--model", model, "--tool", "plan") for model in MODELS)
    yield from (("tools", "call", "read_file", "--args", given) for given in ARGUMENTS)
    yield from SINGLE


SINGLE: tuple[tuple[str, ...], ...] = (
    ("nosuch",), ("run", "--nosuch"), ("run", ""), ("run", "  "), ("run", "-f", "nosuch.md"), ("run", "-f", "@"), ("run", "-f", "."),
    ("run", "x", "nosuch.csv", "--model", "scripted:{script}"), ("run", "x", "/dev/zero", "--model", "scripted:{script}"),
    ("run", "x", "/etc", "--model", "scripted:{script}"), ("run", "-t", "nosuch"), ("run", "-t", "../x"), ("run", "--profile", "nosuch", "x"),
    ("run", "x", "--workspace", "/"), ("run", "x", "--workspace", "/nosuch"), ("run", "x", "--workspace", "/dev/null"),
    ("run", "x", "--tools-from", "nosuch.py", "--model", "scripted:{script}"), ("run", "x", "--tools-from", "{broken}", "--model", "scripted:{script}"),
    ("run", "x", "--tool", "nosuch", "--model", "scripted:{script}"), ("run", "x", "--yes", "nosuch", "--model", "scripted:{script}"),
    ("run", "x", "--secret", "NOSUCH", "--model", "scripted:{script}"), ("run", "x", "--isolation", "nosuch", "--model", "scripted:{script}"),
    ("run", "x", "--isolation", "none", "--model", "scripted:{script}"), ("run", "--continue", "x", "--run", "nosuch"),
    ("run", "x", "--api-key-env", "NOSUCH", "--model", "openai:m"), ("run", "x", "--base-url", "nosuch", "--model", "openai:m", "--api-key-env", "-"),
    ("chat", "--run", "nosuch"), ("chat", "--model", "nosuch"), ("chat", "--continue", "--run", "☃"),
    ("runs", "--state", "nosuch"), ("runs", "--since", "yesterday"), ("runs", "--since", "99999d"), ("runs", "--since", "2026-13-01"),
    ("runs", "--limit", "0"), ("runs", "--limit", "x"), ("usage", "--by", "nosuch"), ("usage", "--json", "--csv"), ("usage", "--since", "x"),
    ("find",), ("find", ""), ("find", "☃"), ("find", '"'), ("find", "AND OR NOT ("), ("find", "nosuchword"), ("rm",), ("rm", "--older-than", "x"),
    ("rm", "last"), ("rm", "--label", "it", "--older-than", "-1d"), ("label",), ("label", "last", "x" * 5000), ("fork", "last", "--at", "999"),
    ("fork", "last", "--at", "0"), ("fork", "last", "--at", "x"), ("show", "last", "--svg", "/nosuch/x.svg"), ("verify",), ("verify", "last", "--all"),
    ("replay", "last", "--tools", "nosuch"), ("replay", "last", "--model", "nosuch"), ("undo", "last", "--at", "-1"),
    ("tools", "nosuch"), ("tools", "show", "nosuch"), ("tools", "call", "nosuch"), ("tools", "list", "--tools-from", "nosuch.py"),
    ("models", "nosuch"), ("models", "pull", "x"), ("models", "pull", "../x"), ("models", "pull", ""), ("config", "nosuch"),
    ("config", "get", "nosuch"), ("config", "set", "nosuch", "1"), ("config", "set", "budget.usd", "x"), ("doctor", "x"), ("doctor", "--nosuch"),
    ("import", "nosuch.jsonl"), ("import", "{broken}"), ("import", "."), ("diff", "last"), ("diff", "last", "nosuch"), ("compare", "nosuch"),
    ("--nosuch",), ("-x",), ("run", "x", "--model"), ("run", "x", "-m", "scripted:{script}", "--allow-host", "☃ ☃", "--usd"),
)  # fmt: skip
# What a file that is not there, or is another thing, is called: each command that reads one.
FILES: tuple[tuple[str, ...], ...] = (
    ("chain", "run", "nosuch.toml", "x.txt"), ("chain", "run", ".", "x.txt"), ("chain", "run", "{broken}", "nosuch.txt"), ("chain", "run"),
    ("chain", "list", "nosuch.yaml"), ("chain", "list", "."), ("skills", "add", "nosuch"), ("skills", "add", "{broken}"), ("skills", "show", "nosuch"),
    ("models", "compare"), ("eval", "nosuch.jsonl"), ("eval", "."), ("batch", "nosuch.jsonl"), ("run", "x", "--schema", "nosuch.json"),
    ("tools", "add", "openapi", "x", "nosuch.json"), ("run", "x", "--model", "scripted:{script}", "--image", "nosuch.png"), ("secrets", "rm", "nosuch"),
    ("export", "last", "--format", "otel", "--to", "localhost:99999"), ("run", "x", "-t", "."), ("import", "/etc/shadow-nosuch"), ("show",),
)  # fmt: skip
OURS = ("Traceback", "internal error", "[Errno", "codec can't", "}...")  # what no person should have to read
FINE = {0, 2, 4, 5, 6}  # some are no mistake: a label of no run's is no run to delete


def test_there_are_two_hundred() -> None:
    """The list is as long as it says."""
    assert len(set(wrong())) >= 200


@pytest.mark.parametrize("lines", [wrong, lambda: FILES], ids=["wrong", "files"])
def test_nothing_wrong_that_is_typed_is_a_bug_of_ours(
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    lines: Callable[[], Iterable[tuple[str, ...]]],
) -> None:
    """0 tracebacks and 0 internal errors, no exit code 1, and never an empty refusal or a page of echoed input; and no
    error as Python spells it ("[Errno 2]"), nor a usage line in a grammar's signs."""
    script = program.script({"text": "ok"}).removeprefix("scripted:")
    for name, text in (("broken", "{not python, not json"), ("empty", ""), ("list", json.dumps([[1], 2]))):
        (program.folder / name).write_text(text)
    places = {"{script}": script} | {f"{{{name}}}": str(program.folder / name) for name in ("broken", "empty", "list")}
    Store(f"sqlite:///{program.home / 'memory.db'}").close()
    program.here(monkeypatch, capfd, "run", "x", "--model", f"scripted:{script}", "--tool", "plan", "--label", "it")
    faults = []
    for words in lines():
        filled = [places.get(word, word) for word in words]
        filled = [word.replace("scripted:{script}", f"scripted:{script}") for word in filled]
        for place, path in places.items():
            filled = [word.replace(place, path) for word in filled]
        done = program.here(monkeypatch, capfd, *filled)
        said = done.out + done.err
        if done.code not in FINE or any(one in said for one in OURS):
            faults.append((words, done.code, said[-300:]))
        elif done.code and (not said.strip() or len(said) > 6000):
            faults.append((words, done.code, f"{len(said)} characters: {said[:100]}"))
    assert faults == []
