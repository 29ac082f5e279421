"""Which model is found, in which order, and what it costs to look."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.models import detect as room
from outrider.agent.models.detect import Found, choose, detect
from outrider.memory.errors import ModelUnavailable
from tests.servers.openai_server import OpenAIServer


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A machine with no key, no server, no file and no llama.cpp."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    return {"environ": {}, "ports": {}, "models_folder": tmp_path, "configured": ""}


def test_nothing_at_all_names_the_three_ways(nothing: dict[str, Any]) -> None:
    """A key, a local server, the built-in way; exit code 5."""
    with pytest.raises(ModelUnavailable) as caught:
        choose(**nothing)
    for way in ("OPENAI_API_KEY", "ollama serve", "outrider[local]"):
        assert way in caught.value.fix
    assert caught.value.exit_code == 5


def test_order_is_environment_configuration_key_server_file_starter(
    nothing: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As documented, best first; taking the best away leaves the next."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "m.gguf").write_bytes(b"GGUF")
    with OpenAIServer(models=["llama3"]) as server:
        nothing |= {"environ": {"OUTRIDER_MODEL": "scripted:a.json", "OPENAI_API_KEY": "k"}, "configured": "llama:c"}
        nothing["ports"] = {"Ollama": server.port}
        sources = [one.source for one in detect(**nothing)]
        expected = [
            "OUTRIDER_MODEL",
            "configuration",
            "OPENAI_API_KEY",
            "Ollama",
            "pulled model",
            "built-in model",
            "starter model",
        ]
        assert sources == expected
        assert choose(**nothing).spec == "scripted:a.json"
        del nothing["environ"]["OUTRIDER_MODEL"]
        assert choose(**nothing).spec == "llama:c"
        nothing["configured"] = ""
        assert choose(**nothing).source == "OPENAI_API_KEY"
        nothing["environ"] = {}
        found = choose(**nothing)
        assert (found.spec, found.settings["base_url"]) == ("openai:llama3", server.base_url)
        nothing["ports"] = {}
        assert choose(**nothing).spec == f"llama:{tmp_path / 'sub' / 'm.gguf'}"
        (tmp_path / "sub" / "m.gguf").unlink()
        ours = [one for one in detect(**nothing) if one.source in ("built-in model", "starter model") and one.ok]
        assert choose(**nothing) == ours[0]
        assert ours[-1].spec == "starter"


def test_a_local_server_is_never_given_the_openai_key(nothing: dict[str, Any]) -> None:
    """Any process may listen on a well-known port."""
    with OpenAIServer(models=["m"]) as server:
        nothing["ports"] = {"vLLM": server.port}
        assert choose(**nothing).settings["api_key"] == ""


def test_embedding_models_and_names_fit_for_no_terminal_are_passed_over(nothing: dict[str, Any]) -> None:
    """Ollama lists them beside the chat models."""
    with OpenAIServer(models=["nomic-embed-text", "\x1b[2J", "", "chat-1", "chat-2"]) as server:
        nothing["ports"] = {"Ollama": server.port}
        usable = [one.spec for one in detect(**nothing) if one.ok]
    assert usable == ["openai:chat-1", "openai:chat-2"]


def test_a_server_without_a_chat_model_is_shown_but_not_chosen(nothing: dict[str, Any]) -> None:
    """`outrider models` says why."""
    with OpenAIServer(models=["nomic-embed-text"]) as server:
        nothing["ports"] = {"Ollama": server.port}
        found = detect(**nothing)
    assert any(one.source == "Ollama" and not one.ok and "no chat model" in one.why for one in found)


def test_silent_and_odd_servers_cost_a_moment_not_the_start(nothing: dict[str, Any]) -> None:
    """Something that listens and says nothing, and a web site, are no model servers."""
    with socket.create_server(("127.0.0.1", 0)) as mute, OpenAIServer() as web:
        web.models = ()  # an empty list
        nothing["ports"] = {"mute": mute.getsockname()[1], "also": mute.getsockname()[1], "web": web.port, "none": 1}
        began = time.monotonic()
        found = detect(**nothing)
        took_s = time.monotonic() - began
    assert took_s < 1.5
    assert not any(one.ok for one in found)


def test_without_llama_cpp_files_are_shown_with_what_is_missing(nothing: dict[str, Any], tmp_path: Path) -> None:
    """A pulled file is no use without the engine, and the person is told."""
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    found = [one for one in detect(**nothing) if one.spec.startswith("llama:")]
    assert len(found) == 1
    assert not found[0].ok
    assert "outrider[local]" in found[0].why


def test_an_address_without_a_model_takes_the_first_it_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--base-url` alone is enough for a server with one model; the SDK asks."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with OpenAIServer(models=["embed-1", "only"]) as server:
        found = choose(server.base_url)
    assert (found.spec, found.settings) == ("openai:only", {"base_url": server.base_url})


def test_an_address_that_lists_nothing_asks_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fix is a flag."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="--model"):
        choose("http://127.0.0.1:1/v1")


def test_no_port_is_asked_when_a_model_is_set(nothing: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking costs only those who need it."""
    monkeypatch.setattr(room, "_get_models", lambda *_: pytest.fail("a port was asked"))
    nothing |= {"environ": {"OUTRIDER_MODEL": "starter"}, "ports": {"Ollama": 1}}
    assert choose(**nothing) == Found("starter", "OUTRIDER_MODEL", True, "set in the environment")


def test_looking_imports_nothing_heavy() -> None:
    """The way to the starter model is short."""
    code = (
        "import sys, outrider.agent.models.detect as d\n"
        "d.detect(environ={}, ports={'a': 1}, configured='', models_folder=__import__('pathlib').Path('/nonexistent'))\n"
        "heavy = {'openai', 'httpx2', 'langchain', 'langchain_core', 'llama_cpp', 'numpy', 'genai_prices'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
