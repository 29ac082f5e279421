"""What a model costs, in dollars per million tokens: the user's word, then "it runs here", then a bundled table.
Touches nothing: genai-prices carries its table with it and is never asked to update itself.
Does not promise: that a bundled price is today's; `Price.source` says where the number is from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from outrider.agent.models.model import Price
from outrider.memory.errors import UsageError

LOCAL = ("llama", "starter", "builtin", "scripted")  # they run in this process or a child of it: no bill can come
OPENAI_HOST = "api.openai.com"
MOST_USD = Decimal(1_000_000)  # a million tokens for a million dollars: a slip of the keyboard
_TABLE_NAMES = {  # LangChain's provider → genai-prices' id, where they differ
    "azure_openai": "azure",
    "azure_ai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "bedrock_mantle_anthropic": "aws",
    "bedrock_mantle_openai": "aws",
    "google_anthropic_vertex": "google",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "xai": "x-ai",
}

Dollars = Decimal | float | int | str


def find_price(
    spec: str,
    price_in: Dollars | None = None,
    price_out: Dollars | None = None,
    base_url: str | None = None,
) -> Price | None:
    """The price of `spec` ("provider:model"); None: not known, which is never taken for free.

    price_in, price_out: dollars per million tokens, both or neither; they win. A model that runs here costs 0.
    With a `base_url` that is not OpenAI's, the table counts only if it knows that very host (https): a server on a
    loopback or private address may well be a proxy that bills somebody. Raises UsageError.
    """
    if price_in is not None or price_out is not None:
        return _given(price_in, price_out)
    if spec.partition(":")[0] in LOCAL:
        return Price(Decimal(0), Decimal(0), source="local")
    found = _in_table(spec, base_url)
    return _price(found) if found else None


def find_window(spec: str, base_url: str | None = None) -> int | None:
    """The context window of `spec` in tokens, where the table knows it; the same rules for `base_url` as for a price."""
    window = getattr(_in_table(spec, base_url), "context_window", None)
    return window if isinstance(window, int) and window > 0 else None


def hub_price(model: str, provider: str) -> Price | None:
    """What an inference provider takes for a model of the hub through the hub's router; None: not known."""
    found = _looked_up(model, provider_id=f"huggingface_{provider}")
    return _price(found) if found else None


def _in_table(spec: str, base_url: str | None) -> Any:
    """What genai-prices knows of a model; None: nothing, or it is not asked."""
    provider, _, model = spec.partition(":")
    if provider == "langchain":
        vendor, _, model = model.partition(":")
        return None if base_url else _looked_up(model, provider_id=_TABLE_NAMES.get(vendor, vendor))
    if provider != "openai":
        return None
    parts = urlsplit(base_url or f"https://{OPENAI_HOST}/v1")
    if parts.hostname == OPENAI_HOST:
        return _looked_up(model, provider_id="openai")
    return _looked_up(model, api_url=base_url) if parts.scheme == "https" else None


def _given(price_in: Dollars | None, price_out: Dollars | None) -> Price:
    if price_in is None or price_out is None:
        flag, missing = ("--price-in", "--price-out") if price_out is None else ("--price-out", "--price-in")
        raise UsageError(
            f"{flag} was given without {missing}",
            "a price has two halves: what is read and what is written",
            f"give {missing} too, in dollars per million tokens (0 if it is free)",
        )
    return Price(_dollars("--price-in", price_in), _dollars("--price-out", price_out), source="--price-in")


def _dollars(flag: str, given: Dollars) -> Decimal:
    try:
        usd = Decimal(str(given))
    except InvalidOperation:
        usd = Decimal("NaN")
    if not usd.is_finite() or not 0 <= usd <= MOST_USD:
        why = f"{str(given)[:40]!r} is not a number from 0 to {MOST_USD:,}"
        raise UsageError(f"{flag} is not a price", why, f"give dollars per million tokens, like {flag} 0.25")
    return usd


def _looked_up(model: str, *, provider_id: str | None = None, api_url: str | None = None) -> Any:
    from genai_prices.data_snapshot import get_snapshot  # late: 0.1 s, and no model of this machine needs it

    try:
        return get_snapshot().find_provider_model(model, None, provider_id, api_url)[1]
    except LookupError:
        return None


def _price(found: Any) -> Price | None:
    import genai_prices

    prices = found.get_prices(datetime.now(UTC))
    read, written = _highest(prices, "input_mtok"), _highest(prices, "output_mtok")
    if read is None or written is None or _highest(prices, "requests_kcount"):
        return None  # half a price, or a fee for each request: a bound cannot be built on it
    cached, tiered = _highest(prices, "cache_read_mtok"), read.tiered or written.tiered
    source = f"genai-prices {genai_prices.__version__}" + (" (highest tier)" if tiered else "")
    special = {ours: rate.usd for ours, field in _SPECIAL if (rate := _highest(prices, field)) is not None}
    return Price(read.usd, written.usd, cached.usd if cached else None, source=source, **special)


_SPECIAL = (
    ("cache_write", "cache_write_mtok"),
    ("audio_input", "input_audio_mtok"),
    ("audio_output", "output_audio_mtok"),
)


@dataclass(frozen=True, slots=True)
class _Rate:
    usd: Decimal
    tiered: bool


def _highest(prices: Any, field: str) -> _Rate | None:
    """A rate; where long requests cost more, the highest: a reservation must hold for every length."""
    rate = getattr(prices, field, None)
    if rate is None or isinstance(rate, Decimal):
        return None if rate is None else _Rate(rate, False)
    return _Rate(max([rate.base, *(tier.price for tier in rate.tiers)]), True)
