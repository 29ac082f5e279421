"""How a model is reached: one line here and one file per provider, imported only when it is used.
Touches nothing itself. `open_model("openai:gpt-5-mini")` gives a `Model` (the contract is in model.py).
Does not promise: that the model answers; the first request tells.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable
from typing import Any, cast

from outrider.agent.models.model import Model
from outrider.agent.models.options import NAMED, check_context, checked, split
from outrider.memory.errors import UsageError

PROVIDERS = {
    "openai": "outrider.agent.models.openai.model:OpenAIModel",
    "openai-responses": "outrider.agent.models.openai.responses:ResponsesModel",
    "llama": "outrider.agent.models.llama.model:LlamaModel",
    "starter": "outrider.agent.models.llama.model:LlamaModel",
    "builtin": "outrider.agent.models.llama.tuned:TunedModel",
    "langchain": "outrider.agent.models.langchain.model:LangChainModel",
    "scripted": "outrider.agent.models.scripted:ScriptedModel",
}
COMMON = ("base_url", "api_key", "max_context", "stream")  # flags any run may carry, whatever its model is
NAMELESS = ("starter", "builtin")  # a whole spec by itself

__all__ = ["PROVIDERS", "as_model", "open_model", "split_spec"]


def split_spec(spec: str) -> tuple[str, str]:
    """("openai", "gpt-5-mini") of "openai:gpt-5-mini". Raises UsageError that names the providers."""
    provider, colon, name = spec.strip().partition(":")
    if provider in NAMELESS and not name:
        return provider, provider
    if provider in PROVIDERS and provider not in NAMELESS and name:
        return provider, name
    ways = ", ".join(p if p in NAMELESS else f"{p}:…" for p in PROVIDERS)
    if provider in PROVIDERS:
        why = f"{provider} takes no name" if provider in NAMELESS else f"it names no model after {provider}:"
    elif colon:
        why = f"there is no provider {provider[:40]!r}"
    else:
        why = "it does not say how the model is reached"
    raise UsageError(
        f"not a model: {spec[:100]!r}", why, f"write provider:name, like openai:gpt-5-mini; there are {ways}"
    )


async def open_model(spec: str | None = None, *, remembered: bool = True, **settings: Any) -> Model:
    """The model `spec` names; None: the best one found on this machine (detect.py).

    remembered: where a setting is not given, use what `outrider models check` found of this model at this address.
    A setting that is None counts as not given. options: those of options.py, by name. price_in and price_out (dollars per million tokens) go for every provider,
    those in COMMON are left out where a provider has no use for them, any other must be one the provider takes.
    Raises UsageError, ModelUnavailable.
    """
    given = {key: value for key, value in settings.items() if value is not None}
    check_context(given.get("max_context"))
    named, others = split(checked({key: given.pop(key) for key in NAMED if key in given} | given.pop("options", {})))
    given |= named | ({"options": others} if others else {})
    if spec is None:
        from outrider.agent.models.detect import choose

        found = await asyncio.to_thread(choose, given.get("base_url"), given.get("api_key"))
        spec, given = found.spec, found.settings | given
    provider, name = split_spec(spec)
    if remembered:
        given = _found_before(spec, given) | given
    prices = given.pop("price_in", None), given.pop("price_out", None)
    price = None
    if prices != (None, None):  # before the model is opened: one that started a process would have to be closed again
        from outrider.agent.models.prices import find_price

        price = find_price(spec, *prices)
    if provider == "llama" and given.get("adapter"):
        provider = "builtin"  # asked in the format the adapter was made for
    model = cast(Model, _factory(provider, given)(name, **given))
    model.price = price or model.price
    return model


def _found_before(spec: str, given: dict[str, Any]) -> dict[str, Any]:
    from outrider.agent.models import findings

    found = findings.remembered(spec, findings.address(spec, given.get("base_url")))
    return found.settings() if found else {}


def _factory(provider: str, given: dict[str, Any]) -> Callable[..., Any]:
    """The provider's class, imported now; takes out of `given` what it has no use for."""
    module, _, title = PROVIDERS[provider].partition(":")
    factory: Callable[..., Any] = getattr(importlib.import_module(module), title)
    taken = inspect.signature(factory).parameters
    if any(each.kind is each.VAR_KEYWORD for each in taken.values()):
        return factory
    for key in [key for key in given if key not in taken]:
        if key not in COMMON:
            known = ", ".join(list(taken)[1:])
            raise UsageError(f"{provider}: does not take {key!r}", f"its settings are: {known}", f"leave {key} out")
        del given[key]
    return factory


def as_model(given: Any) -> Model:
    """A model instance as it is; any LangChain chat model as one of ours. Raises UsageError for anything else."""
    if any(
        kind.__name__ == "BaseChatModel" and kind.__module__.startswith("langchain_core.")
        for kind in type(given).__mro__
    ):
        from outrider.agent.models.langchain.model import LangChainModel

        return LangChainModel(given)
    missing = [part for part in ("name", "limits", "reply", "count_bound", "aclose") if not hasattr(given, part)]
    if missing or isinstance(given, type):
        why = "it is a class" if isinstance(given, type) else f"it has no {', '.join(missing)}"
        fix = 'give "provider:name", an instance that keeps the contract in agent/models/model.py, or a LangChain chat model'
        raise UsageError(f"{type(given).__name__} is not a model", why, fix)
    return cast(Model, given)
