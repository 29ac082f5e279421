"""`outrider models compare`: what a person must know to approve a model, in the terminal, Markdown and JSON."""

from __future__ import annotations

import json

from tests.cli.program import Program
from tests.servers.hub import hub


def test_models_are_compared_for_approval(program: Program) -> None:
    """Licence and what it allows, data declared, size, gating, who serves it; the same facts in three forms."""
    with hub() as server:
        program.environment["HF_ENDPOINT"] = server.url()
        models = ("acme/tiny-sentiment", "acme/huge-chat")
        told = json.loads(program("models", "compare", *models, "--json").out)["models"]
        page = program("models", "compare", *models, "--markdown").out
        plain = program("models", "compare", *models)
    assert [(one["licence"], one["commercial"], one["data"], one["gated"], one["providers"]) for one in told] == [
        ("apache-2.0", "yes", "sst2", "no", "hf-inference"),
        ("other: acme-community", "unknown", "not stated", "manual", "none"),
    ]
    assert page.splitlines()[0] == "| model | acme/tiny-sentiment | acme/huge-chat |"
    assert "| data declared | sst2 | not stated |" in page
    assert plain.code == 0
    assert "67M parameters, 268 MB of files" in plain.out


def test_a_provider_model_is_compared_by_its_price_and_a_missing_one_is_an_error(program: Program) -> None:
    """A model by key has its provider's terms and its price; one that is not there fails the command, in words."""
    with hub() as server:
        program.environment["HF_ENDPOINT"] = server.url()
        done = program("models", "compare", "openai:gpt-5-mini", "acme/nothing", "--json")
    told = json.loads(done.out)
    assert done.code == 6
    assert "in, $" in told["models"][0]["price"]
    assert "there is no model" in told["failed"]["acme/nothing"]
