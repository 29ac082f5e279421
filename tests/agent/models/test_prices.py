"""Prices: the user's word, local is free, the bundled table; and never zero because nobody knows."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from outrider.agent.models.model import Usage
from outrider.agent.models.prices import find_price
from outrider.memory.errors import UsageError


@pytest.mark.parametrize("spec", ["starter", "llama:x.gguf", "scripted:x.json"])
def test_models_that_run_here_cost_nothing(spec: str) -> None:
    """No bill can come."""
    price = find_price(spec)
    assert price is not None
    assert (price.input, price.output, price.source) == (0, 0, "local")


def test_known_models_have_a_price_and_say_where_it_is_from() -> None:
    """From the table that comes with the package; dollars per million tokens."""
    price = find_price("openai:gpt-4o-mini")
    assert price is not None
    assert price.source.startswith("genai-prices ")
    assert price.usd(Usage(input_tokens=1_000_000, output_tokens=0)) == price.input > 0
    assert price.cached is not None
    assert price.cached < price.input < price.output


@pytest.mark.parametrize(
    ("spec", "base_url"),
    [
        ("openai:no-such-model-9000", None),
        ("openai:gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("openai:gpt-4o-mini", "http://192.168.1.9:8000/v1"),
        ("openai:gpt-4o-mini", "https://proxy.example/v1"),
        ("openai:gpt-4o-mini", "http://openrouter.ai/api/v1"),
        ("langchain:nobody:nothing", None),
        ("langchain:openai:gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("unknown:x", None),
    ],
)
def test_what_nobody_knows_has_no_price(spec: str, base_url: str | None) -> None:
    """A loopback server may be a proxy that bills: not free, not OpenAI's price, but unknown."""
    assert find_price(spec, base_url=base_url) is None


def test_a_host_the_table_knows_has_its_own_price() -> None:
    """A model behind OpenRouter costs what OpenRouter asks."""
    assert find_price("openai:openai/gpt-4o-mini", base_url="https://openrouter.ai/api/v1") is not None


def test_langchain_names_are_translated() -> None:
    """google_genai is google in the table."""
    assert find_price("langchain:google_genai:gemini-2.5-flash") is not None
    assert find_price("langchain:anthropic:claude-sonnet-4-5") is not None


def test_a_price_by_length_counts_as_its_highest() -> None:
    """A reservation must hold for a long request too."""
    price = find_price("langchain:google_genai:gemini-2.5-pro")
    assert price is not None
    assert "highest tier" in price.source
    assert price.input > Decimal("1.25")


@pytest.mark.parametrize("spec", ["openai:gpt-4o-mini", "openai:unknown", "starter", "langchain:x:y"])
def test_the_users_price_wins(spec: str) -> None:
    """For every provider."""
    price = find_price(spec, "0.5", 2)
    assert price is not None
    assert (price.input, price.output) == (Decimal("0.5"), Decimal(2))


@pytest.mark.parametrize("given", [(1, None), (None, 1), (-1, 1), (1, "x"), (1, float("nan")), ("inf", 1), (1, "9e99")])
def test_half_a_price_or_no_number_is_a_usage_error(given: Any) -> None:
    """The flag is named."""
    with pytest.raises(UsageError, match="--price-"):
        find_price("openai:x", *given)


def test_looking_up_a_price_opens_no_connection() -> None:
    """The table is bundled: nothing leaves the machine."""
    code = (
        "import socket\n"
        "def no(*a, **k): raise SystemExit('a connection')\n"
        "socket.socket.connect = no; socket.getaddrinfo = no\n"
        "from outrider.agent.models.prices import find_price\n"
        "assert find_price('openai:gpt-4o-mini') and not find_price('openai:zzz-none')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
