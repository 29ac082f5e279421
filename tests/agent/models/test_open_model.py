"""A spec becomes a model, or one clear message."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.agent.models import PROVIDERS, open_model, split_spec
from outrider.memory.errors import UsageError
from tests.servers.openai_server import OpenAIServer


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("openai:gpt-5-mini", ("openai", "gpt-5-mini")),
        ("openai:meta-llama/Llama-3:free", ("openai", "meta-llama/Llama-3:free")),
        ("langchain:anthropic:claude", ("langchain", "anthropic:claude")),
        ("scripted:C:\\demo.json", ("scripted", "C:\\demo.json")),
        ("starter", ("starter", "starter")),
    ],
)
def test_spec_is_split_at_its_first_colon(spec: str, parts: tuple[str, str]) -> None:
    """Names may hold colons."""
    assert split_spec(spec) == parts


@pytest.mark.parametrize("spec", ["", "gpt-5-mini", "openai", "openai:", "nobody:x", "starter:x", ":x", "OpenAI:x"])
def test_a_spec_that_is_none_names_the_providers(spec: str) -> None:
    """And the form to write."""
    with pytest.raises(UsageError) as caught:
        split_spec(spec)
    assert "openai:gpt-5-mini" in caught.value.fix
    for provider in PROVIDERS:
        assert provider in caught.value.fix


async def test_settings_that_a_provider_has_no_use_for_are_left_out(tmp_path: Path) -> None:
    """`--base-url` in the environment of a scripted demo is no error; a setting nobody knows is."""
    file = tmp_path / "s.json"
    file.write_text('[{"text": "x"}]')
    model = await open_model(f"scripted:{file}", base_url="http://x/v1", api_key="k", price_in=None)
    assert model.name == f"scripted:{file}"
    with pytest.raises(UsageError, match="temprature"):
        await open_model(f"scripted:{file}", temprature=1)


async def test_price_flags_go_for_every_provider(tmp_path: Path) -> None:
    """In dollars per million tokens."""
    file = tmp_path / "s.json"
    file.write_text('[{"text": "x"}]')
    for spec in (f"scripted:{file}", "openai:x"):
        model = await open_model(spec, base_url="http://127.0.0.1:1/v1", price_in="1", price_out="2")
        assert model.price is not None
        assert (model.price.input, model.price.output) == (1, 2)
    assert (await open_model("openai:x", base_url="http://127.0.0.1:1/v1")).price is None
    with pytest.raises(UsageError, match="--price-out"):
        await open_model("openai:x", base_url="http://127.0.0.1:1/v1", price_in=1)


async def test_no_spec_and_an_address_take_the_servers_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `outrider run --base-url …` does."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with OpenAIServer(models=["only"]) as server:
        model = await open_model(None, base_url=server.base_url)
    assert model.name == "openai:only"


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_provider_of_the_list_is_there(name: str) -> None:
    """A line in PROVIDERS is a promise."""
    module, _, title = PROVIDERS[name].partition(":")
    assert hasattr(importlib.import_module(module), title)


def test_opening_an_openai_model_imports_nothing_heavy() -> None:
    """The first answer must not wait for the SDK, httpx2 or a price table."""
    code = (
        "import asyncio, sys\nfrom outrider.agent.models import open_model\n"
        "asyncio.run(open_model('openai:x', base_url='http://127.0.0.1:1/v1'))\n"
        "heavy = {'openai', 'httpx2', 'langchain_core', 'llama_cpp', 'numpy', 'genai_prices', 'truststore'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
