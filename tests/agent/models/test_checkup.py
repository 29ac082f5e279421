"""`outrider models check`: what it says of a server is what the server does, and what it found is used afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.models import open_model
from outrider.agent.models.findings import Findings, remember, remembered
from tests.cli.program import Program
from tests.servers.openai_server import OpenAIServer, Seen

USAGE = {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70}
ORDER = {"customer": {"name": "Ada"}, "items": [{"what": "apple", "many": 2}, {"what": "pear", "many": 3}]}


def able(seen: Seen) -> dict[str, Any]:
    """A server that does everything well."""
    body = seen.json
    asked = str(body["messages"][-1]["content"])
    if body["messages"][-1]["role"] == "tool":
        return {"text": "It is 17 degrees in Oslo.", "usage": USAGE}
    if "note_number" in asked:
        return {"tool": "note_number", "arguments": {"number": 7}, "usage": USAGE}
    if "weather" in asked:
        return {"calls": [{"tool": "weather", "arguments": {"city": c}} for c in ("Oslo", "Rome")], "usage": USAGE}
    if "order" in asked:
        return {"tool": "order", "arguments": ORDER, "usage": USAGE}
    if "500" in asked:
        limit = body.get("max_tokens") or body["max_completion_tokens"]
        return {"text": "1, 2, 3", "finish_reason": "length", "usage": USAGE | {"completion_tokens": limit}}
    return {"text": "ready one two three four", "usage": USAGE}


def poor(seen: Seen) -> dict[str, Any]:
    """A server that calls in text, ignores limits, reports nothing and cannot stream."""
    body = seen.json
    asked = str(body["messages"][-1]["content"])
    if body.get("stream"):
        return {"status": 400, "body": {"error": {"message": "streaming is not supported here"}}}
    if "note_number" in asked:
        text = '<tool_call>\n{"name": "note_number", "arguments": {"number": 7}}\n</tool_call>'
        return {"text": text, "usage": None}
    if "500" in asked:
        return {"text": ", ".join(map(str, range(500))), "usage": None}
    return {"text": "I would rather talk.", "usage": None}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program with a home of its own."""
    return Program(tmp_path, {"NO_KEY": ""})


def test_check_tells_what_an_able_server_does(program: Program) -> None:
    """Every row is good, the window is the server's own word, and the settings line is valid TOML."""
    import tomllib

    with OpenAIServer([able]) as server:
        done = program(
            "models", "check", "openai:scripted", "--base-url", server.base_url, "--api-key-env", "-", "--json"
        )
        assert done.code == 0, done.err
        assert len(server.requests) <= 10
    found, rows = done.json["findings"], done.json["rows"]
    assert found["calls"] == "native"
    assert all(
        found[name]
        for name in ("parallel", "nested", "uses_results", "streams", "whole", "usage", "stream_usage", "keeps_limit")
    )
    assert not [row for row in rows if row["good"] is False]
    config = tomllib.loads("\n".join(done.json["config"]))
    assert (config["model"], config["base_url"]) == ("openai:scripted", server.base_url)
    assert done.json["tokens"] > 0


def test_check_tells_what_a_poor_server_does_not(program: Program) -> None:
    """Calls as text are named by their dialect; what is missing is said, with what follows from it; it still exits 0."""
    with OpenAIServer([poor]) as server:
        done = program("models", "check", "openai:scripted", "--base-url", server.base_url, "--api-key-env", "-")
        assert done.code == 0, done.err
    assert "text (Hermes, Qwen)" in done.out
    assert "a budget of tokens or dollars cannot be kept" in done.out
    assert "streaming is not supported here" in done.out
    assert 'model = "openai:scripted"' in done.out


def test_check_of_nothing_is_an_error_and_remembers_nothing(program: Program) -> None:
    """A server that is not there: the usual error and exit code, no findings."""
    done = program("models", "check", "openai:x", "--base-url", "http://127.0.0.1:1/v1", "--api-key-env", "-")
    assert done.code == 5
    assert "fix:" in done.err
    assert not (program.home / "model-findings.json").exists()


async def test_findings_are_used_when_the_model_is_opened_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window and the way to ask are what was found; what a person says wins; another server is another model."""
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path))
    here = {"base_url": "http://127.0.0.1:9/v1", "api_key": ""}
    remember(Findings("openai:m", here["base_url"], window=12_345, streams=False, whole=True))
    opened = await open_model("openai:m", **here)
    assert opened.limits.context == 12_345
    assert opened._habits.stream is False  # type: ignore[attr-defined]
    assert (await open_model("openai:m", max_context=4096, **here)).limits.context == 4096
    assert (await open_model("openai:m", base_url="http://127.0.0.1:10/v1", api_key="")).limits.context is None
    assert (await open_model("openai:m", remembered=False, **here)).limits.context is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "[1, null]", '[{"model": "openai:m", "window": "large"}]', '[{"model": "openai:m", "window": -5}]',
     '[{"model": "openai:m", "streams": "no"}]', "[" * 10_000],
)  # fmt: skip
def test_findings_that_are_damaged_are_no_findings(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file somebody edited never stops a run, and is written whole the next time."""
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path))
    (tmp_path / "model-findings.json").write_text(text)
    assert remembered("openai:m") is None
    remember(Findings("openai:m", window=1000))
    remember(Findings("openai:m", window=2000))
    kept = remembered("openai:m")
    assert kept is not None
    assert kept.window == 2000
    assert (
        sum(
            one.get("model") == "openai:m"
            for one in json.loads((tmp_path / "model-findings.json").read_text())
            if isinstance(one, dict)
        )
        == 1
    )
