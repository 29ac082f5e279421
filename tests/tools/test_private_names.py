"""The private names of libraries that we reach into: when one moves, this fails, not a search in somebody's run."""

from __future__ import annotations

import inspect

import pytest


def test_ddgs_still_has_what_the_watch_replaces() -> None:
    """tools/web/search.py overrides `DDGS._get_engines` and wraps `search` and `http_client.request` of each engine."""
    from ddgs.base import BaseSearchEngine
    from ddgs.ddgs import DDGS
    from ddgs.engines import ENGINES
    from ddgs.http_client import HttpClient

    assert list(inspect.signature(DDGS._get_engines).parameters) == ["self", "category", "backend"]
    assert callable(HttpClient.request)
    engine = next(iter(ENGINES["text"].values()))()
    assert isinstance(engine, BaseSearchEngine)
    assert callable(engine.search)
    assert isinstance(engine.http_client, HttpClient)
    assert isinstance(engine.name, str)
    engines = DDGS()._get_engines("text", "auto")
    assert len(engines) > 1
    assert all(isinstance(one, BaseSearchEngine) for one in engines)


def test_huggingface_hub_still_lists_through_what_we_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    """tools/hub/hub_process.py replaces `http_backoff` of `utils._pagination`, which `list_models` must go through."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import _pagination

    assert "max_retries" in inspect.signature(_pagination.http_backoff).parameters
    asked: list[str] = []

    def stop(method: str, url: str, **options: object) -> None:
        asked.append(url)
        raise LookupError("asked")

    monkeypatch.setattr(_pagination, "http_backoff", stop)
    with pytest.raises(LookupError):
        next(iter(HfApi(endpoint="http://127.0.0.1:9").list_models(limit=1)))
    assert asked == ["http://127.0.0.1:9/api/models"]
